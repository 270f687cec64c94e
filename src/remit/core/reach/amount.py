"""What one step could do at worst, by its limits alone; and the sum of several. Pure.

What no limit bounds is unbounded, and so is a sum that it is part of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from remit.core.budget import people_in
from remit.core.canonical import Json, canon
from remit.core.limit import OneOf, Range
from remit.core.limit.counts import amount
from remit.core.limit.naming import related, segments
from remit.core.step import Step

UNBOUNDED: Final = Decimal("Infinity")
NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amount:
    """What a step gives at most. `named` are the people that its writes can name, None for anybody."""

    calls: Decimal = NONE
    writes: Decimal = NONE
    objects: Decimal = NONE
    rows: Decimal = NONE
    recipients: Decimal = NONE
    named: frozenset[str] | None = frozenset()
    money: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def people(self) -> Decimal:
        """How many different people that is."""
        return UNBOUNDED if self.named is None else Decimal(sum(people_in(one) for one in self.named))


def of_step(step: Step, seconds: int, contacts: Sequence[str], money: Iterable[str], *, reads: bool) -> Amount:
    """What this step gives in so many seconds; what `reads` alone writes to nothing and names nobody."""
    calls = _calls(step, seconds)
    rows = UNBOUNDED if step.rows is None else Decimal(step.rows)
    if reads:
        return Amount(calls=calls, rows=rows, money=dict.fromkeys(money, NONE))
    each, named = _people(step, contacts)
    return Amount(
        calls=calls,
        writes=calls,
        objects=min(calls, _choices(step)),
        rows=rows,
        recipients=_times(calls, each),
        named=named,
        money={name: _money(step, name, calls) for name in money},
    )


def total(amounts: Sequence[Amount]) -> Amount:
    """What several steps give together: each person once, all else summed."""
    people = [one.named for one in amounts]
    names = dict.fromkeys(name for one in amounts for name in one.money)
    return Amount(
        calls=sum((one.calls for one in amounts), NONE),
        writes=sum((one.writes for one in amounts), NONE),
        objects=sum((one.objects for one in amounts), NONE),
        rows=sum((one.rows for one in amounts), NONE),
        recipients=sum((one.recipients for one in amounts), NONE),
        named=None if None in people else frozenset(one for each in people if each for one in each),
        money={name: sum((one.money.get(name, NONE) for one in amounts), NONE) for name in names},
    )


def number(value: Decimal) -> Json:
    """A count as it is written; what has no bound reads `unbounded`."""
    return "unbounded" if value == UNBOUNDED else int(value)


def text(value: Decimal) -> str:
    """A sum of money as it is written."""
    return "unbounded" if value == UNBOUNDED else format(value, "f")


def _calls(step: Step, seconds: int) -> Decimal:
    by_uses = UNBOUNDED if step.uses is None else Decimal(step.uses)
    return by_uses if step.rate is None else min(by_uses, Decimal(step.rate.within(max(seconds, 1))))


def _times(calls: Decimal, each: Decimal) -> Decimal:
    return NONE if calls == 0 or each == 0 else calls * each


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
    found = NONE + 1
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
    each, people = NONE, set()
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
        return NONE
    if [segments(one) for one in held] != [segments(name)]:
        return _times(calls, UNBOUNDED)
    return _times(calls, _largest(step, held[0]))


def _largest(step: Step, name: str) -> Decimal:
    values = _values(step, name)
    if values is not None:
        amounts = [amount(one) for one in values]
        return max((one for one in amounts if one is not None), default=NONE)
    bounds = [one.most for one in step.arguments[name] if isinstance(one, Range) and one.most is not None]
    return Decimal(repr(min(bounds))) if bounds else UNBOUNDED
