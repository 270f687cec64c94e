"""Observed: what was seen of a brief's steps in allowed calls. Bounded: of many values only what is common is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from remit.core.canonical import Json, canon
from remit.core.limit.naming import find, segments
from remit.core.limit.places import normal_path, place
from remit.core.limit.values import number
from remit.core.step import Step

VALUES: Final = 32
"""Of more different values than this none is listed."""
LONG: Final = 128
"""A longer text is not listed."""
DAY: Final = 86_400_000


@dataclass(slots=True)
class Values:
    """What was seen at one place of the arguments. `listed` and `hosts` are None once there were too many, or others.

    `clean` says that no text holds what cannot be printed; `prefix` and `folder` are what all have in common, None
    where one is no text or no plain path.
    """

    count: int = 0
    listed: dict[bytes, int] | None = field(default_factory=dict)
    numbers: bool = True
    least: float = 0
    most: float = 0
    texts: bool = True
    clean: bool = True
    longest: int = 0
    prefix: str | None = None
    folder: tuple[str, ...] | None = None
    hosts: set[str] | None = field(default_factory=set)

    def see(self, value: Json) -> None:
        """Take in one value."""
        first = self.count == 0
        self.count += 1
        self._list(value)
        if self.numbers and number(value):
            self.least = value if first else min(self.least, value)
            self.most = value if first else max(self.most, value)
        else:
            self.numbers, self.least, self.most = False, 0, 0
        if self.texts and isinstance(value, str):
            self._text(value, first=first)
        else:
            self._no_text()

    def add(self, other: "Values") -> None:
        """Take in what was seen at the same place elsewhere: as if all of it had been seen here, in any order."""
        self.count += other.count
        self.listed = _joined(self.listed, other.listed)
        self.numbers = self.numbers and other.numbers
        ends = (min(self.least, other.least), max(self.most, other.most)) if self.numbers else (0, 0)
        self.least, self.most = ends
        if not (self.texts and other.texts):
            self._no_text()
            return
        self.clean, self.longest = self.clean and other.clean, max(self.longest, other.longest)
        self.prefix = _common(self.prefix or "", other.prefix or "")
        whole = self.folder is not None and other.folder is not None
        self.folder = _shared(self.folder or (), other.folder or ()) if whole else None
        hosts = None if self.hosts is None or other.hosts is None else self.hosts | other.hosts
        self.hosts = hosts if hosts is not None and len(hosts) <= VALUES else None

    def _no_text(self) -> None:
        self.texts, self.clean, self.longest = False, False, 0
        self.prefix, self.folder, self.hosts = None, None, None

    def _list(self, value: Json) -> None:
        if self.listed is None:
            return
        plain = value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) < LONG)
        key = canon(value) if plain else b""
        if not plain or (key not in self.listed and len(self.listed) >= VALUES):
            self.listed = None
        else:
            self.listed[key] = self.listed.get(key, 0) + 1

    def _text(self, value: str, *, first: bool) -> None:
        self.longest = max(self.longest, len(value))
        self.clean = self.clean and value.isprintable()
        if first:
            self.prefix = value
        elif self.prefix and not value.startswith(self.prefix):
            self.prefix = _common(self.prefix, value)
        if first or self.folder is not None:
            path = normal_path(value)
            parts = None if path is None else tuple(path.split("/")[1:-1])
            self.folder = parts if first or parts is None else _shared(self.folder or (), parts)
        if self.hosts is not None:
            where = place(value) if "://" in value else None
            if where is not None:
                self.hosts.add(where.host if where.port in (None, 80, 443) else f"{where.host}:{where.port}")
            if where is None or len(self.hosts) > VALUES:
                self.hosts = None


@dataclass(slots=True)
class Used:
    """What was used of one step: calls by task, days, and the values at each place. `erased` are calls without values.

    `given` counts in how many calls each plain argument stood; `rows` is what the answers of each task held, as far as
    it was counted.
    """

    calls: int = 0
    erased: int = 0
    last: int = 0
    tasks: dict[str, int] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)

    def see(self, step: Step, errand: str, at: int, arguments: Mapping[str, Json] | None) -> None:
        """Take in one allowed call of this step; without its arguments when they were erased."""
        self.calls += 1
        self.last = max(self.last, at)
        self.tasks[errand] = self.tasks.get(errand, 0) + 1
        self.days.add(at // DAY)
        if arguments is None:
            self.erased += 1
            return
        for name in arguments:
            self.given[name] = self.given.get(name, 0) + 1
        for name in {*step.arguments, *(_plain(arguments) if step.allow_unknown else ())}:
            where = segments(name)
            for value in _found(arguments, where):
                self.values.setdefault(name, Values()).see(value)

    def add(self, other: "Used") -> None:
        """Take in what was used of the same step elsewhere, in other errands."""
        self.calls += other.calls
        self.erased += other.erased
        self.last = max(self.last, other.last)
        self.days |= other.days
        for mine, theirs in ((self.tasks, other.tasks), (self.rows, other.rows), (self.given, other.given)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        for name, one in other.values.items():
            if name in self.values:
                self.values[name].add(one)
            else:
                self.values[name] = one

    @property
    def known(self) -> int:
        """How many calls there were whose arguments are still there."""
        return self.calls - self.erased


def _joined(mine: dict[bytes, int] | None, theirs: dict[bytes, int] | None) -> dict[bytes, int] | None:
    """How often each value was seen by both; None where either saw too many, or both together did."""
    if mine is None or theirs is None:
        return None
    whole = {value: mine.get(value, 0) + theirs.get(value, 0) for value in (*mine, *theirs)}
    return whole if len(whole) <= VALUES else None


def _plain(arguments: Mapping[str, Json]) -> Iterable[str]:
    return (name for name in arguments if name and not name.startswith("/"))


def _found(arguments: Json, where: tuple[str, ...]) -> Iterable[Json]:
    """Every value at a place; `*` is each element."""
    if "*" not in where:
        value = find(arguments, where)
        return (value,) if value is not None or _there(arguments, where) else ()
    return list(_walk(arguments, where))


def _walk(value: Json, where: tuple[str, ...]) -> Iterable[Json]:
    if not where:
        yield value
    elif where[0] == "*":
        for one in value if isinstance(value, list) else ():
            yield from _walk(one, where[1:])
    elif isinstance(value, Mapping) and where[0] in value:
        yield from _walk(value[where[0]], where[1:])


def _there(arguments: Json, where: tuple[str, ...]) -> bool:
    return next(iter(_walk(arguments, where)), where) is not where


def _common(one: str, other: str) -> str:
    """The beginning that two texts share."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return one[:low]


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    shared = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        shared += 1
    return one[:shared]
