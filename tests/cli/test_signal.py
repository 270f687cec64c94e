"""`remit signal`, as an operator types it."""

import json
import time
from pathlib import Path

from tests.cli.test_serve import served
from tests.kit.ports import free
from tests.kit.shell import Shell
from tests.kit.site import ask


def test_a_transmitter_is_added_shown_and_removed(tmp_path: Path) -> None:
    shell = Shell(tmp_path).files()
    shell.ok("remit up --no-serve")
    told = shell.ok("remit signal add idp --issuer https://idp.example --keys-url https://idp.example/jwks")
    assert "/ssf/events" in told
    shown = json.loads(shell.ok("remit signal show -o json"))
    assert ([one["name"] for one in shown["transmitters"]], shown["signals"]) == (["idp"], [])
    shell.ok("remit signal remove idp --because test")
    assert "removed" in shell.ok("remit signal show")


def test_one_node_polls_another_and_what_ends_there_ends_here(tmp_path: Path) -> None:
    """Two Remits as processes: the first tells, the second asks it (RFC 8936)."""
    ports = free(), free()
    tells, asks = (Shell(tmp_path / name) for name in ("tells", "asks"))
    origins = [f"http://127.0.0.1:{port}" for port in ports]
    known = {}
    for shell, port in zip((tells, asks), ports, strict=True):
        shell.folder.mkdir()
        shell.write("remit.toml", f"port = {port}\n")
        shell.ok("remit up --no-serve")
        known[shell] = json.loads(shell.ok("remit person add mia --issuer https://idp.example -o json"))["id"]
    tells.ok("remit service add asker --owner olga")
    token = json.loads(tells.ok("remit service token asker -o json"))["token"]
    receivers = f'[[receivers]]\nservice = "asker"\naudience = "{origins[1]}"\npeople = "https://idp.example"\n'
    tells.write("remit.toml", f"port = {ports[0]}\n{receivers}")
    where = f'[[transmitters]]\nname = "first"\npoll = "{origins[0]}/ssf/poll"\nauthorization = "env:FIRST"\n'
    asks.write("remit.toml", f"port = {ports[1]}\n{where}")
    asks.environment["FIRST"] = f"Bearer {token}"
    keys = f"--keys-url {origins[0]}/ssf/jwks --about https://idp.example"
    assert f"{origins[0]}/ssf/poll" in asks.ok(f"remit signal add first --issuer {origins[0]} {keys}")
    with served(tells, ports[0]):
        delivery = json.dumps({"delivery": {"method": "urn:ietf:rfc:8936"}}).encode()
        head = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        assert ask(f"{origins[0]}/ssf/streams", "POST", delivery, head).status == 201
        with served(asks, ports[1]):
            tells.ok(f"remit revoke person {known[tells]}")
            until, heard = time.monotonic() + 60, []
            while not heard and time.monotonic() < until:
                heard = json.loads(asks.ok("remit signal show -o json"))["signals"]
            assert [(one["person"], one["ends"]) for one in heard] == [(known[asks], "person")]
    assert "gone" in asks.ok("remit person show")
