"""C2SP tlog-witness: the request that asks for a cosignature, its bytes, and the one judgement that a witness makes.

Pure: what the witness holds comes in, the answer goes out. The witness must keep `Answer.keep` durably, and only if it
still holds what was judged by, before it cosigns. Fault: `submission_invalid`.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from remit.ledger import LedgerFault, checkpoint, merkle, note
from remit.ledger.checkpoint import Checkpoint

LONGEST: Final = 64 * 1024
"""Bytes of a request that a witness reads."""
PROOF_MAX: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class Submission:
    """What a log sends: the size it was last cosigned at, the proof from there, and its signed head as it is."""

    old: int
    proof: tuple[bytes, ...]
    head: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness says: an HTTP status, why, and on 200 the head to keep (`keep`); on 409 the size it holds."""

    status: int
    what: str
    keep: Checkpoint | None = None
    size: int | None = None


def encode(asked: Submission) -> bytes:
    """Return the request's body: the old size, one hash to a line, a blank line, the head."""
    lines = [f"old {asked.old}", *(base64.b64encode(one).decode() for one in asked.proof), "", ""]
    return "\n".join(lines).encode() + asked.head


def parse(data: bytes) -> Submission:
    """Read a request's body; one spelling only. The head is kept verbatim and not looked at."""
    top, blank, head = data.partition(b"\n\n")
    try:
        first, *rest = top.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed() from None
    old, path = _OLD.fullmatch(first), [note.unbase64(line) for line in rest]
    proof = tuple(one for one in path if one is not None and len(one) == merkle.HASH_SIZE)
    if not blank or old is None or len(proof) != len(path) or len(path) > PROOF_MAX or len(data) > LONGEST:
        raise _malformed()
    return Submission(int(old[1]), proof, head)


def parse_size(data: bytes) -> int | None:
    """Read the size that a 409 tells; None when it tells none."""
    found = _SIZE.fullmatch(data)
    return int(found[1]) if found else None


def origin(asked: Submission) -> str:
    """Return the origin that the head claims, to look up what is held of it. Malformed heads fault."""
    return checkpoint.parse(note.parse(asked.head).text).origin


def digest(name: str) -> str:
    """Return the SHA-256 of an origin in hexadecimal: where its last cosigned head is read."""
    return sha256(name.encode()).hexdigest()


def judge(asked: Submission, logs: Mapping[str, Iterable[note.Verifier]], held: Checkpoint | None) -> Answer:
    """Say what becomes of a submission. `logs` are the trusted keys by origin, `held` is what was cosigned last.

    Answers 404, 403, 400, 409 and 422 as tlog-witness has them, in that order; 200 asks the caller to keep the head.
    Faults for a head that is no checkpoint: `note_invalid`, `checkpoint_invalid`.
    """
    signed = note.parse(asked.head)
    head = checkpoint.parse(signed.text)
    if head.origin not in logs:
        return Answer(404, "This witness does not know this log.")
    if not note.verify(signed, logs[head.origin]):
        return Answer(403, "No key that is trusted for this log signed the head.")
    if asked.old > head.size:
        return Answer(400, "The old size is larger than the head.")
    before = held.size if held else 0
    if asked.old != before:
        return Answer(409, "Another size was cosigned last.", size=before)
    if held and head.size == before and head.root != held.root:
        return Answer(409, "Another tree of this size was cosigned.", size=before)
    if not _grew(asked, held, head):
        return Answer(422, "The head is not proven to continue the one that was cosigned.")
    return Answer(200, "", keep=head)


def _grew(asked: Submission, held: Checkpoint | None, head: Checkpoint) -> bool:
    if asked.old == 0:
        # Nothing is proved from size 0, and nothing has to be: every tree continues the empty one.
        return not asked.proof and (head.size > 0 or head.root == merkle.EMPTY_ROOT)
    return held is not None and merkle.verify_consistency(held.size, head.size, held.root, head.root, asked.proof)


def _malformed() -> LedgerFault:
    return LedgerFault(
        "submission_invalid", "This is not a request to cosign a head.", "See C2SP tlog-witness, add-checkpoint."
    )
