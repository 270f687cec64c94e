"""Transaction tokens behind a gate: the target hears on whose authority a call is made, and the agent never sees it."""

import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from remit.control import key, resource
from remit.core.errors import RemitError
from remit.core.resource import Admission, Injection, Resource, Upstream
from remit.custody.signer import TRANSACTION_PURPOSES, Purpose
from tests.kit.agent import Agent
from tests.kit.gate import NAME, gate_for
from tests.kit.upstream import TOOLS, small

ORDERS = "https://orders.example"


@pytest.fixture(scope="module")
def both():
    with small() as server, gate_for(server.url, tools=TOOLS) as gate:
        yield server, gate


def register(gate, server, transaction):
    owner = gate.world.owner.id
    given = {"name": NAME, "upstream": Upstream(url=server.url), "domain": "office", "owner": owner, "by": "op"}
    gate.act(lambda c: resource.add(c, tools=TOOLS, transaction=transaction, **given))


def admitted(url):
    return Upstream(url=url, admission=Admission(issuer=ORDERS, client="c", key="k"))


def told(gate, head):
    authority = gate.world.authority
    keys = KeySet.import_key_set(authority.signer.jwks(authority.clock.now(), TRANSACTION_PURPOSES))
    return jwt.decode(head["txn-token"], keys, algorithms=["ES256"]).claims


def test_a_target_that_asks_is_told_and_one_that_does_not_is_not(both):
    server, gate = both
    agent = Agent(gate.url, gate.token)
    assert agent.call("echo", {"text": "x"}, txn_token="forged").text == "x"
    assert "txn-token" not in server.heads[-1]
    register(gate, server, ORDERS)
    assert agent.call("echo", {"text": "x"}, txn_token="forged").text == "x"
    said = told(gate, server.heads[-1])
    call = [one for one in gate.entries() if one["kind"] == "call.decided"][-1]
    assert (said["txn"], said["aud"], said["scope"]) == (call["call"], ORDERS, "mcp:target/echo")
    assert said["sub"] == said["req_wl"] == gate.world.agent.id
    assert said["tctx"] == {"task": gate.task.id, "plan": 1, "path": "own"}
    assert said["rctx"] == {"requester": gate.world.owner.id, "brief": NAME}
    assert gate.token not in json.dumps(server.heads[-1])


def test_each_call_has_its_own_and_none_comes_back(both):
    server, gate = both
    register(gate, server, ORDERS)
    agent = Agent(gate.url, gate.token)
    answers = [agent.call("reflect").data for _ in range(2)]
    tokens = [head["txn-token"] for head in server.heads[-2:]]
    assert len(set(tokens)) == 2
    for token in tokens:
        assert not any(token.rpartition(".")[2][:20].encode() in one or token.encode() in one for one in answers)


def test_a_rotation_goes_on_in_the_next_call(both):
    server, gate = both
    register(gate, server, ORDERS)
    agent = Agent(gate.url, gate.token)
    agent.call("echo", {"text": "x"})
    before = server.heads[-1]
    gate.act(lambda c: key.rotate(c, Purpose.TRANSACTION_OWN, "op"))
    agent.call("echo", {"text": "x"})
    after = server.heads[-1]
    assert told(gate, before)["txn"] != told(gate, after)["txn"]
    kids = [jwt.decode(h["txn-token"], _any(gate), algorithms=["ES256"]).header["kid"] for h in (before, after)]
    assert kids[0] != kids[1]


def _any(gate):
    authority = gate.world.authority
    return KeySet.import_key_set(authority.signer.jwks(authority.clock.now(), TRANSACTION_PURPOSES))


def test_only_a_target_over_http_can_be_told_and_its_header_is_nobody_elses(both):
    server, gate = both
    owner = gate.world.owner.id
    with pytest.raises(RemitError):
        Resource(name="p", upstream=Upstream(argv=("/bin/true",)), domain="office", owner=owner, transaction=ORDERS)
    given = {"name": "o", "upstream": Upstream(url=server.url), "domain": "office", "owner": owner}
    for kind, more in (("postgres", {"transaction": ORDERS}), ("http", {"upstream": admitted(server.url)})):
        with pytest.raises(RemitError):
            Resource(**given | more, kind=kind)
    assert Resource(**given, kind="http", transaction=ORDERS)
    mine = (Injection(secret="s", header="Txn-Token"),)
    with pytest.raises(RemitError):
        Resource(**given, transaction=ORDERS, injections=mine)
    assert Resource(**given, injections=mine)
