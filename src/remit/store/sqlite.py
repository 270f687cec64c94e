"""The embedded store: one SQLite connection that is durable, or refuses to open.

Owned by whoever opened it; used by one thread at a time, though not always the same one. Time-outs are milliseconds,
sizes are WAL pages. A commit that returned has been synced (WAL, `synchronous=FULL`). A commit that raised is unknown:
the connection is dropped, and `reopen` settles what happened before anything else is written.
"""

import contextlib
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, final

import apsw

from remit.core.errors import RemitError
from remit.store import fault
from remit.store.db import Reads, Row, Value
from remit.store.fault import Flaw
from remit.store.transaction import within

APPLICATION: Final = 0x524D4954
"""`RMIT`: marks a file as a Remit store (https://www.sqlite.org/pragma.html#pragma_application_id)."""
SAFE: Final = (3, 51, 3)
"""First SQLite without the WAL-reset corruption of 3.7.0 to 3.51.2 (https://www.sqlite.org/wal.html)."""
TIMEOUT_MS: Final = 2000
NAP_MS: Final = 0.25
"""How long each wait for another connection's lock is; their sum ends at the time-out."""

SETTINGS: Final = (
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("foreign_keys", "on"),
    ("fullfsync", "on"),
    ("checkpoint_fullfsync", "on"),
    ("trusted_schema", "off"),
    ("cell_size_check", "on"),
    ("secure_delete", "on"),
    ("temp_store", "memory"),
    ("cache_size", "-65536"),
    ("wal_autocheckpoint", "0"),
)

_never: Final = threading.Event()
_ERRORS: Final = (apsw.Error, TypeError, ValueError, OverflowError)
"""What apsw raises for a statement and for a value that SQLite cannot hold."""


@final
class Sqlite:
    """One connection. Build it with `open_sqlite`.

    Every method raises `RemitError`: `store_busy`, `store_full`, `store_read_only`, `store_corrupt`, `store_failed`,
    `store_constraint`, `store_statement`, and `store_dropped` on every use after an error that left it in doubt.
    """

    remote: Final = False
    held_ms: Final = 4
    at: Final = None

    __slots__ = ("_cursor", "_db", "_doubt", "_execute", "_timeout", "_vfs", "_wal", "path")

    def __init__(self, path: Path, vfs: str | None) -> None:
        self.path = path
        self._vfs = vfs
        self._open()

    def _open(self) -> None:
        self._doubt = False
        self._wal = 0
        self._timeout = TIMEOUT_MS
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        try:
            self._db = apsw.Connection(str(self.path), flags, self._vfs)
        except apsw.Error as error:
            raise fault.translate(error) from error
        try:
            self._cursor = self._db.cursor()
            self._execute = self._cursor.execute
            self._db.set_busy_handler(self._wait)
            if self._db.readonly("main"):
                raise fault.read_only()
            self._configure()
        except apsw.Error as error:
            self._abandon()
            raise fault.translate(error) from error
        except RemitError:
            self._abandon()
            raise

    def _configure(self) -> None:
        self._db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        self._db.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        self._db.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
        self._claim()
        for name, value in SETTINGS:
            self._execute(f"PRAGMA {name}={value}").fetchall()
        self._require_durable()
        self._db.set_wal_hook(self._committed)
        self._settle()

    def _settle(self) -> None:
        # A recovered WAL may hold frames whose fsync failed: the page cache shows them, the disk never got them.
        # Copying all into the main file and starting a new WAL makes what is seen here what a power loss leaves.
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _claim(self) -> None:
        """Mark a new file as ours; refuse a database that somebody else made."""
        found = self._pragma("application_id")
        if found == APPLICATION:
            return
        if found or self._execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
            raise RemitError(
                "store_foreign",
                f"{self.path.name} is a database of another program.",
                "Point the store setting at a Remit store, or at a file that does not exist yet.",
            )
        self._execute(f"PRAGMA application_id={APPLICATION}").fetchall()

    def _require_durable(self) -> None:
        mode, synchronous = self._pragma("journal_mode"), self._pragma("synchronous")
        if mode != "wal" or synchronous not in (2, 3):
            raise RemitError(
                "store_not_durable",
                f"The store answers journal_mode={mode}, synchronous={synchronous}: a power loss could undo a commit.",
                "Put the store on a local disk that supports SQLite's WAL mode.",
            )

    def _pragma(self, name: str) -> Any:
        rows = self._execute(f"PRAGMA {name}").fetchall()
        return rows[0][0] if rows else None

    def _committed(self, _: apsw.Connection, name: str, pages: int) -> int:
        if name == "main":
            self._wal = pages
        return apsw.SQLITE_OK

    # Transactions

    def try_begin(self) -> bool:
        """Take the write lock now (`BEGIN IMMEDIATE`), or say False at once when another connection holds it."""
        try:
            self._timeout = 0
            self._execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            return False
        except apsw.Error as error:
            raise self._fault(error) from error
        return True

    def begin(self, timeout_ms: int = TIMEOUT_MS, reads: Reads = ()) -> list[list[Row]]:
        """Take the write lock (`BEGIN IMMEDIATE`), waiting up to `timeout_ms`; then `store_busy`."""
        try:
            self._timeout = timeout_ms
            self._execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            raise self._fault(error) from error
        return self.ahead(reads)

    def commit(self) -> None:
        """Commit and sync. Any error is `commit_unknown`: the change may or may not last; the connection is dropped."""
        try:
            self._execute("COMMIT")
        except apsw.Error as error:
            if fault.closed(error):
                raise self._fault(error) from error
            self._abandon()
            raise fault.unknown(error) from error

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is open; a dropped connection has none."""
        return not self._doubt and self._db.in_transaction

    def rollback(self) -> None:
        """Undo the open transaction; without one, do nothing."""
        try:
            if self._db.in_transaction:
                self._execute("ROLLBACK")
        except apsw.Error as error:
            raise self._fault(error) from error

    def mark(self) -> None:
        """Set a savepoint in the open transaction; marks nest. End each with `release` or `undo`."""
        try:
            self._execute("SAVEPOINT m")
        except apsw.Error as error:
            raise self._fault(error) from error

    def release(self) -> None:
        """Keep what happened since the latest mark."""
        try:
            self._execute("RELEASE m")
        except apsw.Error as error:
            raise self._fault(error) from error

    def undo(self) -> None:
        """Undo what happened since the latest mark, and drop the mark."""
        try:
            self._execute("ROLLBACK TO m")
            self._execute("RELEASE m")
        except apsw.Error as error:
            raise self._fault(error) from error

    def transaction(self, timeout_ms: int = TIMEOUT_MS) -> contextlib.AbstractContextManager[None]:
        """Run the body between `begin` and `commit`; roll back when it raises."""
        return within(self, timeout_ms)

    # Statements

    def all(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        try:
            return self._execute(sql, params).fetchall()
        except _ERRORS as error:
            raise self._fault(error) from error

    def one(self, sql: str, params: Sequence[Value] = ()) -> Row | None:
        """Run one statement and return its only row, or None; more than one row is `store_statement`."""
        try:
            rows = self._execute(sql, params).fetchall()
        except _ERRORS as error:
            raise self._fault(error) from error
        if len(rows) > 1:
            raise RemitError("store_statement", "A look-up of one row found more.", "Report this defect.")
        return rows[0] if rows else None

    def run(self, sql: str, params: Sequence[Value] = ()) -> int:
        """Run one INSERT, UPDATE or DELETE to its end and return how many rows it changed, triggers not counted."""
        try:
            # Without RETURNING, the first step runs such a statement to its end.
            self._execute(sql, params)
            return self._db.changes()
        except _ERRORS as error:
            raise self._fault(error) from error

    def put(self, sql: str, params: Sequence[Value] = ()) -> None:
        """Run one statement whose outcome nobody waits for."""
        try:
            self._execute(sql, params)
        except _ERRORS as error:
            raise self._fault(error) from error

    def expect(self, sql: str, params: Sequence[Value], fault: RemitError) -> None:
        """Run one statement that must change exactly one row, else `fault`."""
        if self.run(sql, params) != 1:
            raise fault

    def ahead(self, reads: Reads) -> list[list[Row]]:
        """Run several reads, one after the other."""
        return [self.all(sql, params) for sql, params in reads]

    def flush(self) -> None:
        """See that the connection stands: every statement that was put has run already."""
        if self._doubt:
            raise RemitError("store_dropped", "This connection to the store was dropped.", "Reopen the store.")

    def many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement once for each row."""
        try:
            self._cursor.executemany(sql, rows)
        except _ERRORS as error:
            raise self._fault(error) from error

    # Schema

    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        return frozenset(row[0] for row in self.all("SELECT name FROM sqlite_schema WHERE type = 'table'"))

    def define(self, sql: str) -> None:
        """Run statements that change the schema, in the open transaction."""
        self.all(sql)

    def orphans(self) -> int:
        """How many rows refer to rows that do not exist."""
        return len(self.all("PRAGMA foreign_key_check"))

    def stamped(self) -> int:
        """How many migrations the file itself says it has had."""
        return int((self.one("PRAGMA user_version") or (0,))[0])

    def stamp(self, number: int) -> None:
        """Write into the file itself how many migrations it has had."""
        self.all(f"PRAGMA user_version = {number}")

    # Upkeep

    @property
    def wal_pages(self) -> int:
        """Pages in the WAL after the latest commit of this connection."""
        return self._wal

    @property
    def usable(self) -> bool:
        """False once an error left the connection in doubt; `reopen` makes it usable again."""
        return not self._doubt

    def checkpoint(self, pages: int = 0) -> bool:
        """Copy the WAL into the main file when it holds more than `pages`; call it between transactions only.

        Never waits for a reader or a writer (PASSIVE). Says whether everything is copied, so that the WAL starts again.
        """
        if self._wal <= pages:
            return False
        try:
            in_wal, copied = self._db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return False
        except apsw.Error as error:
            raise self._fault(error) from error
        if in_wal == copied:
            self._wal = 0
        return in_wal == copied

    def reopen(self) -> None:
        """Close, open again with every check, and settle the WAL: what the store holds then, it holds for good."""
        self._abandon()
        fault.refuse_exposed(self.path)
        self._open()

    def close(self) -> None:
        """Close; an open transaction is rolled back. A second close does nothing."""
        self._abandon()

    def check(self) -> list[Flaw]:
        """Look for damage, orphaned references, weak settings, loose file modes and a disk that is nearly full."""
        flaws: list[Flaw] = []
        try:
            flaws += [Flaw("store_corrupt", f"integrity_check: {text}", fault.RESTORE) for text in self._integrity()]
            flaws += [
                Flaw("store_corrupt", f"Row {row} of table {table} refers to a missing {parent}.", fault.RESTORE)
                for table, row, parent, _ in self._execute("PRAGMA foreign_key_check").fetchall()
            ]
            self._require_durable()
            if self._pragma("foreign_keys") != 1:
                flaws.append(Flaw("store_not_durable", "Foreign keys are not enforced.", "Restart Remit."))
        except apsw.Error as error:
            return [*flaws, fault.flaw(self._fault(error))]
        except RemitError as weak:
            flaws.append(fault.flaw(weak))
        return flaws + fault.surroundings(self.path)

    def _integrity(self) -> list[str]:
        return [str(row[0]) for row in self._execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]

    def _wait(self, tries: int) -> bool:
        # SQLite's own waits grow to 100 ms, and a node that is always late to a lock that is free for less than one
        # never gets it. Short ones meet the gap between another node's commits.
        if tries * NAP_MS >= self._timeout:
            return False
        _never.wait(NAP_MS / 1000)
        return True

    def _abandon(self) -> None:
        """Close whatever the state; the error that brought us here is the one worth telling."""
        self._doubt = True
        with contextlib.suppress(apsw.Error):
            self._db.close(True)

    def _fault(self, error: Exception) -> RemitError:
        if fault.breaks(error):
            self._abandon()
        return fault.translate(error)


def open_sqlite(path: Path, *, vfs: str | None = None) -> Sqlite:
    """Open or create the store at `path`.

    A new file gets mode 0600, a new directory 0700. Refuses a SQLite library with the WAL-reset defect
    (`sqlite_unsafe`), a file or directory that others can write (`store_exposed`), a read-only store
    (`store_read_only`), a file that is no database (`store_corrupt`) or another program's (`store_foreign`), and
    settings
    that do not read back as durable (`store_not_durable`). A file that cannot be made is `store_unavailable`.
    """
    refuse_unsafe(apsw.sqlite_lib_version())
    path = Path(os.path.realpath(path))
    fault.create(path)
    fault.refuse_exposed(path)
    return Sqlite(path, vfs)


def refuse_unsafe(version: str) -> None:
    """Refuse a SQLite library older than 3.51.3 (`sqlite_unsafe`): two connections could corrupt the WAL."""
    if tuple(int(part) for part in version.split(".")[:3]) < SAFE:
        raise RemitError(
            "sqlite_unsafe",
            f"SQLite {version} can corrupt a store that two connections use.",
            "Install apsw 3.51.3 or later, which carries its own SQLite.",
        )
