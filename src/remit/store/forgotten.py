"""What is over for good: sessions, codes and refresh tokens past their life, forgotten by time alone.

No receipt speaks of it, as of no spent value: what time does needs none, and the ledger keeps what happened. A replay
holds only what is not past against the tables, by the instant of the newest receipt.
"""

from typing import Final

from remit.core.moment import Instant
from remit.store.db import Database

TABLES: Final = ("session", "code", "refresh")
KEPT_MS: Final = 8 * 24 * 3_600_000
"""Milliseconds after its end. No task lasts longer than a week, so by then nothing rests on it: no consent that a
replayed code or refresh token could end, and no credential that a session is asked about for."""


def before(now: Instant) -> Instant:
    """What ended before this instant is past."""
    return Instant(max(0, now - KEPT_MS))


def forget(db: Database, now: Instant, most: int) -> int:
    """Forget up to `most` rows of each table that are past; returns the most that one of them lost."""
    return max(
        db.run(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE until < ? ORDER BY until LIMIT ?)",  # noqa: S608 - our own list
            (before(now), most),
        )
        for table in TABLES
    )
