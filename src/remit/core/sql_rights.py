"""What the steps of a plan ask of a database: verbs on tables, columns and functions, by name, and nothing else.

A step's action is `sql:RESOURCE/VERB`. Its tables are listed by a limit (`one_of` or `equals`) on `relation`; its
columns, where it bounds any, by one on `/columns/*`, as `column` (of each table of the step) or `schema.table.column`.
What is not listed cannot be granted: a prefix or a pattern is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError
from remit.core.limit.values import AnyValue, OneOf
from remit.core.resource import split
from remit.core.step import Step

KINDS: Final = ("mariadb", "mysql", "postgres")
"""The sources whose rights are these."""
VERBS: Final = ("select", "insert", "update", "delete", "truncate", "call")
BY_COLUMN: Final = ("select", "insert", "update")
"""The verbs that a database can grant on single columns."""
TABLES: Final = ("relation",)
COLUMNS: Final = ("/columns/*", "columns")
LONGEST: Final = 63
MOST: Final = 500
_NAME = re.compile(r"[^\x00-\x1f\x7f\"'`\\;.]{1,63}")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one table; on the named columns, or on the whole of it when none is named.

    The verb `call` is on the functions of a name.
    """

    schema: str
    table: str
    verb: str
    columns: tuple[str, ...] = ()


def rights(steps: Iterable[Step], home: str = "public") -> tuple[Right, ...]:
    """The rights that these steps ask for, each table and verb once. Refuses what cannot be listed.

    A table that names no schema lies in `home`. A step without columns takes the whole table; with several steps on one
    table and verb the columns add up, and the whole table wins (`rights_unbounded`, `rights_invalid`).
    """
    found: dict[tuple[str, str, str], set[str] | None] = {}
    for step in steps:
        verb = split(step.action)[1]
        if verb not in VERBS:
            continue
        tables = _listed(step, TABLES)
        if tables is None:
            raise _unbounded("a step does not list its tables")
        places = [_table(one, home) for one in tables]
        columns = _listed(step, COLUMNS)
        for schema, table in places:
            key = (schema, table, verb)
            mine = None if columns is None or verb not in BY_COLUMN else _columns(columns, schema, table)
            held = found.get(key, set())
            found[key] = None if mine is None or held is None else held | mine
    made = [
        Right(*key, () if columns is None else tuple(sorted(columns)))
        for key, columns in found.items()
        if columns != set()
    ]
    if len(made) > MOST:
        raise _unbounded(f"it asks for more than {MOST} tables")
    return tuple(sorted(made))


def writes(given: Sequence[Right]) -> bool:
    """Say whether anything but reading is asked for."""
    return any(one.verb != "select" for one in given)


def _listed(step: Step, names: tuple[str, ...]) -> list[str] | None:
    """The values that a limit on one of these arguments lists; None when no such argument is named."""
    named = [name for name in names if name in step.arguments]
    if not named:
        return None
    limits = step.arguments[named[0]]
    if names is COLUMNS and all(isinstance(one, AnyValue) for name in named for one in step.arguments[name]):
        return None
    lists = [one for one in limits if isinstance(one, OneOf)]
    if not lists or len(named) > 1:
        raise _unbounded("a step bounds its tables or columns by something else than one list")
    kept = [value for value in lists[0].values() if all(one.allows(value) for one in limits)]
    flat: list[str] = []
    for value in kept:
        for one in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(one, str):
                raise _invalid("a table or column is a text")
            if one not in flat:
                flat.append(one)
    return flat


def _table(text: str, home: str) -> tuple[str, str]:
    schema, mark, table = text.rpartition(".")
    return (_name(schema) if mark else home), _name(table)


def _columns(listed: Sequence[str], schema: str, table: str) -> set[str]:
    """The columns of this table among those that a step lists."""
    found = set()
    for one in listed:
        place, mark, column = one.rpartition(".")
        if one == "*":
            raise _unbounded("a star stands for columns that nobody listed")
        if not mark or place in (table, f"{schema}.{table}"):
            found.add(_name(column))
    return found


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or len(text.encode()) > LONGEST or text.startswith("pg_"):
        raise _invalid("a table or column has a name that cannot be, or is the database's own")
    return text


def _unbounded(why: str) -> RemitError:
    return RemitError(
        "rights_unbounded",
        f"No login can be made for this plan: {why}.",
        "List tables and columns by one_of or equals.",
    )


def _invalid(why: str) -> RemitError:
    return RemitError("rights_invalid", f"No login can be made for this plan: {why}.", "Correct the step's lists.")
