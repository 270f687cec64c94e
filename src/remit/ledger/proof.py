"""C2SP tlog-proof v1: one file that proves, offline, that a record stands in a log.

A bundle holds index, inclusion proof and signed head, never the record: `verify` takes the record and hashes it, so a
bundle that is sound for one record proves nothing about another. Fault: `proof_invalid`.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from remit.ledger import LedgerFault, Verdict, checkpoint, merkle, note

FIRST: Final = "c2sp.org/tlog-proof@v1"
"""The first line of a bundle."""
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof: where the record stands, the path to the root, and the signed head as it was served.

    `extra` is opaque and not authenticated by anything: do not trust it.
    """

    index: int
    path: tuple[bytes, ...]
    head: bytes
    extra: bytes | None = None


def encode(bundle: Bundle) -> bytes:
    """Return the bundle's text; file extension .tlog-proof."""
    lines = [FIRST]
    if bundle.extra is not None:
        lines.append(f"extra {_b64(bundle.extra)}")
    lines += [f"index {bundle.index}", *map(_b64, bundle.path), "", ""]
    return "\n".join(lines).encode() + bundle.head


def parse(data: bytes) -> Bundle:
    """Read a bundle; one spelling only. The head is kept verbatim and not looked at."""
    top, blank, head = data.partition(b"\n\n")
    try:
        lines = top.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed() from None
    extra = None
    if len(lines) > 1 and lines[1].startswith("extra "):
        extra = note.unbase64(lines.pop(1).removeprefix("extra "))
        if extra is None:
            raise _malformed()
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    path = [note.unbase64(line) for line in lines[2:]]
    hashes = tuple(step for step in path if step is not None and len(step) == merkle.HASH_SIZE)
    if not blank or lines[0] != FIRST or index is None or len(hashes) != len(path) or len(path) > 63:
        raise _malformed()
    return Bundle(int(index[1]), hashes, head, extra)


def verify(data: bytes, record: bytes, origin: str, keys: Iterable[note.Verifier]) -> Verdict:
    """Say whether this very record stands in the log of `origin`, by a head that one of `keys` signed.

    The index in the verdict is the record's. Faults: `proof_invalid`, `note_invalid`, `checkpoint_invalid`.
    """
    bundle = parse(data)
    head, signed = checkpoint.open_signed(bundle.head, origin, keys)
    if not signed:
        return Verdict(ok=False, index=bundle.index, what=signed.what)
    if not merkle.verify_inclusion(bundle.index, head.size, merkle.leaf_hash(record), bundle.path, head.root):
        return Verdict(ok=False, index=bundle.index, what="the record is not what the head holds at this index")
    return Verdict(ok=True, index=bundle.index)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _malformed() -> LedgerFault:
    return LedgerFault("proof_invalid", "This is not a tlog-proof v1 file.", "Export the proof again, unchanged.")
