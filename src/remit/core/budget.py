"""Budget: the most that one errand may ever reach and use, whatever its plan and however many calls run at once.

Held twice: against the static bound of what its plan could do, before it is opened or widened (core/reach); and call by
call, consumed for the whole errand in the decision's own transaction. Every number is the most; absent is unbounded.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from remit.core.agent import TIERS
from remit.core.answer import Charge
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import Consumption, Refusal, Usage
from remit.core.limit.counts import MOST_USES, add, amount
from remit.core.limit.naming import find, segments
from remit.core.record import Record

OVER: Final = frozenset({"refuse", "ask", "cap"})
Place = tuple[str, str, int]
UNUSED: Final = Usage()
_PARTS: Final = str.maketrans(";\n\t", ",,,")


class Most(Record, frozen=True, kw_only=True):
    """The most of each: calls, calls that may write, rows of answers, times that somebody is named in a write.

    `money` is the sum of an argument by its name, over calls that may write, in its own unit. `systems`, `objects`
    (what could be written to) and `people` (who could be named) bound the plan alone; `children` are live at once.
    """

    calls: int | None = None
    writes: int | None = None
    rows: int | None = None
    recipients: int | None = None
    systems: int | None = None
    objects: int | None = None
    people: int | None = None
    children: int | None = None
    money: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(not 0 <= most <= MOST_USES for _, most in self.counts()) or len(self.money) > 16:
            raise _invalid("A most is out of range.")
        for name, most in self.money.items():
            if amount(most) is None or "*" in segments(name):
                raise _invalid("money takes names of arguments, each with an amount such as 100.00.")

    def counts(self) -> list[tuple[str, int]]:
        """The plain numbers that are given, by name."""
        held = (("calls", self.calls), ("writes", self.writes), ("rows", self.rows), ("recipients", self.recipients))
        more = (
            ("systems", self.systems),
            ("objects", self.objects),
            ("people", self.people),
            ("children", self.children),
        )
        return [(name, most) for name, most in (*held, *more) if most is not None]


class Budget(Most, frozen=True, kw_only=True):
    """A brief's budget. `contacts` names the arguments that hold people; `tiers` is less for agents of a tier.

    `over` says what becomes of a plan whose bound is beyond it: it is refused, people are asked, or (`cap`) it is let
    in, and stopped where the budget is used up.
    """

    contacts: tuple[str, ...] = ()
    tiers: dict[str, Most] = msgspec.field(default_factory=dict)
    over: str = "refuse"

    def __post_init__(self) -> None:
        super().__post_init__()
        if any("*" in segments(name) for name in self.contacts):
            raise _invalid("contacts takes names of arguments without a star.")
        if self.over not in OVER or not set(self.tiers) <= set(TIERS):
            raise _invalid(f"over is one of {', '.join(sorted(OVER))}; tiers are {', '.join(TIERS)}.")
        named = any(one.recipients is not None or one.people is not None for one in (self, *self.tiers.values()))
        if named and not self.contacts:
            raise _invalid("It counts people and names no argument that holds them.")

    def of(self, *tiers: str) -> Most:
        """What holds for agents of these tiers, one and those above it: the smallest of each."""
        each = [self.tiers[tier] for tier in dict.fromkeys(tiers) if tier in self.tiers]
        if not each:
            return self
        held, money = dict(self.counts()), dict(self.money)
        for less in each:
            for name, most in less.counts():
                held[name] = min(most, held.get(name, most))
            for name, text in less.money.items():
                money[name] = min(text, money.get(name, text), key=Decimal)
        return Most(**held, money=money)


def places(budget: Budget, root: str) -> list[Place]:
    """Where the use of a budget is counted: by name, on the errand's first task."""
    held = (budget, *budget.tiers.values())
    names = {name for one in held for name, _ in one.counts() if name in ("calls", "writes", "rows", "recipients")}
    money = {f"money:{name}" for one in held for name in one.money}
    return [(root, f"budget:{name}", 0) for name in sorted(names | money)]


def charges(
    most: Most,
    contacts: tuple[str, ...],
    lifted: tuple[str, ...],
    arguments: Mapping[str, Json],
    used: Mapping[Place, Usage],
    root: str,
    *,
    reads: bool,
) -> tuple[Charge, ...] | Refusal:
    """What one call takes of the errand's budget, or why it does not fit. What people lifted is not counted."""
    found: list[Charge] = []
    named = 0 if reads or not contacts else sum(people_in(find(arguments, segments(name))) for name in contacts)
    for name, wanted in (("calls", 1), ("writes", 0 if reads else 1), ("recipients", named)):
        limit = getattr(most, name)
        if limit is None or wanted == 0 or name in lifted:
            continue
        place = (root, f"budget:{name}", 0)
        if used.get(place, UNUSED).uses + wanted > limit:
            return _spent(name, str(limit))
        found.append(Charge(*place, Consumption(wanted)))
    if most.rows is not None and "rows" not in lifted:
        place = (root, "budget:rows", 0)
        if used.get(place, UNUSED).rows >= most.rows:
            return _spent("rows", str(most.rows))
        found.append(Charge(*place, Consumption(), most.rows))
    if reads or not most.money:
        return tuple(found)
    paid = _money(most, lifted, arguments, used, root)
    return paid if isinstance(paid, Refusal) else (*found, *paid)


def _money(
    most: Most, lifted: tuple[str, ...], arguments: Mapping[str, Json], used: Mapping[Place, Usage], root: str
) -> list[Charge] | Refusal:
    found = []
    for name, text in most.money.items():
        value = find(arguments, segments(name))
        if value is None or f"money:{name}" in lifted:
            continue
        place, paid = (root, f"budget:money:{name}", 0), amount(value)
        if paid is None:
            return Refusal(
                "budget_unreadable", "An amount that the budget counts cannot be read.", "Send plain amounts."
            )
        before = used.get(place, UNUSED).totals or (Decimal(0),)
        if paid > Decimal(text) or add(before[0], paid) > Decimal(text):
            return _spent("money", text)
        found.append(Charge(*place, Consumption(1, (paid,))))
    return found


def people_in(value: Json) -> int:
    """How many people a value names, at most: the parts of a text, or all that is inside a list or object."""
    if value is None or isinstance(value, bool):
        return 0
    if isinstance(value, str):
        parts = sum(1 for part in value.translate(_PARTS).split(",") if part.strip())
        return max(parts, value.count("@"))
    if isinstance(value, list | tuple):
        return sum(people_in(one) for one in value)
    if isinstance(value, dict):
        return sum(people_in(one) for one in value.values())
    return 1


def _spent(name: str, limit: str) -> Refusal:
    return Refusal(
        "budget_spent", f"This task's budget of {name} would be exceeded.", f"{limit} in all for the whole task."
    )


def _invalid(why: str) -> RemitError:
    return RemitError("budget_invalid", f"This budget was refused. {why}", "See docs/spec/budget.md.")
