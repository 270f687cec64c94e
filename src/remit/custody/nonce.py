"""Nonces that we give for DPoP proofs (RFC 9449 section 8): kept nowhere, keyed, good on every node of one store.

A nonce says the minute it was given in, under the symmetric key that nodes share. It is good in that minute and the
next, so a proof that holds one was made lately, whatever the client's clock says. See docs/spec/credential.md.
"""

from typing import Final, Protocol

from remit.core.canonical import b64, unb64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.signer import Purpose, Signature

MINUTE: Final = 60_000
_KID: Final = 16
_LENGTH: Final = 64
_LABEL: Final = b"remit/dpop-nonce/1"


class Keys(Protocol):
    """The key that nodes share. `Signer` is one."""

    def sign(self, purpose: Purpose, data: bytes) -> Signature:
        """Sign with the active key of a purpose."""
        ...

    def verify(self, purpose: Purpose, kid: str, data: bytes, signature: bytes, now: Instant) -> bool:
        """Say whether an accepted key of exactly this purpose signed these bytes."""
        ...


def give(keys: Keys, now: Instant) -> str:
    """The nonce of this minute (`key_missing`): 64 characters of base64url."""
    minute = (now // MINUTE).to_bytes(4, "big")
    made = keys.sign(Purpose.STATE, _LABEL + minute)
    return made.kid + b64(minute + made.value)


def end(keys: Keys, text: str, now: Instant) -> Instant | None:
    """Until when a nonce is good, if it is one of ours of this minute or the one before; else None.

    One of the next minute is good too: the node that gave it may be ahead of this one.
    """
    if len(text) != _LENGTH or not text.isascii():
        return None
    try:
        said = unb64(text[_KID:])
    except RemitError:
        return None
    minute, current = int.from_bytes(said[:4], "big"), now // MINUTE
    if not current - 1 <= minute <= current + 1:
        return None
    if not keys.verify(Purpose.STATE, text[:_KID], _LABEL + said[:4], said[4:], now):
        return None
    return Instant((minute + 2) * MINUTE)


def old(text: str, now: Instant) -> bool:
    """Say whether a good nonce is of an earlier minute, so that the client is better given another."""
    return int.from_bytes(unb64(text[_KID:])[:4], "big") < now // MINUTE
