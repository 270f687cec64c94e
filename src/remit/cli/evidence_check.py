"""Checking a file of evidence without a server: every entry is in the signed log, none is missing."""

from collections.abc import Iterable, Sequence
from typing import Any

from remit.core.audit import audit, canonical
from remit.core.canonical import Json, read, unb64
from remit.core.errors import RemitError
from remit.core.evidence import FORMAT
from remit.ledger import LedgerFault, checkpoint, cosignature, merkle, note
from remit.ledger.checkpoint import Checkpoint

MEMBERS = {"format", "task", "head", "entries", "beside"}
Wrong = tuple[int | None, str]


def examine(
    data: bytes,
    keys: Sequence[note.Verifier],
    origin: str,
    expect: Checkpoint | None = None,
    witnesses: Iterable[cosignature.Witness] = (),
) -> tuple[Wrong | None, int]:
    """Say what is wrong first with a file of evidence, or None; and how many entries it has.

    `keys` are the ledger's verifier keys, known from elsewhere: what the file itself says of keys is not trusted.
    `expect` is a head that was kept elsewhere, of which the file must prove that its own continues it.
    """
    try:
        file = read(data)
        if not canonical(data, file) or not _formed(file):
            return (None, "it is not evidence in canonical form"), 0
    except RemitError as fault:
        return (None, f"it is not evidence: {fault.message}"), 0
    try:
        wrong = _headed(file, keys, origin, expect, witnesses) or _proven(file, keys, origin)
        entries = [(number, body.encode()) for number, body, _ in file["entries"]]
        return wrong or audit(file["task"], entries, file["beside"]), len(entries)
    except LedgerFault as fault:
        return (None, f"its head: {fault.message}"), 0


def _formed(file: Json) -> bool:
    return (
        type(file) is dict
        and set(file) - {"since"} == MEMBERS
        and file["format"] == FORMAT
        and type(file["task"]) is type(file["head"]) is str
        and type(file["beside"]) is dict
        and type(file["entries"]) is list
        and all(map(_entry, file["entries"]))
        and ("since" not in file or _since(file["since"]))
    )


def _entry(one: Any) -> bool:
    return type(one) is list and len(one) == 3 and type(one[0]) is int and type(one[1]) is str and _hashes(one[2])


def _since(one: Any) -> bool:
    return type(one) is dict and set(one) == {"head", "proof"} and type(one["head"]) is str and _hashes(one["proof"])


def _hashes(value: Any) -> bool:
    return type(value) is list and len(value) <= 64 and all(type(one) is str for one in value)


def _headed(
    file: dict[str, Json],
    keys: Sequence[note.Verifier],
    origin: str,
    expect: Checkpoint | None,
    witnesses: Iterable[cosignature.Witness],
) -> Wrong | None:
    """The head is signed, and continues the ones that were known before."""
    head, signed = checkpoint.open_signed(file["head"].encode(), origin, keys)
    if not signed:
        return None, f"its head: {signed.what}"
    _, why = cosignature.held(note.parse(file["head"].encode()), witnesses)
    if why:
        return None, f"its head: {why}"
    shown = {head}
    if "since" in file:
        known, signed = checkpoint.open_signed(file["since"]["head"].encode(), origin, keys)
        if not signed:
            return None, f"the head that it continues: {signed.what}"
        proof = [_hash(one) for one in file["since"]["proof"]]
        if not merkle.verify_consistency(known.size, head.size, known.root, head.root, proof):
            return None, "its head does not continue the head that it says it does"
        shown = {known, head}
    if expect is not None and expect not in shown:
        return None, "it does not show that its head continues the one that is expected"
    return None


def _proven(file: dict[str, Json], keys: Sequence[note.Verifier], origin: str) -> Wrong | None:
    """Each entry, hashed anew, stands at its number under the head."""
    head, _ = checkpoint.open_signed(file["head"].encode(), origin, keys)
    for number, body, proof in file["entries"]:
        leaf, path = merkle.leaf_hash(body.encode()), [_hash(one) for one in proof]
        if not merkle.verify_inclusion(number, head.size, leaf, path, head.root):
            return number, "it is not what the signed head holds at this number"
    return None


def _hash(text: str) -> bytes:
    """A hash as it is written; nothing when it is none, which proves nothing."""
    try:
        return unb64(text)
    except RemitError:
        return b""
