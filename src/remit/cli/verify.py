"""`remit-verify`: check an exported ledger, or one proof, without a server, a store or any of our other code.

It imports the pure ledger and the form of receipts, and the standard library. What it finds first it names by number.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from remit.cli import evidence_check
from remit.core.evidence import FORMAT
from remit.core.receipt import Auditor
from remit.core.shown import several
from remit.ledger import LedgerFault, checkpoint, cosignature, note, proof
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.verify import CHECKPOINT, HEADS, Cosigned, audit

Read = Callable[[str], bytes | None]
TILES: Final = "tile"
_LAST: Final = 253_402_300_800
"""The first second of the year 10000, which a date cannot hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a verification found. `index` is the first bad entry, None when no one entry is at fault."""

    ok: bool
    index: int | None
    what: str
    size: int
    heads: int
    unknown: int
    cosigned: tuple[Cosigned, ...] = ()
    whole: str = "the ledger"

    def to_json(self) -> dict[str, Any]:
        """The same as JSON; `unknown` are allowed calls whose outcome is not in it."""
        return {
            "ok": self.ok,
            "bad_entry": self.index,
            "what": self.what,
            "entries": self.size,
            "heads": self.heads,
            "outcomes_unknown": self.unknown,
            "cosigned": [{"witness": c.name, "heads": c.heads, "entries": c.size, "at": c.at} for c in self.cosigned],
        }


def examine(
    read: Read, vkeys: Sequence[str], origin: str | None, expect: Path | None, witnesses: Iterable[str] = ()
) -> Found:
    """Audit an export: every entry, tile, head and signature, and each receipt's form and place. Raises LedgerFault.

    `vkeys` are the ledger's verifier keys, at least one: a ledger whose key was changed has heads under each.
    `witnesses` are verifier keys; what they cosigned is told, and a cosignature by one of them must hold.
    """
    keys = [note.parse_vkey(one) for one in vkeys]
    name, receipts = origin or keys[0].name, Auditor()
    known = expected(expect, name, keys) if expect else None
    found = audit(read, name, keys, receipts, known, [cosignature.parse_vkey(one) for one in witnesses])
    return Found(found.ok, found.index, found.what, found.size, found.heads, len(receipts.open), found.cosigned)


def expected(path: Path, origin: str, keys: Sequence[note.Verifier]) -> Checkpoint:
    """Read a signed head that was kept elsewhere; it counts only when its signature holds (`head_invalid`)."""
    head, verdict = checkpoint.open_signed(path.read_bytes(), origin, keys)
    if not verdict:
        raise LedgerFault(
            "head_invalid",
            f"The head to expect does not hold: {verdict.what}.",
            "Give one that was signed by this ledger.",
        )
    return head


def verdict_lines(found: Found) -> list[str]:
    """Say what was found."""
    if found.ok and not found.size:
        return [f"ok: entry {found.index} stands in the ledger, as the signed head says"]
    if found.ok:
        lines = [f"ok: {found.size} entries, {found.heads} signed heads; every one holds"]
        lines += [f"{one.name} cosigned {_reach(one)}" for one in found.cosigned]
        return lines + ([f"{several(found.unknown, 'allowed call')} without an outcome yet"] if found.unknown else [])
    where = f"entry {found.index}" if found.index is not None else found.whole
    before = [f"{found.size} entries and {found.heads} signed heads before it hold"] if found.size else []
    return [f"BAD: {where}: {found.what}", *before]


def _reach(one: Cosigned) -> str:
    if not one.heads:
        return "no head"
    when = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if one.at < _LAST else "a time to come"
    return f"{one.heads} heads, the newest of {one.size} entries at {when}"


def main(argv: list[str] | None = None) -> None:
    """Exit with 0 when everything holds, 1 when something does not, 2 when nothing could be checked."""
    sys.exit(_run(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="remit-verify",
        description="Verify an exported Remit ledger, a file of evidence, or one proof.",
        epilog="Exit code 0: everything holds. 1: something does not, and the first such thing is named. "
        "2: nothing was checked, because what was given is not there, cannot be read, or is no key, head or proof.",
    )
    parser.add_argument("place", metavar="DIR|FILE.json|FILE.tlog-proof", type=Path)
    parser.add_argument(
        "--key",
        required=True,
        action="append",
        metavar="VKEY",
        help="the ledger's verifier key; repeated for a ledger whose key was changed",
    )
    parser.add_argument("--origin", help="the ledger's origin line; by default the key's name")
    parser.add_argument("--expect", type=Path, metavar="FILE", help="a signed head, kept elsewhere, that must be in it")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="the entry that a proof is about; by default FILE.json"
    )
    parser.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="a witness's verifier key; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    asked = parser.parse_args(argv)
    try:
        found = _file(asked) if asked.place.is_file() else _folder(asked)
    except LedgerFault as fault:
        sys.stderr.write(f"error: {fault.message}\n  {fault.remedy} [{fault.code}]\n")
        return 2
    except OSError as fault:
        sys.stderr.write(
            f"error: {fault.filename} cannot be read: {fault.strerror}.\n  Check the path. [file_failed]\n"
        )
        return 2
    lines = [json.dumps(found.to_json(), sort_keys=True)] if asked.json else verdict_lines(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if found.ok else 1


def exported(base: Path) -> Read:
    """The files of an exported ledger. A place that holds none of them says nothing of a ledger (`export_missing`)."""
    if not any((base / name).exists() for name in (CHECKPOINT, HEADS, TILES)):
        raise LedgerFault(
            "export_missing",
            f"There is no exported ledger at {base}.",
            "Name the folder that remit ledger export wrote, or a file of evidence or proof.",
        )

    def read(path: str) -> bytes | None:
        place = base / path
        return place.read_bytes() if place.is_file() else None

    return read


def _folder(asked: argparse.Namespace) -> Found:
    return examine(exported(asked.place), asked.key, asked.origin, asked.expect, asked.witness)


def _file(asked: argparse.Namespace) -> Found:
    data = asked.place.read_bytes()
    if data[:1] == b"{":
        _told_as(asked.place, data)
        return evidence(data, asked.key, asked.origin, asked.expect, asked.witness)
    if not data.startswith(proof.FIRST.encode()):
        raise _nothing(asked.place, "is empty" if not data.strip() else "begins as neither of the two does")
    return _proof(asked)


def _told_as(place: Path, data: bytes) -> None:
    """Refuse a JSON document that does not call itself evidence: nothing in it could be checked."""
    try:
        said = json.loads(data).get("format")
    except (ValueError, RecursionError):
        return  # It may be what is left of evidence: then it is false.
    if said != FORMAT:
        raise _nothing(place, f"is a JSON document of something else: its member format is not {FORMAT}")


def _nothing(place: Path, why: str) -> LedgerFault:
    return LedgerFault(
        "export_missing",
        f"{place} is neither evidence nor a proof: it {why}.",
        "Name a file of remit evidence or remit ledger prove, or the folder of remit ledger export.",
    )


def evidence(
    data: bytes, vkeys: Sequence[str], origin: str | None, expect: Path | None, witnesses: Iterable[str] = ()
) -> Found:
    """Check a file of evidence of one task; see docs/spec/evidence.md. Raises LedgerFault."""
    keys = [note.parse_vkey(one) for one in vkeys]
    name = origin or keys[0].name
    known = expected(expect, name, keys) if expect else None
    wrong, size = evidence_check.examine(data, keys, name, known, [cosignature.parse_vkey(one) for one in witnesses])
    index, what = wrong or (None, "")
    return Found(wrong is None, index, what, 0 if wrong else size, 0 if wrong else 1, 0, whole="the evidence")


def _proof(asked: argparse.Namespace) -> Found:
    keys = [note.parse_vkey(one) for one in asked.key]
    record = asked.record or asked.place.with_suffix(".json")
    verdict = proof.verify(asked.place.read_bytes(), record.read_bytes(), asked.origin or keys[0].name, keys)
    return Found(verdict.ok, verdict.index, verdict.what, 0, 0, 0)


if __name__ == "__main__":
    main()
