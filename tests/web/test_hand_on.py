"""A sub-agent exchanges the credential of the task above for one of a child task, over real sockets."""

import json

import pytest
from joserfc import jws as peer
from joserfc.jwk import ECKey

from remit.control import brief, delegation, resource, revocation, task
from remit.core.answer import Deny
from remit.core.canonical import b64
from remit.core.permit import Permit
from remit.core.resource import Upstream
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from tests.kit.asking import decided, error, opened
from tests.kit.site import ID_TOKEN
from tests.kit.world import ISSUER, TOOLS, read_call, steps

ACCESS = ID_TOKEN.replace("id_token", "access_token")
READ = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes/a"}]}}


@pytest.fixture
def chained(place):
    """The bot has a task; `sub` and `leaf` may be handed parts of it, two levels deep."""
    place.sub, place.leaf = place.agent("sub"), place.agent("leaf")
    place.act(lambda c: brief.apply(c, wide(place), "operator"))
    return place


def wide(place, **more):
    listed = (place.world.owner.id, "group:staff")
    given = {"agents": (place.bot,), "dispatchers": listed, "subagents": (place.sub, place.leaf, place.other)}
    return place.world.a_brief(**(given | more))


def hand_on(place, agent, giver, detail=None, **more):
    """Exchange a credential of ours."""
    said = {} if detail is None else {"authorization_details": json.dumps([{"type": "remit_task", **detail}])}
    return place.exchange(agent, None, giver, subject_token_type=ACCESS, **(said | more))


def claims(answer):
    assert answer.status == 200, answer.body
    return json.loads(peer.extract_compact(answer.json["access_token"].encode()).payload)


def test_a_sub_agent_gets_a_child_task_and_no_more_than_was_handed_on(chained):
    answer = hand_on(chained, chained.sub, chained.held, {"steps": [READ], "purpose": "Read one."})
    said, detail = claims(answer), answer.json["authorization_details"][0]
    assert answer.json["issued_token_type"] == ACCESS
    assert detail["actions"] == ["mcp:notes/read_note"]
    child = chained.act(lambda c: c.need(Task, said["remit_task"]))
    assert (child.parent, child.agent, child.requester) == (chained.task, chained.sub, chained.world.owner.id)
    assert (child.purpose, said["sub"], said["client_id"]) == ("Read one.", chained.sub, chained.sub)
    entry = chained.world.enter(answer.json["access_token"])
    assert isinstance(decided(chained, read_call("/notes/a/b"), entry), Permit)
    assert decided(chained, read_call("/notes/b"), entry).code == "argument_refused"
    assert decided(chained, read_call("/notes/b"), chained.world.enter(chained.held)).digest


def test_on_the_delegated_path_act_nests_with_the_newest_outermost(chained):
    errand = chained.act(lambda c: task.open_task(c, brief="notes", agent=chained.bot, requester=chained.pia, by="t"))
    first = chained.exchange(chained.bot, errand.id, chained.person)
    assert claims(first)["act"] == {"sub": chained.bot}
    second = hand_on(chained, chained.sub, first.json["access_token"])
    assert claims(second)["act"] == {"sub": chained.sub, "act": {"sub": chained.bot}}
    third = hand_on(chained, chained.leaf, second.json["access_token"])
    said = claims(third)
    assert said["act"] == {"sub": chained.leaf, "act": {"sub": chained.sub, "act": {"sub": chained.bot}}}
    assert (said["sub"], said["remit_path"]) == (chained.pia, "delegated")
    assert said["exp"] <= claims(second)["exp"] <= claims(first)["exp"]
    told = chained.form("/oauth/introspect", {"token": third.json["access_token"]} | chained.client(chained.leaf)).json
    assert told["act"] == said["act"]
    plan = chained.act(lambda c: c.need(Plan, f"{said['remit_task']}:1"))
    assert {step.path for step in plan.steps} == {TrustPath.DELEGATED}, "a step of the other path was handed on"


def test_deleg_05_the_actor_is_the_client_that_proved_itself(chained):
    for name in ("actor_token", "actor_token_type", "act", "may_act"):
        assert error(hand_on(chained, chained.sub, chained.held, **{name: chained.leaf})) == "invalid_request"
    asked = {"subject_token": chained.held, "subject_token_type": ACCESS} | chained.client(chained.sub)
    asked["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert error(chained.form("/oauth/token", asked | {"client_id": chained.leaf}), 401) == "invalid_client"
    assert claims(chained.form("/oauth/token", asked))["client_id"] == chained.sub


def test_deleg_07_chains_are_not_spliced_looped_or_deeper_than_the_brief(chained):
    first = hand_on(chained, chained.sub, chained.held)
    second = hand_on(chained, chained.leaf, first.json["access_token"])
    for agent, giver in ((chained.bot, first), (chained.sub, second), (chained.bot, second), (chained.sub, first)):
        answer = hand_on(chained, agent, giver.json["access_token"])
        assert error(answer) == "invalid_grant"
        assert "in the chain" in answer.json["error_description"]
    deeper = hand_on(chained, chained.other, second.json["access_token"])
    assert error(deeper) == "invalid_grant"
    assert "levels" in deeper.json["error_description"]
    # The child of one task shown with the credential of another, and one forged from another's claims.
    elsewhere = chained.act(
        lambda c: task.open_task(c, brief="notes", agent=chained.bot, requester=chained.world.owner.id, by="t")
    )
    foreign = chained.token(chained.bot, elsewhere.id).json["access_token"]
    mine = claims(first)["remit_task"]
    assert error(hand_on(chained, chained.sub, foreign, {"task": mine})) == "invalid_grant"
    assert error(hand_on(chained, chained.leaf, chained.held, {"task": mine})) == "invalid_grant"
    assert claims(hand_on(chained, chained.sub, chained.held, {"task": mine}))["remit_task"] == mine
    head, body, signature = chained.held.split(".")
    spliced = json.loads(peer.extract_compact(chained.held.encode()).payload) | {"act": {"sub": chained.leaf}}
    forged = f"{head}.{b64(json.dumps(spliced).encode())}.{signature}"
    assert body
    for text in (forged, head, "x", chained.person):
        answer = hand_on(chained, chained.sub, text)
        assert error(answer) == "invalid_request"
        assert len(text) < 5 or text not in answer.body.decode()


def test_who_is_not_listed_and_what_is_wider_gets_nothing(chained):
    stranger = chained.agent("stranger")
    assert error(hand_on(chained, stranger, chained.held)) == "invalid_grant"
    assert error(chained.token(chained.sub, chained.task)) == "invalid_grant", "a sub-agent has no task of its own"
    for step in (
        READ | {"arguments": {"path": [{"subpath": "/"}]}},
        READ | {"path": "delegated"},
        READ | {"action": "mcp:notes/gone"},
    ):
        assert error(hand_on(chained, chained.sub, chained.held, {"steps": [step]})) == "invalid_authorization_details"
    for detail in ({"steps": []}, {"steps": "x"}, {"steps": [1]}, {"more": 1}, {"task": "x"}, {"purpose": 1}):
        assert error(hand_on(chained, chained.sub, chained.held, detail)) == "invalid_authorization_details"
    assert error(hand_on(chained, chained.sub, chained.held, scope="mcp:notes/read_note")) == "invalid_scope"
    assert error(hand_on(chained, chained.sub, chained.held, audience="x")) == "invalid_target"


def test_the_child_dies_with_the_credential_and_the_task_above(chained):
    first = hand_on(chained, chained.sub, chained.held)
    second = hand_on(chained, chained.leaf, first.json["access_token"])
    entry = chained.world.enter(second.json["access_token"])
    assert isinstance(decided(chained, read_call(), entry), Permit)
    chained.form("/oauth/revoke", {"token": chained.held} | chained.client(chained.bot))
    assert decided(chained, read_call(), entry).code == "credential_ended"
    assert error(hand_on(chained, chained.leaf, first.json["access_token"])) == "invalid_grant"
    held = chained.token(chained.bot, chained.task).json["access_token"]
    third = hand_on(chained, chained.sub, held)
    entry = chained.world.enter(third.json["access_token"])
    chained.act(lambda c: revocation.revoke(c, "task", chained.task, "operator"))
    assert isinstance(decided(chained, read_call(), entry), Deny)
    assert error(hand_on(chained, chained.sub, held)) == "invalid_grant"


def test_a_bound_credential_is_handed_on_without_its_key_and_is_no_bearer_for_it(chained):
    """What a sub-agent is shown opens nothing at a gate, and its own credential is bound to its own key."""
    keys = [ECKey.generate_key("P-256") for _ in range(2)]
    detail = json.dumps([{"type": "remit_task", "task": chained.task}])
    asked = {"grant_type": "client_credentials", "authorization_details": detail} | chained.client(chained.bot)
    held = chained.form("/oauth/token", asked, dpop=proof(chained, keys[0])).json["access_token"]
    mine = {"subject_token": held, "subject_token_type": ACCESS} | chained.client(chained.sub)
    mine["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange"
    answer = chained.form("/oauth/token", mine, dpop=proof(chained, keys[1]))
    assert claims(answer)["cnf"] == {"jkt": keys[1].thumbprint()}
    assert chained.world.gate.enter(held, "notes").code == "possession_missing"


def proof(place, key):
    now = place.world.authority.clock.now() // 1000
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    said = {"htm": "POST", "htu": f"{place.world.authority.issuer}/oauth/token", "iat": now, "jti": key.thumbprint()}
    registry = peer.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    return peer.serialize_compact(head, json.dumps(said).encode(), key, registry=registry)


def test_a_flood_of_children_is_refused(chained):
    for _ in range(delegation.MOST):
        claims(hand_on(chained, chained.sub, chained.held))
    answer = hand_on(chained, chained.sub, chained.held)
    assert error(answer) == "invalid_grant"
    assert "open child tasks" in answer.json["error_description"]


def test_a_narrower_credential_of_the_task_above_gives_no_more_of_a_child_that_is_there(chained):
    by = chained.world.owner.id
    crm = {"upstream": Upstream(url="http://127.0.0.1:9/mcp"), "domain": "office", "owner": by, "tools": TOOLS}
    chained.act(lambda c: resource.add(c, name="crm", by="operator", **crm))
    more = Step.from_json(READ | {"action": "mcp:crm/read_note"})
    chained.act(lambda c: brief.apply(c, wide(chained, steps=(*steps(), more)), "operator"))
    errand, gates = opened(chained, chained.bot), [f"{ISSUER}/mcp/crm", f"{ISSUER}/mcp/notes"]
    whole, part = (chained.token(chained.bot, errand, resource=one).json["access_token"] for one in (gates, gates[1]))
    child = claims(hand_on(chained, chained.sub, whole))
    assert child["aud"] == gates
    again = {"task": child["remit_task"]}
    assert claims(hand_on(chained, chained.sub, whole, again))["aud"] == gates
    assert claims(hand_on(chained, chained.sub, part, again))["aud"] == gates[1:]
    assert error(hand_on(chained, chained.sub, part, again, resource=gates[0])) == "invalid_target"
