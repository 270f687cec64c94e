"""What is told to whoever rests on nothing any more: that, whatever else is wrong with what was sent."""

import json

import pytest

from tests.kit.agent import LEGACY, MODERN, Agent
from tests.kit.gate import gate_for
from tests.kit.upstream import TOOLS, small


@pytest.mark.parametrize(
    ("what", "asked", "got", "code"),
    [
        ("task", "POST", 200, "task_ended"),
        ("task", "GET", 403, "task_ended"),
        ("credential", "POST", 401, "credential_ended"),
        ("credential", "GET", 401, "credential_ended"),
    ],
)
def test_who_rests_on_nothing_any_more_is_told_that_and_not_that_the_session_is_gone(what, asked, got, code):
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        agent.hello()
        gate.revoke(what)
        headers = agent.headers() | {"mcp-session-id": "forgotten", "mcp-protocol-version": LEGACY}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}
        told = agent.raw(json.dumps(call).encode() if asked == "POST" else b"", headers, asked)
        assert (told.status, gate.entries()[-1]["code"]) == (got, code)
        assert told.code == code


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (b"{nonsense", {}),
        (b'{"jsonrpc":"2.0","id":1,"method":"made/up"}', {"mcp-method": "made/up"}),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {"mcp-method": "tools/call"}),
    ],
)
def test_what_is_told_to_who_rests_on_nothing_is_what_stands_in_the_ledger(data, changes):
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        gate.revoke()
        agent = Agent(gate.url, gate.token)
        told = agent.raw(data, agent.headers() | {"mcp-protocol-version": MODERN} | changes)
        assert told.code == gate.entries()[-1]["code"] == "task_ended"
