"""C2SP tlog-checkpoint: a head's text. Origin, size, root; one line each.

We neither write nor accept extension lines: nothing audits them. Fault: `checkpoint_invalid`.
"""

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from remit.ledger import LedgerFault, Verdict, note
from remit.ledger.merkle import HASH_SIZE, LARGEST

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root under its origin. The size counts entries; the root is 32 bytes."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or not self.origin.isprintable() or not 0 <= self.size <= LARGEST:
            raise _malformed("has no origin, or no size that a log can have")
        if len(self.root) != HASH_SIZE:
            raise _malformed("has a root that is not 32 bytes")

    def text(self) -> str:
        """Return the note text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse(text: str) -> Checkpoint:
    """Read a checkpoint's note text; one spelling only, no extension lines."""
    match text.split("\n"):
        case [origin, size, encoded, ""] if _SIZE.fullmatch(size):
            raw = note.unbase64(encoded)
            if raw is not None:
                return Checkpoint(origin, int(size), raw)
    raise _malformed("is not origin, size and root, one line each")


def sign(head: Checkpoint, sign_fn: Callable[[bytes], bytes], public_key: bytes) -> bytes:
    """Return the signed head; the key's name is the origin. It may leave the process only after its commit."""
    return note.sign(head.text(), head.origin, sign_fn, public_key)


def open_signed(data: bytes, origin: str, keys: Iterable[note.Verifier]) -> tuple[Checkpoint, Verdict]:
    """Read a signed head and say whether it is this origin's. Malformed bytes fault; a bad signature is a verdict."""
    signed = note.parse(data)
    head = parse(signed.text)
    if head.origin != origin:
        return head, Verdict(ok=False, what="the head is another log's")
    return head, note.verify(signed, keys)


def _malformed(why: str) -> LedgerFault:
    return LedgerFault("checkpoint_invalid", f"The checkpoint {why}.", "Fetch or export the checkpoint again.")
