import pytest

from remit.control import agent, brief, credential, key, principal, revocation, task
from remit.core.permit import Entry, Permit
from remit.core.trust import TrustPath
from remit.custody.signer import TOKEN_PURPOSES
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size, told
from tests.kit.world import DAY, read_call, steps

OWN, DELEGATED = TrustPath.OWN, TrustPath.DELEGATED


def giving(world, one, path=OWN, **members):
    given = {"task_id": one.id, "agent_id": world.agent.id, "path": path} | members
    return lambda change: credential.give(change, **given)


def test_it_is_for_one_task_one_plan_and_one_path_and_its_text_is_kept_nowhere(world):
    one, before = world.a_task(), size(world)
    found = world.act(giving(world, one))
    assert kinds(world, before) == ["credential.issued"]
    assert found.text not in str(told(world))
    held = found.credential
    assert (held.task, held.plan, held.path, held.subject, held.audience) == (
        *(one.id, 1, OWN),
        *(world.agent.id, ("notes",)),
    )


def test_it_never_outlives_its_task(world):
    one = world.a_task(life=2500)
    expires = world.act(giving(world, one)).credential.expires
    assert expires % 1000 == 0
    assert 0 <= one.deadline - expires < 1000


def test_a_delegated_one_is_the_persons_whose_task_it_is(world):
    one = world.a_task(requester=world.person.id)
    assert world.act(giving(world, one, DELEGATED, person_id=world.person.id)).credential.subject == world.person.id
    assert refused(world, giving(world, one, DELEGATED)) == "credential_refused"
    assert refused(world, giving(world, one, DELEGATED, person_id=world.owner.id)) == "credential_refused"
    world.act(lambda c: principal.end_person(c, world.person.id, "op", ""))
    assert refused(world, giving(world, one, DELEGATED, person_id=world.person.id)) == "credential_refused"


@pytest.mark.parametrize(
    "stop",
    [
        lambda c, w, t: task.end(c, t.id, "complete", "op"),
        lambda c, w, t: agent.stop(c, w.agent.id, "suspended", "op"),
        lambda c, w, t: brief.withdraw(c, "notes", "op"),
        lambda c, w, t: brief.apply(c, w.a_brief(agents=(agent_other(c, w),)), "op"),
        lambda c, w, t: revocation.revoke(c, "path", "own", "op"),
        lambda c, w, t: task.plan(c, t.id, steps(DELEGATED)[:1], "op"),
    ],
    ids=["task", "agent", "brief", "unlisted", "path", "plan"],
)
def test_what_a_call_would_be_refused_for_refuses_a_credential(world, stop):
    one = world.a_task()
    assert world.act(giving(world, one)).text
    world.act(lambda c: stop(c, world, one))
    assert refused(world, giving(world, one)) == "credential_refused"


def agent_other(change, world):
    members = {"name": "other", "owner": world.owner.id, "purpose": "Tests.", "ceiling": (), "keys": (), "by": "op"}
    return agent.add(change, review_due=change.now + DAY, **members).id


def test_another_agent_gets_none(world):
    one = world.a_task()
    other = world.act(lambda c: agent_other(c, world))
    assert refused(world, giving(world, one, agent_id=other)) == "credential_refused"
    assert refused(world, giving(world, one, agent_id=named("agt", "z"))) == "not_found"


def test_time_ends_what_can_be_given(world, time):
    one, short = world.a_task(), world.a_task(life=1000)
    time.on(500)
    assert world.act(giving(world, short)).credential.expires == short.deadline
    time.on(500)
    assert refused(world, giving(world, short)) == "credential_refused"
    time.on(world.brief.idle - 1001)
    assert world.act(giving(world, one)).text
    time.on(1)
    assert refused(world, giving(world, one)) == "credential_refused"


def test_an_overdue_review_and_a_parent_that_ended_give_none(world, time):
    one = world.a_task()
    child = world.a_task(parent=one.id, person=one.person)
    world.act(lambda c: agent.review(c, world.agent.id, c.now + 1000, "op"))
    time.on(1000)
    assert refused(world, giving(world, child)) == "credential_refused"
    world.act(lambda c: agent.review(c, world.agent.id, c.now + DAY, "op"))
    assert world.act(giving(world, child)).text
    world.act(lambda c: task.end(c, one.id, "complete", "op"))
    assert refused(world, giving(world, child)) == "credential_refused"


def test_it_is_only_for_resources_of_the_plan(world):
    one = world.a_task()
    assert world.act(giving(world, one, resources=("notes",))).credential.audience == ("notes",)
    assert refused(world, giving(world, one, resources=("notes", "mail"))) == "target_refused"


def test_without_a_key_in_force_there_is_none(world):
    one, kid = world.a_task(), world.authority.signer.active(TOKEN_PURPOSES[OWN]).kid

    def retire(change):
        change.authority.signer.retire(kid, change.now)
        key.sync(change, "op")

    world.act(retire)
    assert refused(world, giving(world, one)) == "key_missing"


def test_it_ends_once(world):
    found = world.a_credential(world.a_task().id)
    entry, before = world.enter(found.text), size(world)
    assert world.act(lambda c: credential.end(c, found.credential.id, "op", "lost")).state == "ended"
    assert world.act(lambda c: credential.end(c, found.credential.id, "op")) is None
    assert kinds(world, before) == ["credential.ended"]
    assert world.decide(read_call(), entry).code == "credential_ended"


THUMB = "t" * 43


def test_what_is_bound_to_no_key_lives_shorter_or_not_at_all(world):
    one = world.a_task()
    lives = [
        world.act(giving(world, one, **bound)).credential for bound in ({}, {"thumb": THUMB}, {"certificate": THUMB})
    ]
    assert [(each.expires - each.issued) // 1000 for each in lives] == [120, 300, 300]
    held = world.act(giving(world, one))
    entry = world.enter(held.text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    world.act(lambda c: brief.apply(c, world.a_brief(bearer_life=0), "op"))
    assert refused(world, giving(world, one)) == "credential_unbound"
    assert world.decide(read_call(), entry).code == "credential_unbound", "one that was given before is refused too"
    bound = world.act(giving(world, one, thumb=THUMB)).credential
    shown = Entry(bound.id, one.id, world.agent.id, OWN, "notes", THUMB)
    assert isinstance(world.decide(read_call(), shown), Permit)
    world.act(lambda c: brief.apply(c, world.a_brief(credential_life=60_000), "op"))
    assert world.act(giving(world, one)).credential.expires <= world.authority.clock.now() + 60_000
