"""The public conformance suite against a gate with enforcement on: what stands between costs nothing of the score."""

import pytest

from tests.kit import conformance
from tests.kit.agent import Agent
from tests.kit.gate import gate_for
from tests.kit.running import everything, shim

REQUIRED = {"2026-07-28": 37, "2025-11-25": 30}


@pytest.mark.parametrize("revision", REQUIRED)
def test_the_gate_keeps_the_full_score(revision):
    with everything() as upstream:
        straight = conformance.server(upstream, revision)
        with gate_for(upstream, denied=("echo",)) as gate, shim(gate.url, gate.token) as own:
            through = conformance.server(own, revision)
            agent = Agent(gate.url, gate.token)
            names = {one["name"] for one in agent.ask("tools/list").last["result"]["tools"]}
            refused = agent.call("echo", {"text": "hello"})
            calls = gate.calls()
    assert "echo" not in names
    assert len(names) > 20
    assert refused.code == "plan_outside"
    assert calls[-1] == ("mcp:target/echo", "plan_outside")
    assert len(through.required) == REQUIRED[revision]
    assert not through.failed
    assert through.full, through.output[-2000:]
    assert through.passed == straight.passed


@pytest.mark.parametrize("revision", REQUIRED)
def test_without_a_credential_there_is_no_score(revision):
    with everything() as upstream, gate_for(upstream) as gate, shim(gate.url, "not-a-credential") as own:
        verdict = conformance.server(own, revision)
    assert not verdict.full
    answered = ("tools-list", "tools-call-simple-text", "resources-list", "resources-read-text", "prompts-list")
    assert set(answered) <= set(verdict.failed)
