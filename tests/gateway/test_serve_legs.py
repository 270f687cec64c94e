"""Each kind of leg: the same era, a bridge to the other era, and a process over stdio."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from remit.core.resource import Upstream
from tests.kit.agent import LEGACY, MODERN, Agent
from tests.kit.gate import gate_for
from tests.kit.upstream import TOOLS, small

STDIO = str(Path(__file__).resolve().parents[1] / "kit" / "stdio_server.py")
STDIO_NAMES = ("echo", "reflect", "pid", "die", "progress", "ask", "able")
STDIO_TOOLS = {name: {"name": name, "inputSchema": {"type": "object"}} for name in STDIO_NAMES}


@pytest.fixture(scope="module")
def process():
    place = Upstream(argv=(sys.executable, STDIO), environment=(("GIVEN", "yes"),))
    with gate_for(tools=STDIO_TOOLS, upstream=place) as gate:
        yield gate


@pytest.mark.parametrize("eras", [(MODERN, LEGACY), (LEGACY,), (MODERN,)], ids=["both", "legacy", "modern"])
def test_a_modern_client_reaches_any_server(eras):
    with small(*eras) as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        found = agent.ask("server/discover").last["result"]
        assert (found["supportedVersions"], found["resultType"]) == ([MODERN], "complete")
        listed = agent.ask("tools/list").last["result"]
        assert "echo" in {one["name"] for one in listed["tools"]}
        assert listed["cacheScope"] == "private"
        called = agent.call("echo", {"text": "across"})
        assert (called.text, called.last["result"]["resultType"]) == ("across", "complete")
        assert agent.ask("resources/read", {"uri": "file:///a"}).last["result"]["contents"]
        assert agent.ask("prompts/get", {"name": "p"}).last["result"]["messages"]
        assert agent.call("outside_the_plan").code == "plan_outside"
        assert server.ran() == ["echo"]


@pytest.mark.parametrize("eras", [(MODERN, LEGACY), (LEGACY,), (MODERN,)], ids=["both", "legacy", "modern"])
def test_a_legacy_client_reaches_any_server(eras):
    only_modern = eras == (MODERN,)
    with small(*eras) as server:
        place = Upstream(url=server.url, modern=only_modern)
        with gate_for(server.url, tools=TOOLS, upstream=place) as gate:
            agent = Agent(gate.url, gate.token)
            assert agent.hello().last["result"]["protocolVersion"] == LEGACY
            assert agent.old("ping").last["result"] == {}
            listed = agent.old("tools/list").last["result"]
            assert "echo" in {one["name"] for one in listed["tools"]}
            assert not {"resultType", "ttlMs", "cacheScope"} & listed.keys()
            assert agent.old_call("echo", {"text": "across"}).text == "across"
            assert agent.old_call("region", {"region": "eu"}).text == "done"
            assert agent.old("resources/read", {"uri": "file:///a"}).last["result"]["contents"]
            assert agent.old("prompts/get", {"name": "p"}).last["result"]["messages"]
            assert agent.old_call("outside_the_plan").code == "plan_outside"
            assert server.ran() == ["echo", "region"]
            if only_modern:
                assert agent.old_call("need").code == "input_unbridged"
                assert {one["mcp-param-region"] for one in server.heads if "mcp-param-region" in one} == {"eu"}


def test_a_line_that_the_server_forgot_is_opened_again():
    with small(LEGACY) as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        assert agent.call("echo", {"text": "one"}).text == "one"
        server.forget = True
        assert "error" in agent.call("echo", {"text": "lost"}).last
        assert agent.call("echo", {"text": "two"}).text == "two"
        assert server.asked.count("initialize") == 2


@pytest.mark.parametrize("legacy", [False, True])
def test_a_process_is_started_once_for_a_task_and_spoken_to_in_either_era(process, legacy):
    agent = Agent(process.url, process.token)
    if legacy:
        agent.hello()
    call = agent.old_call if legacy else agent.call
    first, second = call("pid").text, call("pid").text
    assert first == second
    assert call("echo", {"text": "piped"}).text == "piped"
    assert call("outside_the_plan").code == "plan_outside"


def test_a_process_gets_only_the_environment_that_was_registered(process):
    os.environ["REMIT_TEST_LEAK"] = "leaked"
    try:
        _, token = process.another()
        found = json.loads(Agent(process.url, token).call("reflect").text)
    finally:
        del os.environ["REMIT_TEST_LEAK"]
    assert found["GIVEN"] == "yes"
    assert set(found) <= {"GIVEN", "PATH", "LANG", "HOME", "PWD", "LC_CTYPE", "SHLVL", "_"}


def test_progress_comes_back_under_the_clients_own_token(process):
    agent = Agent(process.url, process.token)
    data, headers = agent.modern("tools/call", {"name": "progress", "arguments": {}})
    body = json.loads(data)
    body["params"]["_meta"]["progressToken"] = "mine"
    told = agent.raw(json.dumps(body).encode(), headers)
    assert told.messages[0]["params"]["progressToken"] == "mine"
    assert told.text == "done"


def test_a_process_that_dies_is_a_clear_error_and_started_again(process):
    _, token = process.another()
    agent = Agent(process.url, token)
    before = agent.call("pid").text
    assert agent.call("die").code == "upstream_closed"
    assert agent.call("pid").text != before


def test_two_tasks_have_two_processes_and_each_ends_with_its_task():
    place = Upstream(argv=(sys.executable, STDIO))
    with gate_for(tools=STDIO_TOOLS, upstream=place) as gate:
        _, token = gate.another()
        mine, theirs = Agent(gate.url, gate.token).call("pid").text, Agent(gate.url, token).call("pid").text
        assert mine != theirs
        gate.revoke()
        end = time.monotonic() + 60
        while running(mine) and time.monotonic() < end:
            time.sleep(0.05)
        assert not running(mine)
        assert running(theirs)
    assert not running(theirs)


def running(pid):
    return Path(f"/proc/{pid}").exists()


def test_a_program_that_is_not_there_is_a_clear_error():
    with gate_for(tools=STDIO_TOOLS, upstream=Upstream(argv=("no-such-program",))) as gate:
        assert Agent(gate.url, gate.token).call("echo").code == "server_unknown"


def test_what_a_process_asks_passes_when_the_brief_allows_it():
    place = Upstream(argv=(sys.executable, STDIO))
    with gate_for(tools=STDIO_TOOLS, upstream=place, reverse=("elicitation",)) as gate:
        agent = Agent(gate.url, gate.token)
        agent.hello()
        assert json.loads(agent.old_call("able").text) == {"elicitation": {}}
        connection, response, asked = agent.asked()
        assert (asked["method"], asked["params"]) == ("elicitation/create", {"message": "Which?"})
        reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept", "content": {"which": "this"}}}
        assert agent.raw(json.dumps(reply).encode(), agent.headers()).status == 202
        assert agent.raw(json.dumps(reply).encode(), agent.headers()).status == 400, "one answer to one question"
        assert b"which" in response.read()
        connection.close()
        assert ("mcp:target/@elicitation", "allow") in gate.calls()
        for method, code in (("sampling/createMessage", b"reverse_refused"), ("made/up", b"reverse_refused")):
            connection, response, asked = agent.asked({"method": method})
            assert asked is None
            assert code in response.read()
            connection.close()


def test_what_a_process_asks_while_the_client_has_no_session_is_refused(process):
    _, token = process.another()
    agent = Agent(process.url, token)
    assert json.loads(agent.call("able").text) == {}
    assert "error" in json.loads(agent.call("ask").text)
