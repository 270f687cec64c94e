"""Grants, and how one step lies within another: everything only narrows (law 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from remit.core.check import Consumption, Refusal, Usage, check, may
from remit.core.ids import TaskId
from remit.core.limit import AnyValue, ArgumentLimit, all_cover
from remit.core.limit.counts import Rate, Total, add
from remit.core.limit.naming import related, segments
from remit.core.limit.shape import invalid
from remit.core.step import Step

__all__ = ["Consumption", "Grant", "Refusal", "Step", "Usage", "check", "covers", "draw", "narrow", "plan_within"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One step given to one task under one version of its plan; `number` is the step's place in that plan, from 0."""

    task: TaskId
    version: int
    number: int
    step: Step


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
            if name in child.optional and name not in parent.optional:
                return False
            if not all_cover(parent.arguments[name], child.arguments[name]):
                return False
        elif not parent.allow_unknown or any(related(where, other) for other in mine.values()):
            return False
    return all(
        _absence_covered(parent, child, name) and not any(related(where, other) for other in theirs.values())
        for name, where in mine.items()
        if name not in theirs
    )


def _absence_covered(parent: Step, child: Step, name: str) -> bool:
    """Say whether a name that the child does not know may be absent, and anything at all if the child lets it in."""
    free = not name.startswith("/") and all(isinstance(one, AnyValue) for one in parent.arguments[name])
    return name in parent.optional and (free or not child.allow_unknown)


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
                Refusal("plan_wider", f"Plan step {number} {why}.", may(f"{step.action}: plan it within the brief."))
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
