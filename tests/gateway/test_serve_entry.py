"""The attack rows that aim at the gate's door: who is let in, and with what (tests/attacks.csv)."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from remit.control import credential, resource
from remit.core.canonical import b64
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from tests.kit.agent import Agent
from tests.kit.gate import gate_for
from tests.kit.upstream import TOOLS, small

SAID = ("x-agent-id", "x-user", "x-forwarded-user", "x-task-id", "x-envoy-peer", "x_user")


@pytest.fixture(scope="module")
def both():
    with small() as server, gate_for(server.url, tools=TOOLS, lends="the-targets-own-secret-0123") as gate:
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


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", None])
def test_jose_01_an_unsigned_token_is_401_and_reaches_nothing(gate, server, alg):
    before = len(server.bodies)
    head = {k: v for k, v in {"alg": alg, "typ": "at+jwt"}.items() if v}
    text = f"{b64(json.dumps(head).encode())}.{gate.token.split('.')[1]}."
    told = Agent(gate.url, text).call("echo")
    assert told.status == 401
    assert 'error="invalid_token"' in told.headers["www-authenticate"]
    assert len(server.bodies) == before


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_dpop_04_a_bound_credential_is_never_taken_without_its_proof(gate, server, scheme):
    given = {"task_id": gate.task.id, "agent_id": gate.world.agent.id, "path": TrustPath.OWN, "thumb": "t" * 43}
    bound = gate.act(lambda c: credential.give(c, **given)).text
    before = len(server.bodies)
    assert Agent(gate.url, bound).call("echo", {}, authorization=f"{scheme} {bound}").status == 401
    assert len(server.bodies) == before


def test_http_06_what_a_client_says_of_itself_goes_nowhere(agent, server):
    assert agent.call("echo", {"text": "x"}, **dict.fromkeys(SAID, "alice")).status == 200
    assert not {name.replace("_", "-") for name in SAID} & {name.replace("_", "-") for name in server.heads[-1]}
    assert "alice" not in json.dumps(server.heads[-1])


def test_http_06_two_authorizations_are_refused(agent, gate, server):
    before = len(server.bodies)
    data, headers = agent.modern("tools/call", {"name": "echo", "arguments": {}})
    parts = urlsplit(gate.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    connection.putrequest("POST", parts.path)
    for name, value in [*headers.items(), ("authorization", "Bearer x"), ("content-length", str(len(data)))]:
        connection.putheader(name, value)
    connection.endheaders(data)
    assert connection.getresponse().status in (400, 401)
    connection.close()
    assert len(server.bodies) == before


def test_http_13_trace_is_refused_and_shows_nothing(agent, gate, server):
    before = len(server.bodies)
    told = agent.raw(b"", agent.headers(), "TRACE")
    assert told.status == 405
    assert gate.token.encode() not in told.data
    assert len(server.bodies) == before


def test_mcp_06_a_tool_of_one_target_is_never_anothers():
    with small() as server, small() as other, gate_for(server.url, tools=TOOLS) as gate:
        double = {name: {**TOOLS["echo"], "name": name} for name in ("echo", "target__echo")}
        owner = gate.world.owner.id
        given = {"upstream": Upstream(url=other.url), "domain": "office", "owner": owner, "by": "operator"}
        gate.act(lambda c: resource.add(c, name="other", tools=double, **given))
        agent = Agent(gate.url, gate.token)
        assert agent.call("echo", {"text": "mine"}).text == "mine"
        assert agent.call("target__echo").last["result"]["isError"]
        assert agent.call("other__echo").last["result"]["isError"]
        assert Agent(gate.url.replace("/target", "/other"), gate.token).call("echo").status == 401
        assert (server.ran(), other.bodies) == (["echo"], [])


@pytest.mark.parametrize(
    "path",
    ["/mcp/other/mcp/{}", "/mcp/x%2Fmcp%2F{}", "/mcp/%65verything", "/%6dcp/{}", "/mcp//{}", "/mcp/{}/", "/mcp/./{}"],
)
def test_a_resource_answers_at_one_spelling_of_its_address_only(agent, gate, server, path):
    before = len(server.bodies)
    data, headers = agent.modern("tools/call", {"name": "echo", "arguments": {}})
    parts = urlsplit(gate.url)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    line.request("POST", path.format(parts.path.rpartition("/")[2]), data, headers)
    assert line.getresponse().status == 404
    line.close()
    assert len(server.bodies) == before
