"""The limit `owned`: what an argument names must belong to the person it is done for. Whose it is, lineage knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from remit.core.canonical import EXACT, Json
from remit.core.limit.shape import MOST, ArgumentLimit, invalid

_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Owned:
    """The name of an object, or a list of such, that belongs to the delegating person.

    By itself it only says what can be a name; that each is theirs is checked in the decision, against what earlier
    answers of the task said of whose it is. Nothing known refuses.
    """

    tag: ClassVar[str] = "owned"

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `true`; anything else is refused."""
        if body is not True:
            raise invalid("owned takes true.")
        return cls()

    def allows(self, value: Json) -> bool:
        """Allow a text of 1 to 256 characters, a whole number, or a list of such."""
        if type(value) is list:
            return 0 < len(value) <= MOST and all(_name(one) for one in value)
        return _name(value)

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover itself alone."""
        return isinstance(other, Owned)

    def to_json(self) -> dict[str, Json]:
        """Write `{"owned": true}`."""
        return {self.tag: True}

    def says(self) -> str:
        """Say whose it must be."""
        return "what belongs to the person it is done for"


def _name(value: Json) -> bool:
    if type(value) is int or type(value) is float:
        return -EXACT <= value <= EXACT and value == int(value)
    return type(value) is str and 0 < len(value) <= _LONGEST and value.isprintable()


def places(arguments: Mapping[str, Sequence[ArgumentLimit]]) -> tuple[str, ...]:
    """The names of the arguments that are limited so."""
    return tuple(name for name, limits in arguments.items() if any(isinstance(one, Owned) for one in limits))


def named(arguments: Json, where: tuple[str, ...]) -> Iterator[Json]:
    """Every object that the arguments name at a place; `*` is each element."""
    if not where:
        yield from arguments if isinstance(arguments, list) else (arguments,)
        return
    if where[0] == "*":
        for one in arguments if isinstance(arguments, list) else ():
            yield from named(one, where[1:])
    elif isinstance(arguments, Mapping) and where[0] in arguments:
        yield from named(arguments[where[0]], where[1:])
