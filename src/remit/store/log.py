"""The ledger's rows: entries, full tiles and signed heads, in the same database as the facts they record.

An append and the change that it records are one transaction. The edge of the tree is kept in memory only as long as the
head read in the transaction is the one it was built for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.ledger import checkpoint, note
from remit.ledger.log import Edge
from remit.ledger.merkle import leaf_hash
from remit.ledger.tile import WIDTH
from remit.store.db import Database


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed head: how many entries, when, and the note as it was signed."""

    size: int
    at: Instant
    note: str


EMPTY = Head(0, Instant(0), "")
NEAR: Final = 4096
"""How many entries of another node are taken into the kept edge; past that it is built anew from the tiles."""


def newest(db: Database) -> Head:
    """Read the newest head."""
    row = db.one("SELECT size, at, note FROM head ORDER BY size DESC LIMIT 1")
    return Head(*row) if row else EMPTY


class Log:
    """Appends within the caller's transaction. Owned by the one writer of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: tuple[Head, Edge] | None = None
        self._next: tuple[Head, Edge] | None = None
        self._seen = EMPTY
        self.head = EMPTY

    def begin(self, head: Head | None = None) -> Head:
        """Read the head anew, unless it was read with the lock; it must be called first in every transaction.

        Refuses a ledger that is not the one that was seen before, with more or the same entries (`ledger_regressed`).
        """
        self.head = newest(self._db) if head is None else head
        self._next = None
        if self._kept is None or self._kept[0] != self.head:
            edge = self._grown()
            if edge is None:
                self.hold(self._db)
            self._kept = self.head, edge or self._restore(self.head)
        self._seen = self.head
        return self.head

    def hold(self, db: Database) -> None:
        """Refuse a store that has lost what was committed in it before, whatever was written since.

        So does one that failed over to a standby which had not everything: what was revoked stands there as live. It is
        refused until the process is started anew, and with it whoever opens the store (`store_restored`).
        """
        if self._seen.size and at_size(db, self._seen.size) != self._seen:
            raise RemitError(
                "ledger_regressed",
                f"The store has lost entries: {self._seen.size} were committed here, and it holds them no more.",
                "Put the newer store back; or stop every node and run remit doctor --accept-restore.",
            )

    def append(self, entries: Sequence[bytes], at: Instant, sign: Callable[[int, bytes], str]) -> Head:
        """Append entries, store the tiles they complete, and sign and store the new head."""
        if self._kept is None:
            raise RemitError(
                "log_not_begun", "The head was not read in this transaction.", "Report this: it is a defect."
            )
        edge = self._kept[1].copy()
        start = edge.size
        hashes = [leaf_hash(entry) for entry in entries]
        rows = zip(range(start, start + len(entries)), hashes, entries, strict=True)
        self._db.many("INSERT INTO leaf (number, hash, body) VALUES (?, ?, ?)", rows)
        tiles = edge.append(hashes)
        if tiles:
            full = [(tile.level, tile.index, tile.data) for tile in tiles]
            self._db.many("INSERT INTO tile (level, number, body) VALUES (?, ?, ?)", full)
        head = Head(edge.size, at, sign(edge.size, edge.root()))
        self._db.put("INSERT INTO head (size, at, note) VALUES (?, ?, ?)", (head.size, head.at, head.note))
        self._next = head, edge
        return head

    def committed(self) -> None:
        """Keep the new edge: the transaction that appended has committed."""
        if self._next is not None:
            self._kept, self._next = self._next, None
            self._seen = self._kept[0]

    def dropped(self) -> None:
        """Forget everything: the transaction ended otherwise, or in doubt."""
        self._kept = self._next = None

    def _grown(self) -> Edge | None:
        """The kept edge with what another node has appended since, when that gives the root it signed."""
        if self._kept is None or not 0 < self.head.size - self._kept[0].size <= NEAR:
            return None
        edge = self._kept[1].copy()
        edge.append(list(leaves(self._db, edge.size, self.head.size)))
        return edge if _signed_root(self.head) == edge.root() else None

    def _restore(self, head: Head) -> Edge:
        """Rebuild the edge, and refuse to sign anything further over a tree that is not the one that was signed."""
        edge = Edge.restore(head.size, lambda level, index, width: read_tile(self._db, level, index, width))
        if head.size and _signed_root(head) != edge.root():
            raise RemitError(
                "ledger_damaged",
                f"The stored hashes of the ledger's {head.size} entries are not what its newest head signs.",
                "Run remit ledger verify; it names the first entry that is wrong. Nothing is signed until then.",
            )
        return edge


def _signed_root(head: Head) -> bytes:
    return checkpoint.parse(note.parse(head.note.encode()).text).root


def read_tile(db: Database, level: int, index: int, width: int) -> bytes | None:
    """A tile's hashes: a full one as stored, a partial one of level 0 from its entries, else None."""
    row = db.one("SELECT body FROM tile WHERE level = ? AND number = ?", (level, index))
    if row is not None:
        return bytes(row[0][: width * 32])
    if level:
        return None
    start = index * WIDTH
    return b"".join(leaves(db, start, start + width)) or None


def leaves(db: Database, start: int, end: int) -> Iterator[bytes]:
    """The leaf hashes from `start` up to but not including `end`, as they were when the entries were appended."""
    for (found,) in db.all("SELECT hash FROM leaf WHERE number >= ? AND number < ? ORDER BY number", (start, end)):
        yield bytes(found)


def entries(db: Database, start: int, end: int) -> Iterator[bytes]:
    """The entries from `start` up to but not including `end`, in order."""
    for (body,) in db.all("SELECT body FROM leaf WHERE number >= ? AND number < ? ORDER BY number", (start, end)):
        yield bytes(body)


def heads(db: Database, after: int = -1, most: int = 1000) -> list[Head]:
    """The signed heads of more than `after` entries, smallest first."""
    rows = db.all("SELECT size, at, note FROM head WHERE size > ? ORDER BY size LIMIT ?", (after, most))
    return [Head(*row) for row in rows]


def at_size(db: Database, size: int) -> Head | None:
    """The signed head of exactly `size` entries; None when none was signed at this size."""
    row = db.one("SELECT size, at, note FROM head WHERE size = ?", (size,))
    return Head(*row) if row else None


def of_task(db: Database, task: str, after: int, span: int) -> list[tuple[int, bytes]]:
    """The entries among the `span` after `after` that name a task, and its calls' outcomes, with their numbers."""
    rows = db.all(
        "SELECT number, body FROM leaf WHERE number > ? AND number <= ? ORDER BY number", (after, after + span)
    )
    name, found = task.encode(), []
    for number, body in rows:
        if name in body or (_OUTCOME in body and name in _decision(db, body)):
            found.append((number, bytes(body)))
    return found


_OUTCOME: Final = b'"kind":"call.outcome"'


def _decision(db: Database, body: bytes) -> bytes:
    """The entry of the decision that an outcome closes."""
    leaf = msgspec.json.decode(body)["leaf"]
    return next(entries(db, leaf, leaf + 1), b"")
