"""What earlier answers of a task held: keyed digests in one row for each answer, read back by value.

A row never changes once it is committed, so its parsed form may be kept; which rows there are is read each time. A task
keeps `MOST` values; what an answer holds beyond that is not remembered, and so vouches for nothing.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from remit.core.lineage.source import Held, Hold
from remit.core.moment import Instant
from remit.store.db import Database

MOST: Final = 200_000
KEPT: Final = 400_000
"""Values whose parsed form this process keeps at most."""
OVERDUE_MS: Final = 10 * 60 * 1000
"""A call that was allowed so long ago and has no outcome counts as one whose outcome is unknown."""
_SIZE: Final = 16

Entry = tuple[int, int, int, bytes]
"""The field's number, the record, the grades and the owner's digest."""
Row = tuple[list[str], dict[bytes, list[Entry]]]
"""The names of the fields, and where each value stands."""
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(Row).decode


class _Known:
    """Parsed rows by call id, oldest out first. Pure: the row of one call is always the same row."""

    def __init__(self) -> None:
        self.rows: OrderedDict[str, Row] = OrderedDict()
        self.size = 0

    def put(self, call: str, row: Row) -> None:
        """Keep one, and let the oldest go while there are too many values."""
        before = self.rows.pop(call, None)
        self.size += len(row[1]) - (len(before[1]) if before else 0)
        self.rows[call] = row
        while self.size > KEPT and len(self.rows) > 1:
            _, gone = self.rows.popitem(last=False)
            self.size -= len(gone[1])


_known = _Known()


def mark(key: bytes, atom: str) -> bytes:
    """The digest under which a task remembers a value: BLAKE2b of 16 bytes, keyed by the task."""
    return hashlib.blake2b(atom.encode("utf-8", "surrogatepass"), digest_size=_SIZE, key=key).digest()


def packed(key: bytes, held: Iterable[Held]) -> tuple[int, bytes]:
    """What is kept of an answer: how many values, and the row's body."""
    fields: dict[str, int] = {}
    index: dict[bytes, list[Entry]] = {}
    for one in held:
        place = fields.setdefault(one.field, len(fields))
        owner = mark(key, one.owner) if one.owner else b""
        index.setdefault(mark(key, one.atom), []).append((place, one.record, one.grade, owner))
    return len(index), _encode((list(fields), index))


def put(db: Database, call: str, place: tuple[str, int, str, str, int], held: int, body: bytes) -> bool:
    """Remember what one answer held; False when the task holds as much as it may.

    `place` is task, leaf, action, path and the brief's version.
    """
    row = db.one("SELECT COALESCE(SUM(held), 0) FROM lineage WHERE task = ?", (place[0],))
    if row is None or row[0] + held > MOST:
        return False
    db.put(
        "INSERT INTO lineage (call, task, leaf, action, path, version, held, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (call) DO NOTHING",
        (call, *place, held, body),
    )
    return True


def holders(db: Database, task: str, key: bytes, atoms: Iterable[str]) -> dict[str, tuple[Hold, ...]]:
    """Which earlier answers of this task hold each of these values, oldest first; what none holds is not there."""
    marks = {atom: mark(key, atom) for atom in atoms}
    if not marks:
        return {}
    rows = db.all("SELECT call, leaf, action, path, version FROM lineage WHERE task = ? ORDER BY leaf, call", (task,))
    known = _rows(db, task, [row[0] for row in rows])
    found: dict[str, list[Hold]] = {}
    for call, leaf, action, path, version in rows:
        fields, index = known[call]
        for atom, digest in marks.items():
            for field, record, grade, owner in index.get(digest, ()):
                found.setdefault(atom, []).append(
                    Hold(call, leaf, action, path, fields[field], record, grade, version, owner)
                )
    return {atom: tuple(holds) for atom, holds in found.items()}


def complete(db: Database, task: str, now: Instant) -> bool:
    """Say whether the outcome of every call of this task is known. An open tunnel answers nothing by itself."""
    gap = db.one("SELECT 1 FROM lineage_gap WHERE task = ? LIMIT 1", (task,))
    late = db.one(
        "SELECT 1 FROM flight WHERE task = ? AND at < ? AND action NOT LIKE ? LIMIT 1",
        (task, now - OVERDUE_MS, "http:%/@session"),
    )
    return gap is None and late is None


def gap(db: Database, call: str) -> None:
    """Remember that the outcome of this open call is unknown. Called by `apply` alone, before the call is closed."""
    db.run("INSERT INTO lineage_gap (task, call) SELECT task, call FROM flight WHERE call = ?", (call,))


def _rows(db: Database, task: str, calls: list[str]) -> dict[str, Row]:
    found = {call: held for call in calls if (held := _known.rows.get(call)) is not None}
    missing = [call for call in calls if call not in found]
    if len(missing) > 8:
        read = db.all("SELECT call, body FROM lineage WHERE task = ?", (task,))
    else:
        read = [row for call in missing for row in db.all("SELECT call, body FROM lineage WHERE call = ?", (call,))]
    for call, body in read:
        if call not in found:
            found[call] = _decode(body)
            _known.put(call, found[call])
    return found
