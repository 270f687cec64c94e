"""Reach of a plan: the static bound of what a task could do at worst, before it does anything.

From the plan's steps, which actions only read, how long the task lives, and which arguments name people or amounts.
What no limit bounds is unbounded, and beyond every budget. The bound never says less than what calls can do: its twin,
tests/core/test_reach, plays calls against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.core.budget import Most, people_in
from remit.core.canonical import Json, canon
from remit.core.limit import OneOf, Range
from remit.core.limit.counts import amount
from remit.core.limit.naming import related, segments
from remit.core.resource import split
from remit.core.step import Step

UNBOUNDED: Final = Decimal("Infinity")
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a plan could do at worst. `systems` and `writable` are names of resources and actions."""

    systems: tuple[str, ...]
    writable: tuple[str, ...]
    calls: Decimal
    writes: Decimal
    objects: Decimal
    rows: Decimal
    recipients: Decimal
    people: Decimal
    money: Mapping[str, Decimal]
    depth: int
    children: Decimal

    def to_json(self) -> dict[str, Json]:
        """Write it; what has no bound reads `unbounded`."""
        counts = ("calls", "writes", "objects", "rows", "recipients", "people", "children")
        return {
            "systems": list(self.systems),
            "writable": list(self.writable),
            **{name: _number(getattr(self, name)) for name in counts},
            "money": {name: _text(most) for name, most in self.money.items()},
            "depth": self.depth,
        }

    def says(self) -> str:
        """Say it in one line."""
        counts = ("calls", "writes", "objects", "rows", "recipients", "people", "children")
        said = [f"{len(self.systems)} systems", *(f"{_number(getattr(self, name))} {name}" for name in counts)]
        return ", ".join([*said, *(f"{_text(most)} of {name}" for name, most in self.money.items())])


def reach(
    steps: Sequence[Step],
    reads: AbstractSet[str],
    *,
    seconds: int,
    depth: int = 0,
    children: int | None = None,
    contacts: Sequence[str] = (),
    money: Iterable[str] = (),
) -> Reach:
    """Bound what these steps could do in so many seconds; `reads` are the actions that change nothing."""
    writing = [one for one in steps if one.action not in reads]
    calls = {id(one): _calls(one, seconds) for one in steps}
    named = [_people(one, contacts) for one in writing]
    everybody = frozenset(person for _, people in named if people is not None for person in people)
    free = any(people is None for _, people in named)
    return Reach(
        systems=tuple(sorted({split(one.action)[0] for one in steps})),
        writable=tuple(sorted({one.action for one in writing})),
        calls=sum(calls.values(), _NONE),
        writes=sum((calls[id(one)] for one in writing), _NONE),
        objects=sum((min(calls[id(one)], _choices(one)) for one in writing), _NONE),
        rows=sum((UNBOUNDED if one.rows is None else Decimal(one.rows) for one in steps), _NONE),
        recipients=sum(
            (_times(calls[id(one)], each) for one, (each, _) in zip(writing, named, strict=True)), _NONE
        ),
        people=UNBOUNDED if free else Decimal(sum(people_in(one) for one in everybody)),
        money={name: sum((_money(one, name, calls[id(one)]) for one in writing), _NONE) for name in money},
        depth=depth,
        children=_NONE if depth == 0 else UNBOUNDED if children is None else Decimal(children),
    )  # fmt: skip


def over(found: Reach, most: Most) -> tuple[str, ...]:
    """In what this reach is beyond a budget, by name."""
    held = [name for name, limit in most.counts() if _of(found, name) > limit]
    return (*held, *(f"money:{name}" for name, text in most.money.items() if found.money[name] > Decimal(text)))


def _of(found: Reach, name: str) -> Decimal:
    return Decimal(len(found.systems)) if name == "systems" else getattr(found, name)


def _calls(step: Step, seconds: int) -> Decimal:
    by_uses = UNBOUNDED if step.uses is None else Decimal(step.uses)
    return by_uses if step.rate is None else min(by_uses, Decimal(step.rate.within(max(seconds, 1))))


def _times(calls: Decimal, each: Decimal) -> Decimal:
    return _NONE if calls == 0 or each == 0 else calls * each


def _values(step: Step, name: str) -> list[Json] | None:
    """The values that an argument can take, when its limits list them; else None."""
    limits = step.arguments[name]
    for limit in limits:
        if isinstance(limit, OneOf):
            return [one for one in limit.values() if all(other.allows(one) for other in limits)]
    return None


def _choices(step: Step) -> Decimal:
    """How many different calls the step's limits name; unbounded when one of its arguments is not listed."""
    if step.allow_unknown:
        return UNBOUNDED
    found = _NONE + 1
    for name in step.arguments:
        values = _values(step, name)
        if values is None:
            return UNBOUNDED
        found *= len(values) + (name in step.optional)
    return found


def _at(step: Step, name: str) -> list[str] | None:
    """The step's arguments in which the named one lies, or that lie in it; None when it could come in unnamed."""
    where = segments(name)
    found = [one for one in step.arguments if related(segments(one), where)]
    return None if step.allow_unknown and not found else found


def _people(step: Step, contacts: Sequence[str]) -> tuple[Decimal, frozenset[str] | None]:
    """How many people one call can name, and who; None when anybody."""
    each, people = _NONE, set()
    for contact in contacts:
        held = _at(step, contact)
        for name in held if held is not None else ("",):
            values = _values(step, name) if name else None
            if values is None:
                return UNBOUNDED, None
            each += max((people_in(one) for one in values), default=0)
            people |= {one if isinstance(one, str) else canon(one).decode() for one in values}
    return each, frozenset(people)


def _money(step: Step, name: str, calls: Decimal) -> Decimal:
    total = [one.most for one in step.totals if segments(one.argument) == segments(name)]
    if total:
        return min(total)
    held = _at(step, name)
    if held is None:
        return _times(calls, UNBOUNDED)
    if not held:
        return _NONE
    if [segments(one) for one in held] != [segments(name)]:
        return _times(calls, UNBOUNDED)
    return _times(calls, _largest(step, held[0]))


def _largest(step: Step, name: str) -> Decimal:
    values = _values(step, name)
    if values is not None:
        amounts = [amount(one) for one in values]
        return max((one for one in amounts if one is not None), default=_NONE)
    bounds = [one.most for one in step.arguments[name] if isinstance(one, Range) and one.most is not None]
    return Decimal(repr(min(bounds))) if bounds else UNBOUNDED


def _number(value: Decimal) -> Json:
    return "unbounded" if value == UNBOUNDED else int(value)


def _text(value: Decimal) -> str:
    return "unbounded" if value == UNBOUNDED else format(value, "f")
