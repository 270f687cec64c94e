"""Stream: what one receiver of Shared Signals is told, as it is signed. Nothing here says a name.

The ledger is the outbox: the receipt of a change, written in the transaction that makes it, is the event (core/told).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.core import ids
from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import Record
from remit.core.signal import VERIFY
from remit.core.told import KINDS, SUPPORTED, Naming, opaque, told

STATES: Final = ("enabled", "paused", "disabled", "ended")
MOST_WITHOUT: Final = 500
"""Subjects that a receiver can leave out."""
VERIFY_MS: Final = 60_000
"""Milliseconds between two verifications that a receiver asks for."""
_VERIFYING: Final = "stream.verifying"
_MARKS: Final = tuple(f'"kind":"{kind}"'.encode() for kind in (*KINDS, _VERIFYING))


class Stream(Record, frozen=True, kw_only=True, tag_field="noun", tag="stream"):
    """What is told to one service: `events` of the supported ones, from the ledger's entry `since` on.

    `push` says that it is pushed where the settings name, else it is polled. Of the people, agents and tasks in
    `without` it is not told. `asked` is the state text of the newest
    verification, `verified` when it was asked for. Owned by the service.
    """

    id: str
    service: str
    audience: str
    events: tuple[str, ...]
    since: int
    push: bool = False
    without: tuple[str, ...] = ()
    description: str = ""
    asked: str = ""
    verified: Instant = Instant(0)
    state: str = "enabled"

    def __post_init__(self) -> None:
        ids.parse("str", self.id)
        ids.parse("svc", self.service)
        whole = 0 < len(self.audience) <= 512 and len(self.description) <= 512 and len(self.asked) <= 512
        whole = whole and len(self.without) <= MOST_WITHOUT
        if not whole or not set(self.events) <= set(SUPPORTED) or self.state not in STATES:
            raise RemitError("stream_invalid", "This cannot be a stream.", "Read /.well-known/ssf-configuration.")


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is signed."""

    jti: str
    payload: Mapping[str, Json]


def may_tell(body: bytes) -> bool:
    """Say, without reading it, whether an entry may be an event."""
    return any(mark in body for mark in _MARKS)


def event(stream: Stream, leaf: int, receipt: Mapping[str, Json], issuer: str, known_as: Naming) -> Told | None:
    """What a receipt tells this stream; None for what it is not told. The same each time."""
    if leaf < stream.since:
        return None
    found = _said(stream, receipt, known_as)
    if found is None:
        return None
    kind, subject, said = found
    at, by = receipt["at"], receipt["by"]
    cause = hashlib.sha256(f"{issuer} {at} {by}".encode()).digest()[:16]
    jti = name(stream, leaf)
    payload: dict[str, Json] = {
        "iss": issuer,
        "aud": stream.audience,
        "iat": at // 1000,
        "jti": jti,
        "txn": b64(cause),
        "sub_id": subject,
        "events": {kind: said},
    }
    return Told(jti, payload)


def name(stream: Stream, leaf: int) -> str:
    """The `jti` of the event at this entry: the same each time it is told, and of this stream alone."""
    return f"{stream.id}.{leaf}"


def _said(stream: Stream, receipt: Mapping[str, Json], known_as: Naming) -> tuple[str, Json, dict[str, Json]] | None:
    kind, one = receipt["kind"], receipt["record"]
    if kind == _VERIFYING:
        # Of a record what is empty is left out, and a state is the receiver's to leave out.
        state = {"state": one["asked"]} if one.get("asked") else {}
        return (VERIFY, opaque(stream.id), state) if one["id"] == stream.id else None
    found = told(receipt, known_as)
    if found is None or found[0] not in stream.events:
        return None
    about = {one["id"], one.get("person"), one.get("agent")}
    return found if about.isdisjoint(stream.without) else None
