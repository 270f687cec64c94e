"""What a receipt does to the tables. The live system and a replay call this same function, so both end the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.core.blended import bit
from remit.core.canonical import Json
from remit.core.credential import Key
from remit.core.errors import RemitError
from remit.core.grant import Usage
from remit.core.lease import Lease
from remit.core.limit.counts import MOST_RATE, add
from remit.core.moment import Instant
from remit.core.receipt import DECIDED, MERGED, OUTCOME, PolicyRecord, record_of
from remit.core.record import Record, load
from remit.core.replan import inherits, together
from remit.core.resource import Resource, Tool
from remit.core.task import Plan, Task
from remit.store import approval as approvals
from remit.store import lease as leases
from remit.store import lineage
from remit.store.db import Database
from remit.store.record import put

REBUILT: Final = (
    "person", "service", "agent", "resource", "tool", "brief", "policy", "path", "key", "task", "plan", "credential",
    "connection",
    "revocation", "usage", "activity", "flight", "version", "witness", "witness_rule",
    "session", "client", "consent", "code", "refresh",
    "login", "approval", "evidence", "lease", "lineage_gap",
    "attestor", "binding", "transmitter", "signal", "stream", "survey",
    "rightsize", "review",
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
    if isinstance(record, Lease):
        leases.move(db, record)
        return record
    put(db, record)
    if kind == "task.admitted" and isinstance(record, Task):
        approvals.consume(db, record.admitted, receipt["at"])
    moved = _MOVES.get(type(record))
    if moved is not None:
        db.put(
            "INSERT INTO version (name, leaf) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET leaf=excluded.leaf",
            (moved, leaf),
        )
    if isinstance(record, Plan) and record.version > 1:
        _carry(db, record)
        if record.approval:
            approvals.consume(db, record.approval, receipt["at"])
    return record


_MOVES: Final[dict[type[Record], str]] = {Resource: "shape", Tool: "shape", PolicyRecord: "shape", Key: "key"}


def _carry(db: Database, plan: Plan) -> None:
    """Give each step of a new plan what the steps it goes on from have used: no later plan gets it back (law 3)."""
    row = db.one("SELECT body FROM plan WHERE id = ?", (f"{plan.task}:{plan.version - 1}",))
    if row is None:
        return
    before, scope = load(Plan, json.loads(row[0])).steps, f"plan:{plan.version - 1}"
    for number, sources in enumerate(inherits(before, plan.steps)):
        spent = [(before[source], usage(db, plan.task, scope, source)) for source in sources]
        used = together(plan.steps[number], [(step, one) for step, one in spent if one is not None])
        if used is not None:
            totals, recent = json.dumps([str(one) for one in used.totals]), json.dumps(list(used.recent))
            db.run(
                "INSERT INTO usage (task, scope, step, uses, totals, recent, rows) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (plan.task, f"plan:{plan.version}", number, used.uses, totals, recent, used.rows),
            )


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
_ACTIVITY: Final = (
    "INSERT INTO activity (task, at, leaf, paths) VALUES (?, ?, ?, ?) ON CONFLICT (task) DO UPDATE"
    " SET at = CASE WHEN excluded.at > 0 THEN excluded.at ELSE activity.at END, leaf = excluded.leaf,"
    " paths = activity.paths | excluded.paths"
)
"""An instant of 0 leaves the one before; a path that was used once stays used."""
_USED: Final = (
    "INSERT INTO activity (task, at, leaf, paths) VALUES (?, 0, -1, ?) ON CONFLICT (task) DO UPDATE"
    " SET paths = activity.paths | excluded.paths"
)
"""What a task below used counts for the errand's first task."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A call that was allowed and whose outcome is not yet known."""

    call: str
    leaf: int
    task: str
    credential: str
    action: str
    step: int
    plan: int
    at: Instant


def in_flight(db: Database, call: str) -> Flight | None:
    """The open call of this id, or None."""
    row = db.one("SELECT call, leaf, task, credential, action, step, plan, at FROM flight WHERE call = ?", (call,))
    return Flight(*row) if row else None


def flights(db: Database) -> list[Flight]:
    """All calls whose outcome is not yet known, oldest first."""
    return [
        Flight(*r)
        for r in db.all("SELECT call, leaf, task, credential, action, step, plan, at FROM flight ORDER BY leaf")
    ]


def version_leaf(db: Database, name: str) -> int:
    """The leaf of the latest change to `shape` (what policy sets are compiled from) or `key`, -1 when there is none."""
    row = db.one("SELECT leaf FROM version WHERE name = ?", (name,))
    return row[0] if row else -1


def acted(receipt: Mapping[str, Json]) -> int:
    """The instant at which a decision was work that keeps its task open; 0 when it was not."""
    work = receipt["decision"] == "allow" and not receipt["action"].endswith(QUIET)
    return int(receipt["at"]) if work else 0


def paths(receipt: Mapping[str, Json]) -> int:
    """The mark of the path that an allowed call used (core/blended); 0 when it was no work."""
    return bit(receipt.get("path", "")) if acted(receipt) else 0


def _decided(db: Database, leaf: int, receipt: Mapping[str, Json]) -> None:
    task = receipt.get("task")
    allowed = receipt["decision"] == "allow"
    if task is not None:
        used = paths(receipt)
        db.put(_ACTIVITY, (task, acted(receipt), leaf, used))
        if used and "above" in receipt:
            db.put(_USED, (receipt["above"][-1], used))
    if not allowed:
        return
    if "approval" in receipt:
        approvals.consume(db, receipt["approval"], receipt["at"])
    for charge in receipt.get("charges", ()):
        _charge(db, charge, receipt["at"])
    db.put(
        "INSERT INTO flight (call, leaf, task, credential, action, step, plan, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            receipt["call"],
            leaf,
            task,
            receipt["credential"],
            receipt["action"],
            receipt["step"],
            receipt["plan"],
            receipt["at"],
        ),
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
    totals = [
        str(add(old, new)) for old, new in zip(before.totals or (Decimal(0),) * len(amounts), amounts, strict=True)
    ]
    # Nobody asks when a budget was used, and a whole errand's calls are many.
    recent = "[]" if place[1].startswith("budget:") else json.dumps([*before.recent[1 - MOST_RATE :], at])
    changed = db.run(
        "UPDATE usage SET uses=?, totals=?, recent=? WHERE task=? AND scope=? AND step=? AND uses=?",
        (before.uses + charge["uses"], json.dumps(totals), recent, *place, before.uses),
    )
    if changed != 1:
        raise RemitError("usage_raced", "What this step has used changed meanwhile.", "Try the call again.")


_NOT_OPEN: Final = RemitError(
    "outcome_unknown_call", "This call is not open.", "Note an outcome once, for a call that was allowed."
)


def _outcome(db: Database, receipt: Mapping[str, Json]) -> None:
    if receipt["result"] == "unknown":
        lineage.gap(db, receipt["call"])
    db.expect("DELETE FROM flight WHERE call = ?", (receipt["call"],), _NOT_OPEN)
    for part in receipt.get("rows", ()):
        db.run(
            "INSERT INTO usage (task, scope, step, uses, totals, recent, rows) VALUES (?, ?, ?, 0, '[]', '[]', ?)"
            " ON CONFLICT (task, scope, step) DO UPDATE SET rows = usage.rows + excluded.rows",
            (part["task"], part["scope"], part["step"], part["rows"]),
        )
