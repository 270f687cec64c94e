"""A new plan: in force at once when it narrows; else all that the old one gave ends, and it is refused or asked."""

import pytest

from remit.control import approval, brief, principal, proposal, replan, revocation, sweep, task, withdrawal
from remit.control.drift import drift
from remit.core.approval import Approval, Terms
from remit.core.call import Call
from remit.core.credential import Credential
from remit.core.grant import Step
from remit.core.permit import Permit
from remit.core.replan import Kind
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from tests.kit.nouns import code
from tests.kit.told import kinds, refused, size, told
from tests.kit.world import read_call, steps

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
"""Both stores: tests/laws/test_law_6_interleavings.py."""

READ, WRITE, _ = steps()
DELEGATED = steps(TrustPath.DELEGATED)
NOTE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})


class Planning:
    """A task that only reads, under a brief that asks or refuses; Ann and Ben may answer."""

    def __init__(self, world, rule="ask", **terms):
        self.world = world
        self.ann, self.ben = (
            world.act(lambda c, name=name: principal.add_person(c, "local", name, name, ("ops",), "operator")).id
            for name in ("ann", "ben")
        )
        self.rule(rule, **terms)
        self.task = world.a_task(person=world.owner.id)
        world.act(lambda c: task.plan(c, self.task.id, (READ,), "op"))
        self.renew()

    def rule(self, rule, **terms):
        members = {"replan": rule, "approvers": ("ops",), "approval": Terms(**terms)}
        self.world.act(lambda c: brief.apply(c, self.world.a_brief(**members), "operator"))

    def renew(self, path=TrustPath.OWN):
        person = self.world.owner.id if path is TrustPath.DELEGATED else ""
        self.held = self.world.a_credential(self.task.id, path, person)
        self.entry = self.world.enter(self.held.text)

    def submit(self, *wanted):
        return self.world.act(lambda c: replan.submit(c, self.task.id, wanted, self.world.agent.id))

    def answer(self, one, by, *, yes=True):
        return self.world.act(lambda c: approval.answer(c, one.id, by, yes=yes, shown=one.shown, via="test"))

    def now(self):
        return self.world.act(lambda c: c.need(Task, self.task.id))

    def plan(self):
        now = self.now()
        return self.world.act(lambda c: c.need(Plan, f"{now.id}:{now.plan}"))

    def state(self, held):
        return self.world.act(lambda c: c.need(Credential, held.credential.id)).state


@pytest.fixture
def place(world):
    return Planning(world)


def test_a_narrower_plan_is_in_force_at_once_and_takes_a_new_credential(place):
    narrow = Step.from_json(READ.to_json() | {"uses": 2})
    made = place.submit(narrow)
    assert (made.kind, made.plan.version, made.plan.moved) == (Kind.NARROWER, 3, "narrower")
    assert place.world.decide(read_call(), place.entry).code == "plan_moved"
    place.renew()
    assert isinstance(place.world.decide(read_call(), place.entry), Permit)


def test_a_wider_plan_first_ends_all_that_the_old_one_gave_and_then_asks(place):
    world, child = place.world, place.world.a_task(parent=place.task.id, person=place.task.person)
    before = size(world)
    made = place.submit(READ, WRITE)
    assert kinds(world, before) == ["credential.ended", "task.ended", "plan.made", "task.planned", "approval.asked"]
    assert (made.kind, made.plan.moved, made.plan.because) == (Kind.WIDER, "equal", "plan_wider")
    assert place.state(place.held) == "ended"
    assert world.decide(read_call(), place.entry).code == "credential_ended"
    assert world.act(lambda c: c.need(Task, child.id)).because == "plan"
    place.renew()
    assert isinstance(world.decide(read_call(), place.entry), Permit), "what it had goes on"
    assert world.decide(NOTE, place.entry).code == "plan_outside"
    held = place.held
    place.answer(made.approval, place.ann)
    assert place.plan().steps == (READ, WRITE)
    assert (place.plan().moved, place.plan().approval) == ("wider", made.approval.id)
    assert place.state(held) == "ended"
    place.renew()
    assert isinstance(world.decide(NOTE, place.entry), Permit)
    assert refused(world, lambda c: approval.answer(
        c, made.approval.id, place.ben, yes=True, shown=made.approval.shown, via="t")) == "approval_closed"  # fmt: skip


def test_what_is_shown_is_the_whole_plan_and_what_is_new_in_it(place):
    made = place.submit(READ, WRITE, DELEGATED[0])
    card, digest = place.world.act(lambda c: proposal.show(c, c.need(Approval, made.approval.id)))
    assert digest == made.approval.shown
    assert card["plan"] == [one.to_json() for one in (READ, WRITE, DELEGATED[0])]
    assert (card["is"], card["widened"], card["added"], card["crossed"]) == ("other_path", [], [1, 2], [2])
    assert card["before"] == {"version": 3, "steps": [READ.to_json()]}
    assert "/notes" not in str(told(place.world)[-1]), "the approval's receipt holds digests"


def test_the_same_plan_asks_once_and_ends_nothing_twice(place):
    made = place.submit(READ, WRITE)
    place.renew()
    before = size(place.world)
    assert place.submit(READ, WRITE).approval == made.approval
    assert size(place.world) == before
    assert place.state(place.held) == "active"


def test_after_a_no_the_task_goes_on_with_the_steps_it_had(place):
    made = place.submit(READ, WRITE)
    place.answer(made.approval, place.ann, yes=False)
    assert (place.plan().version, place.plan().steps, place.now().state) == (3, (READ,), "open")
    place.renew()
    assert isinstance(place.world.decide(read_call(), place.entry), Permit)
    again = place.submit(READ, WRITE)
    assert (again.approval, again.refused.code) == (None, "approval_denied")
    assert place.state(place.held) == "active"


@pytest.mark.parametrize("wanted", [(READ, WRITE), (READ, DELEGATED[0])])
def test_where_the_brief_refuses_it_ends_the_same_and_asks_nobody(place, wanted):
    place.rule("refuse")
    made = place.submit(*wanted)
    assert (made.refused.code, made.approval) == ("plan_wider", None)
    assert place.state(place.held) == "ended"
    assert (place.plan().version, place.plan().steps) == (3, (READ,))


def test_nobody_is_asked_for_what_the_brief_does_not_hold(place):
    outside = Step.from_json(READ.to_json() | {"arguments": {"path": [{"subpath": "/"}]}})
    made = place.submit(outside)
    assert (made.kind, made.refused.code, made.plan.because) == (Kind.OUTSIDE, "plan_outside", "plan_outside")
    assert place.state(place.held) == "ended"


@pytest.mark.parametrize("moved", ["narrow", "brief", "agent", "task"])
def test_what_moves_after_the_ask_voids_it(place, moved):
    made = place.submit(READ, WRITE)
    world = place.world
    if moved == "narrow":
        place.submit(Step.from_json(READ.to_json() | {"uses": 2}))
    elif moved == "brief":
        place.rule("ask", need=2)
    elif moved == "agent":
        world.act(lambda c: revocation.revoke(c, "agent", world.agent.id, "operator"))
    else:
        world.act(lambda c: task.suspend(c, place.task.id, "gate"))
    one = made.approval
    assert refused(world, lambda c: approval.answer(c, one.id, place.ann, yes=True, shown=one.shown, via="t")) == (
        "approval_moved"
    )


def test_two_yeses_are_counted_and_one_who_left_is_not(world):
    place = Planning(world, need=2)
    made = place.submit(READ, WRITE)
    assert place.answer(made.approval, place.ann).state == "pending"
    assert place.plan().version == 3
    world.act(lambda c: revocation.revoke(c, "person", place.ann, "operator"))
    assert place.answer(made.approval, place.ben).state == "pending"
    assert place.plan().version == 3


def test_who_requested_the_task_does_not_answer_for_its_plan(place):
    made = place.submit(READ, WRITE)
    shown, owner = made.approval.shown, place.world.owner.id
    assert refused(place.world, lambda c: approval.answer(
        c, made.approval.id, owner, yes=True, shown=shown, via="t")) == "approver_refused"  # fmt: skip


def test_a_wider_plan_gets_nothing_back_of_what_was_used(place):
    two = Step.from_json(WRITE.to_json() | {"uses": 2})
    first = place.submit(READ, two)
    place.answer(first.approval, place.ann)
    place.renew()
    for _ in range(2):
        assert isinstance(place.world.decide(NOTE, place.entry), Permit)
    assert place.world.decide(NOTE, place.entry).code == "uses_spent"
    second = place.submit(READ, Step.from_json(WRITE.to_json() | {"uses": 3}))
    place.answer(second.approval, place.ann)
    place.renew()
    assert isinstance(place.world.decide(NOTE, place.entry), Permit)
    assert place.world.decide(NOTE, place.entry).code == "uses_spent"


def test_while_an_end_is_not_proven_the_task_is_held_and_nobody_is_asked(place, monkeypatch):
    left = ["lease at the target"]
    monkeypatch.setattr(withdrawal, "unproven", lambda _change, _task: tuple(left))
    made = place.submit(READ, WRITE)
    assert (made.refused.code, made.approval) == ("ends_unproven", None)
    assert (place.now().state, place.now().held) == ("suspended", "unproven")
    assert code(place.renew) == "credential_refused"
    assert refused(place.world, lambda c: task.resume(c, place.task.id, "op")) == "task_waits"
    place.world.act(sweep.sweep)
    assert place.now().state == "suspended"
    left.clear()
    place.world.act(sweep.sweep)
    assert (place.now().state, place.now().held) == ("open", "")
    asked = place.submit(READ, WRITE).approval
    left.append("another")
    place.answer(asked, place.ann)
    assert (place.now().state, place.plan().steps) == ("suspended", (READ, WRITE)), "in force, and nothing given"
    assert code(place.renew) == "credential_refused"


def test_drift_tells_every_version_and_why(place, time):
    time.on(1)
    made = place.submit(READ, WRITE)
    time.on(1)
    place.answer(made.approval, place.ann)
    found = place.world.act(lambda c: drift(c.reader, c.need(Task, place.task.id)))
    assert [(one.plan, one.action, one.code) for one in found] == [
        (1, "version 1 with 6 steps", ""),
        (2, "version 2 with 1 steps, narrower", ""),
        (3, "version 3 with 1 steps, equal", "plan_wider"),
        (4, f"version 4 with 2 steps, wider by {made.approval.id}", ""),
    ]


@pytest.mark.parametrize("members", [{"replan": "yes"}, {"replan": "ask"}, {"approvers": ("ops", "ops")}])
def test_a_brief_that_asks_nobody_or_says_what_is_no_rule_is_refused(world, members):
    assert code(world.a_brief, **members) in ("brief_invalid", "name_invalid")


def test_each_path_has_its_own_approvers_and_a_plan_on_both_asks_both(place):
    world = place.world
    members = {"replan": "ask", "approvers": ("ops",), "path_approvers": {"delegated": ("privacy",)}}
    world.act(lambda c: brief.apply(c, world.a_brief(**members), "operator"))
    pat = world.act(lambda c: principal.add_person(c, "local", "pat", "Pat", ("privacy",), "operator")).id
    for wanted, groups in (
        ((READ, WRITE), ("ops",)),
        ((READ, DELEGATED[0]), ("privacy",)),
        ((READ, WRITE, DELEGATED[0]), ("ops", "privacy")),
    ):  # fmt: skip
        assert place.submit(*wanted).approval.groups == groups
    asked = place.submit(READ, DELEGATED[0]).approval
    assert code(lambda: place.answer(asked, place.ann)) == "approver_refused"
    place.answer(asked, pat)
    assert place.plan().steps == (READ, DELEGATED[0])


def test_an_ask_is_void_once_another_group_answers_for_its_path(place):
    world = place.world
    asked = place.submit(READ, WRITE).approval
    members = {"replan": "ask", "approvers": ("ops",), "path_approvers": {"own": ("ops", "audit")}}
    world.act(lambda c: brief.apply(c, world.a_brief(**members), "operator"))
    assert code(lambda: place.answer(asked, place.ann)) == "approval_moved"
