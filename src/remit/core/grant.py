"""Grants, and the two questions asked of a step: does it allow this call, and does it cover that step (law 3)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from remit.core.canonical import Json
from remit.core.ids import TaskId
from remit.core.limit import AnyValue, ArgumentLimit, all_cover
from remit.core.limit.counts import Rate, Total, add, amount
from remit.core.limit.naming import Node, find, related, segments
from remit.core.limit.shape import invalid
from remit.core.moment import Instant
from remit.core.step import Step

MAY_LENGTH: Final = 160
_SHOWN = re.compile(r"[A-Za-z0-9_.:/*-]{1,64}")
_UNSEEN = re.compile("[^ -~]")


@dataclass(frozen=True, slots=True)
class Grant:
    """One step given to one task under one version of its plan; `number` is the step's place in that plan, from 0."""

    task: TaskId
    version: int
    number: int
    step: Step


@dataclass(frozen=True, slots=True)
class Usage:
    """What a task has used of one step: allowed calls, the sum for each total, recent instants of allows, rows held."""

    uses: int = 0
    totals: tuple[Decimal, ...] = ()
    recent: tuple[Instant, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a stable code, what was refused (never an argument's value) and what is allowed instead."""

    code: str
    what: str
    may: str


@dataclass(frozen=True, slots=True)
class Consumption:
    """What an allowed call uses up: one use, and an amount for each total of the step."""

    uses: int = 1
    amounts: tuple[Decimal, ...] = field(default=())


_ONE_USE: Final = Consumption()


def check(step: Step, arguments: Mapping[str, Json], usage: Usage, now: Instant) -> Refusal | Consumption:
    """Say whether the step allows a call with these arguments now. Nothing is raised: what cannot be read is refused."""
    try:
        return _check(step, arguments, usage, now)
    except Exception:  # noqa: BLE001 - the arguments are hostile; whatever breaks while they are read is a refusal
        return Refusal("argument_refused", "An argument could not be read.", "Send plain JSON arguments.")


def _check(step: Step, arguments: Mapping[str, Json], usage: Usage, now: Instant) -> Refusal | Consumption:
    refusal = _spent(step, usage, now)
    if refusal is not None:
        return refusal
    if step.flat is None:
        refusal = _inside(step.root, arguments, free=step.allow_unknown)
    else:
        seen = 0
        for name, limits, optional in step.flat:
            if name in arguments:
                seen += 1
                value = arguments[name]
                for one in limits:
                    if not one.allows(value):
                        return _refused(name, one)
            elif not optional:
                return _missing(name)
        if seen != len(arguments) and not step.allow_unknown:
            refusal = _unknown(next(name for name in arguments if name not in step.arguments))
    if refusal is not None or not step.totals:
        return refusal or _ONE_USE
    return _sums(step, arguments, usage)


def _spent(step: Step, usage: Usage, now: Instant) -> Refusal | None:
    if step.window is not None and not step.window.holds(now):
        when = "It opens later." if now < step.window.start else "It has closed."
        return Refusal("window_closed", "The step's window is not open.", when)
    if step.uses is not None and usage.uses >= step.uses:
        return Refusal("uses_spent", "The step's uses are spent.", f"{step.uses} in all; ask for a new plan.")
    if step.rows is not None and usage.rows >= step.rows:
        return Refusal("rows_spent", "The step's rows are spent.", f"{step.rows} rows in all; ask for a new plan.")
    rate = step.rate
    if rate is not None:
        since = now - rate.seconds * 1000
        if sum(1 for instant in usage.recent if instant > since) >= rate.count:
            may = f"At most {rate.count} calls in {rate.seconds} s; wait and try again."
            return Refusal("rate_exceeded", "The step is called too often.", may)
    return None


def _sums(step: Step, arguments: Mapping[str, Json], usage: Usage) -> Refusal | Consumption:
    if usage.totals and len(usage.totals) != len(step.totals):
        return Refusal("total_exceeded", "The step's totals cannot be read.", "Open the task again.")
    amounts = []
    for index, total in enumerate(step.totals):
        value = amount(find(arguments, step.summed[index]))
        may = _may(f"{total.argument}: numbers that are not negative, {format(total.most, 'f')} in all")
        if value is None:
            return Refusal("argument_refused", f"{_shown(total.argument)} is not an amount.", may)
        used = usage.totals[index] if usage.totals else Decimal(0)
        if value > total.most or add(used, value) > total.most:
            return Refusal("total_exceeded", f"The total of {_shown(total.argument)} would be exceeded.", may)
        amounts.append(value)
    return Consumption(1, tuple(amounts))


def _inside(node: Node, value: Json, *, free: bool) -> Refusal | None:
    """Check what is inside an object or array; `free` says that members nobody named may be there."""
    if isinstance(value, Mapping):
        members: list[tuple[str, Json, tuple[Node, ...]]] = [
            (name, held, (node.inner[name],) if name in node.inner else ()) for name, held in value.items()
        ]
        absent = [inner for part, inner in node.inner.items() if part not in value]
    elif isinstance(value, list | tuple):
        each = node.inner.get("*")
        members = [
            (str(index), held, tuple(one for one in (each, node.inner.get(str(index))) if one is not None))
            for index, held in enumerate(value)
        ]
        absent = [inner for part, inner in node.inner.items() if part != "*" and part not in {m[0] for m in members}]
    else:
        return _wrong(node)
    for inner in absent:
        refusal = _absent(inner)
        if refusal is not None:
            return refusal
    for name, held, places in members:
        if not places and not free:
            return _unknown(name)
        for place in places:
            for one in place.limits:
                if not one.allows(held):
                    return _refused(place.name, one)
            if place.inner:
                refusal = _inside(place, held, free=free or bool(place.limits))
                if refusal is not None:
                    return refusal
    return None


def _absent(node: Node) -> Refusal | None:
    if node.limits:
        if not node.optional:
            return _missing(node.name)
        return None
    return next((refusal for inner in node.inner.values() if (refusal := _absent(inner)) is not None), None)


def _shown(name: str) -> str:
    return f"Argument {name}" if _SHOWN.fullmatch(name) else "An argument"


def _may(text: str) -> str:
    safe = _UNSEEN.sub("?", text)
    return safe if len(safe) <= MAY_LENGTH else safe[: MAY_LENGTH - 3] + "..."


def _refused(name: str, one: ArgumentLimit) -> Refusal:
    return Refusal("argument_refused", f"{_shown(name)} is outside its {one.tag} limit.", _may(f"{name}: {one.says()}"))


def _missing(name: str) -> Refusal:
    return Refusal("argument_missing", f"{_shown(name)} is missing.", _may(f"Send {name}."))


def _unknown(name: str) -> Refusal:
    return Refusal("argument_unknown", f"{_shown(name)} is not named by the step.", "Send only what the step names.")


def _wrong(node: Node) -> Refusal:
    return Refusal("argument_refused", "An argument is not an object or array.", _may(f"{node.name}: inside an object"))


def covers(parent: Step, child: Step) -> bool:
    """Say whether every call that `child` allows, `parent` allows too. Never true when not; false when not shown."""
    return (
        parent.action == child.action
        and parent.path == child.path
        and _names_covered(parent, child)
        and all(_total_covered(total, child.totals) for total in parent.totals)
        and _at_most(parent.uses, child.uses)
        and _at_most(parent.rows, child.rows)
        and (parent.rate is None or _load(parent.rate, child) <= parent.rate.count)
        and (parent.window is None or (child.window is not None and child.window.within(parent.window)))
    )


def _names_covered(parent: Step, child: Step) -> bool:
    if child.allow_unknown and not parent.allow_unknown:
        return False
    mine = {name: segments(name) for name in parent.arguments}
    theirs = {name: segments(name) for name in child.arguments}
    for name, where in theirs.items():
        if name in mine:
            if not all_cover(parent.arguments[name], child.arguments[name]):
                return False
        elif not parent.allow_unknown or any(related(where, other) for other in mine.values()):
            return False
    for name, where in mine.items():
        if name in theirs:
            if name in child.optional and name not in parent.optional:
                return False
        elif name not in parent.optional or any(related(where, other) for other in theirs.values()):
            return False
        elif child.allow_unknown and not all(isinstance(one, AnyValue) for one in parent.arguments[name]):
            return False
    return True


def _at_most(parent: int | None, child: int | None) -> bool:
    return parent is None or (child is not None and child <= parent)


def _total_covered(total: Total, others: Sequence[Total]) -> bool:
    return any(other.argument == total.argument and other.most <= total.most for other in others)


def _load(rate: Rate, child: Step) -> float:
    """Count the calls that `child` can make in the rate's seconds, at worst."""
    by_rate = float("inf") if child.rate is None else child.rate.within(rate.seconds)
    return by_rate if child.uses is None else min(by_rate, child.uses)


def narrow(
    step: Step,
    name: str,
    *limits: ArgumentLimit,
) -> Step:
    """Return the step with more limits on one of its arguments. Refuses a name that the step does not name."""
    if name not in step.arguments:
        raise invalid("A limit narrows an argument that the step names.")
    arguments = {**step.arguments, name: (*step.arguments[name], *limits)}
    return Step(
        step.action, step.path, arguments, step.optional, step.allow_unknown, step.uses, step.rate, step.totals,
        step.rows, step.window,
    )  # fmt: skip


def plan_within(brief: Sequence[Step], plan: Sequence[Step], used: Sequence[Usage] = ()) -> list[Refusal]:
    """Refuse each plan step that no brief step covers, and each that asks for more than is left of it.

    `used` is what the task's earlier plan versions used of each brief step. Empty means that the plan is within.
    """
    return draw(brief, plan, used)[1]


def draw(
    brief: Sequence[Step], plan: Sequence[Step], used: Sequence[Usage] = ()
) -> tuple[tuple[int, ...], list[Refusal]]:
    """Find for each plan step the first brief step that covers it and has enough left; -1 where there is none."""
    left = [_Left(step, used[index] if index < len(used) else Usage()) for index, step in enumerate(brief)]
    drawn: list[int] = []
    refusals: list[Refusal] = []
    for number, step in enumerate(plan, 1):
        able = [index for index, one in enumerate(brief) if covers(one, step)]
        found = next((index for index in able if left[index].take(step)), -1)
        drawn.append(found)
        if found < 0:
            why = "asks for more than the brief has left" if able else "is not covered by any step of the brief"
            refusals.append(
                Refusal("plan_wider", f"Plan step {number} {why}.", _may(f"{step.action}: plan it within the brief."))
            )
    return tuple(drawn), refusals


class _Left:
    """What is left of one brief step while a plan is laid out on it."""

    def __init__(self, step: Step, used: Usage) -> None:
        self.step = step
        self.uses, self.rows, self.calls = used.uses, used.rows, float(len(used.recent))
        self.sums = list(used.totals or (Decimal(0) for _ in step.totals))

    def take(self, child: Step) -> bool:
        """Take the child's share, or say that it does not fit."""
        step = self.step
        uses, rows = self.uses + (child.uses or 0), self.rows + (child.rows or 0)
        calls = self.calls + (0 if step.rate is None else _load(step.rate, child))
        asked = {total.argument: total.most for total in child.totals}
        sums = [add(have, asked[total.argument]) for have, total in zip(self.sums, step.totals, strict=True)]
        fits = (
            (step.uses is None or uses <= step.uses)
            and (step.rows is None or rows <= step.rows)
            and (step.rate is None or calls <= step.rate.count)
            and all(have <= total.most for have, total in zip(sums, step.totals, strict=True))
        )
        if fits:
            self.uses, self.rows, self.calls, self.sums = uses, rows, calls, sums
        return fits
