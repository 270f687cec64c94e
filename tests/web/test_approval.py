"""`/v1/approvals`: people see what their groups are asked, exactly, and answer exactly that."""

from remit.control import credential, policy, task
from remit.core.answer import Deny
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit.approving import asking
from tests.kit.asking import code
from tests.kit.world import COMMON, read_call


def asked(place, group="staff"):
    """Have an agent's call wait for the yes of a group; the ask's id, and how to call again."""
    layers = {"common": COMMON, "delegated": {}, "own": {"a.cedar": asking(group)}}
    place.act(lambda c: policy.apply(c, layers, 1, "operator"))
    world, by, agent = place.world, place.world.owner.id, place.bot
    errand = place.act(lambda c: task.open_task(c, brief="notes", agent=agent, requester=by, by=by))
    given = {"task_id": errand.id, "agent_id": agent, "path": TrustPath.OWN, "person_id": ""}
    entry = world.enter(place.act(lambda c: credential.give(c, **given)).text)

    def call():
        found = []
        place.loop.call_soon_threadsafe(world.gate.decide, read_call(), entry, "", found.append)
        for _ in range(200):
            if found:
                return found[0]
            place.act(lambda _: None)
        raise AssertionError("nobody answered")

    first = call()
    assert isinstance(first, Deny)
    return first.approval, call


def test_a_person_of_the_group_sees_it_says_yes_and_the_call_goes_through(place):
    waits, call = asked(place)
    token = place.person
    assert [one["id"] for one in place.get("/v1/approvals?state=pending", token).json["items"]] == [waits]
    shown = place.get(f"/v1/approvals/{waits}", token)
    assert shown.json["card"]["arguments"] == {"path": "/notes/a"}
    assert shown.headers["cache-control"] == "no-store"
    digest = shown.json["card_digest"]
    assert code(place.send(f"/v1/approvals/{waits}", {"answer": "yes", "shown": "x"}, token), 409) == "approval_moved"
    assert code(place.send(f"/v1/approvals/{waits}", {"answer": "maybe", "shown": digest}, token), 400)
    said = place.send(f"/v1/approvals/{waits}", {"answer": "yes", "shown": digest}, token)
    assert said.json["state"] == "approved"
    assert isinstance(call(), Permit)
    late = place.send(f"/v1/approvals/{waits}", {"answer": "no", "shown": digest}, token)
    assert code(late, 409) == "approval_closed"


def test_whose_business_it_is_not_cannot_see_it_and_an_operator_or_agent_cannot_answer(place):
    waits, _ = asked(place, "law")
    token = place.person
    assert code(place.get(f"/v1/approvals/{waits}", token), 404) == "not_found"
    assert place.get("/v1/approvals", token).json["items"] == []
    assert place.get(f"/v1/approvals/{waits}").json["id"] == waits
    assert code(place.send(f"/v1/approvals/{waits}", {"answer": "yes", "shown": "x"}), 403) == "forbidden"
    assert code(place.get("/v1/approvals", place.held), 403) == "forbidden"
    assert code(place.send(f"/v1/approvals/{waits}", {"answer": "yes", "shown": "x"}, place.held), 403) == "forbidden"
