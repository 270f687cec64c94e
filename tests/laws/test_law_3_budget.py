"""Law 3 over a whole errand: however many calls of however many tasks run at once, the budget is never overspent.

Calls of a task and its children are put into batches of two authorities on one store; a slow model that adds up what
was allowed says of each what must become of it. Then processes race for the same budget.
"""

import os
import tempfile
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.control import brief
from remit.core.budget import Budget
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.step import Step
from tests.kit import postgres, race, stores
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World

MOST = {"calls": 7, "writes": 6, "recipients": 6, "amount": Decimal(20)}
BUDGET = Budget(calls=7, writes=6, recipients=6, money={"amount": "20"}, contacts=("text",), over="cap")
WRITE = Step.from_json(
    {
        "action": "mcp:notes/write_note",
        "path": "own",
        "arguments": {"path": [{"any": True}], "text": [{"any": True}], "amount": [{"any": True}]},
        "optional": ["text", "amount"],
    }
)
CALLS = st.tuples(
    st.integers(0, 2), st.sampled_from(["", "a", "a,b"]), st.sampled_from([0, 2, 2.5, "7.5", 19]), st.booleans()
)


def settled(place) -> World:
    world = World(place).settle()
    held = world.a_brief(steps=(WRITE,), budget=BUDGET)
    world.act(lambda c: brief.apply(c, held, "operator"))
    return world


def said(spent, call):
    """What the model says of a call, and what it takes if it is allowed."""
    _, to, paid, _ = call
    takes = {"calls": 1, "writes": 1, "recipients": len(to.split(",")) if to else 0, "amount": Decimal(str(paid))}
    fits = all(spent[name] + taken <= MOST[name] for name, taken in takes.items())
    return takes if fits else None


def batches(world: World, other: World, rounds) -> None:
    first = world.a_task()
    child = world.a_task(parent=first.id, person=first.person)
    tasks = (first, child, world.a_task(parent=child.id, person=first.person))
    entries = [world.enter(world.a_credential(one.id).text) for one in tasks]
    spent = dict.fromkeys(MOST, Decimal(0))
    for calls in rounds:
        answers: list[object] = []
        at = other if calls[0][3] else world
        at.batch.wake = lambda: None
        for who, to, paid, _ in calls:
            wanted = {"path": "/notes/a", "amount": paid} | ({"text": to} if to else {})
            at.gate.decide(Call("mcp:notes/write_note", wanted), entries[who], "", answers.append)
        while not at.batch.idle:
            at.batch.turn()
        assert len(answers) == len(calls)
        for call, answer in zip(calls, answers, strict=True):
            takes = said(spent, call)
            allowed = isinstance(answer, Permit)
            assert allowed is (takes is not None), f"the model says otherwise of the budget: {call} {spent} {answer}"
            if takes is not None:
                spent = {name: spent[name] + takes[name] for name in spent}


def explore(kind: str, most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = stores.place(kind, Path(folder) / "store")
        world, other = settled(place), World(place)

        @settings(
            max_examples=most, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
        )  # fmt: skip
        @given(st.lists(st.lists(CALLS, min_size=1, max_size=6), min_size=1, max_size=4))
        def law(rounds):
            batches(world, other, rounds)

        law()
        world.close()
        other.close()


def no_batch_overspends(_folder: Path) -> None:
    explore(stores.KINDS[0], 60)


def no_processes_overspend(rounds: int = 4) -> None:
    place = postgres.fresh()
    world = settled(place)
    with ExitStack() as stack:
        nodes = [stack.enter_context(race.node(place)) for _ in range(3)]
        for number in range(rounds):
            task = world.a_task()
            paper = world.a_credential(task.id).credential
            bound = world.a_credential(task.id, thumb=race.THUMB).credential
            for tell, _ in nodes:
                os.write(tell, f"{paper.id} {bound.id} {task.id} {world.agent.id} jti-{number}\n".encode())
            allowed = sum(int(next(lines).split()[0]) for _, lines in nodes)
            assert allowed == 6, f"{allowed} of 9 racing calls were allowed, and the budget is 6"
    world.close()


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind):
    explore(kind, 60 if kind == stores.KINDS[0] else 20)


def test_processes():
    no_processes_overspend()


FAULTS = (
    Planted(
        "a budget is not consumed", "core/decision.py", "(*taken, *more)", "tuple(taken)", no_batch_overspends,
        "the model says",
    ),
    Planted(
        "each task has a budget of its own", "core/decision.py", "budgeted(call, facts, brief.budget, root[0])",
        "budgeted(call, facts, brief.budget, plan.task)", no_batch_overspends, "the model says",
    ),
    Planted(
        "recipients are counted as calls", "store/apply.py", '(before.uses + charge["uses"], ', "(before.uses + 1, ",
        no_batch_overspends, "the model says",
    ),
    Planted(
        "usage is remembered between calls", "store/facts.py",
        "usage=_usage(reader, places) if places else standing.usage,",
        "usage=standing.usage,", no_batch_overspends, "the model says",
    ),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
