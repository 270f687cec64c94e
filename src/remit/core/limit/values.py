"""Limits on plain values: any, equals, one_of, prefix, pattern, range, max_length."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any as Whatever
from typing import ClassVar, Final, Self

import re2

from remit.core.canonical import EXACT, Json, canon, read
from remit.core.errors import RemitError
from remit.core.limit.shape import ArgumentLimit, entries, invalid

PATTERN_LENGTH: Final = 1000
PATTERN_MEMORY: Final = 1 << 20
"""Octets that one compiled pattern may hold; a pattern that needs more is refused when it is read."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class AnyValue:
    """Every JSON value. Names an argument without bounding it."""

    tag: ClassVar[str] = "any"

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `true`; anything else is refused."""
        if body is not True:
            raise invalid("any takes true.")
        return cls()

    def allows(self, value: Json) -> bool:
        """Allow all that JSON can say."""
        return value is None or isinstance(value, str | int | float | list | tuple | dict)

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover every limit."""
        return isinstance(other.tag, str)

    def to_json(self) -> dict[str, Json]:
        """Write `{"any": true}`."""
        return {self.tag: True}

    def says(self) -> str:
        """Say that nothing is bounded."""
        return "any value"


def _canonical(value: Json) -> bytes:
    try:
        text = canon(value)
        if canon(read(text)) == text:
            return text
    except RemitError as fault:
        raise invalid("A value to compare with has no canonical JSON form.") from fault
    raise invalid("A value to compare with has no exact canonical JSON form.")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the listed JSON values, compared as RFC 8785 canonical bytes: 1 is 1.0 and is not true."""

    tag: ClassVar[str] = "one_of"
    canonical: tuple[bytes, ...]
    keys: frozenset[bytes] = field(init=False, repr=False, compare=False)
    texts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = frozenset(self.canonical)
        if not keys or len(keys) != len(self.canonical):
            raise invalid("The values to compare with must be there, and each of them once.")
        values = [read(key) for key in self.canonical]
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "texts", frozenset(value for value in values if isinstance(value, str)))

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a list of distinct JSON values."""
        return cls(tuple(_canonical(value) for value in entries(cls.tag, body)))

    def allows(self, value: Json) -> bool:
        """Allow what is canonically equal to a listed value."""
        if type(value) is str:
            return value in self.texts
        try:
            return canon(value) in self.keys
        except RemitError:
            return False

    def values(self) -> list[Json]:
        """List the values, in the order they were written."""
        return [read(key) for key in self.canonical]

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a list whose values are all in this one."""
        return isinstance(other, OneOf) and other.keys <= self.keys

    def to_json(self) -> dict[str, Json]:
        """Write `{"one_of": [...]}`."""
        return {self.tag: self.values()}

    def says(self) -> str:
        """List the canonical values."""
        return "one of " + ", ".join(key.decode() for key in self.canonical)


class Equals(OneOf):
    """Exactly one JSON value, compared as RFC 8785 canonical bytes."""

    __slots__ = ()
    tag: ClassVar[str] = "equals"

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read any JSON value that has a canonical form."""
        return cls((_canonical(body),))

    def to_json(self) -> dict[str, Json]:
        """Write `{"equals": value}`."""
        return {self.tag: self.values()[0]}

    def says(self) -> str:
        """Show the canonical value."""
        return "exactly " + self.canonical[0].decode()


@dataclass(frozen=True, slots=True)
class Prefix:
    """A string that starts with these exact code points and holds no control character or lone surrogate."""

    tag: ClassVar[str] = "prefix"
    text: str

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a string of 1 to 4096 code points without control characters."""
        if not isinstance(body, str) or not 0 < len(body) <= 4096 or _CONTROL.search(body):
            raise invalid("prefix takes a string of 1 to 4096 characters, none of them a control character.")
        return cls(body)

    def allows(self, value: Json) -> bool:
        """Allow a string that starts so."""
        return type(value) is str and value.startswith(self.text) and not _CONTROL.search(value)

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a longer prefix."""
        return isinstance(other, Prefix) and other.text.startswith(self.text)

    def to_json(self) -> dict[str, Json]:
        """Write `{"prefix": text}`."""
        return {self.tag: self.text}

    def says(self) -> str:
        """Show the prefix."""
        return f"text that starts with {self.text}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A string that an RE2 expression matches from end to end, in time linear in the string."""

    tag: ClassVar[str] = "pattern"
    source: str
    _set: Whatever = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        options.max_mem = PATTERN_MEMORY
        try:
            compiled = re2.Set.FullMatchSet(options)
            compiled.Add(self.source)
            compiled.Compile()
        except (re2.error, ValueError) as fault:
            raise invalid("pattern takes an expression that RE2 accepts.") from fault
        object.__setattr__(self, "_set", compiled)

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read an RE2 expression of 1 to `PATTERN_LENGTH` characters."""
        if not isinstance(body, str) or not 0 < len(body) <= PATTERN_LENGTH:
            raise invalid(f"pattern takes a string of 1 to {PATTERN_LENGTH} characters.")
        return cls(body)

    def allows(self, value: Json) -> bool:
        """Allow a string that matches as a whole."""
        if type(value) is not str:
            return False
        try:
            return bool(self._set.Match(value))
        except UnicodeEncodeError:
            return False

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover only the same expression: whether one language holds another is not asked here."""
        return isinstance(other, Pattern) and other.source == self.source

    def to_json(self) -> dict[str, Json]:
        """Write `{"pattern": source}`."""
        return {self.tag: self.source}

    def says(self) -> str:
        """Show the expression."""
        return f"text that matches {self.source}"


def number(value: Json) -> bool:
    """Say whether this is a finite JSON number that a double holds exactly; true and false are none."""
    if type(value) is int:
        return -EXACT <= value <= EXACT
    return type(value) is float and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Range:
    """A JSON number between two bounds, both included; strings and booleans are no numbers."""

    tag: ClassVar[str] = "range"
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise invalid("range takes min, max or both.")
        if not all(bound is None or number(bound) for bound in (self.least, self.most)):
            raise invalid("range takes numbers that a double holds exactly.")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise invalid("range takes a min that is not above its max.")

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `{"min": number, "max": number}` with at least one of them."""
        if not isinstance(body, Mapping) or not body or not body.keys() <= {"min", "max"} or None in body.values():
            raise invalid("range takes an object with min, max or both.")
        return cls(body.get("min"), body.get("max"))

    def allows(self, value: Json) -> bool:
        """Allow a number within the bounds."""
        return (
            number(value) and (self.least is None or self.least <= value) and (self.most is None or value <= self.most)
        )

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a range that lies inside."""
        return (
            isinstance(other, Range)
            and (self.least is None or (other.least is not None and self.least <= other.least))
            and (self.most is None or (other.most is not None and other.most <= self.most))
        )

    def to_json(self) -> dict[str, Json]:
        """Write `{"range": {...}}` with the bounds there are."""
        bounds = {"min": self.least, "max": self.most}
        return {self.tag: {name: bound for name, bound in bounds.items() if bound is not None}}

    def says(self) -> str:
        """Show the bounds."""
        if self.most is None:
            return f"a number of at least {self.least}"
        return (
            f"a number of at most {self.most}" if self.least is None else f"a number from {self.least} to {self.most}"
        )


@dataclass(frozen=True, slots=True)
class MaxLength:
    """A string of at most so many Unicode code points."""

    tag: ClassVar[str] = "max_length"
    most: int

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read a whole number from 0 to 2**31 - 1."""
        if type(body) is not int or not 0 <= body < 2**31:
            raise invalid("max_length takes a whole number from 0 to 2147483647.")
        return cls(body)

    def allows(self, value: Json) -> bool:
        """Allow a string that is short enough."""
        return type(value) is str and len(value) <= self.most and (value.isascii() or not _SURROGATE.search(value))

    def covers(self, other: ArgumentLimit) -> bool:
        """Cover a shorter length."""
        return isinstance(other, MaxLength) and other.most <= self.most

    def to_json(self) -> dict[str, Json]:
        """Write `{"max_length": n}`."""
        return {self.tag: self.most}

    def says(self) -> str:
        """Show the length."""
        return f"text of at most {self.most} characters"
