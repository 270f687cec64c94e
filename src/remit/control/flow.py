"""Flow: what crosses from one trust path to the other, found as it happens; and an errand rebuilt from its records."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from remit.control.change import Change
from remit.core import blended
from remit.core.answer import Allow, Decision
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.carried import values
from remit.core.facts import Facts
from remit.core.flow import Flow, Known, build
from remit.core.permit import Carry, Permit
from remit.core.receipt import DECIDED, MERGED, OUTCOME, decode
from remit.core.record import changed
from remit.core.task import Task
from remit.store import carried, log, payload
from remit.store.facts import ancestors
from remit.store.record import Reader

QUIET: Final = ("@list", "@session")
MOST: Final = 64
"""How many crossings one receipt names."""
FARTHEST: Final = 500_000
"""How many entries of the ledger one errand is looked for in."""


def both(brief: Brief | None) -> bool:
    """Say whether errands of this brief can use both paths, so that what crosses is looked for."""
    return brief is not None and len({step.path for step in brief.steps}) > 1


def carry(change: Change, call: Call, seen: Facts, decision: Decision) -> tuple[Carry | None, dict[str, Json] | None]:
    """What is remembered of an allowed call, and what its receipt says of a blended errand.

    From the first call that blends it, the errand is labelled: its task and each task above. Every value that the call
    was given and that first stood in an answer on the other path is named, with the call that answered.
    """
    task, credential = seen.task, seen.credential
    if task is None or credential is None or not isinstance(decision, Allow) or call.kind in QUIET:
        return None, None
    mixed = blended.mixes(seen)
    if not mixed and not both(seen.brief):
        return None, None
    root, path = (task, *(seen.ancestors or ()))[-1].id, credential.path.value
    made = carried.key(change.db, root, keep=True)
    if mixed:
        _label(change, seen, task)
    if made is None:
        return None, {"blended": True} if mixed else None
    kept = Carry(root, path, made, call.arguments)
    if not mixed:
        return kept, None
    given = dict(_marks(made, dict(call.arguments)))
    found = carried.origins(change.db, root, path, given.keys())
    crossed = [{"call": one.call, "from": one.place, "to": given[mark]} for mark, one in found.items()]
    said: dict[str, Json] = {"blended": True}
    if crossed:
        said["crossings"] = sorted(crossed[:MOST], key=lambda one: (one["to"], one["call"], one["from"]))
    return kept, said | ({"crossed": len(crossed)} if len(crossed) > MOST else {})


def _label(change: Change, seen: Facts, task: Task) -> None:
    for one in (task, *(seen.ancestors or ())):
        if not one.blended:
            change.record("task.blended", changed(one, blended=change.now), "gate")


class Held(NamedTuple):
    """By digest: what a call was given, and where its answer held what it was not given. None: the answer not seen."""

    given: frozenset[bytes]
    held: Mapping[bytes, str] | None


def known(permit: Permit, result: Mapping[str, Json]) -> Held | None:
    """What will be known again of a call and its answer, made before the queue and not under its lock."""
    carry, answer = permit.carry, result.get("answer")
    if carry is None:
        return None
    given = frozenset(mark for mark, _ in _marks(carry.key, dict(carry.arguments)))
    if "answer" not in result or result.get("result") != "ok":
        return Held(given, None)
    return Held(given, {mark: place for mark, place in _marks(carry.key, answer) if mark not in given})


def remember(change: Change, permit: Permit, known: Held | None, *, seen: bool) -> None:
    """Write down, with the outcome, what a call was given and, if that was `seen`, what its answer held."""
    if permit.carry is not None and known is not None:
        place = (permit.carry.root, permit.leaf, permit.carry.path)
        carried.put(change.db, permit.call, place, known.given, known.held if seen else None)


def _marks(key: bytes, value: Json) -> Iterator[tuple[bytes, str]]:
    return ((carried.mark(key, atom), place) for place, atom in values(value))


def flow(reader: Reader, task: Task) -> Flow:
    """Rebuild an errand: this task and all below it, from the ledger and what lies beside it."""
    tree = {one.id: one for one in _tree(reader, task)}
    root = (task, *(ancestors(reader, task) or ()))[-1]
    entries, known = _entries(reader, tree), Known()
    calls = [said["call"] for _, said in entries if said["kind"] == DECIDED and said["args"]]
    known.erased = frozenset(call for call in calls if payload.get(reader.db, call) is None)
    known.remembered = carried.remembered(reader.db, root.id)
    known.expected = both(reader.get(Brief, task.brief))
    if known.expected and calls and carried.key(reader.db, root.id) is None:
        known.gaps.append("what crossed cannot be told any more: it has no key, or its key was erased")
    if any(said.get("crossed", 0) > MOST for _, said in entries):
        known.gaps.append(f"more than {MOST} values crossed in one call; the first are shown")
    return build(task.id, max(one.blended for one in tree.values()), entries, known)


def _tree(reader: Reader, task: Task) -> Iterator[Task]:
    yield task
    for one in reader.where(Task, "parent = ?", (task.id,)):
        yield from _tree(reader, one)


def _entries(reader: Reader, tree: Mapping[str, Task]) -> list[tuple[int, dict[str, Json]]]:
    """The decisions, outcomes and merged denials of these tasks, in the order of the ledger."""
    opened, agents = min(one.opened for one in tree.values()), {one.agent for one in tree.values()}
    size = log.newest(reader.db).size
    start = max(_since(reader, opened, size), size - FARTHEST)
    found: list[tuple[int, dict[str, Json]]] = []
    calls: set[str] = set()
    for leaf, body in enumerate(log.entries(reader.db, start, size), start):
        if not any(kind in body for kind in (b'"call.decided"', b'"call.outcome"', b'"call.denials"')):
            continue
        said = decode(bytes(body))
        if said["kind"] == DECIDED and said.get("task") in tree:
            calls.add(said["call"])
            found.append((leaf, said))
        elif (said["kind"] == OUTCOME and said["call"] in calls) or (
            said["kind"] == MERGED and said["agent"] in agents
        ):
            found.append((leaf, said))
    return found


def _since(reader: Reader, opened: int, size: int) -> int:
    """The first entry at or after this instant: entries stand in the order of their time."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if decode(bytes(next(log.entries(reader.db, middle, middle + 1))))["at"] < opened:
            low = middle + 1
        else:
            high = middle
    return low
