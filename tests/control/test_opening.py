"""A task is opened only within its brief's budget: refused, asked about, or stopped where the budget is used up."""

import pytest

from remit.control import agent, approval, brief, opening, principal, replan, task
from remit.core.approval import Approval
from remit.core.budget import Budget, Most
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.step import Step
from remit.core.task import Plan, Task
from tests.kit.consenting import consenting
from tests.kit.told import code, kinds, refused, size
from tests.kit.world import DAY, read_call, steps

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
READ, WRITE, _ = steps()
NOTE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})
SMALL = (Step.from_json(WRITE.to_json() | {"uses": 2}),)


class Budgeted:
    def __init__(self, world, **members):
        self.world = world
        self.ann = world.act(lambda c: principal.add_person(c, "local", "ann", "ann", ("ops",), "operator")).id
        self.rule(**members)

    def rule(self, **members):
        held = self.world.a_brief(replan="ask", approvers=("ops",), budget=Budget(**members))
        self.world.act(lambda c: brief.apply(c, held, "operator"))

    def members(self, given=()):
        by = self.world.owner.id
        return {"brief": "notes", "agent": self.world.agent.id, "requester": by, "by": by, "steps": given or None}

    def open(self, *given):
        return self.world.act(lambda c: opening.begin(c, **self.members(given)))

    def answer(self, one, *, yes=True):
        return self.world.act(lambda c: approval.answer(c, one.id, self.ann, yes=yes, shown=one.shown, via="t"))

    def now(self, one):
        return self.world.act(lambda c: c.need(Task, one.id))

    def enter(self, one):
        return self.world.enter(self.world.a_credential(one.id).text)


def test_over_the_budget_it_is_refused_and_a_narrower_plan_is_let_in(world):
    place = Budgeted(world, writes=2, calls=9)
    assert refused(world, lambda c: opening.begin(c, **place.members())) == "reach_over"
    assert refused(world, lambda c: opening.begin(c, **place.members((WRITE,)))) == "reach_over"
    made = place.open(*SMALL)
    assert (made.task.state, made.approval) == ("open", None)
    wild = Step.from_json(READ.to_json() | {"arguments": {"path": [{"subpath": "/"}]}})
    assert refused(world, lambda c: opening.begin(c, **place.members((wild,)))) == "plan_outside"


def test_what_is_unbounded_is_beyond_every_budget(world):
    place = Budgeted(world, rows=2**31 - 1)
    assert refused(world, lambda c: opening.begin(c, **place.members(SMALL))) == "reach_over"


def test_an_agent_of_a_lower_tier_has_a_smaller_budget(world):
    place = Budgeted(world, writes=2, tiers={"medium": Most(writes=1)})
    assert refused(world, lambda c: opening.begin(c, **place.members(SMALL))) == "reach_over"
    place.rule(writes=2, tiers={"low": Most(writes=1)})
    assert place.open(*SMALL).task.state == "open"


def test_where_people_are_asked_the_task_is_held_until_they_say_yes(world):
    place = Budgeted(world, writes=1, over="ask")
    before = size(world)
    made = place.open(*SMALL)
    assert kinds(world, before) == ["task.opened", "plan.made", "approval.asked"]
    assert (made.task.state, made.task.held) == ("suspended", "reach")
    assert refused(world, lambda c: task.resume(c, made.task.id, "op")) == "task_waits"
    card, _ = world.act(lambda c: approval.show(c, c.need(Approval, made.approval.id)))
    assert (card["over"], card["reach"]["writes"], card["opening"]) == (["writes"], 2, [SMALL[0].to_json()])
    place.answer(made.approval)
    now = place.now(made.task)
    assert (now.state, now.lifted, now.admitted) == ("open", ("writes",), made.approval.id)
    entry = place.enter(made.task)
    assert [isinstance(world.decide(NOTE, entry), Permit) for _ in range(3)] == [True, True, False], (
        "lifted, not beyond"
    )


def test_what_a_person_consents_to_beyond_the_budget_waits_for_others_and_its_token_opens_nothing_till_then(world):
    place, pia = Budgeted(world, writes=1, over="ask"), consenting(world)
    assert pia.offers()[0].shown["over"] == ["writes"]
    given = pia.give()
    made = world.act(lambda c: c.need(Task, given.consent.task))
    assert (made.state, made.held, made.consent) == ("suspended", "reach", given.consent.id)
    entry = world.enter(pia.redeem(given.code)[0].text)
    assert world.decide(read_call(), entry).code == "task_suspended"
    asked = world.act(lambda c: next(c.reader.where(Approval, "task = ?", (made.id,))))
    place.answer(asked)
    assert isinstance(world.decide(read_call(), entry), Permit)
    again = pia.give()
    asked = world.act(lambda c: next(c.reader.where(Approval, "task = ?", (again.consent.task,))))
    entry = world.enter(pia.redeem(again.code)[0].text)
    place.answer(asked, yes=False)
    assert world.decide(read_call(), entry).code == "task_ended"
    place.rule(writes=1)
    assert code(pia.give) == "reach_over"


def test_a_no_ends_it_and_what_moved_voids_the_ask(world):
    place = Budgeted(world, writes=1, over="ask")
    made = place.open(*SMALL)
    place.answer(made.approval, yes=False)
    assert (place.now(made.task).state, place.now(made.task).because) == ("ended", "refused")
    again = place.open(*SMALL)
    place.rule(writes=1, rows=5, over="ask")
    one = again.approval
    assert refused(world, lambda c: approval.answer(c, one.id, place.ann, yes=True, shown=one.shown, via="t")) == (
        "approval_moved"
    )


def test_a_wider_plan_is_held_against_the_budget_too(world):
    place = Budgeted(world, writes=2)
    made = place.open(*SMALL)
    found = world.act(lambda c: replan.submit(c, made.task.id, (WRITE,), "op"))
    assert (found.refused.code, found.approval) == ("reach_over", None)
    place.rule(writes=2, over="ask")
    found = world.act(lambda c: replan.submit(c, made.task.id, (WRITE,), "op"))
    card, _ = world.act(lambda c: approval.show(c, c.need(Approval, found.approval.id)))
    assert (card["over"], card["is"]) == (["writes"], "wider")
    place.answer(found.approval)
    assert place.now(made.task).lifted == ("writes",)


def test_what_is_capped_is_let_in_and_stopped(world):
    place = Budgeted(world, writes=1, rows=3, over="cap")
    made = place.open()
    entry = place.enter(made.task)
    permit = world.decide(NOTE, entry)
    assert isinstance(permit, Permit)
    assert world.decide(NOTE, entry).code == "budget_spent"
    world.note(permit, rows=2)
    assert world.decide(read_call(), entry).code == "budget_spent", "reading was not declared to change nothing"
    plan = world.act(lambda c: c.need(Plan, f"{made.task.id}:1"))
    world.act(lambda c: task.plan(c, made.task.id, plan.steps[:2], "op"))
    assert world.decide(NOTE, place.enter(made.task)).code == "budget_spent", "a new plan gets nothing back"


def test_the_answer_that_is_beyond_the_rows_is_withheld(world):
    place = Budgeted(world, rows=3, over="cap")
    made = place.open()
    entry = place.enter(made.task)
    assert world.note(world.decide(read_call(), entry), rows=2) is None
    assert world.note(world.decide(read_call(), entry), rows=2).code == "rows_exceeded"
    assert world.note(world.decide(read_call(), entry), rows=1) is None
    assert world.decide(read_call(), entry).code == "budget_spent"


def test_an_errand_has_no_more_live_children_than_its_budget(world):
    place = Budgeted(world, children=2, over="cap")
    first = place.open().task
    below = place.members() | {"parent": first.id, "person": first.person}
    one = world.act(lambda c: opening.begin(c, **below)).task
    world.act(lambda c: opening.begin(c, **(below | {"parent": one.id})))
    assert refused(world, lambda c: opening.begin(c, **below)) == "children_spent"
    world.act(lambda c: task.end(c, one.id, "complete", "op"))
    assert world.act(lambda c: opening.begin(c, **below)).task.state == "open"


def test_a_sub_agent_of_another_tier_gives_an_errand_nothing_that_its_own_agents_tier_does_not(world):
    """What is less for the agent that hands on stays less below it (law 3)."""
    due = world.authority.clock.now() + 30 * DAY
    given = {"owner": world.owner.id, "purpose": "Helps.", "review_due": due, "keys": (), "ceiling": ("mcp:notes/*",)}
    helper = world.act(lambda c: agent.add(c, name="helper", tier="low", **given, by="operator"))
    budget = Budget(calls=9, tiers={world.agent.tier: Most(calls=1)}, over="cap")
    held = world.a_brief(version=2, budget=budget, agents=(world.agent.id, helper.id))
    world.act(lambda c: brief.apply(c, held, "operator"))
    first = world.a_task()
    child = world.a_task(parent=first.id, person=first.person, agent=helper.id)
    below = world.enter(world.a_credential(child.id, agent_id=helper.id).text)
    assert isinstance(world.decide(read_call(), below), Permit)
    assert world.decide(read_call(), below).code == "budget_spent"
