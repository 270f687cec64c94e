"""What anybody can check of a store's ledger: the export audited, every receipt judged, the tables replayed."""

import tempfile
from pathlib import Path

from remit.control import receipt
from remit.control.authority import Authority
from remit.core.canonical import unb64
from remit.core.credential import Key
from remit.core.receipt import Auditor
from remit.custody.signer import Purpose
from remit.ledger import note, verify
from remit.store.record import Reader


def faults(authority: Authority) -> list[str]:
    """Everything that is wrong with the ledger or with the tables that it explains; empty when nothing is."""
    found = audited(authority)
    with tempfile.TemporaryDirectory() as folder:
        return [*found, *receipt.replay(authority, Path(folder) / "twin.db")]


def audited(authority: Authority) -> list[str]:
    """What the offline auditor finds in an export."""
    held = dict(receipt.files(authority.view))
    audit = verify.audit(held.get, authority.name, verifiers(authority), Auditor())
    return [] if audit else [f"entry {audit.index}: {audit.what}"]


def verifiers(authority: Authority) -> list[note.Verifier]:
    """Every key that ever signed heads of this ledger, as its own receipts name them."""
    held = [one for one in Reader(authority.view).where(Key) if one.purpose == Purpose.LEDGER]
    return [note.parse_vkey(note.vkey(authority.name, unb64(one.public["x"]))) for one in held]
