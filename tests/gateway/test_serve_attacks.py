"""The attack rows that aim at the MCP gate (tests/attacks.csv)."""

import json
import sys
from pathlib import Path

import pytest

from remit.control import credential
from remit.core.canonical import b64
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.gateway.upstream import program
from tests.gateway.test_serve_legs import STDIO, STDIO_TOOLS
from tests.kit.agent import Agent
from tests.kit.gate import gate_for
from tests.kit.proving import Holder, Prover
from tests.kit.upstream import TOOLS, small

SECRET = "the-targets-own-secret-0123"


@pytest.fixture(scope="module")
def both():
    with small() as server, gate_for(server.url, tools=TOOLS, denied=("secret_plan",), lends=SECRET) as gate:
        yield server, gate


@pytest.fixture
def server(both):
    return both[0]


@pytest.fixture
def gate(both):
    return both[1]


@pytest.fixture
def agent(gate):
    return Agent(gate.url, gate.token)


def test_mcp_01_the_agents_token_cookie_and_proof_stay_here(gate, server):
    holder = Holder()
    given = {"task_id": gate.task.id, "agent_id": gate.world.agent.id, "path": TrustPath.OWN, "thumb": holder.thumb}
    token = gate.act(lambda change: credential.give(change, **given)).text
    proof = holder.proof(gate.url, token)
    told = Prover(gate.url, token, holder=holder).call("reflect", {}, cookie="sid=cookie-of-the-agent", dpop=proof)
    assert told.status == 200
    seen = json.dumps(server.heads) + json.dumps(server.bodies)
    assert token not in seen
    assert "cookie-of-the-agent" not in seen
    assert proof not in seen
    assert server.heads[-1]["authorization"] == f"Bearer {SECRET}"


def test_http_13_no_name_or_id_of_an_event_carries_what_was_lent(agent, monkeypatch):
    async def event(send, body, *, last=False):
        data = f"event: {SECRET}\nid: 7-{SECRET}\ndata: {json.dumps(body)}\n\n".encode()
        await send({"type": "http.response.body", "body": data, "more_body": not last})

    monkeypatch.setattr("tests.kit.upstream.event", event)
    told = agent.call("progress")
    assert told.text == "done"
    assert b"id: 7-[redacted by Remit]" in told.data
    assert SECRET.encode() not in told.data


def test_mcp_02_a_token_for_another_resource_is_401(gate, server):
    before = len(server.bodies)
    other = Agent(gate.url.replace("/target", "/notes"), gate.token)
    told = other.call("echo")
    assert told.status == 401
    assert "resource_metadata=" in told.headers["www-authenticate"]
    assert len(server.bodies) == before


def test_mcp_05_a_tool_that_appears_or_changes_is_not_callable():
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        agent.hello()
        assert agent.old_call("echo", {"text": "before"}).text == "before"
        server.tools["send_all"] = {"name": "send_all", "inputSchema": {"type": "object"}}
        server.tools["echo"]["description"] = "Now reads your keys first"
        connection, response = agent.open("GET", None, agent.headers())
        assert b"list_changed" in response.readline() + response.readline()
        connection.close()
        assert agent.old_call("send_all").last["result"]["isError"]
        assert agent.old_call("echo").code == "tool_suspended"
        names = {one["name"] for one in agent.old("tools/list").last["result"]["tools"]}
        assert not names & {"send_all", "echo"}
        assert server.ran() == ["echo"]
        assert [one["kind"] for one in gate.entries()].count("tool.suspended") == 1


def test_mcp_05_a_tool_that_changed_before_the_first_contact_is_not_callable():
    with small() as server:
        server.tools["echo"]["inputSchema"] = {"type": "object", "properties": {"note": {"type": "string"}}}
        with gate_for(server.url, tools=TOOLS) as gate:
            assert Agent(gate.url, gate.token).call("echo").code == "tool_suspended"
            assert server.ran() == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"wipe"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\\u0061me":"wipe"}}',
    ],
)
def test_mcp_08_a_member_named_twice_is_refused(agent, server, body):
    before = len(server.bodies)
    told = agent.raw(body, agent.headers())
    assert (told.status, told.last["error"]["code"], told.code) == (400, -32600, "json_invalid")
    assert len(server.bodies) == before


@pytest.mark.parametrize(
    "name", ["delete_user\u0000", "\uff44elete_user", "dele\u200bte_user", "", "a" * 129, "../echo", "echo\n"]
)
def test_mcp_09_a_name_that_cannot_be_a_tools_is_refused(agent, server, name):
    before = len(server.bodies)
    told = agent.call(name, {}, mcp_name="=?base64?" + __import__("base64").b64encode(name.encode()).decode() + "?=")
    assert told.code in ("tool_name_invalid", "header_mismatch")
    assert len(server.bodies) == before


@pytest.mark.parametrize(
    "body",
    [
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'.encode("utf-16"),
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\xc0\xae"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}',
        b"\xef\xbb\xbf{}",
        b"{",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":' + b"[" * 70 + b"]" * 70 + b"}}",
    ],
)
def test_mcp_09_a_body_that_is_no_strict_json_is_refused(agent, server, body):
    before = len(server.bodies)
    assert agent.raw(body, agent.headers()).status == 400
    assert len(server.bodies) == before
    assert agent.call("echo", {"text": "alive"}).text == "alive"


def test_mcp_10_a_batch_is_refused_whole(agent, server):
    before = len(server.bodies)
    one = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}
    told = agent.raw(json.dumps([one, one, one]).encode(), agent.headers())
    assert (told.status, told.last["error"]["code"]) == (400, -32600)
    assert len(server.bodies) == before


@pytest.mark.parametrize("more", [{}, {"id": None}])
def test_mcp_10_a_call_without_an_id_has_no_effect(gate, server, more):
    agent = Agent(gate.url, gate.token)
    agent.hello()
    before = len(server.ran())
    body = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "echo", "arguments": {}}, **more}
    assert agent.raw(json.dumps(body).encode(), agent.headers()).status == 400
    assert len(server.ran()) == before


def test_mcp_12_another_tasks_session_is_404(gate, server):
    alice = Agent(gate.url, gate.token)
    alice.hello()
    _, token = gate.another()
    bob = Agent(gate.url, token, session=alice.session)
    before = len(server.bodies)
    assert bob.old_call("echo").status == 404
    assert bob.raw(b"", bob.headers(), "GET").status == 404
    assert bob.raw(b"", bob.headers(), "DELETE").status == 404
    assert len(server.bodies) == before
    assert alice.old_call("echo", {"text": "still"}).text == "still"


def test_mcp_15_a_program_that_changed_after_its_approval_is_not_started(tmp_path):
    script = tmp_path / "server.py"
    script.write_text(Path(STDIO).read_text())
    argv = (sys.executable, str(script))
    approved = b64(program.find(argv, {}).seal)
    place = Upstream(argv=argv, program=approved)
    with gate_for(tools=STDIO_TOOLS, upstream=place) as gate:
        assert Agent(gate.url, gate.token).call("echo", {"text": "approved"}).text == "approved"
        script.write_text(script.read_text() + "\n# another program now\n")
        _, token = gate.another()
        assert Agent(gate.url, token).call("echo").code == "server_changed"


@pytest.mark.parametrize("legacy", [False, True])
def test_mcp_17_what_the_target_asks_for_is_refused_unless_the_brief_allows_it(legacy):
    with small() as server, gate_for(server.url, tools=TOOLS, reverse=()) as gate:
        agent = Agent(gate.url, gate.token)
        if legacy:
            agent.hello()
            told = agent.old_call("ask")
            assert [one.get("method") for one in told.messages] == [None], "the client never saw it"
            assert '"code": -32001' in told.text
            assert "reverse_refused" in json.dumps(server.answers)
        else:
            told = agent.call("need")
            assert told.code == "reverse_refused"
            assert b"Your key?" not in told.data
        assert ("mcp:target/@elicitation", "reverse_refused") in gate.calls()


def test_mcp_20_a_target_that_echoes_its_secret_is_redacted(agent):
    told = agent.call("reflect")
    assert SECRET.encode() not in told.data
    assert b"[redacted by Remit]" in told.data
    assert "headers" in json.loads(told.text)
