"""Approvals: which of a task's could answer a call, and how often one was used."""

from remit.core.approval import Approval
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store.db import Database
from remit.store.record import parsed

_RACED = RemitError("approval_used", "This approval was used meanwhile.", "Ask again.")


def candidates(db: Database, task: str, action: str, digest: str, now: Instant) -> list[tuple[Approval, int]]:
    """The approvals of a task that may answer this call, each with its uses so far; those with a yes first."""
    rows = db.all(
        "SELECT body, used FROM approval WHERE task = ? AND action = ? AND (digest = ? OR digest = '')"
        " AND state <> 'void' AND until > ? AND used < uses ORDER BY state, id LIMIT 64",
        (task, action, digest, now),
    )
    return [(parsed(Approval, body), used) for body, used in rows]


def waiting(db: Database, task: str, now: Instant) -> int:
    """How many asks of a task wait for an answer."""
    row = db.one("SELECT count(*) FROM approval WHERE task = ? AND state = 'pending' AND until > ?", (task, now))
    return int(row[0]) if row else 0


def all_waiting(db: Database, now: Instant) -> int:
    """How many asks wait for an answer, of all tasks that are open."""
    row = db.one(
        "SELECT count(*) FROM approval JOIN task ON task.id = approval.task"
        " WHERE approval.state = 'pending' AND approval.until > ? AND task.state = 'open'",
        (now,),
    )
    return int(row[0]) if row else 0


def used(db: Database, identity: str) -> int:
    """How many calls an approval has let through."""
    row = db.one("SELECT used FROM approval WHERE id = ?", (identity,))
    return int(row[0]) if row else 0


def consume(db: Database, identity: str, at: int) -> None:
    """Use an approval once, in one conditional statement; a row that moved meanwhile is a fault, never a second use."""
    db.expect(
        "UPDATE approval SET used = used + 1 WHERE id = ? AND state = 'approved' AND used < uses AND until > ?",
        (identity, at),
        _RACED,
    )
