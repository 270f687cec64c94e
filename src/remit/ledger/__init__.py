"""The ledger: what is proved. Bytes in, bytes and verdicts out; no I/O, no clock, no randomness.

RFC 6962 Merkle trees in C2SP formats (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof); see docs/spec/ledger.md.
Two things come out when something is wrong: a `Verdict` that is not ok (the evidence does not hold), or a `LedgerFault`
(the bytes have no such form, or the caller asked for what cannot be).
"""

from dataclasses import dataclass
from typing import final


@final
class LedgerFault(ValueError):  # noqa: N818 - a fault is this house's word
    """Malformed input. Carries what the floors above need to raise their own error: `code`, `message`, `remedy`."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy} [{self.code}]"


@final
@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: `ok`, or the first bad entry's `index` (None: no one entry is at fault) and `what`."""

    ok: bool
    index: int | None = None
    what: str = ""

    def __bool__(self) -> bool:
        return self.ok
