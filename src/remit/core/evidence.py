"""Evidence: which receipts concern a task, and the record that says how many there were when evidence of it was taken.

The record stands in the ledger like any other, so a file of evidence cannot leave out what spoke of its task: neither
in the middle nor at the end. The file's format is docs/spec/evidence.md.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from remit.core import ids
from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError
from remit.core.record import Record

FORMAT: Final = "remit-evidence-v1"
PARTS: Final = ("calls", "cards", "people", "policies")
"""What lies beside the receipts in a file of evidence."""


class Evidence(Record, frozen=True, kw_only=True, tag_field="noun", tag="evidence"):
    """One taking of evidence: `tasks` are the task and all below it, `leaves` the digest of the entries' numbers.

    `count` is how many entries there are, `beside` the digest of each part that lies beside them, `keys` the verifier
    keys that ever signed heads of this ledger. Owned by nobody: it only says what was so.
    """

    id: str
    task: str
    tasks: tuple[str, ...]
    leaves: str
    count: int
    beside: dict[str, str]
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        ids.parse("evd", self.id)
        for one in (self.task, *self.tasks):
            ids.parse("tsk", one)
        if self.task not in self.tasks or self.count < 1 or set(self.beside) != set(PARTS) or not self.keys:
            raise RemitError("evidence_invalid", "This cannot be evidence of a task.", "See docs/spec/evidence.md.")


def leaves(numbers: Iterable[int]) -> str:
    """The digest of the entries' numbers, lowest first."""
    return b64(hashlib.sha256(canon(list(numbers))).digest())


def part(value: Json) -> str:
    """The digest of a part that lies beside the entries."""
    return b64(hashlib.sha256(canon(value)).digest())
