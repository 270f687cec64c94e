import pytest

from remit.control import brief, resource
from remit.control.revocation import open_path, revoke
from remit.core.agent import Agent
from remit.core.grant import Step
from remit.core.resource import Upstream
from remit.core.task import Task
from remit.core.trust import TrustPath
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size
from tests.kit.world import read_call


def target(world, kind, one, held):
    return {
        "task": one.id,
        "credential": held.credential.id,
        "agent": world.agent.id,
        "person": world.owner.id,
        "path": "own",
        "brief": "notes",
        "resource": "notes",
    }[kind]


FOLLOWS = {
    "task": (["task.ended", "task.ended"], "task_ended"),
    "credential": (["credential.ended"], "credential_ended"),
    "agent": (["agent.suspended", "task.ended", "task.ended"], "task_ended"),
    "person": (["person.left", "task.ended", "task.ended", "agent.suspended"], "task_ended"),
    "path": (["path.closed"], "path_revoked"),
    "brief": (["brief.withdrawn", "task.ended", "task.ended"], "task_ended"),
    "resource": (["resource.removed"], "resource_unknown"),
}


@pytest.mark.parametrize("kind", FOLLOWS)
def test_each_kind_ends_what_is_below_it_and_returns_what_is_in_flight(world, time, kind):
    one = world.a_task()
    child = world.a_task(parent=one.id, person=one.person)
    held = world.a_credential(one.id)
    entry = world.enter(held.text)
    done, flying = world.decide(read_call(), entry), world.decide(read_call(), entry)
    assert world.note(done) is None
    before = size(world)
    time.on(1)
    found = world.act(lambda c: revoke(c, kind, target(world, kind, one, held), "op", "stop"))
    follows, refusal = FOLLOWS[kind]
    assert kinds(world, before) == ["revocation.made", *follows]
    assert [call.call for call in found.in_flight] == [flying.call]
    assert set(found.tasks) == ({one.id, child.id} if "task.ended" in follows else set())
    assert found.agents == ((world.agent.id,) if "agent.suspended" in follows else ())
    assert world.decide(read_call(), entry).code == refusal
    ended = world.act(lambda c: c.need(Task, child.id)).state
    assert (ended == "ended") is ("task.ended" in follows)
    assert world.note(flying) is None, "what was in flight may still say how it ended"


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("task", named("tsk", "z"), "not_found"),
        ("credential", named("crd", "z"), "not_found"),
        ("agent", named("agt", "z"), "not_found"),
        ("person", named("per", "z"), "not_found"),
        ("brief", "none", "not_found"),
        ("resource", "none", "not_found"),
        ("path", "blended", "revocation_invalid"),
        ("everything", "x", "revocation_invalid"),
    ],
)
def test_what_is_not_there_cannot_be_stopped_and_leaves_no_receipt(world, kind, target, code):
    assert refused(world, lambda c: revoke(c, kind, target, "op")) == code


def test_stopping_one_leaves_the_others(world):
    one, other = world.a_task(), world.a_task()
    entry = world.enter(world.a_credential(other.id).text)
    flying = world.decide(read_call(), entry)
    assert world.act(lambda c: revoke(c, "task", one.id, "op")).in_flight == ()
    assert world.decide(read_call(), entry).call != flying.call


def test_a_resource_takes_only_its_own_calls_down(world):
    mail = Upstream(url="http://127.0.0.1:9/mail")
    members = {
        "name": "mail",
        "upstream": mail,
        "domain": "office",
        "owner": world.owner.id,
        "tools": {},
        "by": "op",
    }
    world.act(lambda c: resource.add(c, **members))
    step = Step.from_json({"action": "mcp:mail/@read", "path": "own", "allow_unknown": True})
    world.act(lambda c: brief.apply(c, world.a_brief(steps=(*world.brief.steps, step)), "op"))
    one = world.a_task()
    flying = world.decide(read_call(), world.enter(world.a_credential(one.id).text))
    assert flying.call
    assert world.act(lambda c: revoke(c, "resource", "mail", "op")).in_flight == ()
    assert [x.call for x in world.act(lambda c: revoke(c, "resource", "notes", "op")).in_flight] == [flying.call]


def test_who_leaves_takes_what_was_delegated_dispatched_and_owned_along(world):
    one = world.a_task(requester=world.person.id)
    entry = world.enter(world.a_credential(one.id, TrustPath.DELEGATED, world.person.id).text)
    assert world.decide(read_call(), entry).call
    found = world.act(lambda c: revoke(c, "person", world.person.id, "op"))
    assert (found.tasks, found.agents) == ((one.id,), ())
    assert world.act(lambda c: c.need(Task, one.id)).because == "person"
    world.act(lambda c: revoke(c, "person", world.owner.id, "op"))
    assert world.act(lambda c: c.need(Agent, world.agent.id)).state == "suspended"


def test_a_path_that_opens_again_revives_nothing(world, time):
    one = world.a_task()
    entry = world.enter(world.a_credential(one.id).text)
    time.on(1)
    world.act(lambda c: revoke(c, "path", "own", "op"))
    before = size(world)
    time.on(1)
    world.act(lambda c: open_path(c, TrustPath.OWN, "op"))
    assert kinds(world, before) == ["path.opened"]
    assert world.decide(read_call(), entry).code == "path_revoked"
    time.on(1)
    assert world.decide(read_call(), world.enter(world.a_credential(one.id).text)).call
