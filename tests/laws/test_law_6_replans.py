"""Laws 4 and 6 under every order of replan, approve, revoke and call: a slow, obvious model says what each does.

The agent asks for plans that are narrower, wider, of the other path or outside the brief; people answer or leave; the
task is held, resumed and revoked; credentials are renewed; and calls are made with whatever credential the agent has.
Real transactions on both stores. No call is let through that the model, which sees the order as it was, forbids.
"""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from remit.control import approval, brief, principal, replan, revocation, task
from remit.core.approval import Approval
from remit.core.call import Call
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from tests.kit import stores
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call, steps

READ, WRITE, _ = steps()
OTHER = steps(TrustPath.DELEGATED)[0]
NOTE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})
OUTSIDE = Step.from_json(READ.to_json() | {"arguments": {"path": [{"subpath": "/"}]}})


def writing(uses):
    return Step.from_json(WRITE.to_json() | {"uses": uses})


PLANS = {
    "read": {"read": 0}, "write 1": {"write": 1}, "both 1": {"read": 0, "write": 1}, "both 3": {"read": 0, "write": 3},
    "other": {"read": 0, "other": 0}, "outside": {"outside": 0},
}  # fmt: skip
"""What each plan holds: for writing, how often."""
WANTED = st.sampled_from([*PLANS, "both 3", "both 1", "read"])
PEOPLE = st.sampled_from(["ann", "ben"])


def real(plan):
    made = {"read": READ, "other": OTHER, "outside": OUTSIDE}
    return tuple(writing(uses) if name == "write" else made[name] for name, uses in PLANS[plan].items())


class Replans(RuleBasedStateMachine):
    """`plan` and `version` are in force; `held` is the version of the agent's credential, or none that counts."""

    kind = stores.KINDS[0]

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        world = self.world = World(stores.place(self.kind, Path(self.folder.name) / "store")).settle()
        self.ids = {
            name: world.act(lambda c, name=name: principal.add_person(c, "local", name, name, ("ops",), "op")).id
            for name in ("ann", "ben")
        }
        held = world.a_brief(replan="ask", approvers=("ops",))
        world.act(lambda c: brief.apply(c, held, "operator"))
        self.here = set(self.ids)
        self.task = world.a_task(person=world.owner.id)
        self.state, self.plan, self.version = "open", "read", 2
        self.asks, self.used, self.in_all = {}, 0, 0
        world.act(lambda c: task.plan(c, self.task.id, real("read"), "op"))
        self.entry, self.paper, self.held = None, None, 0
        self.renew()

    def force(self, plan):
        """The next version is in force; what was used of writing goes on where both plans hold it."""
        if not ("write" in PLANS[plan] and "write" in PLANS[self.plan]):
            self.used = 0
        self.plan, self.version = plan, self.version + 1

    def narrower(self, plan):
        now = PLANS[self.plan]
        return all(name in now and uses <= now[name] for name, uses in PLANS[plan].items())

    @rule(plan=WANTED)
    def submit(self, plan):
        found = None
        with contextlib.suppress(RemitError):
            found = self.world.act(lambda c: replan.submit(c, self.task.id, real(plan), self.world.agent.id))
        assert (found is not None) is (self.state == "open"), f"the model of the task says {self.state}: {found}"
        if found is None:
            return
        if self.narrower(plan):
            self.force(plan)
            assert (found.approval, found.refused) == (None, None), f"the model says it narrows: {found.kind}"
        else:
            self.wider(plan, found)
        now = self.world.act(lambda c: c.need(Task, self.task.id))
        in_force = self.world.act(lambda c: c.need(Plan, f"{now.id}:{now.plan}"))
        assert (now.plan, in_force.steps) == (self.version, real(self.plan)), f"the model has {self.plan} in force"

    def wider(self, plan, found):
        ask = self.asks.get(plan)
        if ask is not None and ask["base"] == self.version and ask["state"] in ("pending", "denied"):
            wanted = (ask["id"], "") if ask["state"] == "pending" else ("", "approval_denied")
            got = found.approval.id if found.approval else "", found.refused.code if found.refused else ""
            assert got == wanted, f"the model says it was asked before: {got}"
            return
        self.force(self.plan)
        if self.paper is not None:
            state = self.world.act(lambda c: c.need(Credential, self.paper)).state
            assert state == "ended", "the model says that a credential of the old plan has ended"
        if plan == "outside":
            assert found.refused.code == "plan_outside", f"the model refuses it: {found}"
            return
        waiting = sum(one["state"] == "pending" for one in self.asks.values())
        assert found.approval is not None, f"the model asks people, with {waiting} asks waiting: {found.refused}"
        self.asks[plan] = {"id": found.approval.id, "base": self.version, "state": "pending"}

    @rule(plan=WANTED, who=PEOPLE, yes=st.sampled_from([True, True, True, False]))
    def answer(self, plan, who, yes):
        ask = self.asks.get(plan)
        if ask is None:
            return
        now_open, current = self.state == "open", ask["base"] == self.version
        able = now_open and current and who in self.here and ask["state"] == "pending"
        one, taken = self.world.act(lambda c: c.need(Approval, ask["id"])), False
        with contextlib.suppress(RemitError):
            taken = bool(self.world.act(
                lambda c: approval.answer(c, one.id, self.ids[who], yes=yes, shown=one.shown, via="t")))  # fmt: skip
        assert taken is able, f"the model {'takes' if able else 'refuses'} this answer"
        if able:
            ask["state"] = "approved" if yes else "denied"
            if yes:
                self.force(plan)

    @rule()
    def renew(self):
        given = None
        with contextlib.suppress(RemitError):
            given = self.world.a_credential(self.task.id)
        assert (given is not None) is (self.state == "open"), f"the model of the task says {self.state}"
        if given is not None:
            self.entry, self.paper, self.held = self.world.enter(given.text), given.credential.id, self.version

    @rule(write=st.booleans(), again=st.booleans())
    def call(self, write, again):
        for _ in range(1 + again):
            found = self.world.decide(NOTE if write else read_call(), self.entry)
            plan = PLANS[self.plan]
            stands = self.state == "open" and self.held == self.version
            spent = write and (self.used >= plan.get("write", 0) or self.in_all >= 3)
            allowed = stands and ("write" if write else "read") in plan and not spent
            assert isinstance(found, Permit) is allowed, f"the model {'allows' if allowed else 'forbids'} it: {found}"
            if allowed and write:
                self.used, self.in_all = self.used + 1, self.in_all + 1

    @rule(what=st.sampled_from(["hold", "hold", "resume", "ann", "revoke"]))
    def disturb(self, what):
        if what == "revoke":
            if self.state != "ended" and self.version > 5:
                self.world.act(lambda c: revocation.revoke(c, "task", self.task.id, "operator"))
                self.state = "ended"
        elif what == "ann":
            if "ann" in self.here and self.version > 4:
                self.here.remove("ann")
                self.world.act(lambda c: revocation.revoke(c, "person", self.ids["ann"], "operator"))
        elif (what, self.state) in {("hold", "open"), ("resume", "suspended")}:
            act = task.suspend if what == "hold" else task.resume
            self.world.act(lambda c: act(c, self.task.id, "operator"))
            self.state = "suspended" if what == "hold" else "open"

    def teardown(self):
        self.world.close()
        self.folder.cleanup()


def explore(kind: str, most: int) -> None:
    machine = type("On", (Replans,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=most, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True, database=None, report_multiple_bugs=False, phases=(Phase.generate,), print_blob=False,
        ),
    )  # fmt: skip


def no_order_gives_more_than_was_approved(_folder: Path) -> None:
    explore(stores.KINDS[0], 150)


def run(*events) -> None:
    """One order of events, held to the same model."""
    machine = Replans()
    for name, *given in events:
        getattr(machine, name)(*given)
    machine.teardown()


def what_was_used_stays_used(_folder: Path) -> None:
    asked = (("submit", "both 1"), ("answer", "both 1", "ben", True), ("renew",))
    run(*asked, ("call", True, False), ("submit", "both 1"), ("renew",), ("call", True, False))


def an_answer_is_to_the_plan_in_force(_folder: Path) -> None:
    run(("submit", "both 1"), ("submit", "read"), ("answer", "both 1", "ben", True))


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind: str, tmp_path: Path) -> None:
    what_was_used_stays_used(tmp_path)
    an_answer_is_to_the_plan_in_force(tmp_path)
    explore(kind, 25 if kind == stores.KINDS[0] else 6)


FAULTS = (
    Planted(
        "a wider plan is in force at once", "control/replan.py", "if moved.narrows:",
        "if moved.kind in ('equal', 'narrower', 'wider'):", no_order_gives_more_than_was_approved, "the model",
    ),
    Planted(
        "what the old plan gave does not end", "control/withdrawal.py",
        'credential.end(change, held.id, by, "plan")', "pass", no_order_gives_more_than_was_approved, "the model",
    ),
    Planted(
        "an answer counts whatever it was shown", "control/approval.py",
        "if found is None or text != one.shown or shown != one.shown:", "if found is None:",
        an_answer_is_to_the_plan_in_force, "the model",
    ),
    Planted(
        "a new plan gets back what was used", "store/apply.py", "        _carry(db, record)\n", "        pass\n",
        what_was_used_stays_used, "the model",
    ),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
