"""Leases in their table: moved by one conditional statement, found by what they hang on."""

from typing import Final

import msgspec

from remit.core.errors import RemitError
from remit.core.lease import ENDING, FROM, OPEN, Lease
from remit.core.moment import Instant
from remit.core.record import dump
from remit.store.db import Database
from remit.store.record import Reader, parsed

MOST: Final = 512
_OPEN: Final = f"state IN ({', '.join(map(repr, OPEN))})"
_ENDING: Final = f"state IN ({', '.join(map(repr, ENDING))})"
_MOVED: Final = RemitError("lease_moved", "This lease moved meanwhile.", "Look at it again: remit lease show.")
_sorted = msgspec.json.Encoder(order="sorted").encode


def move(db: Database, record: Lease) -> None:
    """Write a lease's row: a new one is put in once, a known one is moved only from a state that leads to this one."""
    body = _sorted(dump(record))
    if record.state == "intended" or (record.state == "ending" and record.because == "orphan"):
        db.run(
            "INSERT INTO lease (id, state, task, resource, until, body) VALUES (?, ?, ?, ?, ?, ?)",
            (record.id, record.state, record.task, record.resource, record.until, body),
        )
        return
    before = FROM[record.state]
    marks = ", ".join("?" * len(before))
    db.expect(
        f"UPDATE lease SET state = ?, until = ?, body = ? WHERE id = ? AND state IN ({marks})",  # noqa: S608 - marks
        (record.state, record.until, body, record.id, *before),
        _MOVED,
    )


def of_task(reader: Reader, task: str) -> list[Lease]:
    """All leases of a task."""
    return list(reader.where(Lease, "task = ?", (task,)))


def page(
    reader: Reader, after: str, most: int, *, task: str = "", agent: str = "", person: str = "", state: str = "",
    resource: str = "", over: bool = True,
) -> list[Lease]:  # fmt: skip
    """Leases in the order of their ids, from behind `after`; with `over` those that are proven dead too.

    `agent` and `person` are those of the task: who works on it, and whom it acts for.
    """
    asked = [("task = ?", task), ("state = ?", state), ("resource = ?", resource)]
    asked += [("task IN (SELECT id FROM task WHERE agent = ?)", agent)]
    asked += [("task IN (SELECT id FROM task WHERE person = ?)", person)]
    given = [(text, value) for text, value in asked if value]
    where = " AND ".join(["id > ?", *(text for text, _ in given), *([] if over else ["state <> 'dead'"])])
    return list(reader.where(Lease, where, (after, *(value for _, value in given)), most))


def open_ones(reader: Reader, task: str = "", resource: str = "") -> list[Lease]:
    """The leases that may still be lent: of a task, at a resource, or all."""
    if task:
        return list(reader.where(Lease, f"task = ? AND {_OPEN}", (task,)))
    if resource:
        return list(reader.where(Lease, f"resource = ? AND {_OPEN}", (resource,)))
    return list(reader.where(Lease, _OPEN))


def over(reader: Reader, now: Instant) -> list[Lease]:
    """The leases whose own end has come, or whose mint is overdue."""
    rows = reader.db.all(
        f"SELECT body FROM lease WHERE state = 'intended' OR (state = 'active' AND until <= ?) LIMIT {MOST}",  # noqa: S608
        (now,),
    )
    found = (parsed(Lease, body) for (body,) in rows)
    return [one for one in found if one.state == "active" or one.mint_by <= now]


def ending(db: Database, most: int = MOST) -> list[Lease]:
    """What is to be ended at its target and proven dead: what is no incident yet first."""
    order = "state = 'irrevocable', state = 'pending', until, id"
    rows = db.all(f"SELECT body FROM lease WHERE {_ENDING} ORDER BY {order} LIMIT ?", (most,))  # noqa: S608 - our text
    return [parsed(Lease, body) for (body,) in rows]


def counts(db: Database) -> dict[str, int]:
    """How many leases stand in each state but dead."""
    return {
        state: int(count)
        for state, count in db.all("SELECT state, count(*) FROM lease WHERE state <> 'dead' GROUP BY state")
    }


def unproven(db: Database, task: str, before: int) -> int:
    """How many leases of a task's plans before this version are not proven dead."""
    rows = db.all("SELECT body FROM lease WHERE task = ? AND state <> 'dead'", (task,))
    return sum(parsed(Lease, body).plan < before for (body,) in rows)
