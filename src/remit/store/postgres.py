"""The shared store: one PostgreSQL connection that is durable, or refuses to open. Many nodes share one database.

Nodes meet at one row: every transaction that writes takes it `FOR UPDATE` first, and reads after it under READ
COMMITTED, so that each statement sees all that the holder before it committed. The server ends a session that holds it
in silence; a server that says nothing for `wire.SILENT` waits is given up by us. The instant is the server's clock.

Statements whose outcome nobody waits for travel together with the next one that is waited for (pipeline mode,
https://www.postgresql.org/docs/current/libpq-pipeline-mode.html); a savepoint is sent only with the first of them.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Final, final

import psycopg
from psycopg import errors, sql
from psycopg.types.numeric import Int8BinaryDumper

from remit.core.errors import RemitError
from remit.store.db import Reads, Row, Value
from remit.store.dialect import dollars, translated
from remit.store.fault import Flaw
from remit.store.late import Late, grouped
from remit.store.refusal import translate, unknown
from remit.store.transaction import within
from remit.store.wire import BOUND, BOUNDED, OLDEST, SCHEMA, SESSION, TIMEOUT_MS, Watched

_LOCK: Final = f"SELECT one FROM {SCHEMA}.writer FOR UPDATE"  # noqa: S608 - our own schema
_CLOCK: Final = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@final
class Postgres:
    """One connection. Build it with `open_postgres`. Raises as `Sqlite` does, and `store_unsafe` for a weak server."""

    remote: Final = True
    held_ms: Final = 40

    __slots__ = ("_conn", "_cursor", "_doubt", "_marks", "_pending", "_plain", "_url", "_warned", "at")

    def __init__(self, url: str) -> None:
        self._url = url
        self._doubt = True
        self._open()

    def _open(self) -> None:
        self._pending: list[Late] = []
        self._marks: list[int] = []
        self._warned = False
        self.at: int | None = None
        try:
            self._conn = Watched.connect(
                self._url, autocommit=True, connect_timeout=2, application_name="remit", prepare_threshold=2,
                keepalives_idle=5, keepalives_interval=1, keepalives_count=3, tcp_user_timeout=4000,
                target_session_attrs="read-write", client_encoding="utf8",
            )  # fmt: skip
        except psycopg.Error as error:
            raise RemitError(
                "store_unavailable",
                f"The database cannot be reached ({error.sqlstate or type(error).__name__}).",
                "Check the store setting, the database and the network between; Remit tries again by itself.",
            ) from error
        try:
            self._conn.adapters.register_dumper(int, Int8BinaryDumper)
            self._conn.add_notice_handler(self._noticed)
            self._cursor, self._plain = self._reading(), psycopg.RawCursor(self._conn)
            self._doubt = False
            self._configure()
        except psycopg.Error as error:
            self._abandon()
            raise translate(error) from error
        except RemitError:
            self._abandon()
            raise

    def _configure(self) -> None:
        if self._conn.info.server_version < OLDEST:
            raise RemitError("store_unsafe", "The database is older than PostgreSQL 15.", "Use 15 or later.")
        for name, value in SESSION:
            self._cursor.execute("SELECT set_config($1, $2, false)", (name, value))
        self._require_durable()
        if not self.all("SELECT 1 FROM pg_namespace WHERE nspname = ?", (SCHEMA,)):
            self._create()

    def _create(self) -> None:
        """Make our schema and its one row; nodes that start together meet at the catalogue's own lock."""
        with contextlib.suppress(errors.UniqueViolation, errors.DuplicateSchema, errors.DuplicateTable):
            self._conn.execute(
                sql.SQL(
                    "BEGIN; CREATE SCHEMA {0}; CREATE TABLE {0}.writer (one BIGINT PRIMARY KEY CHECK (one = 1));"
                    " INSERT INTO {0}.writer VALUES (1); COMMIT"
                ).format(sql.Identifier(SCHEMA))
            )
            return
        self._conn.execute("ROLLBACK")

    def _require_durable(self) -> None:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            value = str(self.all(f"SHOW {name}")[0][0])
            if value in ("off", "local"):
                raise RemitError(
                    "store_not_durable",
                    f"The database answers {name}={value}: a power loss could undo a commit.",
                    f"Set {name} = on for this database and restart it.",
                )

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        # A commit whose wait for the standby was cut short is only a warning to PostgreSQL.
        self._warned = self._warned or notice.severity_nonlocalized == "WARNING"

    # Transactions

    def try_begin(self) -> bool:
        """Take the write lock now, or say False at once when another node holds it."""
        try:
            self._lock(_LOCK + " NOWAIT")
        except errors.LockNotAvailable:
            self.rollback()
            return False
        except psycopg.Error as error:
            raise self._fault(error) from error
        return True

    def begin(self, timeout_ms: int = TIMEOUT_MS, reads: Reads = ()) -> list[list[Row]]:
        """Take the write lock, waiting up to `timeout_ms`; then `store_busy`. Each of `reads` follows at once.

        A transaction begun with `reads` is a batch: from PostgreSQL 17 on the server ends it after `IDLE_MS`.
        """
        bound = BOUND if reads and self._conn.info.server_version >= BOUNDED else ""
        try:
            self._lock(f"SET LOCAL lock_timeout = {int(timeout_ms)}; {_LOCK}{bound}")
        except psycopg.Error as error:
            fault = self._fault(error)
            if not self._doubt:
                self.rollback()
            raise fault from error
        return [self.all(*one) for one in reads]

    def _lock(self, statements: str) -> None:
        """One exchange: begin, take the lock, and read the clock under it."""
        self._refuse_doubt()
        self._pending.clear()
        self._marks.clear()
        self._plain.execute(f"BEGIN; {statements}; {_CLOCK}")
        while self._plain.nextset():
            pass
        self.at = int(self._plain.fetchall()[0][0])

    def commit(self) -> None:
        """Commit, on the server's disk. Any error is `commit_unknown`; the connection is then dropped."""
        self.flush()
        self._warned = False
        try:
            self._refuse_doubt()
            self._cursor.execute("COMMIT")
        except psycopg.Error as error:
            self._abandon()
            raise unknown(error) from error
        if self._warned or self._cursor.statusmessage != "COMMIT":
            self._abandon()
            raise unknown(None)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is open; a dropped connection has none."""
        return not self._doubt and self._conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def rollback(self) -> None:
        """Undo the open transaction; without one, do nothing."""
        self._pending.clear()
        self._marks.clear()
        if self.in_transaction:
            self._now("ROLLBACK")

    def mark(self) -> None:
        """Set a savepoint in the open transaction; marks nest. End each with `release` or `undo`."""
        self._pending.append(Late(f"SAVEPOINT m{len(self._marks)}", ()))
        self._marks.append(len(self._pending) - 1)

    def release(self) -> None:
        """Keep what happened since the latest mark."""
        place = self._marks.pop()
        if place >= 0:
            del self._pending[place]
        else:
            self._pending.append(Late(f"RELEASE SAVEPOINT m{len(self._marks)}", ()))

    def undo(self) -> None:
        """Undo what happened since the latest mark, and drop the mark."""
        place = self._marks.pop()
        if place >= 0:
            del self._pending[place:]
            return
        # What waits may hold the end of a mark inside this one: its own name makes that end unnecessary.
        self._pending.clear()
        self._now(f"ROLLBACK TO SAVEPOINT m{len(self._marks)}")
        self._now(f"RELEASE SAVEPOINT m{len(self._marks)}")

    def transaction(self, timeout_ms: int = TIMEOUT_MS) -> contextlib.AbstractContextManager[None]:
        """Run the body between `begin` and `commit`; roll back when it raises."""
        return within(self, timeout_ms)

    # Statements

    def all(self, statement: str, params: Sequence[Value] = ()) -> list[Row]:
        """Run one statement, after all that waits to be sent, and return all its rows."""
        return self._now(dollars(statement), params).fetchall()

    def one(self, statement: str, params: Sequence[Value] = ()) -> Row | None:
        """Run one statement and return its only row, or None; more than one row is `store_statement`."""
        rows = self.all(statement, params)
        if len(rows) > 1:
            raise RemitError("store_statement", "A look-up of one row found more.", "Report this defect.")
        return rows[0] if rows else None

    def run(self, statement: str, params: Sequence[Value] = ()) -> int:
        """Run one INSERT, UPDATE or DELETE and return how many rows it changed."""
        return self._now(dollars(statement), params).rowcount

    def put(self, statement: str, params: Sequence[Value] = ()) -> None:
        """Have one statement run with the next that is waited for; its fault is raised there, or by `flush`."""
        self._pending.append(Late(dollars(statement), params))

    def many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Have one statement run once for each row, as `put` does."""
        text = dollars(statement)
        self._pending.extend(Late(text, row) for row in rows)

    def expect(self, statement: str, params: Sequence[Value], fault: RemitError) -> None:
        """Have one statement run as `put` does; when it does not change exactly one row, `fault` is raised there."""
        self._pending.append(Late(dollars(statement), params, fault))

    def ahead(self, reads: Reads) -> list[list[Row]]:
        """Send several reads at once, after all that waits, and return the rows of each."""
        self.flush()
        cursors: list[psycopg.RawCursor[Row]] = []
        try:
            self._refuse_doubt()
            with self._conn.pipeline():
                for statement, params in reads:
                    cursor = self._reading()
                    cursors.append(cursor.execute(dollars(statement), params))
            self._again()
            return [cursor.fetchall() for cursor in cursors]
        except (psycopg.Error, ValueError, OverflowError, TypeError) as error:
            raise self._fault(error) from error

    def flush(self) -> None:
        """Send what waits, and hear how all of it went."""
        if self._pending:
            self._now("")

    def _now(self, statement: str, params: Sequence[Value] = ()) -> "psycopg.RawCursor[Row]":
        waiting_too, self._pending = self._pending, []
        self._marks = [-1] * len(self._marks)
        try:
            self._refuse_doubt()
            if not waiting_too:
                return self._cursor.execute(statement, params)
            with self._conn.pipeline():
                sent = [(one, self._reading()) for one in grouped(waiting_too)]
                for one, cursor in sent:
                    cursor.executemany(one.text, one.rows)
            if statement:
                self._cursor.execute(statement, params)
            else:
                self._again()
            for one, cursor in sent:
                if one.fault is not None and cursor.rowcount != len(one.rows):
                    raise one.fault
        except (psycopg.Error, ValueError, OverflowError, TypeError) as error:
            raise self._fault(error) from error
        return self._cursor

    def _again(self) -> None:
        """Let the server count our silence again.

        A pipeline may end with a request to flush, which stops the `idle_in_transaction_session_timeout` without
        starting it anew: a node that stopped then would hold the lock for ever. A plain statement starts it.
        """
        self._cursor.execute("SELECT 1")

    def _reading(self) -> "psycopg.RawCursor[Row]":
        cursor = psycopg.RawCursor(self._conn)
        cursor.format = psycopg.pq.Format.BINARY
        return cursor

    # Schema

    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        rows = self.all("SELECT tablename FROM pg_tables WHERE schemaname = ?", (SCHEMA,))
        return frozenset(row[0] for row in rows) - {"writer"}

    def define(self, statements: str) -> None:
        """Run a migration, translated, in the open transaction."""
        self.flush()
        try:
            self._refuse_doubt()
            self._conn.execute(translated(statements).encode())
        except psycopg.Error as error:
            raise self._fault(error) from error

    def orphans(self) -> int:
        """None: PostgreSQL refuses them as they come."""
        return 0

    def stamped(self) -> int:
        """How many migrations the database has had."""
        return int(self.all("SELECT count(*) FROM migration")[0][0]) if "migration" in self.tables() else 0

    def stamp(self, number: int) -> None:
        """See that the list of migrations, the only mark here, says so (`schema_failed`)."""
        if self.stamped() != number:
            raise RemitError("schema_failed", "The list of migrations has gaps.", "Keep the store and report this.")

    # Upkeep

    @property
    def wal_pages(self) -> int:
        """Always 0: the server looks after its own log."""
        return 0

    @property
    def usable(self) -> bool:
        """False once an error left the connection in doubt; `reopen` makes it usable again."""
        return not self._doubt and not self._conn.closed

    def checkpoint(self, _: int = 0) -> bool:
        """Nothing to do here."""
        return True

    def reopen(self) -> None:
        """Close, and connect again with every check."""
        self._abandon()
        self._open()

    def close(self) -> None:
        """Close; an open transaction is rolled back."""
        self._abandon()

    def check(self) -> list[Flaw]:
        """Say whether the server is reached, durable, and whether its data pages carry checksums."""
        try:
            self._require_durable()
            if self.all("SHOW data_checksums") == [("off",)]:
                return [Flaw("store_unsafe", "The database does not check its pages.", "Run pg_checksums --enable.")]
        except RemitError as weak:
            return [Flaw(weak.code, weak.message, weak.remedy)]
        return []

    def _refuse_doubt(self) -> None:
        if self._doubt:
            raise RemitError("store_dropped", "This connection to the store was dropped.", "Reopen the store.")

    def _abandon(self) -> None:
        self._doubt = True
        with contextlib.suppress(psycopg.Error, AttributeError):
            self._conn.close()

    def _fault(self, error: Exception) -> RemitError:
        if (
            self._conn.closed
            or self._conn.broken
            or isinstance(error, psycopg.InterfaceError)
            or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)
        ):
            self._abandon()
        return translate(error)


def open_postgres(url: str) -> Postgres:
    """Open the store at this libpq URL (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).

    Our tables stand in a schema of their own, made on first use. Refuses a server that is older than 15
    (`store_unsafe`), read-only (`store_unavailable`), or not durable (`store_not_durable`).
    """
    return Postgres(url)
