"""PostgreSQL: a role for each task and path, with the rights of its plan's steps and no other; dropped, then tried.

The admin login is sealed (a `postgresql://` URL with its password). It needs CREATEROLE, and the right to grant what
plans may ask for; it need not be a superuser. Settings, all optional: `connections` (10), `statement_ms` (30,000),
`idle_ms` in a transaction (10,000), `session_ms` (600,000). Identifiers and values are quoted in mint and in drop.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, final

import psycopg
from psycopg import sql

from remit.core.errors import RemitError
from remit.core.sql_rights import Right, rights, writes
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, late, unknown
from remit.custody.sources.admin import Admins

PATIENCE_S: Final = 5
ROUNDS: Final = 4096
"""Of SCRAM (RFC 7677). The password is 32 random bytes, so that more would not make it any harder to guess."""
WAITS: Final = 400
"""How often 5 ms are waited for sessions to end before the drop counts as failed."""
DEFAULTS: Final = {"connections": 10, "statement_ms": 30_000, "idle_ms": 10_000, "session_ms": 600_000}
PEOPLE: Final = """
CREATE SCHEMA IF NOT EXISTS remit;
CREATE TABLE IF NOT EXISTS remit.lease (role name PRIMARY KEY, task text NOT NULL, person text NOT NULL);
CREATE OR REPLACE FUNCTION remit.person() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog AS 'SELECT person FROM remit.lease WHERE role = session_user';
GRANT USAGE ON SCHEMA remit TO PUBLIC;
"""
"""What row-level policies of the delegated path ask: who the session is for. An agent can neither write nor set it."""
SAYS: Final = (
    "A role for each task and path, with the plan's rights. Dropped with its sessions, and proven by a log-in."
)


@final
class PostgresSource:
    """One database. Keeps admin connections that nobody uses at the moment; safe to call from several threads."""

    def __init__(self, url: Secret, owner: str, settings: Mapping[str, str] | None = None) -> None:
        self._url, self._owner = url, owner
        self._settings = {name: _number(name, (settings or {}).get(name, held)) for name, held in DEFAULTS.items()}
        self._admins = Admins(self._opened, _answers, psycopg.Connection[Any].close)

    def describe(self) -> Description:
        """Say that each login is made for one task, and that a drop ends it with its sessions."""
        return Description("postgres", Rung.PER_TASK, dynamic=True, revocable=True, says=SAYS)

    def mint(self, intent: Intent) -> Minted:
        """Make the role in one transaction, which the target itself refuses past the mint's deadline."""
        given = rights(intent.steps)
        password = b64encode(intent.random(32))
        with self._admin() as conn:
            now, until, whole = conn.execute(_TIMES, (intent.life,)).fetchone() or (0, "", False)
            left = intent.left()
            if left <= 0:
                raise late()
            if intent.person:
                self._people(conn)
            script = self._script(
                conn, intent, given, _scram(password, intent.random(16)), until, now + left, whole=whole
            )
            try:
                conn.execute(script)
            except psycopg.errors.DuplicateObject:
                # An earlier try of this very mint came through and its answer did not: its password is lost.
                self._drop(conn, intent.name)
                conn.execute(script)
        return Minted(intent.name, intent.until, Secret(password))

    def lend(self, minted: Minted) -> Lent:
        """User and password, for whoever connects on the agent's behalf (`lease_ended` when it was never recorded)."""
        if minted.secret is None:
            raise unknown()
        return Lent(user=minted.name, password=minted.secret)

    def drop(self, minted: Minted) -> None:
        """No log-in any more, then no session, then no rights, then no role."""
        with self._admin() as conn:
            self._drop(conn, minted.name)

    def probe(self, minted: Minted) -> Gone:
        """Try to log in, then look for the role and its sessions. A server that cannot be asked proves nothing."""
        password = minted.secret.reveal().decode() if minted.secret else "no password was recorded"
        if self._lets_in(minted.name, password):
            return Gone.LIVE
        with self._admin() as conn:
            row = conn.execute(
                "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %(name)s),"
                " (SELECT count(*) FROM pg_stat_activity WHERE usename = %(name)s)",
                {"name": minted.name},
            ).fetchone()
        return Gone.GONE if row == (0, 0) else Gone.LIVE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """Each verb on each table of the database that the role may use, as the database says."""
        with self._admin() as conn:
            if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (minted.name,)).fetchone() is None:
                return ()
            found = conn.execute(_REACH, {"name": minted.name}).fetchall()
        return tuple(f"{verb} {place}{f' ({columns})' if columns else ''}" for verb, place, columns in found)

    def found(self) -> tuple[str, ...]:
        """The roles whose comment names this ledger."""
        with self._admin() as conn:
            rows = conn.execute(
                "SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname LIKE 'remit\\_%'"
            ).fetchall()
        return tuple(sorted(name for name, said in rows if _owner(said) == self._owner))

    def close(self) -> None:
        """Close the admin connections."""
        self._admins.close()

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[Any]]:
        """An admin connection for one piece of work; one that faulted is not used again."""
        try:
            with self._admins.one() as conn:
                yield conn
        except psycopg.Error as fault:
            raise _fault(fault) from None

    def _opened(self) -> psycopg.Connection[Any]:
        conn = psycopg.connect(
            self._url.reveal().decode(),
            autocommit=True,
            connect_timeout=PATIENCE_S,
            application_name="remit",
            prepare_threshold=None,
        )
        conn.execute(
            "SET statement_timeout = 5000; SET lock_timeout = 3000; SET idle_in_transaction_session_timeout = 5000;"
            " SET client_min_messages = error; SET search_path = pg_catalog"
        )
        return conn

    def _people(self, conn: psycopg.Connection[Any]) -> None:
        if conn.execute("SELECT to_regprocedure('remit.person()') IS NULL").fetchone() == (True,):
            conn.execute(PEOPLE)

    def _script(
        self,
        conn: psycopg.Connection[Any],
        intent: Intent,
        given: tuple[Right, ...],
        verifier: str,
        until: str,
        limit: int,
        *,
        whole: bool,
    ) -> str:
        """The statements of one mint. They run in one transaction, which need not be durable: it is gone, or it is."""
        role = sql.Identifier(intent.name)
        # Whoever opens a task names its labels: none takes the place of the name by which the role is found again.
        label = json.dumps({**dict(intent.labels), "ledger": self._owner}, sort_keys=True)
        guard = sql.SQL(
            "DO $remit$ BEGIN IF clock_timestamp() >= to_timestamp({}) THEN"
            " RAISE EXCEPTION 'remit: this mint is late'; END IF; END $remit$"
        ).format(sql.Literal(limit / 1000))
        settings = {
            "statement_timeout": self._settings["statement_ms"],
            "idle_in_transaction_session_timeout": self._settings["idle_ms"],
            "idle_session_timeout": self._settings["session_ms"],
            "application_name": intent.name,
            "default_transaction_read_only": "off" if writes(given) else "on",
        }
        schemas = sorted({one.schema for one in given})
        parts: list[sql.Composable] = [
            sql.SQL("SET LOCAL synchronous_commit = off"),
            _ONE_BY_ONE,
            guard,
            sql.SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
                " CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}"
            ).format(
                role,
                sql.Literal(self._settings["connections"]),
                sql.Literal(verifier),
                sql.Literal(until),
            ),
            # Who is no superuser may end the sessions and drop the things of a role only as a member of it.
            *(() if whole else (sql.SQL("GRANT {} TO CURRENT_USER").format(role),)),
            sql.SQL("COMMENT ON ROLE {} IS {}").format(role, sql.Literal(label)),
            *(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.SQL(name), sql.Literal(value))
                for name, value in settings.items()
            ),
            *_path(role, schemas),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(conn.info.dbname), role),
            *(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(one), role) for one in schemas),
            *(_grant(one, role) for one in given if one.verb != "call"),
            *_calls(conn, given, role),
        ]
        if intent.person:
            row = sql.SQL(", ").join(map(sql.Literal, (intent.name, intent.task, intent.person)))
            parts.append(sql.SQL("INSERT INTO remit.lease (role, task, person) VALUES ({})").format(row))
        return sql.SQL("; ").join([*parts, guard]).as_string(conn)

    def _drop(self, conn: psycopg.Connection[Any], name: str) -> None:
        """End it step by step; each can be done again. Only the last one must be durable."""
        found = conn.execute("SELECT oid FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        if found is None:
            return
        role = sql.Identifier(name)
        conn.execute(sql.SQL("SET LOCAL synchronous_commit = off; ALTER ROLE {} NOLOGIN").format(role).as_string(conn))
        self._cut(conn, found[0])
        steps: list[sql.Composable] = [
            _ONE_BY_ONE,
            sql.SQL("DROP OWNED BY {}").format(role),
            sql.SQL("DROP ROLE {}").format(role),
        ]
        if conn.execute("SELECT to_regclass('remit.lease') IS NOT NULL").fetchone() == (True,):
            steps.insert(1, sql.SQL("DELETE FROM remit.lease WHERE role = {}").format(sql.Literal(name)))
        conn.execute(sql.SQL("; ").join(steps).as_string(conn))
        # A session that was being let in when log-ins ended would be seen by now.
        self._cut(conn, found[0])

    def _cut(self, conn: psycopg.Connection[Any], oid: int) -> None:
        """End every session of a role, and wait until none is left."""
        for _ in range(WAITS):
            row = conn.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = %s", (oid,)
            ).fetchone()
            if row == (0,):
                return
            conn.execute("SELECT pg_sleep(0.005)")
        raise RemitError("target_unended", "Sessions of this role do not end at the target.", "Look at the target.")

    def _lets_in(self, name: str, password: str) -> bool:
        try:
            psycopg.connect(
                self._url.reveal().decode(), user=name, password=password, connect_timeout=PATIENCE_S, passfile="",
                application_name="remit probe",
            ).close()  # fmt: skip
        except psycopg.OperationalError:
            return False
        return True


_ONE_BY_ONE: Final = sql.SQL("SELECT pg_advisory_xact_lock(8245935412)")
"""Two grants on one table at the same time fail in PostgreSQL ("tuple concurrently updated"): they wait here."""
_TIMES: Final = (
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
    " (clock_timestamp() + %s * interval '1 millisecond')::text,"
    " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
)
"""The target's own clock, when a lease of so many milliseconds ends by it, and whether the admin may do everything."""
_NAMED: Final = (
    "SELECT format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))"
    " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s AND p.proname = %s"
)
"""The functions of a name, as the database itself writes them."""
_REACH: Final = """
SELECT verb, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       CASE WHEN has_table_privilege(%(name)s, c.oid, verb) THEN '' ELSE (
         SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           AND verb <> 'delete' AND has_column_privilege(%(name)s, c.oid, a.attnum, verb)) END AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(ARRAY['select', 'insert', 'update', 'delete']) AS verb
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND has_schema_privilege(%(name)s, n.oid, 'usage')
  AND (has_table_privilege(%(name)s, c.oid, verb)
       OR (verb <> 'delete' AND has_any_column_privilege(%(name)s, c.oid, verb)))
ORDER BY 2, 1
"""


def _answers(conn: psycopg.Connection[Any]) -> bool:
    try:
        conn.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _path(role: sql.Identifier, schemas: list[str]) -> list[sql.Composable]:
    """Names without a schema are looked for where the plan reaches, and nowhere that the role could write."""
    names = sql.SQL(", ").join(map(sql.Identifier, schemas or ["pg_catalog"]))
    return [sql.SQL("ALTER ROLE {} SET search_path = {}").format(role, names)]


def _grant(one: Right, role: sql.Identifier) -> sql.Composable:
    columns = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, one.columns)))
    return sql.SQL("GRANT {}{} ON TABLE {} TO {}").format(
        sql.SQL(one.verb.upper()),
        columns if one.columns else sql.SQL(""),
        sql.Identifier(one.schema, one.table),
        role,
    )


def _calls(conn: psycopg.Connection[Any], given: tuple[Right, ...], role: sql.Identifier) -> Iterator[sql.Composable]:
    """EXECUTE on every function of each name that the plan calls."""
    for one in given:
        if one.verb == "call":
            rows = conn.execute(_NAMED, (one.schema, one.table)).fetchall()
            yield from (sql.SQL("GRANT EXECUTE ON ROUTINE {} TO {}").format(sql.SQL(text), role) for (text,) in rows)


def _scram(password: bytes, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5803 form): the password itself never stands in a statement."""
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _owner(said: str | None) -> str:
    """The ledger that a comment names; empty for one that is none of ours."""
    try:
        value = json.loads(said or "")
    except ValueError:
        return ""
    return str(value.get("ledger", "")) if isinstance(value, dict) else ""


def _number(name: str, value: str | int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if not 0 < number <= 86_400_000:
        raise RemitError(
            "setting_invalid", f"{name} of this target is no number in range.", "Correct its registration."
        )
    return number


def _fault(fault: psycopg.Error) -> RemitError:
    """What the database says, without what was sent to it."""
    said = fault.diag.message_primary
    if said == "remit: this mint is late":
        return late()
    if isinstance(fault, psycopg.OperationalError) and said is None:
        return RemitError("target_unavailable", "The database cannot be reached.", "Look at the target.")
    what = " ".join((said or type(fault).__name__).split())[:160]
    return RemitError("target_declined", f"The database refused: {what}.", "Give the admin login what it needs.")
