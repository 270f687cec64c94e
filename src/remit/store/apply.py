"""What a receipt does to the tables. The live system and a replay call this same function, so both end the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import Usage
from remit.core.moment import Instant
from remit.core.receipt import DECIDED, MERGED, OUTCOME, PolicyRecord, record_of
from remit.core.record import Record
from remit.core.resource import Resource, Tool
from remit.store.db import Database
from remit.store.record import put

REBUILT: Final = (
    "person", "service", "agent", "resource", "tool", "brief", "policy", "path", "key", "task", "plan", "credential",
    "revocation", "usage", "activity", "flight", "version",
)  # fmt: skip


def apply(db: Database, leaf: int, receipt: Mapping[str, Json]) -> Record | None:
    """Make the change that `receipt` at `leaf` records; return the record it carries, when it is a change of one."""
    kind = receipt["kind"]
    if kind == DECIDED:
        _decided(db, leaf, receipt)
        return None
    if kind == OUTCOME:
        _outcome(db, receipt)
        return None
    if kind == MERGED:
        return None
    record = record_of(receipt)
    put(db, record)
    if isinstance(record, Resource | Tool | PolicyRecord):
        db.run(
            "INSERT INTO version (name, leaf) VALUES ('shape', ?) ON CONFLICT (name) DO UPDATE SET leaf=excluded.leaf",
            (leaf,),
        )
    return record


def usage(db: Database, task: str, scope: str, step: int) -> Usage | None:
    """What a task has used of a step, or None when nothing yet."""
    row = db.one(
        "SELECT uses, totals, recent, rows FROM usage WHERE task=? AND scope=? AND step=?", (task, scope, step)
    )
    if row is None:
        return None
    return Usage(
        uses=row[0],
        totals=tuple(Decimal(text) for text in json.loads(row[1])),
        recent=tuple(Instant(at) for at in json.loads(row[2])),
        rows=row[3],
    )


QUIET: Final = ("/@session", "/@list")
"""Allowed without being work: they do not keep an idle task open."""
_ALLOWED: Final = (
    "INSERT INTO activity (task, at, leaf) VALUES (?, ?, ?)"
    " ON CONFLICT (task) DO UPDATE SET at=excluded.at, leaf=excluded.leaf"
)
_DENIED: Final = (
    "INSERT INTO activity (task, at, leaf) VALUES (?, ?, ?) ON CONFLICT (task) DO UPDATE SET leaf=excluded.leaf"
)


@dataclass(frozen=True, slots=True)
class Flight:
    """A call that was allowed and whose outcome is not yet known."""

    call: str
    leaf: int
    task: str
    credential: str
    step: int
    plan: int
    at: Instant


def in_flight(db: Database, call: str) -> Flight | None:
    """The open call of this id, or None."""
    row = db.one("SELECT call, leaf, task, credential, step, plan, at FROM flight WHERE call = ?", (call,))
    return Flight(*row) if row else None


def flights(db: Database) -> list[Flight]:
    """All calls whose outcome is not yet known, oldest first."""
    return [Flight(*r) for r in db.all("SELECT call, leaf, task, credential, step, plan, at FROM flight ORDER BY leaf")]


def shape_leaf(db: Database) -> int:
    """The leaf of the latest change to what policy sets are compiled from, -1 when there is none."""
    row = db.one("SELECT leaf FROM version WHERE name = 'shape'")
    return row[0] if row else -1


def _decided(db: Database, leaf: int, receipt: Mapping[str, Json]) -> None:
    task = receipt.get("task")
    allowed = receipt["decision"] == "allow"
    if task is not None:
        acts = allowed and not receipt["action"].endswith(QUIET)
        db.run(_ALLOWED if acts else _DENIED, (task, receipt["at"] if acts else 0, leaf))
    if not allowed:
        return
    for charge in receipt.get("charges", ()):
        _charge(db, charge, receipt["at"])
    db.run(
        "INSERT INTO flight (call, leaf, task, credential, step, plan, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (receipt["call"], leaf, task, receipt["credential"], receipt["step"], receipt["plan"], receipt["at"]),
    )


def _charge(db: Database, charge: Mapping[str, Json], at: int) -> None:
    """Consume, in one conditional statement: a row that changed since it was read is a fault, never a second use."""
    place = (charge["task"], charge["scope"], charge["step"])
    before = usage(db, *place)
    amounts = tuple(Decimal(text) for text in charge["amounts"])
    if before is None:
        db.run(
            "INSERT INTO usage (task, scope, step, uses, totals, recent, rows) VALUES (?, ?, ?, ?, ?, ?, 0)",
            (*place, charge["uses"], json.dumps([str(one) for one in amounts]), json.dumps([at])),
        )
        return
    totals = [str(old + new) for old, new in zip(before.totals or (Decimal(0),) * len(amounts), amounts, strict=True)]
    recent = json.dumps([*before.recent[-999:], at])
    changed = db.run(
        "UPDATE usage SET uses=?, totals=?, recent=? WHERE task=? AND scope=? AND step=? AND uses=?",
        (before.uses + charge["uses"], json.dumps(totals), recent, *place, before.uses),
    )
    if changed != 1:
        raise RemitError("usage_raced", "What this step has used changed meanwhile.", "Try the call again.")


def _outcome(db: Database, receipt: Mapping[str, Json]) -> None:
    if db.run("DELETE FROM flight WHERE call = ?", (receipt["call"],)) != 1:
        raise RemitError(
            "outcome_unknown_call", "This call is not open.", "Note an outcome once, for a call that was allowed."
        )
    for part in receipt.get("rows", ()):
        db.run(
            "INSERT INTO usage (task, scope, step, uses, totals, recent, rows) VALUES (?, ?, ?, 0, '[]', '[]', ?)"
            " ON CONFLICT (task, scope, step) DO UPDATE SET rows = rows + excluded.rows",
            (part["task"], part["scope"], part["step"], part["rows"]),
        )
