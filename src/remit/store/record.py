"""Records in their tables: read within a transaction, written only together with the receipt of the change."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import msgspec

from remit.core.canonical import Json
from remit.core.credential import Credential
from remit.core.receipt import NOUNS
from remit.core.record import Record, dump, load
from remit.store.db import Database
from remit.store.foresight import Foreseen, Foresight

R = TypeVar("R", bound=Record)

IDS: Final[dict[str, Callable[[Any], str]]] = {
    "resource": lambda one: str(one.name),
    "tool": lambda one: f"{one.resource}/{one.name}",
    "brief": lambda one: str(one.name),
    "policy": lambda one: str(one.name),
    "path": lambda one: str(one.name.value),
    "witness_rule": lambda one: str(one.name),
    "attestor": lambda one: str(one.name),
    "transmitter": lambda one: str(one.name),
    "survey": lambda one: f"{one.resource}/{one.source}",
    "plan": lambda one: f"{one.task}:{one.version}",
}
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "service": ("name", "owner"),
    "agent": ("name", "owner"),
    "tool": ("resource",),
    "key": ("purpose",),
    "task": ("agent", "person", "parent", "brief", "deadline"),
    "plan": ("task",),
    "credential": ("task", "expires"),
    "revocation": ("kind", "target"),
    "binding": ("agent", "attestor"),
    "signal": ("person",),
    "stream": ("service",),
    "approval": ("task", "action", "digest", "until", "uses"),
    "evidence": ("task",),
    "client": ("agent",),
    "session": ("person", "until"),
    "consent": ("person", "task", "client"),
    "code": ("consent", "until"),
    "refresh": ("consent", "until"),
    "lease": ("task", "resource", "until"),
    "connection": ("person", "resource"),
    "survey": ("resource",),
    "rightsize": ("brief",),
}

_sorted = msgspec.json.Encoder(order="sorted").encode
_TABLES: Final = {kind: noun for noun, kind in NOUNS.items()}


def noun(kind: type[Record]) -> str:
    """The table of a kind of record: its noun."""
    return _TABLES[kind]


def key(record: Record) -> str:
    """What a record is looked up by."""
    table = noun(type(record))
    return IDS[table](record) if table in IDS else str(getattr(record, "id"))  # noqa: B009 - not every record has one


@functools.cache
def _insert(table: str) -> str:
    names = ("id", "state", *COLUMNS.get(table, ()), "body")
    updates = ", ".join(f"{name}=excluded.{name}" for name in names[1:])
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {updates}"  # noqa: S608


def put(db: Database, record: Record) -> None:
    """Write a record's row. Called by `apply` alone, so that no row changes without its receipt (law 9)."""
    table = noun(type(record))
    extra = tuple(getattr(record, name) for name in COLUMNS.get(table, ()))
    db.put(_insert(table), (key(record), getattr(record, "state", "made"), *extra, _sorted(dump(record))))


@functools.lru_cache(maxsize=16384)
def parsed(kind: type[R], body: bytes) -> R:
    """The record in a row's body. Pure: the same bytes are the same record; whether they are is read each time."""
    return load(kind, msgspec.json.decode(body))


class Reader:
    """Reads records within one transaction; a row is read once and forgotten when it is written or the reader ends.

    `joined` holds what was put together from several records; any write of a record empties it. `active` is what this
    transaction has made of its tasks' activity, so that the next decision of a batch need not ask for it again.
    Where there is a `foresight`, `asked` gathers meanwhile where the records that are asked for stand.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self.foresight: Foresight | None = None
        self.asked: set[tuple[str, str]] | None = None
        self.joined: dict[tuple[str, str], Any] = {}
        self._seen: dict[tuple[str, str], Record | None] = {}
        self.active: dict[str, tuple[int, int, int]] = {}

    def get(self, kind: type[R], identity: str) -> R | None:
        """The record of this kind and id, or None."""
        table = _TABLES[kind]
        place = (table, identity)
        if self.asked is not None:
            self.asked.add(place)
        if place in self._seen:
            return self._seen[place]  # type: ignore[return-value]
        row = self.db.one(f"SELECT body FROM {table} WHERE id = ?", (identity,))  # noqa: S608 - a noun's own table
        record = parsed(kind, row[0]) if row else None
        self._seen[place] = record
        return record

    def take(self, found: Foreseen) -> None:
        """Take in what was read together with the lock of this transaction."""
        for (table, identity), body in found.bodies.items():
            self._seen[table, identity] = None if body is None else parsed(NOUNS[table], body)
        self.active.update(found.active)

    def ahead(self, *places: tuple[type[Record], str]) -> None:
        """Read these at once, on a store across a network; elsewhere each is read when it is asked for."""
        if not self.db.remote:
            return
        wanted = [(_TABLES[kind], identity, kind) for kind, identity in places if identity]
        missing = [one for one in dict.fromkeys(wanted) if one[:2] not in self._seen]
        if len(missing) < 2:
            return
        reads = [(f"SELECT body FROM {table} WHERE id = ?", (identity,)) for table, identity, _ in missing]  # noqa: S608
        for (table, identity, kind), rows in zip(missing, self.db.ahead(reads), strict=True):
            self._seen[table, identity] = parsed(kind, rows[0][0]) if rows else None

    def where(
        self, kind: type[R], condition: str = "1 = 1", values: tuple[str | int, ...] = (), most: int = -1
    ) -> Iterator[R]:
        """The records of this kind that meet a condition over columns, by id; `most` of them, all when negative."""
        sql = f"SELECT body FROM {_TABLES[kind]} WHERE {condition} ORDER BY id"  # noqa: S608 - written in our own code
        found = self.db.all(sql, values) if most < 0 else self.db.all(f"{sql} LIMIT ?", (*values, most))
        for (body,) in found:
            yield parsed(kind, body)

    def forget(self, record: Record) -> None:
        """Read this record's row anew next time."""
        self._seen.pop((noun(type(record)), key(record)), None)
        self.joined.clear()

    def clear(self) -> None:
        """Forget everything that was read."""
        self._seen.clear()
        self.active.clear()
        self.joined.clear()


def credential_row(db: Database, identity: str) -> tuple[str, Json] | None:
    """State and expiry of a credential, for the sweep that cuts streams."""
    row = db.one(f"SELECT state, expires FROM {noun(Credential)} WHERE id = ?", (identity,))  # noqa: S608
    return (row[0], row[1]) if row else None
