"""Figures read from the ledger's own entries, so that what is counted is what was recorded."""

from typing import Final

import msgspec

from remit.store.db import Database

PART: Final = 5_000
BUCKETS_MS: Final = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000, 600_000)
"""Upper bounds, in milliseconds, of the histogram of ends at targets."""


class Tally:
    """Counts decisions by answer and code, reading on from where it stopped. Owned by one page."""

    def __init__(self) -> None:
        self.decided: dict[str, int] = {}
        self.ended: dict[str, list[int]] = {}
        self.ended_ms: dict[str, int] = {}
        self._next = 0

    def read(self, db: Database) -> None:
        """Count at most one part more; a long ledger is caught up with over several readings."""
        rows = db.all(
            "SELECT body FROM leaf WHERE number >= ? AND number < ? ORDER BY number", (self._next, self._next + PART)
        )
        for (body,) in rows:
            receipt = msgspec.json.decode(body)
            if receipt["kind"] == "call.decided":
                self._add(receipt["decision"], receipt.get("code", ""), 1)
            elif receipt["kind"] == "call.denials":
                self._add("deny", receipt["code"], receipt["count"])
            elif receipt["kind"] == "lease.dead":
                self._end(receipt["record"]["kind"], receipt["record"].get("took", 0))
        self._next += len(rows)

    def _end(self, kind: str, took: int) -> None:
        """Count one end, from its revocation to its proof, under every bound that holds it; the last place is all."""
        held = self.ended.setdefault(kind, [0] * (len(BUCKETS_MS) + 1))
        for place, most in enumerate(BUCKETS_MS):
            held[place] += took <= most
        held[-1] += 1
        self.ended_ms[kind] = self.ended_ms.get(kind, 0) + took

    def _add(self, answer: str, code: str, count: int) -> None:
        label = f'answer="{answer}",code="{code}"'
        self.decided[label] = self.decided.get(label, 0) + count


def open_calls(db: Database) -> int:
    """How many calls were allowed and have no outcome yet."""
    row = db.one("SELECT count(*) FROM flight")
    return int(row[0]) if row else 0
