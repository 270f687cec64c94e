import pytest

from remit.control import agent, principal, task
from remit.control import brief as briefs
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.freshness import Freshness
from remit.core.grant import Step
from remit.core.permit import Permit
from remit.core.task import Task
from remit.store.apply import usage
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size
from tests.kit.world import DAY, read_call, steps

WRITE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})


def opening(world, **members):
    given = {"brief": "notes", "agent": world.agent.id, "requester": world.owner.id, "by": world.owner.id}
    return lambda change: task.open_task(change, **(given | members))


def uses(world, one, scope, step=1):
    place = ("brief:own:mcp:notes/write_note", 0) if scope == "brief" else (scope, step)
    found = world.act(lambda c: usage(c.db, one.id, *place))
    return found.uses if found else 0


def writes(number):
    form = steps()[1].to_json()
    return Step.from_json(form | {"uses": number})


def test_opening_makes_the_brief_the_first_plan(world):
    before = size(world)
    one = world.act(opening(world, labels={"ticket": "7"}, life=1000))
    assert kinds(world, before) == ["task.opened", "plan.made"]
    assert (one.deadline - one.opened, one.plan, one.labels) == (1000, 1, {"ticket": "7"})
    assert world.act(opening(world, life=99 * DAY)).deadline - one.opened == world.brief.life


def test_who_is_not_a_listed_dispatcher_opens_nothing(world):
    stranger = world.act(lambda c: principal.add_person(c, "local", "sam", "Sam", (), "op"))
    assert refused(world, opening(world, requester=stranger.id)) == "dispatcher_refused"
    assert refused(world, opening(world, requester=world.agent.id)) == "dispatcher_refused"
    assert refused(world, opening(world, requester=named("svc", "z"))) == "dispatcher_refused"
    world.act(lambda c: principal.end_person(c, world.person.id, "op", ""))
    assert refused(world, opening(world, requester=world.person.id)) == "dispatcher_refused"


def test_a_dispatcher_is_listed_by_group_too(world):
    world.act(lambda c: briefs.apply(c, world.a_brief(dispatchers=("group:ops",)), "op"))
    assert world.act(opening(world)).requester == world.owner.id
    assert refused(world, opening(world, requester=world.person.id)) == "dispatcher_refused"


def test_a_person_cannot_be_delegated_by_others(world):
    assert refused(world, opening(world, person=world.person.id)) == "person_other"
    own = world.act(opening(world, requester=world.person.id, person=world.person.id))
    assert own.person == world.person.id
    child = {"parent": own.id, "requester": world.person.id}
    assert refused(world, opening(world, **child, person=world.owner.id)) == "person_other"
    assert refused(world, opening(world, parent=own.id, person=world.person.id)) == "person_other"
    assert world.act(opening(world, **child, person=world.person.id)).person == world.person.id


def test_an_agent_that_is_not_listed_or_not_reviewed_gets_no_task(world, time):
    due = world.authority.clock.now() + DAY
    members = {"name": "other", "owner": world.owner.id, "purpose": "Tests.", "ceiling": (), "keys": (), "by": "op"}
    other = world.act(lambda c: agent.add(c, review_due=due, **members))
    assert refused(world, opening(world, agent=other.id)) == "task_refused"
    world.act(lambda c: agent.stop(c, world.agent.id, "suspended", "op"))
    assert refused(world, opening(world)) == "task_refused"
    world.act(lambda c: agent.review(c, world.agent.id, due, "op"))
    time.on(DAY)
    assert refused(world, opening(world)) == "task_refused"


def test_nothing_is_opened_under_a_withdrawn_brief(world):
    world.act(lambda c: briefs.withdraw(c, "notes", "op"))
    assert refused(world, opening(world)) == "task_refused"
    assert refused(world, opening(world, brief="none")) == "not_found"


def test_a_child_is_no_deeper_and_no_longer_than_its_parents(world):
    one = world.act(opening(world, life=1000))
    two = world.act(opening(world, parent=one.id, person=one.person))
    three = world.act(opening(world, parent=two.id, person=two.person))
    assert two.deadline == three.deadline == one.deadline
    assert refused(world, opening(world, parent=three.id, person=three.person)) == "depth_exceeded"
    world.act(lambda c: task.end(c, one.id, "complete", "op"))
    assert refused(world, opening(world, parent=two.id, person=two.person)) == "parent_ended"


def test_a_child_is_charged_to_every_task_above_it_and_to_the_brief(world):
    one = world.a_task()
    two = world.a_task(parent=one.id, person=one.person)
    three = world.a_task(parent=two.id, person=two.person)
    entry = world.enter(world.a_credential(three.id).text)
    permit = world.decide(WRITE, entry)
    assert permit.call
    assert [uses(world, each, "plan:1") for each in (one, two, three)] == [1, 1, 1]
    assert [uses(world, each, "brief") for each in (one, two, three)] == [1, 0, 0]
    above = world.enter(world.a_credential(one.id).text)
    assert world.decide(WRITE, above).call
    assert world.decide(WRITE, above).call
    assert world.decide(WRITE, entry).code == "uses_spent"
    assert uses(world, one, "brief") == 3


def test_a_plan_may_narrow_and_the_older_credential_and_the_children_then_end(world):
    one = world.a_task()
    child = world.a_task(parent=one.id, person=one.person)
    entry, before = world.enter(world.a_credential(one.id).text), size(world)
    made = world.act(lambda c: task.plan(c, one.id, steps()[:1], "op"))
    assert (made.version, made.sources) == (2, (0,))
    assert kinds(world, before) == ["plan.made", "task.planned", "task.ended"]
    assert world.decide(read_call(), entry).code == "plan_moved"
    assert world.act(lambda c: c.need(Task, child.id)).because == "plan"
    assert refused(world, lambda c: task.plan(c, one.id, steps()[:2], "op")) == "plan_wider"
    other = (Step.from_json({"action": "mcp:notes/read_note", "path": "own", "allow_unknown": True}),)
    assert refused(world, lambda c: task.plan(c, one.id, other, "op")) == "plan_outside"


def writing(world, one):
    """Call until it is refused; how often that went well, and why no more."""
    entry, done = world.enter(world.a_credential(one.id).text), 0
    while True:
        found = world.decide(WRITE, entry)
        if isinstance(found, Deny):
            return done, found.code
        done += 1


def test_a_new_plan_never_gets_back_what_was_used(world):
    one = world.a_task()
    entry = world.enter(world.a_credential(one.id).text)
    for _ in range(2):
        assert world.decide(WRITE, entry).call
    world.act(lambda c: task.plan(c, one.id, (writes(3),), "op"))
    assert writing(world, one) == (1, "uses_spent")
    world.act(lambda c: task.plan(c, one.id, (writes(3),), "op"))
    assert writing(world, one) == (0, "uses_spent")
    assert uses(world, one, "brief") == 3


def test_a_narrower_plan_holds_although_the_brief_would_give_more(world):
    one = world.a_task()
    world.act(lambda c: task.plan(c, one.id, (writes(1),), "op"))
    assert writing(world, one) == (1, "uses_spent")
    world.act(lambda c: task.plan(c, one.id, (writes(1),), "op"))
    assert writing(world, one) == (0, "uses_spent")


@pytest.mark.parametrize("again", [(1, 1), (2,)])
def test_a_plan_is_not_widened_by_asking_for_more_or_by_splitting_a_step(world, again):
    one = world.a_task()
    world.act(lambda c: task.plan(c, one.id, (writes(1),), "op"))
    asked = tuple(writes(number) for number in again)
    assert refused(world, lambda c: task.plan(c, one.id, asked, "op")) == "plan_wider"


def test_ending_ends_all_below_once(world):
    one = world.a_task()
    two = world.a_task(parent=one.id, person=one.person)
    before = size(world)
    assert [each.id for each in world.act(lambda c: task.end(c, one.id, "complete", "op"))] == [one.id, two.id]
    assert world.act(lambda c: task.end(c, one.id, "complete", "op")) == []
    assert kinds(world, before) == ["task.ended"] * 2
    assert world.act(lambda c: c.need(Task, two.id)).because == "parent"
    assert refused(world, lambda c: task.plan(c, one.id, steps()[:1], "op")) == "transition_refused"
    assert refused(world, lambda c: task.end(c, named("tsk", "z"), "complete", "op")) == "not_found"


def test_a_sub_agent_whose_owner_was_seen_lately_stands_in_for_no_owner_above(world):
    """What the brief wants fresh is wanted of the owner of every agent of the chain."""
    due = world.authority.clock.now() + 30 * DAY
    kim = world.act(lambda c: principal.add_person(c, "local", "kim", "Kim", (), "operator")).id
    given = {"owner": kim, "purpose": "Helps.", "review_due": due, "keys": (), "ceiling": ("mcp:notes/*",)}
    helper = world.act(lambda c: agent.add(c, name="helper", **given, by="operator")).id
    held = world.a_brief(version=2, fresh=Freshness(owner=60_000), agents=(world.agent.id, helper))
    world.act(lambda c: briefs.apply(c, held, "operator"))
    first = world.a_task()
    child = world.a_task(parent=first.id, person=first.person, agent=helper)
    below = world.enter(world.a_credential(child.id, agent_id=helper).text)
    world.act(lambda c: principal.confirm(c, kim, "operator"))
    assert world.decide(read_call(), below).code == "owner_stale"
    world.act(lambda c: principal.confirm(c, world.owner.id, "operator"))
    assert isinstance(world.decide(read_call(), below), Permit)
