"""MariaDB and MySQL: a user for each task and path, with its plan's rights and no other; dropped, then tried.

The admin login is sealed (a `mysql://` URL with its password and a database). Settings, all optional: `connections`
(10), `statement_s` (30), `tls` (`system`, or the path of a file of CAs; must be there where the server is not on this
machine), `user_variable` and `password_variable`. A step's rights are those of its `sql:` action, or what
`allow.KIND` = `VERB TABLE(COLUMN, …); …` says of another kind. What is ours stands in the schema `remit` there. A user
is locked until the last statement of its mint, which the server itself refuses past the mint's deadline. What the two
servers say differently stands in `maria_dialect`; MySQL holds no statements to a time, and takes no `statement_s`.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, final
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection

from remit.core.errors import RemitError
from remit.core.sql_rights import Right
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, late, unknown
from remit.custody.sources.admin import Admins
from remit.custody.sources.maria_dialect import DIALECTS, LATE, account
from remit.custody.sources.maria_sql import (
    REACH,
    allowed,
    asked,
    granted,
    quoted,
    rows,
    setting_refused,
)
from remit.custody.sources.static import VariableShape

PATIENCE_S: Final = 5
WAITS: Final = 400
"""How often 5 ms are waited for sessions to end before the drop counts as failed."""
LINGERS: Final = 100
"""How often 5 ms are waited for a refused log-in to leave the list of sessions."""
ALLOW: Final = "allow."
SAYS: Final = (
    "A user for each task and path, with the plan's rights. Dropped with its sessions, and proven by a log-in."
)


@final
class MariaSource:
    """One server. Keeps admin connections that nobody uses at the moment; safe to call from several threads."""

    def __init__(self, url: Secret, owner: str, settings: Mapping[str, str], kind: str = "mariadb") -> None:
        self._url, self._owner, self._dialect = url, owner, DIALECTS[kind]
        self._connections = _number(settings, "connections", "10", 10_000)
        self._statement = _number(settings, "statement_s", "30", 86_400)
        if "statement_s" in settings and not self._dialect.statements:
            raise setting_refused("no statement_s: this server holds no user's statements to a time")
        self._tls = _tls(url, settings.get("tls", ""))
        self._user = VariableShape(settings.get("user_variable", "MYSQL_USER")).name
        self._password = VariableShape(settings.get("password_variable", "MYSQL_PASSWORD")).name
        self._home = urlsplit(url.reveal().decode(errors="replace")).path.strip("/")
        if not self._home:
            raise setting_refused("its secret as mysql://USER:PASSWORD@HOST/DATABASE")
        self._allow = {
            name.removeprefix(ALLOW): allowed(text, self._home)
            for name, text in settings.items()
            if name.startswith(ALLOW)
        }
        self._admins = Admins(self._opened, _answers, _shut)
        self._placed = False

    def describe(self) -> Description:
        """Say that each login is made for one task, and that a drop ends it with its sessions."""
        return Description(self._dialect.kind, Rung.PER_TASK, dynamic=True, revocable=True, says=SAYS)

    def mint(self, intent: Intent) -> Minted:
        """Make the user, locked; give it its rights; let it in last, unless the server's clock says that it is late."""
        given = asked(intent.steps, self._allow, self._home)
        with self._admin() as conn:
            self._place(conn)
            ((now, scheduled),) = rows(
                conn, "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED), @@event_scheduler = 'ON'"
            )
            left = intent.left()
            if left <= 0:
                raise late()
            if self._there(conn, intent.name):
                # An earlier try of this very mint came through and its answer did not: its password is lost.
                self._drop(conn, intent.name)
            try:
                password = self._make(conn, intent, given, now + left, ends=(now + intent.life) if scheduled else 0)
            except (pymysql.Error, RemitError):
                self._drop(conn, intent.name)
                raise
        return Minted(intent.name, intent.until, Secret(password))

    def lend(self, minted: Minted) -> Lent:
        """User and password, for who connects for the agent, and for a program that Remit runs for the task."""
        if minted.secret is None:
            raise unknown()
        user = self._dialect.user(minted.name)
        environ = ((self._user, Secret(user.encode())), (self._password, minted.secret))
        return Lent(user=user, password=minted.secret, environ=environ)

    def drop(self, minted: Minted) -> None:
        """No log-in any more, then no session, then no user."""
        with self._admin() as conn:
            self._drop(conn, minted.name)

    def probe(self, minted: Minted) -> Gone:
        """Try to log in, then look for the user and its sessions. A server that cannot be asked proves nothing."""
        password = minted.secret.reveal().decode() if minted.secret else "no password was recorded"
        if self._lets_in(minted.name, password):
            return Gone.LIVE
        with self._admin() as conn:
            if self._there(conn, minted.name):
                return Gone.LIVE
            for _ in range(LINGERS):
                # The log-in that was refused stands in the list itself until its thread has ended.
                if not self._sessions(conn, minted.name):
                    return Gone.GONE
                rows(conn, "SELECT SLEEP(0.005)")
        return Gone.LIVE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """Each verb on each table that the user may use, as the server says."""
        with self._admin() as conn:
            user = self._dialect.user(minted.name)
            found = rows(conn, REACH, {"who": account(user), "name": user})
        return tuple(f"{verb} {place}{f' ({columns})' if columns else ''}" for verb, place, columns in found)

    def found(self) -> tuple[str, ...]:
        """The names that the schema `remit` holds for this ledger: a user is written down there before it is made."""
        with self._admin() as conn:
            ((there,),) = rows(conn, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'remit'")
            names = rows(conn, "SELECT name FROM remit.lease WHERE ledger = %s", (self._owner,)) if there else []
        return tuple(sorted(name for (name,) in names))

    def close(self) -> None:
        """Close the admin connections."""
        self._admins.close()

    def _make(self, conn: Connection, intent: Intent, given: tuple[Right, ...], limit: int, *, ends: int) -> bytes:
        """The statements of one mint. Each alone makes nothing that lets anybody in, but the last."""
        user = self._dialect.user(intent.name)
        who = account(user)
        labels = json.dumps(dict(intent.labels), sort_keys=True)
        row = (intent.name, user, self._owner, intent.task, intent.person, labels)
        timed = f" MAX_STATEMENT_TIME {self._statement}" if self._dialect.statements else ""
        held = (
            f"{'REQUIRE SSL' if self._tls else ''} WITH MAX_USER_CONNECTIONS {self._connections}{timed}"
            " ACCOUNT LOCK PASSWORD EXPIRE INTERVAL 1 DAY"
        )
        rows(
            conn,
            "REPLACE INTO remit.lease (name, account, ledger, task, person, labels) VALUES (%s,%s,%s,%s,%s,%s)",
            row,
        )
        password = self._dialect.make(conn, user, held, intent.random)
        for one in given:
            rows(conn, f"GRANT {granted(conn, one)} TO {who}")
        if ends:
            rows(
                conn,
                f"CREATE EVENT remit.{quoted(intent.name)} ON SCHEDULE AT FROM_UNIXTIME({ends / 1000})"
                f" DO DROP USER IF EXISTS {who}",
            )
        self._dialect.let_in(conn, user, limit)
        return password

    def _drop(self, conn: Connection, name: str) -> None:
        """End it step by step; each can be done again. Its row goes last: until then it is found."""
        who = account(self._dialect.user(name))
        with conn.cursor() as cursor:
            if self._there(conn, name):
                cursor.execute(f"ALTER USER IF EXISTS {who} ACCOUNT LOCK")
                self._cut(conn, name)
            cursor.execute(f"DROP USER IF EXISTS {who}")
            # A session that was being let in when log-ins ended would be seen by now.
            self._cut(conn, name)
            ((placed,),) = rows(conn, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'remit'")
            if placed:
                cursor.execute(f"DROP EVENT IF EXISTS remit.{quoted(name)}")
                cursor.execute("DELETE FROM remit.lease WHERE name = %s", (name,))

    def _cut(self, conn: Connection, name: str) -> None:
        """End every session of a user, and wait until none is left."""
        for _ in range(WAITS):
            sessions = self._sessions(conn, name)
            if not sessions:
                return
            with conn.cursor() as cursor:
                for one in sessions:
                    try:
                        cursor.execute(f"KILL CONNECTION {int(one)}")
                    except pymysql.err.OperationalError as fault:
                        if fault.args[0] != _NO_SUCH_THREAD:
                            raise
                cursor.execute("SELECT SLEEP(0.005)")
        raise RemitError("target_unended", "Sessions of this user do not end at the target.", "Look at the target.")

    def _sessions(self, conn: Connection, name: str) -> list[int]:
        text = "SELECT id FROM information_schema.processlist WHERE user = %s"
        return [one for (one,) in rows(conn, text, (self._dialect.user(name),))]

    def _there(self, conn: Connection, name: str) -> bool:
        text = f"SELECT 1 FROM {self._dialect.users} WHERE User = %s"  # noqa: S608 - one of two tables
        return bool(rows(conn, text, (self._dialect.user(name),)))

    def _place(self, conn: Connection) -> None:
        if self._placed:
            return
        with conn.cursor() as cursor:
            for one in self._dialect.place:
                cursor.execute(one)
        self._placed = True

    def _lets_in(self, name: str, password: str) -> bool:
        try:
            _shut(self._connected(self._dialect.user(name), password, None))
        except pymysql.Error:
            return False
        return True

    @contextmanager
    def _admin(self) -> Iterator[Connection]:
        """An admin connection for one piece of work; one that faulted is not used again."""
        try:
            with self._admins.one() as conn:
                yield conn
        except pymysql.Error as fault:
            raise _fault(fault) from None

    def _opened(self) -> Connection:
        parts = urlsplit(self._url.reveal().decode())
        made = self._connected(unquote(parts.username or ""), unquote(parts.password or ""), self._home)
        if not self._dialect.is_of(str(made.get_server_info())):
            _shut(made)
            raise RemitError(
                "target_declined", f"This server is no {self._dialect.kind}.", "Use another source for it."
            )
        return made

    def _connected(self, user: str, password: str, database: str | None) -> Connection:
        parts = urlsplit(self._url.reveal().decode())
        return pymysql.connect(
            host=parts.hostname, port=parts.port or 3306, user=user, password=password, database=database,
            autocommit=True, connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, write_timeout=PATIENCE_S,
            charset="utf8mb4", ssl=self._tls, local_infile=False,
            init_command="SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'",
        )  # fmt: skip


_NO_SUCH_THREAD: Final = 1094


def _tls(url: Secret, said: str) -> ssl.SSLContext | None:
    local = urlsplit(url.reveal().decode(errors="replace")).hostname in ("127.0.0.1", "::1", "localhost")
    if not said:
        if not local:
            raise setting_refused("tls, for a server that is not on this machine")
        return None
    try:
        return ssl.create_default_context(cafile=None if said == "system" else said)
    except OSError:
        raise setting_refused("tls, as system or the path of a file of CAs") from None


def _answers(conn: Connection) -> bool:
    try:
        conn.ping(reconnect=False)
    except pymysql.Error:
        return False
    return True


def _shut(conn: Connection) -> None:
    try:
        conn.close()
    except pymysql.Error:
        return


def _number(settings: Mapping[str, str], name: str, held: str, most: int) -> int:
    text = settings.get(name, held)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise setting_refused(f"{name} as a number from 1 to {most}")
    return int(text)


def _fault(fault: pymysql.Error) -> RemitError:
    """What the server says, without what was sent to it: an error of syntax quotes the statement."""
    number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    said = str(fault.args[1]) if len(fault.args) > 1 else ""
    if LATE in said:
        return late()
    if number in (0, 2002, 2003, 2006, 2013):
        return RemitError("target_unavailable", "The database cannot be reached.", "Look at the target.")
    told = "" if number == 1064 else ": " + " ".join(said.split())[:140]
    return RemitError(
        "target_declined", f"The database refused ({number}){told}.", "Give the admin login what it needs."
    )
