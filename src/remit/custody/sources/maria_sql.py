"""What the source of MariaDB and MySQL says to a server: what is ours there, the rights of a plan, quoted names."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pymysql.connections import Connection

from remit.core.errors import RemitError
from remit.core.resource import split
from remit.core.sql_rights import BY_COLUMN, VERBS, Right, rights
from remit.core.step import Step

OURS: Final = frozenset({"mysql", "information_schema", "performance_schema", "sys", "remit"})
"""Schemas that no plan gets anything in."""
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS remit.lease (name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,"
    " account VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, ledger VARCHAR(255) NOT NULL,"
    " task VARCHAR(64) NOT NULL, person VARCHAR(64) NOT NULL, labels TEXT NOT NULL, KEY (account))"
    " CHARACTER SET utf8mb4"
)
_PERSON: Final = (
    "CREATE FUNCTION IF NOT EXISTS remit.person() RETURNS VARCHAR(64) READS SQL DATA SQL SECURITY DEFINER"
    " RETURN (SELECT person FROM remit.lease WHERE account = SUBSTRING_INDEX(SESSION_USER(), '@', 1))"
)
PLACE: Final = ("CREATE DATABASE IF NOT EXISTS remit", _TABLE, _PERSON)
"""What is ours there. Views of the delegated path ask `remit.person()`; an agent can neither write nor set it."""
REACH: Final = """
SELECT lower(privilege_type), concat(table_schema, '.', table_name) AS place, '' AS columns
FROM information_schema.table_privileges WHERE grantee = %(who)s
UNION ALL
SELECT lower(privilege_type), concat(table_schema, '.', table_name),
  group_concat(column_name ORDER BY column_name SEPARATOR ', ')
FROM information_schema.column_privileges WHERE grantee = %(who)s GROUP BY 1, 2
UNION ALL
SELECT 'call', concat(Db, '.', Routine_name), '' FROM mysql.procs_priv WHERE User = %(name)s
ORDER BY 2, 1
"""
_STATEMENT = re.compile(r"\s*([a-z]+(?:,[a-z]+)*)\s+([^\s(;]+)\s*(?:\(([^)]*)\))?\s*", re.ASCII)


def asked(steps: tuple[Step, ...], allow: Mapping[str, tuple[Right, ...]], home: str) -> tuple[Right, ...]:
    """What these steps ask for. Refuses a kind that nothing is set for, and what neither gives on one table."""
    told: list[Right] = []
    for kind in sorted({split(step.action)[1] for step in steps if not step.action.startswith("sql:")}):
        if kind not in allow:
            raise _unbounded(f"nothing is allowed for {kind}")
        told += allow[kind]
    listed = rights((step for step in steps if step.action.startswith("sql:")), home=home)
    given = tuple(sorted({*told, *listed}))
    if any(one.schema.lower() in OURS for one in given):
        raise _unbounded("it names a schema of the server's own")
    if any(one.verb == "truncate" for one in given):
        raise _unbounded("to truncate a table is to drop it there")
    return given


def rows(conn: Connection, text: str, values: Any = None) -> list[tuple[Any, ...]]:
    """What one query answers."""
    with conn.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


def granted(conn: Connection, one: Right) -> str:
    """What stands between GRANT and TO: a verb, its columns and its table, or one routine of that name."""
    place = f"{quoted(one.schema)}.{quoted(one.table)}"
    if one.verb == "call":
        text = "SELECT routine_type FROM information_schema.routines WHERE routine_schema = %s AND routine_name = %s"
        kinds = [kind for (kind,) in rows(conn, text, (one.schema, one.table))]
        if len(kinds) != 1 or kinds[0] not in ("FUNCTION", "PROCEDURE"):
            raise _unbounded("it calls what is not one function or procedure")
        return f"EXECUTE ON {kinds[0]} {place}"
    columns = f" ({', '.join(map(quoted, one.columns))})" if one.columns else ""
    return f"{one.verb.upper()}{columns} ON TABLE {place}"


def quoted(name: str) -> str:
    """An identifier, quoted."""
    return "`" + name.replace("`", "``") + "`"


def allowed(text: str, home: str) -> tuple[Right, ...]:
    """The rights that a setting `allow.KIND` lists."""
    found = []
    for part in text.split(";"):
        match = _STATEMENT.fullmatch(part)
        columns = tuple(sorted(one.strip() for one in match[3].split(","))) if match and match[3] is not None else ()
        verbs = match[1].split(",") if match else []
        by_column = all(one in BY_COLUMN for one in verbs) or not columns
        if match is None or not {*verbs} <= {*VERBS} or not by_column or not all(columns):
            raise setting_refused("allow.KIND as VERB TABLE(COLUMN, …); …")
        schema, mark, table = match[2].rpartition(".")
        found += [Right(schema if mark else home, table, verb, columns) for verb in verbs]
    return tuple(found)


def _unbounded(why: str) -> RemitError:
    return RemitError(
        "rights_unbounded",
        f"No login can be made for this plan: {why}.",
        "Set allow.KIND at this target, or plan less.",
    )


def setting_refused(what: str) -> RemitError:
    """What a source of these cannot do without, or cannot read."""
    return RemitError(
        "setting_invalid", f"A source of this kind must know {what}.", "Set it: remit lease mint … --set."
    )
