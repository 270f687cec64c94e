"""Figures read from the ledger's own entries, so that what is counted is what was recorded."""

from typing import Final

import msgspec

from remit.store.db import Database

PART: Final = 5_000


class Tally:
    """Counts decisions by answer and code, reading on from where it stopped. Owned by one page."""

    def __init__(self) -> None:
        self.decided: dict[str, int] = {}
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
        self._next += len(rows)

    def _add(self, answer: str, code: str, count: int) -> None:
        label = f'answer="{answer}",code="{code}"'
        self.decided[label] = self.decided.get(label, 0) + count


def open_calls(db: Database) -> int:
    """How many calls were allowed and have no outcome yet."""
    row = db.one("SELECT count(*) FROM flight")
    return int(row[0]) if row else 0
