"""`remit witness` and a node as two programs, each with its own key and file; and the witness's settings."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from remit.cli.settings import load as node_settings
from remit.cli.witness_settings import WitnessSettings, check_bind, load
from tests.cli.test_serve import get, served
from tests.kit.nouns import code
from tests.kit.ports import free
from tests.kit.shell import Shell
from tests.kit.watching import NAME, VKEY


def text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def until(what, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def stands(shell: Shell) -> list[str]:
    ran = shell.run("remit status -o json")
    return json.loads(ran.out)["witnesses"]


def test_a_node_and_its_witness_and_a_copy_of_the_node_that_goes_on_apart(tmp_path: Path) -> None:
    port, home = free(), Shell(tmp_path / "witness")
    home.folder.mkdir(mode=0o700)
    made = json.loads(home.ok(f"remit witness init --name {NAME} -o json"))
    node = Shell(tmp_path / "node")
    node.folder.mkdir(mode=0o700)
    node.settle()
    ledger = json.loads(node.ok("remit ledger key -o json"))
    home.ok(f"remit witness trust '{ledger['key']}'")
    node.write(
        "remit.toml",
        "witness_required = 1\nwitness_stop = true\nwitness_max_age = 600\n"
        f'[[witnesses]]\nurl = "http://127.0.0.1:{port}"\nkey = "{made["key"]}"\n',
    )
    own = free()
    with served(home, port, "witness", "serve"):
        with served(node, own):
            assert until(lambda: get(f"http://127.0.0.1:{own}/readyz")[0] == 200)
            head = text(f"http://127.0.0.1:{own}/log/checkpoint")
            assert f"— {NAME} " in head
            assert head.startswith(ledger["origin"])
            assert until(lambda: "in order" in stands(node)[0]), stands(node)
            (one,) = get(f"http://127.0.0.1:{own}/readyz")[1]["witnesses"]
            assert (one["name"], one["state"], one["in_order"]) == (NAME, "in_order", True)
        found = json.loads(node.ok(f"remit ledger verify --witness '{made['key']}' -o json"))
        assert found["cosigned"][0]["heads"] >= 1
        node.ok("remit ledger export out")
        told = node.ok(f"remit-verify out --key '{ledger['key']}' --witness '{made['key']}' --witness '{VKEY}'")
        assert f"{NAME} cosigned" in told
        node.ok("cp -a . ../copy")
        copy, other = Shell(tmp_path / "copy"), free()
        for name in "defghi":
            copy.ok(f"remit person add {name} --name 'Other'")
        node.ok("remit person add this --name 'This' && remit person add that --name 'That'")
        with served(node, own):
            size = json.loads(node.ok("remit ledger key -o json"))["size"]
            assert until(lambda: f"{size} entries" in home.ok("remit witness show")), home.ok("remit witness show")
        with served(copy, other):
            assert until(lambda: get(f"http://127.0.0.1:{other}/readyz")[0] == 503)
            assert until(lambda: "refused" in stands(copy)[0])
            codes = [one["code"] for one in get(f"http://127.0.0.1:{other}/readyz")[1]["checks"]]
            assert codes == ["witness_refused"]
        assert copy.run("remit status").code == 1
        assert "witness.refused" in copy.ok("remit ledger show -o json")
        copy.ok(f"remit witness acknowledge {NAME} --because 'this copy is the one that stays'")
        assert copy.run("remit status").code == 0
        copy.ok(f"remit witness remove {NAME} --because 'it was retired'")
        assert stands(copy) == []
        shown = json.loads(home.ok("remit witness show -o json"))
        assert shown["logs"][0]["refused"] >= 1


def test_a_witness_is_made_once_and_says_what_it_trusts(tmp_path: Path) -> None:
    home = Shell(tmp_path)
    made = json.loads(home.ok(f"remit witness init --name {NAME} -o json"))
    assert home.run(f"remit witness init --name {NAME}").code == 2
    assert (tmp_path / ".witness" / "witness.key").stat().st_mode & 0o777 == 0o600
    assert made["key"] in home.ok("remit witness show")
    log = "ledger.example/log+00000000+AAAA"
    assert "vkey_invalid" in home.run(f"remit witness trust {log}").err
    assert "not_found" in home.run(f"remit witness trust --remove --origin x {log}").err
    assert "witness_lost" in home.run("remit witness show --folder elsewhere").err
    assert "vkey_invalid" in home.run("remit witness init --folder new --name 'a b'").err
    assert "bind_refused" in home.run("remit witness serve --host 0.0.0.0").err
    (tmp_path / ".witness" / "witness.key").write_text("00" * 31 + "01")
    assert "witness_key" in home.run("remit witness serve").err


@pytest.mark.parametrize(
    ("environ", "flags", "found"),
    [
        ({"WITNESS_PORT": "x"}, {}, "setting_invalid"),
        ({"WITNESS_PORT": "70000"}, {}, "setting_invalid"),
        ({"WITNESS_NAME": "x"}, {}, "setting_unknown"),
        ({}, {"key": "the key itself"}, "setting_invalid"),
        ({}, {"tls_cert": "file:x"}, "setting_invalid"),
        ({"WITNESS_CONFIG": "/nowhere/x.toml"}, {}, "settings_unreadable"),
    ],
)
def test_a_setting_of_a_witness_that_is_not_right_is_refused(environ, flags, found) -> None:
    assert code(load, environ, flags) == found


def test_settings_of_a_witness_go_flag_environment_file_default(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text('host = "127.0.0.2"\nport = 1\ndata = "a"\n')
    found = load({"WITNESS_CONFIG": str(path), "WITNESS_PORT": "2", "WITNESS_DATA": "b"}, {"data": "c"})
    assert (found.host, found.port, found.data) == ("127.0.0.2", 2, Path("c"))
    assert found.key_reference == "file:c/witness.key"
    assert load({"WITNESS_KEY": "env:WITNESS_SEED", "WITNESS_SEED": "x"}, {}).key_reference == "env:WITNESS_SEED"
    assert code(check_bind, WitnessSettings(host="192.0.2.1")) == "bind_refused"


@pytest.mark.parametrize(
    "lines",
    [
        "witness_required = 1",
        "witness_max_age = -1",
        "witnesses = 1",
        '[[witnesses]]\nurl = "https://w.example"',
        '[[witnesses]]\nurl = "http://w.example"\nkey = "k"',
        '[[witnesses]]\nurl = "https://a@w.example"\nkey = "k"',
        '[[witnesses]]\nurl = "https://["\nkey = "k"',
    ],
)
def test_a_node_s_settings_about_witnesses_that_are_not_right_are_refused(tmp_path: Path, lines) -> None:
    path = tmp_path / "remit.toml"
    path.write_text(lines)
    assert code(node_settings, {}, {}, str(path)) == "setting_invalid"
