"""`remit signal`, as an operator types it."""

import json
from pathlib import Path

from tests.kit.shell import Shell


def test_a_transmitter_is_added_shown_and_removed(tmp_path: Path) -> None:
    shell = Shell(tmp_path).files()
    shell.ok("remit up --no-serve")
    told = shell.ok("remit signal add idp --issuer https://idp.example --keys-url https://idp.example/jwks")
    assert "/ssf/events" in told
    shown = json.loads(shell.ok("remit signal show -o json"))
    assert ([one["name"] for one in shown["transmitters"]], shown["signals"]) == (["idp"], [])
    shell.ok("remit signal remove idp --because test")
    assert "removed" in shell.ok("remit signal show")
