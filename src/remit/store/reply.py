"""Replies: which named request was begun, and what was answered. No receipt speaks of it; time forgets it."""

from remit.core.moment import Instant
from remit.store.db import Database


def begin(db: Database, identity: str, request: str, until: Instant) -> bool:
    """Claim a name for this request; False when it is taken. One atomic statement."""
    sql = "INSERT INTO reply (id, request, until, body) VALUES (?, ?, ?, NULL) ON CONFLICT DO NOTHING"
    return db.run(sql, (identity, request, until)) == 1


def get(db: Database, identity: str) -> tuple[str, bytes | None] | None:
    """Which request has the name, and its answer; an answer of None is not known yet."""
    row = db.one("SELECT request, body FROM reply WHERE id = ?", (identity,))
    return (row[0], row[1] if row[1] is None else bytes(row[1])) if row else None


def answered(db: Database, identity: str, body: bytes) -> None:
    """Keep the answer, once."""
    db.run("UPDATE reply SET body = ? WHERE id = ? AND body IS NULL", (body, identity))


def undone(db: Database, identity: str) -> None:
    """Give the name back: nothing was done under it."""
    db.run("DELETE FROM reply WHERE id = ? AND body IS NULL", (identity,))


def expire(db: Database, now: Instant, most: int) -> int:
    """Forget up to `most` names whose time is over; returns how many."""
    sql = "DELETE FROM reply WHERE id IN (SELECT id FROM reply WHERE until < ? ORDER BY until LIMIT ?)"
    return db.run(sql, (now, most))
