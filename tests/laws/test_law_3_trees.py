"""Law 3 over trees of tasks: no child exceeds what is above it, none reaches its sibling's, and ends end all below.

Random trees, opened, used and ended in any order on both stores. The model is a plain tree: a write is allowed when
each task from the one that calls up to the first is open and has a use left, the first having what the brief has.
"""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from remit.control import brief, task
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.step import Step
from remit.core.task import Task
from tests.kit import stores
from tests.kit.planted import Planted, each_goes_red
from tests.kit.told import told
from tests.kit.world import World, read_call, steps

READ, WRITE, _ = steps()
NOTE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})
DEPTH, MOST = 3, 6
NODES = st.integers(0, 7)


def writing(uses):
    return Step.from_json(WRITE.to_json() | {"uses": uses})


class Node:
    """One task of the tree: what it may (`uses` 0: it may not write), what it has used, and what is above it."""

    def __init__(self, made, entry, above, uses, reads):
        self.id, self.entry, self.above, self.uses, self.reads = made.id, entry, above, uses, reads
        self.used, self.open = 0, True

    def chain(self):
        return [self, *(self.above.chain() if self.above else [])]


class Trees(RuleBasedStateMachine):
    kind = stores.KINDS[0]

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        world = self.world = World(stores.place(self.kind, Path(self.folder.name) / "store")).settle()
        held = world.a_brief(steps=(READ, writing(MOST)), depth=DEPTH)
        world.act(lambda c: brief.apply(c, held, "operator"))
        self.nodes = []
        self.grow(None, MOST, reads=True)

    def grow(self, above, uses, *, reads):
        wanted = ((READ,) if reads else ()) + ((writing(uses),) if uses else ())
        below = {"parent": above.id, "person": above.person} if above else {}
        made = None
        with contextlib.suppress(RemitError):
            made = self.world.a_task(steps=wanted, **below)
        return made

    @rule(at=NODES, uses=st.integers(0, 7), reads=st.booleans())
    def open(self, at, uses, reads):
        above = self.nodes[at % len(self.nodes)]
        parent = self.world.act(lambda c: c.need(Task, above.id))
        made = self.grow(parent, uses, reads=reads)
        whole = all(one.open for one in above.chain()) and len(above.chain()) <= DEPTH
        within = (uses or reads) and uses <= above.uses and (above.reads or not reads)
        able = bool(whole and within)
        assert (made is not None) is able, f"the model says {able} of a child with {uses} and {reads}: {made}"
        if made is not None:
            self.add(made, above, uses, reads=reads)

    def add(self, made, above, uses, *, reads):
        entry = self.world.enter(self.world.a_credential(made.id).text)
        self.nodes.append(Node(made, entry, above, uses, reads))

    @rule(at=NODES, write=st.booleans())
    def call(self, at, write):
        node = self.nodes[at % len(self.nodes)]
        found = self.world.decide(NOTE if write else read_call(), node.entry)
        chain = node.chain()
        may = all(one.used < one.uses for one in chain) if write else all(one.reads for one in chain)
        allowed = may and all(one.open for one in chain)
        assert isinstance(found, Permit) is allowed, f"the model says {allowed}: {found}"
        if allowed and write:
            for one in chain:
                one.used += 1
        if len(chain) > 1:
            assert told(self.world)[-1]["above"] == [one.id for one in chain[1:]], "the model knows what is above"

    @rule(at=NODES)
    def end(self, at):
        node = self.nodes[at % len(self.nodes)]
        if node.above is None and len(self.nodes) < 6:
            return
        self.world.act(lambda c: task.end(c, node.id, "complete", "operator"))
        for one in self.nodes:
            if node in one.chain():
                one.open = False
                state = self.world.act(lambda c, one=one: c.need(Task, one.id)).state
                assert state == "ended", "the model says that what is below an ended task has ended"

    def teardown(self):
        self.world.close()
        self.folder.cleanup()


class Rooted(Trees):
    """A tree begins with one task that holds the whole brief."""

    def grow(self, above, uses, *, reads):
        made = super().grow(above, uses, reads=reads)
        if above is None:
            self.add(made, None, uses, reads=reads)
        return made


def explore(kind: str, most: int) -> None:
    machine = type("On", (Rooted,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=most, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True, database=None, report_multiple_bugs=False, phases=(Phase.generate,), print_blob=False,
        ),
    )  # fmt: skip


def no_child_exceeds_what_is_above_it(_folder: Path) -> None:
    explore(stores.KINDS[0], 40)


def an_end_ends_all_below(_folder: Path) -> None:
    tree = Rooted()
    tree.open(0, 3, True)
    tree.open(1, 1, True)
    tree.open(0, 2, True)
    tree.end(1)
    tree.call(2, True)
    tree.call(3, True)
    tree.teardown()


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind: str, tmp_path: Path) -> None:
    an_end_ends_all_below(tmp_path)
    explore(kind, 25 if kind == stores.KINDS[0] else 6)


FAULTS = (
    Planted(
        "a child is not charged to what is above it", "core/decision.py",
        'held.append((above.task, f"plan:{above.version}", number, above.steps[number]))', "pass",
        no_child_exceeds_what_is_above_it, "the model",
    ),
    Planted(
        "ending a task leaves what is below it", "control/task.py", 'ended += end(change, child.id, "parent", by)',
        "pass", an_end_ends_all_below, "the model",
    ),
    Planted(
        "a child's plan is held against the brief", "control/task.py", "if not task.parent:\n        return",
        "if task:\n        return", no_child_exceeds_what_is_above_it, "the model",
    ),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
