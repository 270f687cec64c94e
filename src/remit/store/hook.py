"""Hooks: up to which entry each was told, who is telling it now, and what went wrong. No receipt speaks of it."""

from dataclasses import dataclass

from remit.core.moment import Instant
from remit.store.db import Database


@dataclass(frozen=True, slots=True)
class Told:
    """How far a hook is: told of every entry up to `leaf`, `tries` times in vain about the next, due again at `due`."""

    leaf: int
    tries: int
    due: Instant
    trouble: str


def get(db: Database, hook: str) -> Told | None:
    """How far this hook is; None when it was never begun."""
    row = db.one("SELECT leaf, tries, due, trouble FROM hook WHERE id = ?", (hook,))
    return Told(row[0], row[1], Instant(row[2]), row[3]) if row else None


def every(db: Database) -> dict[str, Told]:
    """How far each hook is."""
    rows = db.all("SELECT id, leaf, tries, due, trouble FROM hook ORDER BY id")
    return {row[0]: Told(row[1], row[2], Instant(row[3]), row[4]) for row in rows}


def begin(db: Database, hook: str, leaf: int) -> None:
    """Begin a hook at this entry, once."""
    db.run(
        "INSERT INTO hook (id, leaf, tries, due, trouble) VALUES (?, ?, 0, 0, '') ON CONFLICT (id) DO NOTHING",
        (hook, leaf),
    )


def claim(db: Database, hook: str, leaf: int, now: Instant, until: Instant) -> bool:
    """Take the telling of the entry after `leaf` until then; False when another node has it, or has told it."""
    sql = "UPDATE hook SET due = ? WHERE id = ? AND leaf = ? AND due <= ?"
    return db.run(sql, (until, hook, leaf, now)) == 1


def moved(db: Database, hook: str, leaf: int) -> None:
    """It was told of every entry up to `leaf`."""
    sql = "UPDATE hook SET leaf = ?, tries = 0, due = 0, trouble = '' WHERE id = ? AND leaf < ?"
    db.run(sql, (leaf, hook, leaf))


def failed(db: Database, hook: str, due: Instant, trouble: str) -> None:
    """It could not be told; it is due again then."""
    db.run("UPDATE hook SET tries = tries + 1, due = ?, trouble = ? WHERE id = ?", (due, trouble, hook))
