"""Limits on a step as a whole: rate and total. Uses, rows and the window are plain numbers of the step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import Final, Self

from remit.core.canonical import Json
from remit.core.limit.shape import invalid
from remit.core.limit.values import number

MOST_USES: Final = 2**31 - 1
MOST_SECONDS: Final = 31_622_400
"""A rate looks back at most 366 days."""

_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")
_EXACT = Context(prec=80, traps=[Inexact])
"""Sums are exact or they are refused; nothing is ever rounded down."""


def whole(what: str, value: Json, most: int = MOST_USES) -> int:
    """Read a whole number from 1 to `most` (`limit_invalid`)."""
    if type(value) is not int or not 1 <= value <= most:
        raise invalid(f"{what} takes a whole number from 1 to {most}.")
    return value


def amount(value: Json) -> Decimal | None:
    """Read a non-negative JSON number or plain decimal string; None for anything else.

    At most 18 digits stand on either side of the point, so that sums are exact. A double is read as it prints.
    """
    if type(value) is not str:
        if not number(value) or value < 0:
            return None
        value = format(abs(Decimal(repr(value))), "f")
    return Decimal(value) if _AMOUNT.fullmatch(value) else None


def add(left: Decimal, right: Decimal) -> Decimal:
    """Add exactly; raises `decimal.Inexact` when 80 digits cannot hold the sum."""
    return _EXACT.add(left, right)


MOST_RATE: Final = 1000
"""How many instants are kept of one step, and so how many calls a rate can count."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` allowed calls in any `seconds` seconds."""

    count: int
    seconds: int

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `{"count": n, "seconds": s}`."""
        if not isinstance(body, Mapping) or body.keys() != {"count", "seconds"}:
            raise invalid("rate takes an object with count and seconds.")
        return cls(whole("rate count", body["count"], MOST_RATE), whole("rate seconds", body["seconds"], MOST_SECONDS))

    def to_json(self) -> dict[str, Json]:
        """Write `{"count": n, "seconds": s}`."""
        return {"count": self.count, "seconds": self.seconds}

    def within(self, seconds: int) -> int:
        """Count the calls that this rate can let through in `seconds`, at worst."""
        return self.count * -(-seconds // self.seconds)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of one argument over all allowed calls of the step is at most `most`, in the argument's own unit."""

    argument: str
    most: Decimal

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `{"argument": name, "max": decimal string or number}`."""
        if not isinstance(body, Mapping) or body.keys() != {"argument", "max"} or not isinstance(body["argument"], str):
            raise invalid("total takes an object with argument and max.")
        most = amount(body["max"])
        if most is None:
            raise invalid('total takes a max that is not negative, such as "100.00".')
        return cls(body["argument"], most)

    def to_json(self) -> dict[str, Json]:
        """Write the total with its max as a decimal string."""
        return {"argument": self.argument, "max": format(self.most, "f")}
