"""Generalise: from what was seen of a brief to a narrower one, by fixed rules and never from too little.

Every value that was seen and can still be read passes what is proposed: a limit is only ever added beside those that
stand, or put in the place of one that it lies within. What no rule fits stays as it is, and the notes say so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.limit import AnyValue, ArgumentLimit, Host, MaxLength, OneOf, Owned, Prefix, Range, Subpath
from remit.core.limit.counts import MOST_USES
from remit.core.observed import Used, Values
from remit.core.record import changed
from remit.core.resource import split
from remit.core.rightsize import Support
from remit.core.shown import several
from remit.core.step import Step

SHORTEST: Final = 4
"""A shared beginning of fewer characters says nothing."""
ENDS: Final = "/:@._-# "
"""Where a shared beginning may be cut."""
ROOM: Final = 2
"""A count goes up to so many times the most that one task was seen to use."""

NAMED: Final = 50
"""So many arguments are named at most, where the step let any in."""
_ANY: Final = AnyValue()


@dataclass(frozen=True, slots=True)
class Proposed:
    """A narrower brief, where each step of the old one went in it (-1 for nowhere), and why, for each old step."""

    brief: Brief
    moved: tuple[int, ...]
    notes: tuple[dict[str, Json], ...]


def propose(
    brief: Brief, used: Mapping[int, Used], agents: Sequence[str], domains: Mapping[str, str], support: Support
) -> Proposed | None:
    """Propose what is left of a brief. None when nothing of it was used at all, so that it should be withdrawn.

    `used` is what was seen of its steps by number, `agents` who was seen under it, `domains` the data domain of each
    resource. A step that nobody used goes, once enough was seen of the whole brief.
    """
    if not used:
        return None
    tasks = {task for one in used.values() for task in one.tasks}
    days = {day for one in used.values() for day in one.days}
    calls = sum(one.calls for one in used.values())
    enough = support.holds(calls, len(tasks), len(days))
    steps: list[Step] = []
    moved: list[int] = []
    notes: list[dict[str, Json]] = []
    for number, step in enumerate(brief.steps):
        seen = used.get(number)
        if seen is None and enough:
            moved.append(-1)
            notes.append({"step": number, "action": step.action, "why": ["dropped: nobody used it"]})
            continue
        made, why = (step, ["kept: too little was seen of this brief"]) if seen is None else _less(step, seen, support)
        moved.append(len(steps))
        steps.append(made)
        notes.append({"step": number, "action": step.action, "why": why, **_seen(seen)})
    made_brief = changed(brief, steps=tuple(steps))
    return Proposed(_around(made_brief, agents, domains) if enough else made_brief, tuple(moved), tuple(notes))


def _around(brief: Brief, agents: Sequence[str], domains: Mapping[str, str]) -> Brief:
    """Leave out the agents, the data domains and the requests from servers that were not seen."""
    held = {domains.get(split(one.action)[0], "") for one in brief.steps}
    kinds = {split(one.action)[1].removeprefix("@") for one in brief.steps}
    mine = tuple(one for one in brief.agents if one in agents) or brief.agents
    return changed(
        brief,
        agents=mine,
        subagents=tuple(one for one in brief.subagents if one in agents),
        domains=tuple(one for one in brief.domains if one in held) or brief.domains,
        reverse=tuple(one for one in brief.reverse if one in kinds),
    )


def _seen(seen: Used | None) -> dict[str, Json]:
    if seen is None:
        return {"calls": 0}
    return {
        "calls": seen.calls, "tasks": len(seen.tasks), "days": len(seen.days), "erased": seen.erased,
        "last": seen.last,
    }  # fmt: skip


def _less(step: Step, seen: Used, support: Support) -> tuple[Step, list[str]]:
    """A step with no more than what was seen of it, and what was done to it."""
    if not support.holds(seen.known, len(seen.tasks), len(seen.days)):
        calls, tasks, days = (
            several(seen.known, "call"),
            several(len(seen.tasks), "task"),
            several(len(seen.days), "day"),
        )
        said = f"{calls} in {tasks} on {days}"
        return step, [f"kept: too little was seen of it ({said})"]
    why: list[str] = [f"{seen.erased} of its calls are erased, and say nothing"] if seen.erased else []
    arguments, optional = _arguments(step, seen, support, why)
    uses = _count("uses", step.uses, max(seen.tasks.values()), why)
    rows = step.rows
    if rows is not None and len(seen.rows) >= support.tasks:
        rows = _count("rows", rows, max(1, *seen.rows.values()), why)
    loose = step.allow_unknown and not _namable(step, seen)
    if step.allow_unknown and not loose:
        why.append("only arguments that were seen")
    made = Step(
        step.action, step.path, arguments, optional, loose, uses, step.rate, step.totals, rows, step.window,
    )  # fmt: skip
    return made, why or ["kept: no rule fits"]


def _arguments(
    step: Step, seen: Used, support: Support, why: list[str]
) -> tuple[dict[str, tuple[ArgumentLimit, ...]], frozenset[str]]:
    arguments: dict[str, tuple[ArgumentLimit, ...]] = {}
    optional = set(step.optional)
    for name, limits in step.arguments.items():
        values = seen.values.get(name)
        if values is None and not seen.erased and name in step.optional and _droppable(step, name):
            optional.discard(name)
            why.append(f"{name}: left out, since no call gave it")
        elif values is None or values.count < support.calls or any(isinstance(one, Owned) for one in limits):
            arguments[name] = limits
        else:
            arguments[name] = _limits(name, limits, values, why)
    if step.allow_unknown and _namable(step, seen):
        for name in sorted(seen.given.keys() - step.arguments.keys()):
            # An argument that the step did not name at all: it is named now, and stays free to be absent.
            arguments[name] = _limits(name, (_ANY,), seen.values[name], why)
            optional.add(name)
    return arguments, frozenset(optional)


def _droppable(step: Step, name: str) -> bool:
    """Whether an argument may be left out: a plain one, in which nothing else is named and which no total sums."""
    apart = not any(one.startswith(f"/{name}/") for one in step.arguments)
    return not name.startswith("/") and apart and not step.totals and not step.allow_unknown


def _namable(step: Step, seen: Used) -> bool:
    """Whether the arguments that were given can all be named, so that others are refused."""
    plain = all(name and not name.startswith("/") for name in (*seen.given, *step.arguments))
    return plain and not seen.erased and len(seen.given) <= NAMED


def _limits(name: str, limits: tuple[ArgumentLimit, ...], values: Values, why: list[str]) -> tuple[ArgumentLimit, ...]:
    found = _general(values)
    if found is None or any(found.covers(one) for one in limits):
        return limits
    why.append(f"{name}: {found.tag}, from {several(values.count, 'value')}")
    return (*(one for one in limits if not _within(one, found)), found)


def _within(outer: ArgumentLimit, inner: ArgumentLimit) -> bool:
    """Whether a limit says nothing more once the other one stands beside it."""
    if isinstance(inner, OneOf):
        return all(outer.allows(value) for value in inner.values())
    return outer.covers(inner)


def _general(values: Values) -> ArgumentLimit | None:
    """The first rule that fits: a list, a range, a folder, hosts, a shared beginning, a length."""
    if values.listed is not None and _repeats(values):
        return OneOf(tuple(sorted(values.listed)))
    if values.numbers:
        return Range(_down(values.least), _up(values.most))
    if not values.texts:
        return None
    if values.folder:
        return Subpath("/" + "/".join(values.folder))
    if values.hosts:
        return Host(tuple(sorted(values.hosts)))
    shared = _cut(values.prefix or "")
    if len(shared) >= SHORTEST and values.clean:
        return Prefix(shared)
    return MaxLength(1 << max(values.longest - 1, 0).bit_length())


def _repeats(values: Values) -> bool:
    """A list stands for all only when its values come again: at least twice each, and four times on the whole."""
    counts = (values.listed or {}).values()
    return all(one > 1 for one in counts) and values.count >= 4 * len(counts)


def _cut(text: str) -> str:
    ends = [text.rfind(one) for one in ENDS]
    return text[: max(ends) + 1]


def _up(value: float) -> float:
    """Up to one digit: 37 to 40, 0.12 to 0.2; exact where a double would not hold it."""
    if value <= 0:
        return 0 if value == 0 else -_lower(-value)
    unit = 10 ** math.floor(math.log10(value))
    made = math.ceil(value / unit) * unit
    return made if made >= value and made <= 2**53 - 1 else value


def _down(value: float) -> float:
    """Down to one digit; what is not negative goes down to 0."""
    return 0 if value >= 0 else -_up(-value)


def _lower(value: float) -> float:
    unit = 10 ** math.floor(math.log10(value))
    return min(float(math.floor(value / unit) * unit), value)


def _count(what: str, before: int | None, most: int, why: list[str]) -> int | None:
    room = int(_up(ROOM * most))
    if (before is not None and before <= room) or room > MOST_USES:
        return before
    why.append(f"{what}: {room}, since no task was seen to use more than {most}")
    return room
