"""Law 7: the agent never holds the target's secret on a proxied path, nor the target the agent's token.

A canary stands for the secret. Every byte that the agent is sent, and every byte that the target is sent, is looked at.
"""

import base64
import json
import sys
from pathlib import Path

import pytest

from remit.control import credential
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from tests.gateway.test_serve_legs import STDIO, STDIO_TOOLS
from tests.kit.agent import LEGACY, MODERN, Agent
from tests.kit.gate import gate_for
from tests.kit.planted import Planted, each_goes_red
from tests.kit.proving import Holder, Prover
from tests.kit.upstream import TOOLS, small

CANARY = "canary-of-the-target-7f3a91"
COOKIE, HOLDER = "cookie-of-the-agent", Holder()
PROOF = HOLDER.proof("https://remit.example").partition(".")[0]
"""What every proof of the agent's key begins with."""
SPELLED = (CANARY, base64.b64encode(CANARY.encode()).decode()[:-4], CANARY.encode().hex())
ASKED = ("echo", "reflect", "progress", "die", "garbage", "secret_plan", "outside_the_plan", "no_such_tool")


def over_http(legacy: bool) -> tuple[bytes, str, str]:
    """All that an agent was told, all that the target was told, and the agent's token."""
    told = b""
    with small(MODERN, LEGACY) as server, gate_for(server.url, tools=TOOLS, lends=CANARY) as gate:
        given = {"task_id": gate.task.id, "agent_id": gate.world.agent.id, "path": TrustPath.OWN, "thumb": HOLDER.thumb}
        token = gate.act(lambda change: credential.give(change, **given)).text
        agent = Prover(gate.url, token, extra={"cookie": f"sid={COOKIE}"}, holder=HOLDER)
        if legacy:
            told += agent.hello().data
        ask, call = (agent.old, agent.old_call) if legacy else (agent.ask, agent.call)
        for answer in (ask("tools/list"), ask("resources/read", {"uri": f"file:///{CANARY}"}), ask("nonsense")):
            told += answer.data + json.dumps(answer.headers).encode()
        for name in ASKED:
            answer = call(name, {"text": "x"})
            told += answer.data + json.dumps(answer.headers).encode()
        return told, json.dumps(server.fields) + json.dumps(server.bodies), token


def over_stdio() -> tuple[bytes, str, str]:
    place = Upstream(argv=(sys.executable, STDIO))
    with gate_for(tools=STDIO_TOOLS, upstream=place, lends=CANARY, variable="TARGET_KEY") as gate:
        agent = Agent(gate.url, gate.token)
        answers = [agent.call(name, {"text": "x"}) for name in ("reflect", "echo", "die")]
        assert "TARGET_KEY" in answers[0].text, "the process was lent nothing"
        return b"".join(one.data for one in answers), "", gate.token


def the_agent_never_holds_the_targets_secret(_: Path) -> None:
    for told, seen, _token in (over_http(False), over_http(True), over_stdio()):
        assert not seen or CANARY in seen, "the target was lent nothing"
        # The agent wrote the canary into a URI itself once; the target's answer with it is redacted like any other.
        for spelling in SPELLED:
            assert spelling.encode() not in told, "the agent was told the secret"


def the_target_never_holds_the_agents_token(_: Path) -> None:
    for legacy in (False, True):
        _, seen, token = over_http(legacy)
        for mine in (token, COOKIE, PROOF):
            assert mine not in seen, "the target was told what is the agent's"


LAWS = (the_agent_never_holds_the_targets_secret, the_target_never_holds_the_agents_token)
FAULTS = (
    Planted(
        "answers are not redacted", "gateway/serve/exchange.py",
        "self.data = await self.redacted(write(body))", "self.data = write(body)",
        LAWS[0], "the agent was told the secret",
    ),
    Planted(
        "what was lent is not hidden", "control/gate.py", "hidden.append(secret.reveal())", "pass", LAWS[0],
        "the agent was told the secret",
    ),
    Planted(
        "the agent's token goes upstream", "gateway/serve/legs.py", 'if name.startswith(b"mcp-param-") and',
        'if name.startswith((b"mcp-param-", b"authorization")) and', LAWS[1], "the target was told what is the agent's",
    ),
    Planted(
        "a secret in hexadecimal passes", "core/redact.py",
        "found = {value.hex().encode(), value.hex().upper().encode()}",
        "found = set()", LAWS[0], "the agent was told the secret",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
