"""What a store is to the rest: one durable connection, whichever database is behind it.

Statements are the subset of SQL that SQLite and PostgreSQL both speak, with `?` for each value. Time-outs and instants
are milliseconds. Every method raises `RemitError` with a `store_` code, and `commit_unknown` for a commit in doubt.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from remit.core.errors import RemitError
from remit.store.fault import Flaw

Value = None | int | float | str | bytes
Row = tuple[Any, ...]
Reads = Sequence[tuple[str, Sequence[Any]]]
"""Statements that only read, each with its values."""


class Database(Protocol):
    """One connection, used by one thread at a time. Built by `store.opening.open_db`, owned by whoever opened it.

    `remote` says that each statement waits for a network; `held_ms` is how long a batch may hold the write lock; `at`
    is the store's own clock when the write lock was taken, or None when the store has no clock but this machine's.
    """

    @property
    def remote(self) -> bool:
        """Whether each statement waits for a network."""
        ...

    @property
    def held_ms(self) -> int:
        """How long a batch may hold the write lock."""
        ...

    @property
    def at(self) -> int | None:
        """The store's own clock when the write lock was taken; None when it is this machine's."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    @property
    def usable(self) -> bool:
        """False once an error left the connection in doubt."""
        ...

    @property
    def wal_pages(self) -> int:
        """Pages that wait for a checkpoint."""
        ...

    def try_begin(self) -> bool:
        """Take the write lock now, or say False at once."""
        ...

    def begin(self, timeout_ms: int = ..., reads: Reads = ()) -> list[list[Row]]:
        """Take the write lock, waiting up to `timeout_ms`, and return the rows of each of `reads`, read under it."""
        ...

    def commit(self) -> None:
        """Commit durably."""
        ...

    def rollback(self) -> None:
        """Undo the open transaction."""
        ...

    def mark(self) -> None:
        """Set a savepoint; marks nest."""
        ...

    def release(self) -> None:
        """Keep what happened since the latest mark."""
        ...

    def undo(self) -> None:
        """Undo what happened since the latest mark."""
        ...

    def transaction(self, timeout_ms: int = ...) -> AbstractContextManager[None]:
        """Run the body between `begin` and `commit`."""
        ...

    def all(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        ...

    def one(self, sql: str, params: Sequence[Value] = ()) -> Row | None:
        """Run one statement and return its only row, or None."""
        ...

    def run(self, sql: str, params: Sequence[Value] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        ...

    def put(self, sql: str, params: Sequence[Value] = ()) -> None:
        """Run one statement whose outcome nobody waits for; a fault may come later, at `flush` at the latest."""
        ...

    def expect(self, sql: str, params: Sequence[Value], fault: RemitError) -> None:
        """Run one statement that must change exactly one row, else `fault`: now, or at `flush` at the latest."""
        ...

    def ahead(self, reads: Reads) -> list[list[Row]]:
        """Run several reads at the price of one, and return the rows of each."""
        ...

    def flush(self) -> None:
        """Make sure that all that was put has run."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Put one statement once for each row."""
        ...

    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        ...

    def define(self, sql: str) -> None:
        """Run statements that change the schema."""
        ...

    def orphans(self) -> int:
        """How many rows refer to rows that do not exist."""
        ...

    def stamped(self) -> int:
        """How many migrations the store says it has had."""
        ...

    def stamp(self, number: int) -> None:
        """Write how many migrations it has had."""
        ...

    def checkpoint(self, pages: int = 0) -> bool:
        """Copy what waits into the main file."""
        ...

    def reopen(self) -> None:
        """Open again with every check."""
        ...

    def close(self) -> None:
        """Close; an open transaction is rolled back."""
        ...

    def check(self) -> list[Flaw]:
        """What the doctor has to say."""
        ...
