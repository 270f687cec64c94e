"""Signing keys: made, rotated and retired, with a receipt of each public half."""

from collections.abc import Collection
from typing import Final

from remit.control.change import Change
from remit.core.canonical import b64
from remit.core.credential import Key, PathGate
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.rows import StoredKeys
from remit.custody.signer import KeyState, Purpose

KEEP: Final = 60 * 60 * 1000


def ensure(change: Change, by: str, asked: Collection[Purpose] = ()) -> None:
    """Make whatever key is missing, and open both trust paths on first use, with a receipt each.

    `asked` are purposes whose keys are made only where something needs them.
    """
    change.authority.ring_moved = True
    change.authority.signer.reload()
    change.authority.signer.ensure(change.now, asked)
    for path in TrustPath:
        if change.reader.get(PathGate, path.value) is None:
            change.record("path.opened", PathGate(name=path, since=Instant(0)), by)
    sync(change, by)


def rotate(change: Change, purpose: Purpose, by: str) -> str:
    """Let the next key of a purpose sign; the one before still verifies for an hour."""
    change.authority.ring_moved = True
    kid = change.authority.signer.rotate(purpose, change.now, KEEP)
    sync(change, by)
    return kid


def sweep(change: Change) -> None:
    """Retire the keys whose end has come."""
    change.authority.ring_moved = True
    if change.authority.signer.sweep(change.now):
        sync(change, "sweep")
    else:
        change.authority.ring_moved = False


def sync(change: Change, by: str) -> None:
    """Write down every key whose state differs from its record."""
    signer = change.authority.signer
    for row in StoredKeys(change.db).list():
        key = signer.find(row.kid)
        before = change.reader.get(Key, row.kid)
        public = dict(before.public) if before else _public(row.kid, key)
        until = row.until if row.until is not None else Instant(0)
        record = Key(id=row.kid, purpose=row.purpose.value, public=public, until=until, state=row.state.value)
        if record != before:
            tag = {KeyState.RETIRED: "key.retired", KeyState.RETIRING: "key.retiring"}.get(row.state, "key.added")
            change.record(tag, record, by)


def _public(kid: str, key: object) -> dict[str, str]:
    jwk = getattr(key, "jwk", None)
    if jwk:
        return {name: str(value) for name, value in jwk.items()}
    public = getattr(getattr(key, "public", None), "public", None)
    return {"kty": "OKP", "x": b64(public.public_bytes_raw())} if public is not None else {"kty": "oct", "kid": kid}
