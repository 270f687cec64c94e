"""Law 6 under every order of events: a call is allowed exactly when a slow, obvious model of yeses says so.

Plans that narrow, policies that change, people who leave, tasks that are revoked, answers and calls, in any order, as
real transactions on both stores.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from remit.control import revocation, task
from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.permit import Permit
from tests.kit import stores
from tests.kit.approving import MORE, Approving, asking
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call

PATHS = st.sampled_from(["/notes/a", "/notes/a", "/notes/b"])
PEOPLE = st.sampled_from(["ann", "ben"])
RULES = (asking(), MORE)


class Interleavings(RuleBasedStateMachine):
    """`asks` is the model: for each path the one ask that is not over, with what was true when it was put."""

    kind = stores.KINDS[0]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        world = World(stores.place(self.kind, Path(self.folder.name) / "store")).settle()
        self.place = Approving(world)
        self.world, self.task = world, self.place.task
        self.open, self.plan, self.text = True, 1, 0
        self.ids = {"ann": self.place.ann, "ben": self.place.ben}
        self.here = set(self.ids)
        self.asks: dict[str, dict[str, Any]] = {}

    def now(self) -> tuple[int, int]:
        """What a card shows besides the call."""
        return self.plan, self.text

    @rule(path=PATHS)
    def call_again(self, path: str) -> None:
        self.call(path)

    @rule(path=PATHS)
    def call(self, path: str) -> None:
        if not self.open:
            assert isinstance(self.world.decide(read_call(path), self.place.entry), Deny), "a call after the end"
            return
        self.place.renew()
        found = self.world.decide(read_call(path), self.place.entry)
        ask = self.asks.get(path)
        if ask is not None and (ask["seen"] != self.now() or (ask["yes"] and ask["yes"] not in self.here)):
            ask = None
        if ask is not None and ask["state"] == "approved":
            assert isinstance(found, Permit), f"the model allows it: {found}"
            del self.asks[path]
            return
        assert isinstance(found, Deny), "the model refuses it, and it was allowed"
        if ask is None:
            assert found.code == "approval_pending", f"the model asks anew: {found}"
            self.asks[path] = {"id": found.approval, "seen": self.now(), "state": "pending", "yes": ""}
        else:
            wanted = "approval_denied" if ask["state"] == "denied" else "approval_pending"
            assert (found.code, found.approval) == (wanted, ask["id"]), f"the model says {wanted}: {found}"

    @rule(path=PATHS, who=PEOPLE, yes=st.sampled_from([True, True, True, False]))
    def answer(self, path: str, who: str, yes: bool) -> None:
        ask = self.asks.get(path)
        if ask is None:
            return
        able = self.open and who in self.here and ask["state"] == "pending" and ask["seen"] == self.now()
        taken = False
        with contextlib.suppress(RemitError):
            taken = bool(self.place.answer(ask["id"], self.ids[who], yes=yes))
        assert taken is able, f"the model {'takes' if able else 'refuses'} this answer"
        if able:
            ask["state"], ask["yes"] = ("approved", who) if yes else ("denied", "")

    @rule(what=st.sampled_from(["narrow", "legislate", "ann", "ben", "revoke"]))
    def disturb(self, what: str) -> None:
        if what in ("ann", "ben"):
            self.leave(what)
        else:
            {"narrow": self.narrow, "legislate": self.legislate, "revoke": self.revoke}[what]()

    def narrow(self) -> None:
        if not self.open or self.plan > 20:
            return
        steps = (Step.from_json({"action": "mcp:notes/read_note", "path": "own", "uses": 900 - self.plan,
                                 "arguments": {"path": [{"subpath": "/notes"}]}}),)  # fmt: skip
        self.world.act(lambda c: task.plan(c, self.task.id, steps, self.world.owner.id))
        self.plan += 1

    def legislate(self) -> None:
        self.text = 1 - self.text
        self.place.rule(RULES[self.text])

    def leave(self, who: str) -> None:
        if who in self.here:
            self.here.remove(who)
            self.world.act(lambda c: revocation.revoke(c, "person", self.ids[who], "operator"))

    def revoke(self) -> None:
        if self.open and self.plan > 2:
            self.world.act(lambda c: revocation.revoke(c, "task", self.task.id, "operator"))
            self.open = False

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()


def explore(kind: str, most: int) -> None:
    """Try this many sequences of events on a store of this kind."""
    machine = type("On", (Interleavings,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=most, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True, database=None, report_multiple_bugs=False, phases=(Phase.generate,),
        ),
    )  # fmt: skip


def no_order_allows_what_no_yes_stands_for(_folder: Path) -> None:
    explore(stores.KINDS[0], 300)


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind: str) -> None:
    explore(kind, 40 if kind == stores.KINDS[0] else 15)


FAULTS = (
    Planted(
        "a yes outlives whoever said it", "core/approval.py",
        'return "void" if lacking(one, asked.people, asked.barred) else "yes"', 'return "yes"',
        no_order_allows_what_no_yes_stands_for, "the model",
    ),
    Planted(
        "a yes is not consumed", "store/apply.py",
        'approvals.consume(db, receipt["approval"], receipt["at"])', "pass",
        no_order_allows_what_no_yes_stands_for, "the model",
    ),
    Planted(
        "a yes outlives what it was shown", "core/approval.py",
        "if not asked.shown or asked.shown != one.shown:", "if not asked.shown:",
        no_order_allows_what_no_yes_stands_for, "the model",
    ),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
