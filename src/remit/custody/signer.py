"""Signing keys: one per purpose and trust path, each with a life of its own, sealed at rest.

A key is `next` (published, not yet signing), `active` (signs), `retiring` (verifies until its end) or `retired` (gone,
its private half erased). The public half is always derived from the sealed private one: whoever can only write rows
cannot make Remit trust a key. Control owns the transaction around every call that writes.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol, TypeAlias, final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant, instant
from remit.core.trust import TrustPath
from remit.custody.jwk import PublicKey, read_key, thumbprint
from remit.custody.root import Root
from remit.custody.secret import Secret
from remit.custody.vault import Place, seal, unseal

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA: Final = ec.ECDSA(SHA256(), deterministic_signing=True)
_KID: Final = 16


class Purpose(StrEnum):
    """What a key signs. No two purposes, so no two trust paths, ever share a key."""

    TOKEN_DELEGATED = "token:delegated"  # noqa: S105 (a name, not a password)
    TOKEN_OWN = "token:own"  # noqa: S105
    LEDGER = "ledger"
    STATE = "state"
    TRANSACTION_DELEGATED = "transaction:delegated"
    TRANSACTION_OWN = "transaction:own"
    EVENT = "event"
    EVENT_RSA = "event:rsa"


class KeyState(StrEnum):
    """Where a key is in its life; it only ever moves forward."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


TOKEN_PURPOSES: Final = {
    TrustPath.DELEGATED: Purpose.TOKEN_DELEGATED,
    TrustPath.OWN: Purpose.TOKEN_OWN,
}


TRANSACTION_PURPOSES: Final = {
    TrustPath.DELEGATED: Purpose.TRANSACTION_DELEGATED,
    TrustPath.OWN: Purpose.TRANSACTION_OWN,
}


EVENT_PURPOSES: Final = {"ES256": Purpose.EVENT, "RS256": Purpose.EVENT_RSA}
"""Events of either path are told in one stream, under the key of the algorithm that its receiver reads."""
ASKED: Final = frozenset({Purpose.EVENT_RSA})
"""Keys that are made only where they are asked for: an RSA key takes a while to find."""
ALWAYS: Final = tuple(one for one in Purpose if one not in ASKED)
RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A signing key as it is stored. `until` is the end of a retiring key; `sealed` is empty once it is retired."""

    kid: str
    purpose: Purpose
    state: KeyState
    since: Instant
    until: Instant | None
    sealed: bytes


class KeyRows(Protocol):
    """Where sealed signing keys are kept. One row per kid."""

    def list(self) -> Sequence[KeyRow]:
        """Return all rows."""
        ...

    def put(self, row: KeyRow) -> None:
        """Insert the row, or replace the one of the same kid."""
        ...


Private: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | Secret


@final
@dataclass(frozen=True, slots=True)
class Key:
    """A key that is awake. `public` is None for the symmetric one."""

    row: KeyRow
    public: PublicKey | None
    jwk: Mapping[str, Json] | None
    private: Private

    @property
    def kid(self) -> str:
        """Its name: the first 16 characters of its RFC 7638 thumbprint."""
        return self.row.kid

    def sign(self, data: bytes) -> bytes:
        """Sign bytes: the caller asked for the active key of its purpose."""
        return _sign(self.private, data)

    def accepts(self, now: Instant) -> bool:
        """Say whether what it signed counts at this instant: active, or retiring and before its end."""
        state = self.row.state
        if state is KeyState.ACTIVE:
            return True
        return state is KeyState.RETIRING and self.row.until is not None and now < self.row.until


@dataclass(frozen=True, slots=True)
class Signature:
    """Raw signature bytes (ES256: r and s, 64 bytes; Ed25519: 64; RS256: 256; HMAC-SHA256: 32) and their key."""

    kid: str
    value: bytes


@final
class Signer:
    """All our keys. Reading is lock-free: a reload replaces the whole ring at once."""

    __slots__ = ("_active", "_drawn", "_random", "_ring", "_roots", "_rows")

    def __init__(self, rows: KeyRows, roots: Sequence[Root], random: Callable[[int], bytes]) -> None:
        if not roots:
            raise RemitError("key_missing", "The signer has no root key.", "Name one: env:, file: or keyring:.")
        self._rows, self._roots, self._random = rows, tuple(roots), random
        self._ring: dict[str, Key] = {}
        self._active: dict[Purpose, Key] = {}
        self._drawn: list[Secret] = []
        self.reload()

    def reload(self) -> None:
        """Read the rows again. Refuses a row whose key is not the one its kid names (`key_row_wrong`)."""
        rows = [row for row in self._rows.list() if row.state is not KeyState.RETIRED]
        ring: dict[str, Key] = {}
        for row in sorted(rows, key=lambda r: (r.since, r.kid)):
            known = self._ring.get(row.kid)
            if known is not None and known.row.sealed == row.sealed and known.row.purpose is row.purpose:
                ring[row.kid] = replace(known, row=row)
            else:
                ring[row.kid] = _wake(row, unseal(self._roots, _place(row.purpose, row.kid), row.sealed))
        self._active = {key.row.purpose: key for key in ring.values() if key.row.state is KeyState.ACTIVE}
        self._ring = ring

    def ensure(self, now: Instant, asked: Collection[Purpose] = ()) -> tuple[str, ...]:
        """Make the active and the next key of every purpose that lacks one, and is asked for; return the new kids."""
        made: list[str] = []
        for purpose in Purpose:
            if purpose not in ASKED or purpose in asked:
                made += [self._make(purpose, state, now) for state in self._lacking(purpose)]
        self.reload()
        return tuple(made)

    def draw(self, purpose: Purpose, more: int = 0) -> None:
        """Find ahead, outside any transaction, what `ensure` and `more` rotations will need of a slow kind of key."""
        if purpose in ASKED:
            needed = max(len(self._lacking(purpose)), more) - len(self._drawn)
            self._drawn += [Secret(_draw(purpose, self._random)) for _ in range(needed)]

    def _lacking(self, purpose: Purpose) -> list[KeyState]:
        present = {k.row.state for k in self._ring.values() if k.row.purpose is purpose}
        return [state for state in (KeyState.ACTIVE, KeyState.NEXT) if state not in present]

    def rotate(self, purpose: Purpose, now: Instant, keep: int) -> str:
        """Let the next key sign from now on; the old one verifies for `keep` milliseconds more."""
        self.reload()
        following = next(
            (k for k in self._ring.values() if k.row.state is KeyState.NEXT and k.row.purpose is purpose), None
        )
        kid = following.kid if following else self._make(purpose, KeyState.ACTIVE, now)
        for key in list(self._ring.values()):
            if key.row.purpose is purpose and key.row.state is KeyState.ACTIVE:
                end = instant(now + keep)
                self._rows.put(replace(key.row, state=KeyState.RETIRING, since=now, until=end))
        if following:
            self._rows.put(replace(following.row, state=KeyState.ACTIVE, since=now))
        self._make(purpose, KeyState.NEXT, now)
        self.reload()
        return kid

    def retire(self, kid: str, now: Instant) -> None:
        """End a key at once and erase its private half. Refuses a kid that is not ours (`key_unknown`)."""
        self.reload()
        key = self._ring.get(kid)
        if key is None:
            raise RemitError("key_unknown", "There is no such signing key.", "List the keys and copy the kid.")
        self._rows.put(replace(key.row, state=KeyState.RETIRED, since=now, until=now, sealed=b""))
        self.reload()

    def sweep(self, now: Instant) -> tuple[str, ...]:
        """Retire every retiring key whose end has come; return their kids."""
        over = [k.kid for k in self._ring.values() if k.row.state is KeyState.RETIRING and not k.accepts(now)]
        for kid in over:
            self.retire(kid, now)
        return tuple(over)

    def reseal(self) -> int:
        """Seal every key of an older root under the first one; return how many."""
        stale = [k for k in self._ring.values() if k.row.sealed[1:9] != self._roots[0].id]
        for key in stale:
            place = _place(key.row.purpose, key.kid)
            secret = unseal(self._roots, place, key.row.sealed)
            self._rows.put(replace(key.row, sealed=seal(self._roots[0], place, secret, self._random)))
        self.reload()
        return len(stale)

    def active(self, purpose: Purpose) -> Key:
        """Return the key that signs for a purpose. Refuses when there is none (`key_missing`)."""
        key = self._active.get(purpose)
        if key is None:
            raise RemitError("key_missing", f"There is no active key for {purpose}.", "Run `remit doctor`.")
        return key

    def find(self, kid: str) -> Key | None:
        """Return the key of this name, in whatever state it is."""
        return self._ring.get(kid)

    def sign(self, purpose: Purpose, data: bytes) -> Signature:
        """Sign with the active key of a purpose (`key_missing` when there is none)."""
        key = self.active(purpose)
        return Signature(key.kid, key.sign(data))

    def verify(self, purpose: Purpose, kid: str, data: bytes, signature: bytes, now: Instant) -> bool:
        """Say whether an accepted key of exactly this purpose signed these bytes."""
        key = self._ring.get(kid)
        if key is None or key.row.purpose is not purpose or not key.accepts(now):
            return False
        if isinstance(key.private, Secret):
            return hmac.compare_digest(_sign(key.private, data), signature)
        return key.public is not None and key.public.verifies(data, signature)

    def jwks(
        self, now: Instant, purposes: Mapping[TrustPath, Purpose] | Mapping[str, Purpose] = TOKEN_PURPOSES
    ) -> dict[str, Json]:
        """Return the public JWK Set of the keys of these purposes: next, active, and retiring before their end."""
        return {
            "keys": [
                dict(key.jwk)
                for key in self._ring.values()
                if key.jwk is not None
                and key.row.purpose in purposes.values()
                and (key.row.state is KeyState.NEXT or key.accepts(now))
            ]
        }

    def _make(self, purpose: Purpose, state: KeyState, now: Instant) -> str:
        drawn = self._drawn if purpose in ASKED else []
        secret = drawn.pop() if drawn else Secret(_draw(purpose, self._random))
        kid = _kid(purpose, secret)
        sealed = seal(self._roots[0], _place(purpose, kid), secret, self._random)
        self._rows.put(KeyRow(kid, purpose, state, now, None, sealed))
        return kid


def _draw(purpose: Purpose, random: Callable[[int], bytes]) -> bytes:
    """32 random bytes; for P-256 drawn again until they are a scalar (FIPS 186-5 A.2.2). An RSA key as PKCS #8."""
    if purpose is Purpose.EVENT_RSA:
        return rsa.generate_private_key(65537, RSA_BITS).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    for _ in range(64):
        value = random(32)
        if purpose in (Purpose.LEDGER, Purpose.STATE) or 0 < int.from_bytes(value, "big") < _ORDER:
            return value
    raise RemitError(
        "random_broken", "The source of randomness returns no usable keys.", "Check the machine's entropy."
    )


def _private(purpose: Purpose, secret: Secret) -> Private:
    if purpose is Purpose.STATE:
        return secret
    if purpose is Purpose.LEDGER:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret.reveal())
    if purpose is Purpose.EVENT_RSA:
        found = serialization.load_der_private_key(secret.reveal(), None)
        if isinstance(found, rsa.RSAPrivateKey):
            return found
        raise RemitError("key_row_wrong", "An event key is no RSA key.", "Restore the keys from a backup.")
    return ec.derive_private_key(int.from_bytes(secret.reveal(), "big"), ec.SECP256R1())


def _jwk(private: Private) -> dict[str, Json] | None:
    if isinstance(private, Secret):
        return None
    if isinstance(private, rsa.RSAPrivateKey):
        at = private.public_key().public_numbers()
        jwk = {"kty": "RSA", "n": _number(at.n), "e": _number(at.e), "alg": "RS256", "use": "sig"}
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), "alg": "EdDSA", "use": "sig"}
    else:
        point = private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "alg": "ES256", "use": "sig"}
    return {**jwk, "kid": thumbprint(jwk)[:_KID]}


def _number(value: int) -> str:
    """A number in as few octets as hold it (RFC 7518 section 6.3.1)."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def _kid(purpose: Purpose, secret: Secret) -> str:
    jwk = _jwk(_private(purpose, secret))
    if jwk is None:
        return b64(hashlib.sha256(b"remit/state-kid/1" + secret.reveal()).digest())[:_KID]
    return str(jwk["kid"])


def _wake(row: KeyRow, secret: Secret) -> Key:
    if _kid(row.purpose, secret) != row.kid:
        raise RemitError(
            "key_row_wrong",
            f"The signing key {row.kid} is not the one its row names.",
            "Restore the keys from a backup.",
        )
    private = _private(row.purpose, secret)
    jwk = _jwk(private)
    return Key(row, read_key(jwk) if jwk else None, jwk, private)


def _sign(private: Private, data: bytes) -> bytes:
    if isinstance(private, Secret):
        return hmac.digest(private.reveal(), data, "sha256")
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, padding.PKCS1v15(), SHA256())
    r, s = decode_dss_signature(private.sign(data, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _place(purpose: Purpose, kid: str) -> Place:
    return Place(f"signing/{purpose}", kid, 1)
