"""Transmitters that are polled: which node does it until when, and what went wrong. No receipt speaks of it."""

from dataclasses import dataclass

from remit.core.moment import Instant
from remit.store.db import Database


@dataclass(frozen=True, slots=True)
class Polled:
    """How it goes with one transmitter: heard last at `at`, since then `tries` times in vain."""

    tries: int
    at: Instant
    trouble: str


def every(db: Database) -> dict[str, Polled]:
    """How it goes with each that was ever polled."""
    rows = db.all("SELECT transmitter, tries, at, trouble FROM polled ORDER BY transmitter")
    return {row[0]: Polled(row[1], Instant(row[2]), row[3]) for row in rows}


def claim(db: Database, transmitter: str, node: str, now: Instant, until: Instant) -> bool:
    """Take the polling of a transmitter until then; False while another node has it. One conditional statement."""
    sql = (
        "INSERT INTO polled (transmitter, node, due, tries, at, trouble) VALUES (?, ?, ?, 0, 0, '')"
        " ON CONFLICT (transmitter) DO UPDATE SET node = excluded.node, due = excluded.due"
        " WHERE polled.node = excluded.node OR polled.due <= ?"
    )
    return db.run(sql, (transmitter, node, until, now)) == 1


def release(db: Database, transmitter: str, node: str) -> None:
    """Let another node have it."""
    db.run("UPDATE polled SET due = 0 WHERE transmitter = ? AND node = ?", (transmitter, node))


def heard(db: Database, transmitter: str, at: Instant) -> None:
    """It answered as it should."""
    db.run("UPDATE polled SET tries = 0, at = ?, trouble = '' WHERE transmitter = ?", (at, transmitter))


def failed(db: Database, transmitter: str, trouble: str) -> None:
    """It did not, or what it told could not be done."""
    db.run("UPDATE polled SET tries = tries + 1, trouble = ? WHERE transmitter = ?", (trouble, transmitter))
