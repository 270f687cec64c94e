"""The MCP gate over real sockets, in both eras: what passes, what is refused, and what the ledger says of it."""

import json
import threading
import time

import pytest

from remit.gateway.serve.host import Settings
from tests.kit.agent import LEGACY, MODERN, Agent
from tests.kit.gate import NAME, gate_for
from tests.kit.told import moved_elsewhere
from tests.kit.upstream import TOOLS, small


@pytest.fixture(scope="module")
def both():
    with small() as server, gate_for(server.url, tools=TOOLS, denied=("secret_plan",)) as gate:
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


def outcomes(gate, action):
    """How the calls of this action ended, in order."""
    entries = gate.entries()
    allowed = [one["call"] for one in entries if one["kind"] == "call.decided" and one["action"].endswith(action)]
    found = {one["call"]: one["result"] for one in entries if one["kind"] == "call.outcome"}
    return [found.get(call) for call in allowed]


def test_a_call_passes_and_its_outcome_is_in_the_ledger_when_it_is_answered(agent, gate):
    told = agent.call("echo", {"text": "hello"})
    assert (told.status, told.text) == (200, "hello")
    last = gate.entries()[-1]
    assert (last["kind"], last["result"], last["bytes"]) == ("call.outcome", "ok", len(told.data))


def test_a_list_shows_what_the_plan_may_call_and_is_private(agent):
    value = agent.ask("tools/list").last["result"]
    names = {one["name"] for one in value["tools"]}
    assert names == set(TOOLS) - {"secret_plan"}
    assert (value["cacheScope"], value["ttlMs"] <= 1000) == ("private", True)


@pytest.mark.parametrize("name", ["secret_plan", "outside_the_plan", "never_heard_of"])
def test_a_denied_call_is_told_to_the_model_and_never_reaches_the_target(agent, server, gate, name):
    told = agent.call(name)
    assert told.last["result"]["isError"] is True
    assert told.code in ("plan_outside", "tool_unknown")
    assert len(told.text) <= 400
    assert name not in server.ran()
    assert (f"mcp:target/{name}", told.code) in gate.calls()


@pytest.mark.parametrize(
    ("method", "params", "member"),
    [
        ("resources/read", {"uri": "file:///a"}, "contents"),
        ("prompts/get", {"name": "p"}, "messages"),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {}}, "completion"),
        ("resources/list", {}, "resources"),
        ("prompts/list", {}, "prompts"),
        ("server/discover", {}, "supportedVersions"),
    ],
)
def test_each_method_is_a_call_of_its_own(agent, gate, method, params, member):
    agent.ask("server/discover")  # whoever comes first begins a session with the target, which is a call too
    before = len(gate.calls())
    assert agent.ask(method, params).last["result"][member]
    assert len(gate.calls()) == before + 1


def test_an_unknown_method_is_404_and_recorded(agent, gate, server):
    told = agent.ask("tools/uninstall")
    assert (told.status, told.last["error"]["code"]) == (404, -32601)
    assert gate.calls()[-1] == ("mcp:target/@session", "method_unknown")
    assert "tools/uninstall" not in server.asked


def test_progress_passes_as_it_comes(agent):
    told = agent.call("progress")
    assert [one.get("method") for one in told.messages] == ["notifications/progress"] * 2 + [None]
    assert told.text == "done"


def test_eight_mebibytes_pass(agent):
    assert len(agent.call("big").text) == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("tool", "code", "result"),
    [("die", "upstream_closed", "unknown"), ("garbage", "upstream_garbage", "error")],
)
def test_a_target_that_dies_or_lies_is_a_clear_error(agent, gate, tool, code, result):
    told = agent.call(tool)
    assert (told.last["error"]["code"], told.code) == (-32603, code)
    assert outcomes(gate, f"/{tool}")[-1] == result
    assert agent.call("echo", {"text": "alive"}).text == "alive"


def test_a_target_that_hangs_is_a_time_out():
    quick = Settings(patience=1.0)
    with small() as server, gate_for(server.url, tools=TOOLS, settings=quick) as gate:
        told = Agent(gate.url, gate.token).call("hang")
        assert told.code == "upstream_timeout"
        assert outcomes(gate, "/hang") == ["unknown"]


def test_a_target_that_is_not_there_was_certainly_not_reached():
    with gate_for("http://127.0.0.1:9/mcp", tools=TOOLS) as gate:
        told = Agent(gate.url, gate.token).call("echo")
        assert told.code == "upstream_unreachable"
        assert outcomes(gate, "/@session") == ["not_sent"]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_stream_is_cut_within_two_seconds_of_its_end(legacy):
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        if legacy:
            agent.hello()
            body = {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "drip", "arguments": {}}}
            data, headers = json.dumps(body).encode(), agent.headers()
        else:
            data, headers = agent.modern("tools/call", {"name": "drip", "arguments": {}})
        connection, response = agent.open("POST", data, headers)
        assert response.read(10)
        gate.revoke()
        began = time.monotonic()
        rest = response.read()
        took = time.monotonic() - began
        connection.close()
        assert took < 2.0
        assert b'"cut"' in rest.split(b"\n\n")[-2]
        assert outcomes(gate, "/drip") == ["cut"]
        assert server.left.wait(15), "the target was not told"


def test_a_client_that_leaves_stops_the_work_upstream():
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        connection, response = agent.open("POST", *agent.modern("tools/call", {"name": "drip", "arguments": {}}))
        assert response.read(10)
        response.close()
        connection.close()
        assert server.left.wait(15)
        end = time.monotonic() + 60
        while outcomes(gate, "/drip") != ["cut"] and time.monotonic() < end:
            time.sleep(0.05)
        assert outcomes(gate, "/drip") == ["cut"]


def test_many_calls_at_once_share_commits_and_each_is_noted(gate):
    before = gate.on_loop(lambda: gate.world.batch.commits)
    told = []

    def work(number):
        agent = Agent(gate.url, gate.token)
        told.extend(agent.call("echo", {"text": str(number)}).text for _ in range(5))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == sorted(str(n) for n in range(8) for _ in range(5))
    assert gate.on_loop(lambda: gate.world.batch.commits) - before < 2 * 40
    assert None not in outcomes(gate, "/echo")


@pytest.mark.parametrize("version", [LEGACY, "2025-06-18"])
def test_a_legacy_session_lists_calls_and_ends(gate, version):
    agent = Agent(gate.url, gate.token)
    assert agent.hello(version).last["result"]["protocolVersion"] == version
    names = {one["name"] for one in agent.old("tools/list").last["result"]["tools"]}
    assert "echo" in names
    assert "secret_plan" not in names
    assert agent.old_call("echo", {"text": "old"}).text == "old"
    assert agent.old_call("secret_plan").code == "plan_outside"
    assert agent.raw(b"", agent.headers(), "DELETE").status == 200
    assert agent.old_call("echo").status == 404


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26"])
def test_an_older_revision_is_refused_clearly(gate, version):
    told = Agent(gate.url, gate.token).hello(version)
    assert told.last["error"]["data"] == {"supported": [MODERN, LEGACY, "2025-06-18"], "requested": version}


def test_an_unknown_revision_says_what_is_spoken(agent):
    meta = {"io.modelcontextprotocol/protocolVersion": "2031-01-01", "io.modelcontextprotocol/clientCapabilities": {}}
    told = agent.ask("tools/list", {"_meta": meta}, mcp_protocol_version="2031-01-01")
    assert (told.status, told.last["error"]["code"]) == (400, -32022)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.test"}, 403),
        ({"host": "evil.test"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"accept": "application/json"}, 406),
        ({"authorization": "Bearer nonsense"}, 401),
        ({"authorization": "Basic YTpi"}, 401),
    ],
)
def test_who_may_not_come_in_reaches_nothing(agent, server, headers, status):
    before = len(server.bodies)
    data, given = agent.modern("tools/call", {"name": "echo", "arguments": {}})
    assert agent.raw(data, given | headers).status == status
    assert len(server.bodies) == before


def test_a_stranger_is_told_where_to_go(agent, gate):
    told = agent.raw(b"{}", {"content-type": "application/json", "accept": "*/*"})
    issuer = gate.url.removesuffix("/mcp/target")
    wanted = f'Bearer resource_metadata="{issuer}/.well-known/oauth-protected-resource/mcp/target"'
    assert (told.status, told.headers["www-authenticate"]) == (401, wanted)


def test_a_body_over_the_limit_is_413(agent, server):
    before = len(server.bodies)
    told = agent.raw(b" " * (4 * 1024 * 1024 + 1), agent.headers())
    assert (told.status, told.code) == (413, "body_too_large")
    assert len(server.bodies) == before


def test_an_ended_credential_is_401():
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        agent = Agent(gate.url, gate.token)
        gate.revoke("credential")
        told = agent.call("echo")
        assert (told.status, told.code) == (401, "credential_ended")
        assert 'error="invalid_token"' in told.headers["www-authenticate"]
        assert server.ran() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp_method": "tools/list"},
        {"mcp_name": "reflect"},
        {"mcp_name": "=?base64?cmVmbGVjdA==?="},
        {"mcp_protocol_version": "2026-07-29"},
    ],
)
def test_headers_that_disagree_with_the_body_are_refused_and_recorded(agent, gate, server, headers):
    before = len(server.ran())
    told = agent.call("echo", {"text": "x"}, **headers)
    assert (told.status, told.last["error"]["code"]) == (400, -32020)
    assert gate.calls()[-1] == ("mcp:target/@session", "header_mismatch")
    assert len(server.ran()) == before


def test_a_name_in_base64_agrees(agent):
    assert agent.call("echo", {"text": "x"}, mcp_name="=?base64?ZWNobw==?=").text == "x"


@pytest.mark.parametrize(("header", "status"), [("eu", 200), ("us", 400), (None, 400), ("=?base64?ZXU=?=", 200)])
def test_an_argument_that_a_header_repeats_must_agree(agent, gate, header, status):
    more = {} if header is None else {"mcp_param_region": header}
    told = agent.call("region", {"region": "eu"}, **more)
    assert told.status == status
    if status == 400:
        assert gate.calls()[-1] == ("mcp:target/region", "header_mismatch")


def test_what_the_target_asks_on_a_stream_passes_when_the_brief_allows_it(gate, server):
    agent = Agent(gate.url, gate.token)
    agent.hello()
    connection, response, asked = agent.asked()
    assert asked["method"] == "elicitation/create"
    reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}}
    assert agent.raw(json.dumps(reply).encode(), agent.headers()).status == 202
    assert agent.raw(json.dumps(reply).encode(), agent.headers()).status == 400, "one answer to one question"
    assert b"decline" in response.read()
    connection.close()
    assert ("mcp:target/@elicitation", "allow") in gate.calls()
    assert None not in outcomes(gate, "/@elicitation")


def test_a_multi_round_trip_is_decided_and_its_state_passes(agent, gate):
    first = agent.call("need").last["result"]
    assert first["resultType"] == "input_required"
    again = agent.ask(
        "tools/call",
        {"name": "need", "arguments": {}, "requestState": first["requestState"], "inputResponses": {"one": {}}},
    )
    assert again.text == "thanks st-1"
    assert ("mcp:target/@elicitation", "allow") in gate.calls()


def test_a_resumed_stream_is_decided_again(gate):
    agent = Agent(gate.url, gate.token)
    agent.hello()
    before = gate.calls().count(("mcp:target/@session", "allow"))
    connection, response = agent.open("GET", None, agent.headers(last_event_id="3"))
    assert response.status == 200
    assert b"list_changed" in response.readline() + response.readline()
    connection.close()
    assert gate.calls().count(("mcp:target/@session", "allow")) == before + 1
    end = time.monotonic() + 60
    while outcomes(gate, "/@session")[-1] is None:
        assert time.monotonic() < end, "its end is not in the ledger, and would come in among what is tried next"
        time.sleep(0.05)


def test_get_without_a_session_is_405(agent):
    assert agent.raw(b"", agent.headers(), "GET").status == 405


@pytest.mark.parametrize(
    ("data", "changes", "status", "code"),
    [
        (b"{}", {"content-type": "text/plain"}, 415, "content_type_unsupported"),
        (b"{}", {"accept": "text/html"}, 406, "accept_unsupported"),
        (b"x" * (4 * 1024 * 1024 + 1), {}, 413, "body_too_large"),
        (b"{nonsense", {}, 400, None),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', {}, 400, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', {}, 400, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', {"mcp-session-id": "nobodys"}, 404, "session_unknown"),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', {}, 400, "session_missing"),
    ],
)
def test_what_is_turned_away_at_the_door_from_an_agent_that_is_known_leaves_a_receipt(
    agent, gate, server, data, changes, status, code
):
    before, reached = len(gate.entries()), len(server.bodies)
    headers = {name: value for name, value in agent.headers().items() if not name.lower().startswith("mcp-")}
    told = agent.raw(data, headers | changes)
    assert told.status == status
    assert code is None or told.code == code
    (one,) = gate.entries()[before:]
    assert (one["kind"], one["decision"], one["code"]) == ("call.decided", "deny", told.code)
    assert len(server.bodies) == reached


def test_a_call_goes_only_where_its_permit_says_when_the_resource_moves_meanwhile():
    with small() as old, small() as new, gate_for(old.url, tools=TOOLS, lends="hush-hush-hush") as gate:
        agent = Agent(gate.url, gate.token)
        assert agent.call("echo", {"text": "one"}).code == ""
        before = len(old.bodies)
        gate.on_loop(lambda: moved_elsewhere(gate.world, NAME, old.url.encode(), new.url.encode()))
        code = agent.call("echo", {"text": "two"}).code
        # A node that heard of the move by itself meanwhile is there already; the old place hears nothing either way.
        assert (code, new.ran()) in (("resource_moved", []), ("", ["echo"]))
        assert len(old.bodies) == before
        assert agent.call("echo", {"text": "three"}).code == ""
        assert new.ran()[-1] == "echo"


def test_a_stranger_who_is_turned_away_leaves_none(agent, gate):
    before = len(gate.entries())
    assert agent.raw(b"{nonsense", agent.headers() | {"authorization": "Bearer x"}).status == 401
    assert len(gate.entries()) == before


def test_a_body_far_over_the_limit_is_refused_unread(agent):
    told = agent.raw(b" ", agent.headers() | {"content-length": str(1 << 40)})
    assert (told.status, told.code) == (413, "body_too_large")
