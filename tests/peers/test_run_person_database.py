"""`remit run` for a person before a real database and an API behind the proxy: what is minted for them ends with it."""

import json
import signal
import subprocess

import pytest

from tests.cli.test_run_database import READS, named, roles, until
from tests.kit.plain import SECRET, provider
from tests.kit.ports import free
from tests.kit.running_node import BRIEF, pinging, shop_node
from tests.kit.running_person import Running, signing_in
from tests.kit.wanderer import Wanderer

FOR_PEOPLE = BRIEF.replace('"own"', '"delegated"').replace('"olga"', '"group:staff"')
PINGS = (
    "import urllib.request\n"
    "proxy = urllib.request.ProxyHandler({'http': os.environ['HTTP_PROXY']}); os.environ.pop('NO_PROXY')\n"
    "os.environ.pop('no_proxy')\n"
    "print(urllib.request.build_opener(proxy).open('%s/ping', timeout=20).read().decode())\n"
)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    port, folder = free(), tmp_path_factory.mktemp("shop")
    held = folder / "idp"
    held.touch(0o600)
    held.write_text(SECRET, encoding="ascii")
    with (
        provider(f"http://127.0.0.1:{port}/signin/back") as idp,
        pinging() as api,
        shop_node(folder, api, port, FOR_PEOPLE, signing_in(idp, f"file:{held}")) as one,
    ):
        yield one


def run(node, program, *flags):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Running(node.run_words(program, *flags), cwd=node.folder, env=node.environment, **pipes)


def test_both_gates_take_what_the_person_gave_and_its_lease_is_proven_dead(node):
    with run(node, READS + "print(read())\n" + PINGS % node.api, "-o", "json") as process:
        Wanderer().go(process.asks())
        code, lines, said = process.ends()
    assert code == 0, said
    assert lines[:2] == ["[(1,), (2,)]", '{"pong": true}']
    told = json.loads(lines[2])
    assert [(one["resource"], one["state"], one["proof"]) for one in told["leases"]] == [("shop", "dead", "gone")]
    assert (told["proven"], told["calls"]["done"]) == (True, 2)
    assert roles(node, told["task"]) == []
    found = json.loads(node.ok(f"remit ledger show --task {told['task']} --last 100 -o json"))
    assert {one["receipt"]["path"] for one in found if "decision" in one["receipt"]} == {"delegated"}


def test_killed_outright_what_was_minted_for_the_person_is_dropped_and_probed(node):
    words = READS + "conn = psycopg.connect(); conn.execute('SELECT id FROM orders LIMIT 1')\n"
    with run(node, words + "print('on', flush=True); time.sleep(600)") as process:
        Wanderer().go(process.asks())
        assert process.stdout.readline() == b"on\n"
        (one,) = [lease for lease in node.leases() if lease["state"] == "active"]
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        assert until(lambda: roles(node, one["task"]) == [])
        assert until(lambda: named(node, one["id"])["state"] == "dead")
    died = named(node, one["id"])
    assert (died["proof"], died["because"]) == ("gone", "task")
