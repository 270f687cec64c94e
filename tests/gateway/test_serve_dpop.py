"""Bound credentials at the gate: each request proves the key, and each proof counts once (RFC 9449 section 7)."""

import pytest

from remit.control import credential
from remit.core.trust import TrustPath
from tests.kit.agent import Agent
from tests.kit.gate import gate_for
from tests.kit.proving import Holder, Prover
from tests.kit.upstream import TOOLS, small


@pytest.fixture(scope="module")
def both():
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        yield server, gate


@pytest.fixture
def gate(both):
    both[1].world.authority.nonce_required = False
    return both[1]


@pytest.fixture
def server(both):
    return both[0]


def bound(gate, **to):
    given = {"task_id": gate.task.id, "agent_id": gate.world.agent.id, "path": TrustPath.OWN}
    return gate.act(lambda c: credential.give(c, **given, **to)).text


@pytest.fixture
def agent(gate):
    holder = Holder()
    return Prover(gate.url, bound(gate, thumb=holder.thumb), holder=holder)


def refused(told, server, before):
    """Refused with 401 and nothing sent on: the error and Remit's own code."""
    assert told.status == 401
    assert len(server.bodies) == before
    error = told.headers["www-authenticate"].partition('error="')[2].partition('"')[0]
    return error, told.last["error"]["data"]["code"]


def test_a_bound_credential_works_with_a_proof_for_each_request(agent):
    assert agent.call("echo", {"text": "first"}).text == "first"
    assert agent.call("echo", {"text": "second"}).text == "second"
    assert "dpop-nonce" not in agent.ask("tools/list").headers, "who needs no nonce is given none"


def test_a_legacy_session_proves_each_request_too(agent):
    assert agent.hello().status == 200
    assert agent.old_call("echo", {"text": "x"}).text == "x"
    data, headers = agent.modern("ping")
    headers |= {"authorization": f"Bearer {agent.token}"}
    headers.pop("dpop")
    assert agent.raw(data, headers).status == 401


def test_a_proof_counts_once_and_its_second_use_is_recorded(agent, gate, server):
    shown = agent.holder.proof(gate.url, agent.token)
    assert agent.call("echo", {"text": "x"}, dpop=shown).text == "x"
    before = len(server.bodies)
    told = agent.call("echo", {"text": "x"}, dpop=shown)
    assert refused(told, server, before) == ("invalid_dpop_proof", "proof_used")
    assert told.headers["www-authenticate"].startswith("DPoP resource_metadata=")
    assert gate.calls()[-1] == ("mcp:target/echo", "proof_used")
    assert agent.call("echo", {"text": "y"}).text == "y"


def test_what_is_refused_uses_its_proof_up(agent, gate, server):
    shown = agent.holder.proof(gate.url, agent.token)
    assert agent.call("outside_the_plan", dpop=shown).code == "plan_outside"
    before = len(server.bodies)
    assert refused(agent.call("echo", dpop=shown), server, before)[1] == "proof_used"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"ath": None}, "invalid_dpop_proof"),
        ({"ath": "x" * 43}, "invalid_dpop_proof"),
        ({"htm": "GET"}, "invalid_dpop_proof"),
        ({"htu": "http://127.0.0.1:1/mcp/target"}, "invalid_dpop_proof"),
        ({"jti": ""}, "invalid_dpop_proof"),
        ({"iat": None}, "invalid_dpop_proof"),
        ({"head": {"alg": "none"}}, "invalid_dpop_proof"),
        ({"nonce": "x" * 64}, "use_dpop_nonce"),
    ],
    ids=str,
)
def test_dpop_03_a_proof_of_something_else_is_refused(agent, gate, server, said, error):
    before = len(server.bodies)
    head = said.pop("head", None)
    if head:
        token = agent.holder.proof(gate.url, agent.token).split(".")
        shown = ".".join(["eyJhbGciOiJub25lIn0", token[1], ""])
    else:
        shown = agent.holder.proof(gate.url, agent.token, **said)
    assert refused(agent.call("echo", dpop=shown), server, before)[0] == error


def test_dpop_03_a_proof_by_another_key_is_refused(agent, gate, server):
    before = len(server.bodies)
    shown = Holder().proof(gate.url, agent.token)
    assert refused(agent.call("echo", dpop=shown), server, before) == ("invalid_dpop_proof", "proof_other_key")


def test_dpop_04_scheme_and_binding_agree_or_nothing_passes(agent, gate, server):
    before = len(server.bodies)
    proof = agent.holder.proof(gate.url, agent.token)
    as_bearer = {"authorization": f"Bearer {agent.token}"}
    assert refused(Agent(gate.url, agent.token).call("echo"), server, before)[1] == "possession_missing"
    assert refused(agent.call("echo", dpop=proof, **as_bearer), server, before)[1] == "possession_missing"
    for extra in ({"dpop": agent.holder.proof(gate.url, gate.token)}, {"authorization": f"DPoP {gate.token}"}):
        assert refused(Agent(gate.url, gate.token).call("echo", **extra), server, before)[1] == "proof_unbound"


@pytest.mark.parametrize("away", [-61, 80, 290])
def test_dpop_05_outside_its_minute_a_proof_needs_a_nonce_of_ours(agent, gate, server, away):
    before = len(server.bodies)
    late = {"iat": int(agent.holder.now()) + away}
    told = agent.call("echo", dpop=agent.holder.proof(gate.url, agent.token, **late))
    assert refused(told, server, before) == ("use_dpop_nonce", "proof_time")
    shown = agent.holder.proof(gate.url, agent.token, nonce=told.headers["dpop-nonce"], **late)
    assert agent.call("echo", {"text": "x"}, dpop=shown).text == "x", "the nonce says when it was made"
    assert refused(agent.call("echo", dpop=shown), server, before + 1)[1] == "proof_used"


def test_dpop_05_a_nonce_does_not_forgive_a_clock_that_is_far_off(agent, gate, server):
    before = len(server.bodies)
    nonce = agent.call("echo", dpop=agent.holder.proof(gate.url, agent.token, iat=1)).headers["dpop-nonce"]
    shown = agent.holder.proof(gate.url, agent.token, nonce=nonce, iat=int(agent.holder.now()) - 301)
    assert refused(agent.call("echo", dpop=shown), server, before)[1] == "proof_time"


def test_a_nonce_is_asked_for_where_the_settings_say_so(agent, gate, server):
    gate.world.authority.nonce_required = True
    before = len(server.bodies)
    told = agent.call("echo")
    assert refused(told, server, before) == ("use_dpop_nonce", "proof_nonce")
    assert agent.nonce == told.headers["dpop-nonce"]
    assert agent.call("echo", {"text": "x"}).text == "x"
    assert agent.call("echo", {"text": "y"}).text == "y", "one nonce serves many requests"


def test_dpop_06_two_proofs_or_a_long_one_are_refused(agent, gate, server):
    before = len(server.bodies)
    data, headers = agent.modern("tools/call", {"name": "echo", "arguments": {}})
    one = headers["dpop"]
    assert refused(agent.raw(data, headers | {"dpop": f"{one}, {one}"}), server, before)[0] == "invalid_dpop_proof"
    assert refused(agent.raw(data, headers | {"dpop": "x" * 9_000}), server, before)[0] == "invalid_dpop_proof"
