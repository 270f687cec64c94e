"""Stream: what one receiver of Shared Signals is told, and which receipt is which event. Nothing here says a name.

The ledger is the outbox: the receipt of an end, written in the transaction that ends, is the event.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.core import ids
from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import Record
from remit.core.signal import CAEP, RISC, VERIFY

REVOKED: Final = f"{CAEP}session-revoked"
DISABLED: Final = f"{RISC}account-disabled"
SUPPORTED: Final = (REVOKED, DISABLED)
STATES: Final = ("enabled", "paused", "disabled", "ended")
MOST_WITHOUT: Final = 500
"""Subjects that a receiver can leave out."""
VERIFY_MS: Final = 60_000
"""Milliseconds between two verifications that a receiver asks for."""
ENDS: Final = frozenset({"revoked", "agent", "person", "owner", "fault", "refused"})
"""Why a task ends that was stopped. One that came to its own end tells nobody; one below ends with the one above."""
_MARKS: Final = tuple(
    f'"kind":"{kind}"'.encode()
    for kind in ("person.left", "agent.suspended", "agent.retired", "task.ended", "stream.verifying")
)
Naming = Callable[[str], Json]
"""How the receiver knows a person, by our id: a subject identifier of RFC 9493."""


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


def opaque(identity: str) -> dict[str, Json]:
    """The subject identifier of what is known by our id alone."""
    return {"format": "opaque", "id": identity}


def _said(stream: Stream, receipt: Mapping[str, Json], known_as: Naming) -> tuple[str, Json, dict[str, Json]] | None:
    kind, one = receipt["kind"], receipt["record"]
    if kind == "stream.verifying":
        ours = one["id"] == stream.id
        return (VERIFY, opaque(stream.id), {"state": one["asked"]} if one["asked"] else {}) if ours else None
    if kind == "task.ended" and one.get("because") not in ENDS:
        return None
    if stream.without and not {one["id"], one.get("person"), one.get("agent")}.isdisjoint(stream.without):
        return None
    event = DISABLED if kind == "person.left" else REVOKED
    if event not in stream.events:
        return None
    if kind == "person.left":
        return event, known_as(one["id"]), {}
    if kind == "task.ended":
        subject: dict[str, Json] = {"format": "complex"}
        subject |= {"user": known_as(one["person"])} if one.get("person") else {}
        subject |= {"application": opaque(one["agent"]), "session": opaque(one["id"])}
    else:
        subject = {"format": "complex", "application": opaque(one["id"])}
    return (
        event,
        subject,
        {"event_timestamp": receipt["at"] // 1000, "initiating_entity": _who(receipt["by"], one.get("person", ""))},
    )


def _who(by: str, person: str) -> str:
    if by == person:
        return "user"
    return "admin" if by == "operator" or by.startswith("per_") else "policy"
