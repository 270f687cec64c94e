"""Authority: clock, store, vault, signer and ledger in one object; the only place with a clock."""

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from remit.core import ids
from remit.core.canonical import unb64
from remit.core.credential import Key as KeyRecord
from remit.core.errors import RemitError
from remit.core.moment import Instant, instant
from remit.core.policy import PolicySet
from remit.custody.root import Root
from remit.custody.rows import StoredKeys, StoredSecrets
from remit.custody.signer import Key, Purpose, Signer
from remit.custody.vault import Vault
from remit.ledger import checkpoint, note
from remit.store.apply import version_leaf
from remit.store.db import Database
from remit.store.foresight import Foresight
from remit.store.log import Log, newest
from remit.store.migrate import migrate, packaged
from remit.store.moved import refuse_moved
from remit.store.opening import open_db
from remit.store.record import Reader

FILE: Final = "remit.db"
"""The embedded store's file in its folder."""
JUMP: Final = 30_000
"""How far, in milliseconds, the wall clock may move against the monotonic one before every change is refused."""


_boottime: Final[Callable[[], int]] = (
    functools.partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic_ns
)


class Clock:
    """The wall clock, held against a monotonic clock that counts suspend. Milliseconds."""

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] | None = None) -> None:
        self._wall = wall
        self._steady = steady or _boottime
        self._offset = self._wall() // 1_000_000 - self.steady()
        self._shared: int | None = None

    def hear(self, at: int | None) -> None:
        """Take the instant from the store's clock, which nodes share; refuses one that jumped (`clock_jumped`)."""
        if at is None:
            return
        offset = at - self.steady()
        if self._shared is not None and abs(offset - self._shared) > JUMP:
            raise RemitError(
                "clock_jumped",
                "The clock of the database jumped by more than 30 seconds; nothing is decided on it.",
                "Set the clock of the database right and restart Remit.",
            )
        self._shared = offset

    def now(self) -> Instant:
        """The instant; refuses after a jump of more than 30 s (`clock_jumped`)."""
        if self._shared is not None:
            return instant(self.steady() + self._shared)
        wall = self._wall() // 1_000_000
        if abs(wall - self.steady() - self._offset) > JUMP:
            raise RemitError(
                "clock_jumped",
                "The clock of this machine jumped by more than 30 seconds; nothing is decided on it.",
                "Set the clock right and restart Remit.",
            )
        return instant(wall)

    def steady(self) -> int:
        """Milliseconds on the monotonic clock that counts suspend."""
        return self._steady() // 1_000_000


def in_order(last: Instant, now: Instant) -> None:
    """Refuse a clock that lies more than 30 s before the newest receipt (`clock_jumped`): ends would come too late."""
    if last - now > JUMP:
        raise RemitError(
            "clock_jumped",
            "The newest receipt lies more than 30 seconds ahead of this machine's clock; nothing is decided on it.",
            "Set the clock right and start Remit again.",
        )


def raw_public(key: Key) -> bytes:
    """The 32 bytes of an Ed25519 key's public half (`key_missing` for any other)."""
    if key.public is None or not isinstance(key.public.public, ed25519.Ed25519PublicKey):
        raise RemitError("key_missing", "The ledger key is not an Ed25519 key.", "Run `remit doctor`.")
    return key.public.public.public_bytes_raw()


@dataclass(slots=True)
class Authority:
    """Everything that deciding needs, opened once by the composition root and given to the faces.

    `issuer` is this origin's canonical URL; `name` is the ledger's origin line. `db` belongs to the one writer; `view`
    is a second connection, for reads between transactions; `lending` is the vault read through it. `nonce_required` has
    every DPoP proof hold a nonce of ours. `node` names this opening of the store and no other.
    """

    issuer: str
    name: str
    clock: Clock
    random: Callable[[int], bytes]
    db: Database
    view: Database
    log: Log
    signer: Signer
    vault: Vault
    lending: Vault
    sets: dict[tuple[str, ...], PolicySet] = field(default_factory=dict)
    foresight: Foresight = field(default_factory=Foresight)
    node: str = field(default_factory=lambda: os.urandom(8).hex())
    swept: tuple[int, str] = (0, "")
    forgot: int = 0
    ring_leaf: int = -1
    ring_moved: bool = False
    nonce_required: bool = False

    def freshen(self, leaf: int | None = None) -> None:
        """Read the signing keys again when any process has changed them; called first in every transaction.

        `leaf` is that of their latest change, when it was read with the lock.
        """
        leaf = version_leaf(self.db, "key") if leaf is None else leaf
        if leaf != self.ring_leaf:
            self.signer.reload()
            self.ring_leaf = leaf

    def reading(self) -> Database:
        """The connection for reads between transactions, opened again when a fault had dropped it."""
        if not self.view.usable:
            self.view.reopen()
        return self.view

    def undone(self) -> None:
        """A transaction, or a part of one, was undone: forget what it did to the signing keys."""
        if self.ring_moved:
            self.signer.reload()
            self.ring_moved, self.ring_leaf = False, -1

    def sign_head(self, size: int, root: bytes) -> str:
        """Sign a head of the ledger: a C2SP checkpoint under the ledger key."""
        key = self.signer.active(Purpose.LEDGER)
        return checkpoint.sign(checkpoint.Checkpoint(self.name, size, root), key.sign, raw_public(key)).decode()

    def verifier(self) -> str:
        """The C2SP verifier key of the ledger, for whoever checks it without us."""
        return note.vkey(self.name, raw_public(self.signer.active(Purpose.LEDGER)))

    def verifiers(self) -> tuple[str, ...]:
        """The verifier keys of every ledger key there ever was, that of now first: each signed heads of its time."""
        found = list(Reader(self.view).where(KeyRecord, "purpose = ?", (Purpose.LEDGER.value,)))
        found.sort(key=lambda one: one.state != "active")
        return tuple(note.vkey(self.name, unb64(one.public["x"])) for one in found if one.state != "next")

    def make(self, prefix: str) -> str:
        """Draw a new id. A call's begins with its instant, so that rows of one batch lie on the same pages."""
        if prefix == "cal":
            return ids.make(prefix, self.clock.now().to_bytes(6, "big") + self.random(10))
        return ids.make(prefix, self.random(16))


def _opened(path: Path | str, clock: Clock) -> Database:
    """The writer's connection to a store that is brought up to date, in order, and still in use."""
    db = open_db(path)
    try:
        refuse_moved(db)
        migrate(db, clock.now(), packaged())
        clock.hear(db.at)
        in_order(newest(db).at, clock.now())
    except BaseException:
        db.close()
        raise
    return db


def open_authority(place: Path | str, root: Root, issuer: str, name: str, clock: Clock | None = None) -> Authority:
    """Open, or on first use create, the store: in a folder, or at a `postgresql://` URL. Migrates it."""
    clock = clock or Clock()
    path = place / FILE if isinstance(place, Path) else place
    db = _opened(path, clock)
    try:
        view = open_db(path)
        try:
            signer = Signer(StoredKeys(db), (root,), os.urandom)
        except BaseException:
            view.close()
            raise
    except BaseException:
        db.close()
        raise
    return Authority(
        issuer=issuer,
        name=name,
        clock=clock,
        random=os.urandom,
        db=db,
        view=view,
        log=Log(db),
        signer=signer,
        vault=Vault(StoredSecrets(db), (root,), os.urandom),
        lending=Vault(StoredSecrets(view), (root,), os.urandom),
    )
