"""What an errand's calls were given and its answers held: keyed digests, one row for each call, asked by later calls.

A row never changes once it is written, so its parsed form may be kept; which rows there are is read each time. An
errand keeps `MOST` digests: a call that has no room leaves no row, and reads as a gap.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec

from remit.store import payload
from remit.store.db import Database

MOST: Final = 100_000
_SIZE: Final = 16
_KEPT: Final = 512
_Row = tuple[list[bytes], dict[bytes, str]]
"""What the call was given, and where its answer held what."""
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(_Row).decode
_keys: dict[str, bytes] = {}
"""Keys that this process has read, by errand. One never changes; one that is erased is forgotten with the process."""
_rows: OrderedDict[str, _Row] = OrderedDict()
"""Parsed rows by call, oldest out first. Pure: the row of a call is always the same row."""


class Origin(NamedTuple):
    """Where a value first stood in an errand: in an answer, by this call, on this path, at this place."""

    call: str
    path: str
    place: str


def key(db: Database, root: str, *, keep: bool = False) -> bytes | None:
    """The key of an errand's digests, made when its first task was opened; None when it has none, or it was erased.

    With `keep` this process does not read it again.
    """
    if keep and root in _keys:
        return _keys[root]
    held = payload.get(db, f"flow:{root}")
    if held is not None and keep:
        if len(_keys) >= _KEPT:
            _keys.clear()
        _keys[root] = held[0]
    return held[0] if held else None


def put_key(db: Database, root: str, made: bytes) -> None:
    """Give an errand its key; it has one at most."""
    payload.put(db, f"flow:{root}", made, b"{}")


def mark(made: bytes, atom: str) -> bytes:
    """The digest by which a value is known again: BLAKE2b of 16 bytes, keyed by the errand."""
    return hashlib.blake2b(atom.encode("utf-8", "surrogatepass"), digest_size=_SIZE, key=made).digest()


def put(
    db: Database, call: str, place: tuple[str, int, str], given: Collection[bytes], held: Mapping[bytes, str] | None
) -> bool:
    """Remember a call; `place` is its errand, leaf and path, `held` None when its answer was not seen.

    False when the errand holds as much as it may.
    """
    size = len(given) + len(held or ())
    if size > MOST or not db.run(
        "INSERT INTO carrying (task, held) VALUES (?, ?) ON CONFLICT (task) DO UPDATE"
        " SET held = carrying.held + excluded.held WHERE carrying.held + excluded.held <= ?",
        (place[0], size, MOST),
    ):
        return False
    db.put(
        "INSERT INTO carried (call, task, leaf, path, seen, held, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (call, *place, int(held is not None), size, _encode((list(given), dict(held or {})))),
    )
    return True


def origins(db: Database, root: str, path: str, marks: Collection[bytes]) -> dict[bytes, Origin]:
    """Of these values those that came from the other path: they first stood in one of its answers.

    A value that a call was given before, or that an answer of this very path has held as well, did not come from there.
    """
    first: dict[bytes, Origin | None] = {}
    wanted = set(marks)
    for call, leaf_path, given, held in _each(db, root):
        for one in wanted.intersection(given):
            first.setdefault(one, None)
        for one in wanted & held.keys():
            if leaf_path == path:
                first[one] = None
            first.setdefault(one, Origin(call, leaf_path, held[one]))
    return {one: origin for one, origin in first.items() if origin is not None}


def remembered(db: Database, root: str) -> frozenset[str]:
    """The calls of whose answers it is known what they held."""
    return frozenset(row[0] for row in db.all("SELECT call FROM carried WHERE task = ? AND seen = 1", (root,)))


def _each(db: Database, root: str) -> list[tuple[str, str, list[bytes], dict[bytes, str]]]:
    found = []
    for call, path in db.all("SELECT call, path FROM carried WHERE task = ? ORDER BY leaf", (root,)):
        row = _rows.get(call)
        if row is None:
            body = db.one("SELECT body FROM carried WHERE call = ?", (call,))
            row = _rows[call] = _decode(body[0]) if body else ([], {})
            while len(_rows) > _KEPT:
                _rows.popitem(last=False)
        found.append((call, path, *row))
    return found
