"""Secrets at rest: sealed with AES-256-GCM, each under a key of its own derived from the root key.

A sealed blob is `01 | root id (8) | salt (32) | nonce (12) | ciphertext and tag`. The data key is HKDF-SHA256 (RFC
5869) of the root with that salt and the purpose, so no nonce can ever repeat under one key. Purpose, name and version
are authenticated beside it: a blob moved to another row does not open. What the vault cannot see is a whole row put
back to an older state together with its version: the ledger shows that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.core.canonical import canon
from remit.core.errors import RemitError
from remit.custody.root import Root
from remit.custody.secret import Secret

FORMAT: Final = b"\x01"
_ID, _SALT, _NONCE, _TAG = 8, 32, 12, 16
_HEAD: Final = 1 + _ID + _SALT + _NONCE
LARGEST: Final = 64 * 1024
"""Bytes: the largest secret that can be sealed."""
AWAKE: Final = 64
"""How many secrets are kept open at once for the calls that borrow them."""


@dataclass(frozen=True, slots=True)
class Place:
    """The one place that a blob is sealed for: what for, which one, which version of it."""

    purpose: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed secret as it is stored: which one, which version of it, and bytes that say nothing."""

    purpose: str
    name: str
    version: int
    blob: bytes

    @property
    def place(self) -> Place:
        """The place that its blob was sealed for."""
        return Place(self.purpose, self.name, self.version)


class SecretRows(Protocol):
    """Where sealed secrets are kept. One row per purpose and name."""

    def get(self, purpose: str, name: str) -> SealedRow | None:
        """Return the row of this name, or None."""
        ...

    def put(self, row: SealedRow) -> None:
        """Insert the row, or replace the one of the same purpose and name."""
        ...

    def drop(self, purpose: str, name: str) -> None:
        """Remove the row of this name, if there is one."""
        ...

    def list(self) -> Sequence[SealedRow]:
        """Return all rows."""
        ...


def seal(root: Root, place: Place, secret: Secret, random: Callable[[int], bytes]) -> bytes:
    """Seal a secret for exactly this place. Refuses one over 64 KiB (`secret_too_long`)."""
    if len(secret) > LARGEST:
        raise RemitError("secret_too_long", "A secret is at most 64 KiB.", "Store a key or token, not a document.")
    salt, nonce = random(_SALT), random(_NONCE)
    sealed = AESGCM(_data_key(root, place, salt)).encrypt(nonce, secret.reveal(), _beside(place))
    return FORMAT + root.id + salt + nonce + sealed


def unseal(roots: Sequence[Root], place: Place, blob: bytes) -> Secret:
    """Open a blob that was sealed for exactly this place.

    Refuses one that was sealed under a root that is not here (`secret_root_unknown`), and one that was altered, or
    sealed for another purpose, name or version (`secret_sealed_wrong`).
    """
    if len(blob) < _HEAD + _TAG or blob[:1] != FORMAT:
        raise _wrong(place)
    root = next((r for r in roots if r.id == blob[1 : 1 + _ID]), None)
    if root is None:
        raise RemitError(
            "secret_root_unknown",
            f"The secret {place.name!r} was sealed under a root key that is not here.",
            "Start with that root key, as the older one, and reseal.",
        )
    salt, nonce = blob[1 + _ID : 1 + _ID + _SALT], blob[1 + _ID + _SALT : _HEAD]
    try:
        return Secret(AESGCM(_data_key(root, place, salt)).decrypt(nonce, blob[_HEAD:], _beside(place)))
    except InvalidTag:
        raise _wrong(place) from None


@final
class Vault:
    """Puts secrets to rest and wakes them. Owns no storage; older roots open, only the first one seals."""

    __slots__ = ("_awake", "_random", "_roots", "_rows")

    def __init__(self, rows: SecretRows, roots: Sequence[Root], random: Callable[[int], bytes]) -> None:
        if not roots:
            raise RemitError("key_missing", "The vault has no root key.", "Name one: env:, file: or keyring:.")
        self._rows, self._roots, self._random = rows, tuple(roots), random
        self._awake: dict[tuple[str, str], tuple[SealedRow, Secret]] = {}

    def put(self, purpose: str, name: str, secret: Secret) -> int:
        """Seal and store a secret; return its version, 1 or one above what was there."""
        before = self._rows.get(purpose, name)
        version = before.version + 1 if before else 1
        blob = seal(self._roots[0], Place(purpose, name, version), secret, self._random)
        self._rows.put(SealedRow(purpose, name, version, blob))
        return version

    def get(self, purpose: str, name: str) -> Secret:
        """Open a stored secret. Refuses what is not there (`secret_unknown`) and what `unseal` refuses."""
        row = self._row(purpose, name)
        return unseal(self._roots, row.place, row.blob)

    def awake(self, purpose: str, name: str) -> Secret:
        """The same as `get`, for what many calls borrow: its row is read each time, and opened when it is another.

        At most `AWAKE` stay open, until `sleep`.
        """
        held = self._awake.pop((purpose, name), None)
        row = self._row(purpose, name)
        if held is None or held[0] != row:
            held = row, unseal(self._roots, row.place, row.blob)
        if len(self._awake) >= AWAKE:
            self._awake.clear()
        self._awake[purpose, name] = held
        return held[1]

    def sleep(self) -> None:
        """Let go of every secret that is open."""
        self._awake.clear()

    def _row(self, purpose: str, name: str) -> SealedRow:
        row = self._rows.get(purpose, name)
        if row is None:
            raise RemitError(
                "secret_unknown", f"There is no secret {name!r} for {purpose}.", "Store it first, under this name."
            )
        return row

    def wrap(self, purpose: str, data: bytes) -> bytes:
        """Seal what goes out and comes back (a form, a cookie) for one purpose; any node of the same root opens it."""
        return seal(self._roots[0], Place(purpose, "", 1), Secret(data), self._random)

    def unwrap(self, purpose: str, blob: bytes) -> bytes | None:
        """What was wrapped for this purpose; None for anything else."""
        try:
            return unseal(self._roots, Place(purpose, "", 1), blob).reveal()
        except RemitError:
            return None

    def derive(self, purpose: str, name: str, size: int) -> bytes:
        """Octets that this root gives for this purpose and name, and no other root or name: stored nowhere."""
        return self._roots[0].derive(b"remit/derived/1/" + purpose.encode(), name.encode(), size)

    def forget(self, purpose: str, name: str) -> None:
        """Remove a stored secret for good; one that is not there is no fault."""
        self._rows.drop(purpose, name)

    def holds(self, purpose: str, name: str) -> bool:
        """Say whether there is such a secret."""
        return self._rows.get(purpose, name) is not None

    def reseal(self) -> int:
        """Seal every secret of an older root under the first one; return how many. Safe to run again."""
        stale = [row for row in self._rows.list() if row.blob[1 : 1 + _ID] != self._roots[0].id]
        for row in stale:
            secret = unseal(self._roots, row.place, row.blob)
            self._rows.put(replace(row, blob=seal(self._roots[0], row.place, secret, self._random)))
        return len(stale)


def _data_key(root: Root, place: Place, salt: bytes) -> bytes:
    return root.derive(b"remit/vault/1/" + place.purpose.encode(), salt)


def _beside(place: Place) -> bytes:
    return canon(["remit/vault/1", place.purpose, place.name, place.version])


def _wrong(place: Place) -> RemitError:
    return RemitError(
        "secret_sealed_wrong",
        f"The sealed secret {place.name!r} was altered, or was sealed for another place.",
        "Restore the row from a backup, or store the secret again.",
    )
