"""C2SP tlog-cosignature, type 0x04: a witness's word that a head is the largest consistent one it saw, and when.

Ed25519. What is signed is `cosignature/v1`, the time and the head's text; the line holds the time before the
signature. The format does not bind the witness's name: one key is for one witness. Times are POSIX seconds.
Faults: `vkey_invalid`, `note_invalid`, `cosignature_invalid`.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from remit.ledger import LedgerFault, note
from remit.ledger.merkle import LARGEST

TYPE: Final = b"\x04"
_TIME: Final = 8
_SIZE: Final = _TIME + 64


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness as others know it: its name and public key, what its verifier key says."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", key_id(self.name, self.public))
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.public))

    def time(self, text: str, value: bytes) -> int | None:
        """Return when it cosigned this very text, or None when the signature is not its own or says no time."""
        at = int.from_bytes(value[:_TIME], "big")
        if len(value) != _SIZE or not 0 < at <= LARGEST:
            return None
        try:
            self._key.verify(value[_TIME:], message(text, at))
        except InvalidSignature:
            return None
        return at


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One line that holds: which witness, when, and the line as it stands under a head, with its newline."""

    name: str
    at: int
    line: str


def key_id(name: str, public: bytes) -> bytes:
    """Return the four-byte key ID of a cosigner's key under this name."""
    note.key_id(name, public)  # refuses what is no name or no key
    return sha256(name.encode() + b"\n" + TYPE + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """Return the witness's verifier key: name+id+base64(0x04, key)."""
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(TYPE + public).decode()}"


def parse_vkey(text: str) -> Witness:
    """Read what `vkey` wrote. Refuses other key types, a log's own key among them, and an ID that is not the key's."""
    name, _, rest = text.partition("+")
    stated, _, encoded = rest.partition("+")
    raw = note.unbase64(encoded)
    if raw is None or len(raw) != 33 or raw[:1] != TYPE or key_id(name, raw[1:]).hex() != stated:
        raise LedgerFault(
            "vkey_invalid", "This is not the verifier key of an Ed25519 witness.", "Copy the whole line: name+id+key."
        )
    return Witness(name, raw[1:])


def message(text: str, at: int) -> bytes:
    """Return the bytes that a witness signs for a head's text."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def sign(text: str, at: int, name: str, sign_fn: Callable[[bytes], bytes], public_key: bytes) -> str:
    """Return the cosignature as a signature line. Refuses a time of 0: it says nothing (`cosignature_invalid`).

    The witness must have kept the head durably before this line leaves it.
    """
    if not 0 < at <= LARGEST:
        raise LedgerFault("cosignature_invalid", "A cosignature has a time.", "Set the clock of the witness.")
    value = at.to_bytes(_TIME, "big") + sign_fn(message(text, at))
    return note.line(note.Signature(name, key_id(name, public_key), value))


def held(signed: note.Note, witnesses: Iterable[Witness]) -> tuple[list[Cosignature], str]:
    """Return the lines under a head that hold, and what is wrong with the first one by a known witness that does not.

    Lines by keys that we were not given are ignored. Of one witness only its latest line is returned.
    """
    known = {(one.name, one.key_id): one for one in witnesses}
    found: dict[str, Cosignature] = {}
    for signature in signed.signatures:
        witness = known.get((signature.name, signature.key_id))
        if witness is None:
            continue
        at = witness.time(signed.text, signature.value)
        if at is None:
            return list(found.values()), f"the cosignature by {witness.name} does not hold"
        if witness.name not in found or found[witness.name].at < at:
            found[witness.name] = Cosignature(witness.name, at, note.line(signature))
    return list(found.values()), ""
