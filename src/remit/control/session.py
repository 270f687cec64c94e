"""Sessions of people: begun at a sign-in, ended by themselves, by a revocation or by time; known by a digest."""

import hashlib
from dataclasses import dataclass
from typing import Final

from remit.control.change import Change
from remit.core import ids
from remit.core.canonical import b64
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.session import LASTS, LIFE, Session
from remit.store.record import Reader

MOST: Final = 512
UNKNOWN: Final = Instant(0)


@dataclass(frozen=True, slots=True)
class Proof:
    """How a person proved who they are: when (0 when unknown), how surely, and by which means."""

    issuer: str
    auth_time: Instant = UNKNOWN
    acr: str = ""
    amr: tuple[str, ...] = ()


def name(secret: str) -> str:
    """The id that this secret's session has: 16 bytes of its SHA-256."""
    return ids.make("ses", hashlib.sha256(secret.encode()).digest()[:16])


def begin(change: Change, person: str, proof: Proof) -> str:
    """Begin a session of this person and return its secret, which can never be shown again (`transition_refused`)."""
    one = change.need(Person, person)
    if one.state != "active":
        LIFE.after("ended", "begun")
    secret = b64(change.authority.random(32))
    made = Session(
        id=name(secret),
        person=person,
        issuer=proof.issuer,
        made=change.now,
        until=Instant(change.now + LASTS),
        auth_time=Instant(min(proof.auth_time, change.now)),
        acr=proof.acr,
        amr=proof.amr,
        before=_before(change, person, proof.acr),
    )
    change.record("session.begun", made, person)
    return secret


def _before(change: Change, person: str, acr: str) -> str:
    """How surely a person had proved who they are the last time that it was said; nothing where it is the same."""
    said = [one for one in change.reader.where(Session, "person = ?", (person,)) if one.acr]
    last = max(said, key=lambda one: (one.made, one.id), default=None)
    return last.acr if acr and last is not None and last.acr != acr else ""


def stands(reader: Reader, secret: str, now: Instant) -> tuple[Session, Person] | None:
    """The open session that the secret opens, and its person, who is still here; or None."""
    found = reader.get(Session, name(secret)) if 0 < len(secret) <= MOST else None
    if found is None or found.state != "open" or now >= found.until:
        return None
    person = reader.get(Person, found.person)
    return (found, person) if person is not None and person.state == "active" else None


def end(change: Change, session_id: str, by: str, because: str = "") -> None:
    """End one session; one that is over stays as it is."""
    found = change.need(Session, session_id)
    if found.state == "open":
        change.record("session.ended", changed(found, state=LIFE.after(found.state, "ended")), by, because)


def end_all(change: Change, person: str, by: str, because: str = "") -> int:
    """End every open session of a person; returns how many."""
    found = list(change.reader.where(Session, "person = ? AND state = 'open'", (person,)))
    for one in found:
        end(change, one.id, by, because)
    return len(found)
