"""The official Python SDK leads a person to an approval's page, and its call goes on once somebody said yes there."""

import subprocess
import threading
import time

from remit.control import approval, policy, principal
from remit.core.approval import Approval
from tests.gateway.test_serve_asking import ASK, COMMON, NEVER
from tests.kit import peers
from tests.kit.agent import LEGACY, MODERN
from tests.kit.gate import gate_for
from tests.kit.upstream import TOOLS, small

LIMIT = 60


def test_a_person_is_led_to_the_page_and_the_call_goes_on(tmp_path):
    told = tmp_path / "address"
    with small(MODERN, LEGACY) as server, gate_for(server.url, tools=TOOLS) as gate:
        layers = {"common": {"base.cedar": f"{COMMON}\n{NEVER}"}, "delegated": {}, "own": {"ask.cedar": ASK}}
        gate.act(lambda c: policy.apply(c, layers, 1, "operator"))
        ann = gate.act(lambda c: principal.add_person(c, "local", "ann", "Ann", ("people",), "operator")).id
        thread = threading.Thread(target=lambda: _answer(gate, ann, told))
        thread.start()
        driver = peers.KIT / "clients" / "led.py"
        command = [str(peers.python("mcp2")), str(driver), gate.url, gate.token, str(told)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        thread.join(LIMIT)
        assert ran.returncode == 0, ran.stderr[-2000:]
        assert ran.stdout == f"{MODERN} False led"
        assert told.read_text().startswith(gate.mcp.page)
        assert server.ran() == ["echo"]


def _answer(gate, ann, told):
    """Go where the client leads, and say yes there as Ann."""
    end = time.monotonic() + LIMIT
    while not told.exists() and time.monotonic() < end:
        time.sleep(0.1)
    identity = told.read_text().rpartition("/")[2]
    shown = gate.act(lambda c: c.need(Approval, identity)).shown
    gate.act(lambda c: approval.answer(c, identity, ann, yes=True, shown=shown, via="console"))
