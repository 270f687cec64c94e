"""What a witness keeps, in a file of its own: which logs it trusts, and the last head that it cosigned of each.

Owned by the witness program; no node opens it. A head is replaced by one conditional statement that names the head it
was judged by, so of two requests that were judged by the same one, only the first is kept. It is synced before `keep`
returns. Losing this file loses the promise: a witness without it must be retired, not started anew under its old key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.ledger.checkpoint import Checkpoint
from remit.store.sqlite import Sqlite, open_sqlite

FILE: Final = "witness.db"
KEPT: Final = 64
"""How many refused requests are kept of each log, the newest: each is the log's own signed word against itself."""

_TABLES: Final = """
CREATE TABLE witness (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, public BLOB NOT NULL) STRICT;
CREATE TABLE trusted (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) STRICT, WITHOUT ROWID;
CREATE TABLE cosigned (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, head BLOB NOT NULL,
  at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE refused (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER NOT NULL,
  body BLOB NOT NULL) STRICT
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last head that was cosigned of a log: as a tree, as the log signed it, and when (milliseconds)."""

    tree: Checkpoint
    head: bytes
    at: Instant


@final
class Witnessed:
    """The witness's file. Build it with `make` or `open_witnessed`; used by one thread at a time.

    Raises the store's codes; after a fault the connection is opened again at the next use, and what it then holds
    counts.
    """

    def __init__(self, db: Sqlite) -> None:
        self._store = db

    @property
    def _db(self) -> Sqlite:
        if not self._store.usable:
            self._store.reopen()
        return self._store

    def who(self) -> tuple[str, bytes]:
        """The witness's name and public key, as they were when the file was made."""
        row = self._db.one("SELECT name, public FROM witness")
        if row is None:
            raise _foreign()
        return str(row[0]), bytes(row[1])

    def trust(self, origin: str, vkey: str) -> None:
        """Trust a key for the heads of a log; a log may have several, while it changes keys."""
        with self._db.transaction():
            self._db.run("INSERT INTO trusted (origin, vkey) VALUES (?, ?) ON CONFLICT DO NOTHING", (origin, vkey))

    def distrust(self, origin: str, vkey: str) -> bool:
        """Trust a key no longer; say whether it was trusted. What was cosigned stays known."""
        with self._db.transaction():
            return self._db.run("DELETE FROM trusted WHERE origin = ? AND vkey = ?", (origin, vkey)) == 1

    def logs(self) -> dict[str, tuple[str, ...]]:
        """The trusted keys of each log, by origin."""
        found: dict[str, tuple[str, ...]] = {}
        for origin, vkey in self._db.all("SELECT origin, vkey FROM trusted ORDER BY origin, vkey"):
            found[origin] = (*found.get(origin, ()), vkey)
        return found

    def keys(self, origin: str) -> tuple[str, ...]:
        """The trusted keys of one log; none when it is not known."""
        return tuple(row[0] for row in self._db.all("SELECT vkey FROM trusted WHERE origin = ?", (origin,)))

    def seen(self, origin: str) -> Seen | None:
        """The last head that was cosigned of this log."""
        row = self._db.one("SELECT size, root, head, at FROM cosigned WHERE origin = ?", (origin,))
        return Seen(Checkpoint(origin, row[0], bytes(row[1])), bytes(row[2]), Instant(row[3])) if row else None

    def keep(self, before: Checkpoint | None, now: Checkpoint, head: bytes, at: Instant) -> bool:
        """Replace what was judged by with the new head, durably; False when another request was faster."""
        kept = (now.size, now.root, head, at, now.origin)
        with self._db.transaction():
            if before is None:
                changed = self._db.run(
                    "INSERT INTO cosigned (size, root, head, at, origin) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    kept,
                )
            else:
                changed = self._db.run(
                    "UPDATE cosigned SET size = ?, root = ?, head = ?, at = ?"
                    " WHERE origin = ? AND size = ? AND root = ?",
                    (*kept, before.size, before.root),
                )
        return changed == 1

    def remember(self, origin: str, at: Instant, status: int, body: bytes) -> None:
        """Keep a request that was signed and refused: evidence of a fork or a rollback. Old ones make room."""
        with self._db.transaction():
            self._db.run(
                "INSERT INTO refused (origin, at, status, body) VALUES (?, ?, ?, ?)", (origin, at, status, body)
            )
            self._db.run(
                "DELETE FROM refused WHERE origin = ? AND number NOT IN"
                " (SELECT number FROM refused WHERE origin = ? ORDER BY number DESC LIMIT ?)",
                (origin, origin, KEPT),
            )

    def refused(self, origin: str) -> list[tuple[Instant, int, bytes]]:
        """The requests of this log that were refused, oldest first: when, with which status, and the request."""
        rows = self._db.all("SELECT at, status, body FROM refused WHERE origin = ? ORDER BY number", (origin,))
        return [(Instant(at), status, bytes(body)) for at, status, body in rows]

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def make(path: Path, name: str, public: bytes, *, vfs: str | None = None) -> Witnessed:
    """Make the witness's file. One that is there already is refused (`witness_made`): its promise goes on."""
    if path.exists():
        raise RemitError(
            "witness_made", f"{path} is there already.", "Keep it, or choose another folder for a new witness."
        )
    db = open_sqlite(path, vfs=vfs)
    try:
        with db.transaction():
            for statement in _TABLES.split(";"):
                db.define(statement)
            db.run("INSERT INTO witness (one, name, public) VALUES (1, ?, ?)", (name, public))
    except BaseException:
        db.close()
        raise
    return Witnessed(db)


def open_witnessed(path: Path, *, vfs: str | None = None) -> Witnessed:
    """Open the witness's file. One that is not there is refused (`witness_lost`), as is another's (`store_foreign`)."""
    if not path.exists():
        raise RemitError(
            "witness_lost",
            f"The witness has no file {path}.",
            "Put it back. If it is lost, retire this witness and its key: make a new one with remit witness init.",
        )
    db = open_sqlite(path, vfs=vfs)
    if not {"witness", "trusted", "cosigned", "refused"} <= db.tables():
        db.close()
        raise _foreign()
    return Witnessed(db)


def _foreign() -> RemitError:
    return RemitError("store_foreign", "This file is no witness's.", "Name the folder that remit witness init made.")
