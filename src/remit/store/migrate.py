"""Numbered plain SQL files, each applied once, in order, in one transaction that also records it.

A file that was applied is part of the store's history: editing, renaming or removing it is refused, and so is a store
that a newer Remit has already changed. The instant comes in as an argument.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store.db import Database

_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql", re.ASCII)
_TABLE: Final = """
CREATE TABLE migration (
  number  INTEGER PRIMARY KEY,
  name    TEXT    NOT NULL,
  digest  BLOB    NOT NULL,
  applied INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file `NNNN_name.sql`; `digest` is SHA-256 of its bytes."""

    number: int
    name: str
    sql: str
    digest: bytes


def packaged() -> tuple[Migration, ...]:
    """Return the migrations that this Remit ships, in order."""
    folder = resources.files("remit.store") / "schema"
    return parse((entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".sql"))


def parse(files: Iterable[tuple[str, bytes]]) -> tuple[Migration, ...]:
    """Build migrations from file names and bytes. Refuses what is not numbered 0001, 0002, … (`schema_edited`)."""
    found: list[Migration] = []
    for name, data in sorted(files):
        match = _FILE.fullmatch(name)
        if match is None or int(match[1]) != len(found) + 1:
            raise _edited(f"{name} is not migration {len(found) + 1:04d}")
        found.append(Migration(int(match[1]), match[2], data.decode(), hashlib.sha256(data).digest()))
    return tuple(found)


def migrate(db: Database, now: Instant, migrations: Sequence[Migration]) -> tuple[int, ...]:
    """Apply what is missing and return the numbers applied; two nodes that start together apply each file once.

    Refuses an applied file that was edited, renamed or removed (`schema_edited`), a store that a newer Remit changed
    (`schema_newer`), and a file that fails or leaves orphaned references (`schema_failed`); what
    failed leaves no trace.
    """
    done: list[int] = []
    while True:
        with db.transaction():
            applied = _applied(db, migrations)
            if applied == len(migrations):
                return tuple(done)
            _apply(db, now, migrations[applied])
        done.append(applied + 1)


def require_current(db: Database, migrations: Sequence[Migration]) -> None:
    """Refuse a store whose schema is not exactly these migrations (`schema_edited`, `schema_newer`, `schema_older`)."""
    applied = _applied(db, migrations)
    if applied < len(migrations):
        raise RemitError(
            "schema_older",
            f"The store has {applied} of {len(migrations)} migrations.",
            "Start Remit once so that it brings the store up to date.",
        )


def _applied(db: Database, migrations: Sequence[Migration]) -> int:
    """Count the applied migrations after checking each against its file."""
    exists = "migration" in db.tables()
    rows = db.all("SELECT number, name, digest FROM migration ORDER BY number") if exists else []
    if [row[0] for row in rows] != list(range(1, len(rows) + 1)) or db.stamped() != len(rows):
        raise _edited("the list of applied migrations has gaps")
    if len(rows) > len(migrations):
        raise RemitError(
            "schema_newer",
            f"A newer Remit changed this store: it has {len(rows)} migrations, this one knows {len(migrations)}.",
            "Start the newer Remit, or restore a backup made before the upgrade.",
        )
    for (number, name, digest), known in zip(rows, migrations, strict=False):
        if (name, digest) != (known.name, known.digest):
            raise _edited(f"{number:04d}_{name}.sql is not what was applied")
    return len(rows)


def _apply(db: Database, now: Instant, step: Migration) -> None:
    try:
        if step.number == 1:
            db.define(_TABLE)
        db.define(step.sql)
        orphans = db.orphans()
    except RemitError as fault:
        if fault.code in {"store_statement", "store_constraint"}:
            raise _failed(step, fault.message) from fault
        raise
    if orphans:
        raise _failed(step, f"{orphans} rows refer to rows that do not exist.")
    if not db.in_transaction:
        raise _failed(step, "It ends the transaction that it runs in.")
    db.run(
        "INSERT INTO migration (number, name, digest, applied) VALUES (?, ?, ?, ?)",
        (step.number, step.name, step.digest, now),
    )
    db.stamp(step.number)


def _edited(what: str) -> RemitError:
    return RemitError(
        "schema_edited",
        f"The store and the migrations disagree: {what}.",
        "Install the Remit that made this store; never edit a migration that was applied.",
    )


def _failed(step: Migration, why: str) -> RemitError:
    return RemitError(
        "schema_failed",
        f"Migration {step.number:04d}_{step.name} failed and was undone. {why}",
        "Keep the store as it is and report this.",
    )
