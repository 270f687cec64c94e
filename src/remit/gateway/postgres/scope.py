"""What names mean inside one statement: the relations and derived tables of each query level, and what is read of them.

Where a name could be of several relations, each of them counts as read. A name after a dot must be a column that is
known to be there: PostgreSQL reads `t.f` as a call of `f` when it is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import SYSTEM, Relation
from remit.gateway.postgres.value import Value

MORE: Final = ""
"""Stands among the names of columns for others, or for an order, that is not known."""


class Entry(Protocol):
    """One thing in FROM."""

    name: str

    def has(self, column: str) -> bool:
        """Whether it surely has a column of this name."""

    def read(self, column: str) -> None:
        """This column of it is read."""

    def whole(self) -> None:
        """All of it is read."""

    def columns(self) -> list[str | None]:
        """Its columns, in order: None where a name is not sure, `MORE` where not even their number or order is."""

    @property
    def complete(self) -> bool:
        """Whether all its columns are known."""


@dataclass(slots=True, eq=False)
class Table:
    """A registered relation in its place, under the name and column names that it has there."""

    relation: Relation
    name: str
    renamed: Mapping[str, str]
    """The name of a column here → its own name."""
    seen: set[str] = field(default_factory=set)
    where: dict[str, Value] = field(default_factory=dict)
    locked: bool = False
    target: bool = False
    aliased: bool = False
    """Only without a name of its own is it also seen under that of its schema."""
    complete: bool = True

    def has(self, column: str) -> bool:
        """Whether it has the column."""
        return column in self.renamed or column in SYSTEM

    def read(self, column: str) -> None:
        """Note that a column is read."""
        self.seen.add(self.renamed.get(column, column))

    def whole(self) -> None:
        """Note that every column is read."""
        self.seen.update(self.renamed.values())

    def columns(self) -> list[str | None]:
        """Its columns by the names that they have here."""
        return list(self.renamed)


@dataclass(slots=True, eq=False)
class Derived:
    """A subquery, a CTE, a function or VALUES: what it rests on was read where it was written."""

    name: str
    known: Sequence[str | None]
    complete: bool = True
    used: bool = False

    def has(self, column: str) -> bool:
        """Whether it surely gives a column of this name."""
        return column in self.known

    def read(self, column: str) -> None:
        """Nothing more is read: what it rests on was read where it stands."""
        self.used = self.used or column in self.known

    def whole(self) -> None:
        """Nothing more is read."""
        self.used = True

    def columns(self) -> list[str | None]:
        """Its names."""
        return list(self.known)


@dataclass(slots=True, eq=False)
class Joined:
    """A join under a name of its own: it hides the names inside."""

    name: str
    parts: Sequence[Entry]
    renamed: Sequence[str]
    merged: bool = False
    """Whether a column stands for one of each side, before all others."""

    @property
    def complete(self) -> bool:
        """Whether all parts are known, and none of their names is hidden by one that was given here."""
        return not self.renamed and all(one.complete for one in self.parts)

    def has(self, column: str) -> bool:
        """Whether a part has it, or it was named here; a join has no system columns."""
        return column in self.renamed or (column not in SYSTEM and any(one.has(column) for one in self.parts))

    def read(self, column: str) -> None:
        """Read it of each part that has it; one that was named here could be any of them."""
        if column in self.renamed:
            self.whole()
        for one in self.parts:
            if one.has(column):
                one.read(column)

    def whole(self) -> None:
        """Read all parts whole."""
        for one in self.parts:
            one.whole()

    def columns(self) -> list[str | None]:
        """The columns of all parts; which of them a name that was given here hides is not known."""
        found = [name for one in self.parts for name in one.columns()]
        if self.renamed:
            return [*self.renamed, MORE]
        return [*found, MORE] if self.merged else found


@dataclass(slots=True, eq=False)
class Dotted:
    """Another name of something, such as `old` and `new`: it is seen with a dot only, and brings no columns."""

    name: str
    entry: Entry
    complete: bool = True

    def has(self, column: str) -> bool:
        """Whether what it stands for has the column."""
        return self.entry.has(column)

    def read(self, column: str) -> None:
        """Read it there."""
        self.entry.read(column)

    def whole(self) -> None:
        """Read it whole there."""
        self.entry.whole()

    def columns(self) -> list[str | None]:
        """None of its own."""
        return []


class Scope:
    """One query level, or with `inner` a part of its FROM. Owned by the reading of one statement."""

    __slots__ = ("ctes", "entries", "inner", "merged", "outputs", "parent")

    def __init__(self, parent: "Scope | None" = None, *, inner: bool = False) -> None:
        self.parent = parent
        self.inner = inner
        self.merged = False
        """Whether a join in its FROM puts columns that stand for one of each side before all others."""
        self.entries: list[Entry] = []
        self.outputs: set[str] = set()
        self.ctes: dict[str, Derived] = {}

    def level(self) -> "Scope":
        """The query level itself."""
        found = self
        while found.inner and found.parent is not None:
            found = found.parent
        return found

    def aside(self) -> "Scope":
        """What is in sight in FROM without LATERAL, and in ON: nothing that stands beside it, and all that is around.

        PostgreSQL passes over what stands beside, and takes the name of an outer level.
        """
        level = self.level()
        made = Scope(level.parent)
        made.ctes = level.ctes
        return made

    def cte(self, name: str) -> Derived | None:
        """The common table expression of this name, nearest first."""
        level: Scope | None = self
        while level is not None:
            if name in level.ctes:
                return level.ctes[name]
            level = level.parent
        return None

    def levels(self) -> Iterable["Scope"]:
        """This level and those around it."""
        level: Scope | None = self
        while level is not None:
            yield level
            level = level.parent

    def bare(self, name: str) -> None:
        """Read a name that stands alone (`column_unknown`)."""
        unsure = False
        for level in self.levels():
            hits = [one for one in level.entries if one.has(name)]
            for one in hits:
                one.read(name)
            if hits and name not in SYSTEM and all(one.complete for one in level.entries):
                return
            unsure = unsure or bool(hits) or not all(one.complete for one in level.entries)
        row = self.named(name)
        if row is not None:
            # The row as a whole, as in `SELECT t FROM t`: also where the name could be a column that is not known.
            row.whole()
        elif not unsure and name not in self.outputs:
            raise unknown()

    def of(self, table: str, column: str, schema: str = "") -> None:
        """Read a column of what has this name (`column_unknown`)."""
        found = self.named(table, schema)
        if found is None or not found.has(column):
            raise unknown()
        found.read(column)

    def named(self, table: str, schema: str = "") -> Entry | None:
        """What has this name, nearest first."""
        for level in self.levels():
            for one in level.entries:
                if one.name == table and (not schema or _plain(one, schema)):
                    return one
        return None

    def single(self, name: str, table: str = "") -> tuple[Table, str] | None:
        """The relation of this very level that surely is meant, and the column's own name; else None."""
        hits = [one for one in self.entries if (one.name == table if table else one.has(name))]
        if len(hits) != 1 or not all(one.complete for one in self.entries):
            return None
        one = hits[0]
        if not isinstance(one, Table) or name not in one.renamed:
            return None
        return one, one.renamed[name]


def unknown() -> RemitError:
    """The fault for a column that is not known to be there."""
    return RemitError(
        "column_unknown", "A column in this statement is not known to be there.", "Use those that are registered."
    )


def renamed(given: Sequence[str], names: Sequence[str | None]) -> list[str | None]:
    """The names of columns under those that an alias gives to the first of them."""
    if given and MORE in names:
        return [*given, MORE]
    return [*given, *names[len(given) :]]


def _plain(entry: Entry, schema: str) -> bool:
    """Whether it is a relation of this schema under no other name than its own."""
    return isinstance(entry, Table) and entry.relation.schema == schema and not entry.aliased
