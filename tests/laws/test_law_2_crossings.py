"""Law 2: an errand that uses both paths is labelled at once, and every value that crosses is an edge in the record.

Forty recorded runs (tests/vectors/flow) are played through the real gate on a real store: each planted crossing is
found with both calls and both places, and none is invented.
"""

import json
from pathlib import Path

import pytest

from remit.control import brief
from remit.control.flow import flow
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.step import Step
from remit.core.task import Task
from remit.core.trust import TrustPath
from tests.kit import stores
from tests.kit.planted import Planted, each_goes_red
from tests.kit.told import told
from tests.kit.world import World

RUNS = json.loads((Path(__file__).parents[1] / "vectors" / "flow" / "runs.json").read_text(encoding="utf-8"))["runs"]
BOTH = tuple(
    Step.from_json({"action": "mcp:notes/write_note", "path": path.value, "allow_unknown": True}) for path in TrustPath
)


def played(world: World, run) -> tuple[str, list[str]]:
    """Play one run; the errand's first task, and the calls by their place."""
    errands = [world.a_task(person=world.owner.id) for _ in range(2)]
    children = [world.a_task(parent=one.id, person=one.person) for one in errands]
    entries = {}
    calls = []
    for said in run["calls"]:
        number = said.get("errand", 0)
        task = (children if said.get("child") else errands)[number]
        path = TrustPath(said["path"])
        if (task.id, path) not in entries:
            person = world.owner.id if path is TrustPath.DELEGATED else ""
            entries[task.id, path] = world.enter(world.a_credential(task.id, path, person).text)
        tool = "read_note" if said.get("refused") else "write_note"
        found = world.decide(Call(f"mcp:notes/{tool}", said["args"]), entries[task.id, path])
        assert isinstance(found, Permit) is not said.get("refused", False), f"{run['name']}: {found}"
        calls.append(found.call if isinstance(found, Permit) else "")
        if isinstance(found, Permit):
            world.note(found, result=said.get("result", "ok"), answer=said["answer"])
    return errands[0].id, calls


def every_crossing_is_an_edge(folder: Path, kind: str = stores.KINDS[0]) -> None:
    world = World(stores.place(kind, folder / "store")).settle()
    world.act(lambda c: brief.apply(c, world.a_brief(steps=BOTH), "operator"))
    for run in RUNS:
        task, calls = played(world, run)
        found = world.act(lambda c, task=task: flow(c.reader, c.need(Task, task)))
        edges = sorted(
            (calls.index(e.source), calls.index(e.target), e.source_at, e.target_at) for e in found.crossings
        )
        wanted = sorted(tuple(one) for one in run["edges"])
        assert edges == wanted, f"{run['name']}: the record says {edges}, and what crossed is {wanted}"
        allowed = [one for one in run["calls"] if not one.get("refused") and not one.get("errand")]
        mixed = len({one["path"] for one in allowed}) > 1
        assert (found.blended > 0) is mixed, f"{run['name']}: labelled {found.blended}, and it is {mixed}"
    world.close()


def the_record_holds_no_value(folder: Path) -> None:
    world = World(folder / "store").settle()
    world.act(lambda c: brief.apply(c, world.a_brief(steps=BOTH), "operator"))
    played(world, RUNS[1])
    assert "ana.keller" not in json.dumps(told(world)), "a value stands in the ledger"
    assert b"ana.keller" not in b"".join(body for (body,) in world.authority.view.all("SELECT body FROM carried"))
    world.close()


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind, tmp_path):
    every_crossing_is_an_edge(tmp_path, kind)
    assert len(RUNS) == 40
    assert sum(bool(one["edges"]) for one in RUNS) == 24


def test_values(tmp_path):
    the_record_holds_no_value(tmp_path)


VALUE, STORE = "core/carried.py", "store/carried.py"
FAULTS = (
    Planted("a number is not its text", VALUE, "    if not _NUMBER.fullmatch(text):", "    if True:",
            every_crossing_is_an_edge, "the record says"),
    Planted("what the agent knew has crossed", STORE, "            first.setdefault(one, None)", "            pass",
            every_crossing_is_an_edge, "the record says"),
    Planted("what a path answered itself has crossed", STORE, "                first[one] = None",
            "                pass", every_crossing_is_an_edge, "the record says"),
    Planted("a child is an errand of its own", "store/facts.py", "    if standing.ancestors:\n        paths |=",
            "    if not standing:\n        paths |=", every_crossing_is_an_edge, ""),
    Planted("a path is forgotten", "store/apply.py", 'paths = activity.paths | excluded.paths"\n)\n"""An',
            'paths = excluded.paths"\n)\n"""An', every_crossing_is_an_edge, ""),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
