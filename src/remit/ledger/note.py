"""C2SP signed-note: a text, a blank line, and signature lines. Ed25519 (type 0x01) is the type we sign and check.

Keys stay with their owner: `sign` takes a function. A line by a key that we were not given is ignored, as the format
demands; one by a key we know must hold. Faults: `note_invalid`, `vkey_invalid`.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from remit.ledger import LedgerFault, Verdict

ED25519: Final = b"\x01"
SIGNATURES_MAX: Final = 64
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, by which key, and the bytes."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Its text counts for nothing until `verify` says so."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name: what a vkey says."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", key_id(self.name, self.public))
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.public))

    def holds(self, text: bytes, value: bytes) -> bool:
        """Say whether this key made the signature over these very bytes."""
        try:
            self._key.verify(value, text)
        except InvalidSignature:
            return False
        return True


@functools.lru_cache(maxsize=256)
def key_id(name: str, public: bytes) -> bytes:
    """Return the four-byte key ID of an Ed25519 key under this name."""
    if not _is_name(name) or len(public) != 32:
        raise LedgerFault(
            "vkey_invalid",
            "This is not a key name and an Ed25519 public key.",
            "Use a name without spaces or plus signs, and 32 bytes of key.",
        )
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """Return the verifier key as one line of text: name+id+base64(type, key)."""
    return f"{name}+{key_id(name, public).hex()}+{_b64(ED25519 + public)}"


def parse_vkey(text: str) -> Verifier:
    """Read what `vkey` wrote. Refuses other key types, and an ID that is not the key's."""
    name, _, rest = text.partition("+")
    stated, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    if raw is None or len(raw) != 33 or raw[:1] != ED25519 or key_id(name, raw[1:]).hex() != stated:
        raise LedgerFault(
            "vkey_invalid", "This is not the verifier key of an Ed25519 log.", "Copy the whole line: name+id+key."
        )
    return Verifier(name, raw[1:])


def sign(text: str, name: str, sign_fn: Callable[[bytes], bytes], public_key: bytes) -> bytes:
    """Return the note: `text`, and this key's signature over it. `text` must end in a newline."""
    body = text.encode()
    _check_text(text)
    return body + b"\n" + _line(name, key_id(name, public_key), sign_fn(body))


def add_signature(signed: bytes, name: str, sign_fn: Callable[[bytes], bytes], public_key: bytes) -> bytes:
    """Return the note with one more signature line over the same text."""
    return signed + _line(name, key_id(name, public_key), sign_fn(parse(signed).text.encode()))


def parse(data: bytes) -> Note:
    """Split a note into text and signatures. Strict: one spelling for each note."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8") from None
    text, blank, tail = whole.rpartition("\n\n")
    text += "\n"
    if not blank or not tail.endswith("\n"):
        raise _malformed("has no signature lines after a blank line")
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise _malformed(f"has more than {SIGNATURES_MAX} signatures")
    return Note(text, tuple(map(_signature, lines)))


def verify(signed: Note, keys: Iterable[Verifier]) -> Verdict:
    """Check the note: at least one of `keys` signed it, and no line by one of them fails."""
    known = {(key.name, key.key_id): key for key in keys}
    body, held = signed.text.encode(), False
    for line in signed.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if not key.holds(body, line.value):
            return Verdict(ok=False, what=f"the signature by {line.name} does not hold")
        held = True
    return Verdict(ok=True) if held else Verdict(ok=False, what="no signature by a known key")


def unbase64(text: str) -> bytes | None:
    """Decode standard padded base64 in its one canonical spelling; None for anything else."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if _b64(raw) == text else None


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def line(signature: Signature) -> str:
    """Return a signature as the line that stands under a note, with its newline."""
    return f"{_DASH}{signature.name} {_b64(signature.key_id + signature.value)}\n"


def _line(name: str, key: bytes, value: bytes) -> bytes:
    return line(Signature(name, key, value)).encode()


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = unbase64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or raw is None or len(raw) < 5 or not line.isprintable():
        raise _malformed("has a signature line of no known form")
    return Signature(name, raw[:4], raw[4:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.isprintable() and not any(map(str.isspace, name))


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise _malformed("has control characters, or a text without its last newline")


def _malformed(why: str) -> LedgerFault:
    return LedgerFault("note_invalid", f"The signed note {why}.", "Fetch or export the note again, unchanged.")
