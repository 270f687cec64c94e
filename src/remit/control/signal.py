"""Signals heard: recorded together with all that they end, in one transaction; each counts once."""

from remit.control import consent, credential, revocation, session, task
from remit.control.change import Change
from remit.core.consent import Consent
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.signal import LIFE, Signal, Transmitter, ends, subjects
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.secevent import Event
from remit.store import payload


def add(change: Change, transmitter: Transmitter, by: str) -> Transmitter:
    """Let somebody tell us of people, or put other keys in force for them (`name_taken` for another issuer)."""
    before = change.reader.get(Transmitter, transmitter.name)
    if before is not None and before.state == "active" and before.issuer != transmitter.issuer:
        raise RemitError("name_taken", f"There is a transmitter {transmitter.name} already.", "Choose another name.")
    change.record("transmitter.added", transmitter, by)
    return transmitter


def remove(change: Change, name: str, by: str, because: str = "") -> Transmitter:
    """Hear them no more."""
    found = change.need(Transmitter, name)
    gone = changed(found, state=LIFE.after(found.state, "removed"))
    change.record("transmitter.removed", gone, by, because)
    return gone


def hear(change: Change, source: Transmitter, event: Event) -> Signal | None:
    """Do what an event that was proved ends, and record it with that; None when it is heard again or of no one here.

    Refuses a transmitter that was removed meanwhile (`transmitter_gone`), and one that speaks of another issuer's
    people (`subject_foreign`).
    """
    if change.reader.get(Transmitter, source.name) != source or source.state != "active":
        raise RemitError("transmitter_gone", "This transmitter is heard no more.", "Ask the operator to add it.")
    if not payload.spend(change.db, "event", f"{source.issuer} {event.id}", event.until):
        return None
    change.keep()
    person = _person(change, source, event)
    if person is None:
        return None
    what = ends(event.kind, event.said) if person.state == "active" else "nothing"
    made = Signal(
        id=change.authority.make("sgn"), transmitter=source.name, jti=event.id, event=event.kind, person=person.id,
        told=event.told, ends=what,
    )  # fmt: skip
    change.record("signal.heard", made, f"transmitter:{source.name}")
    _end(change, person.id, what, made.id)
    return made


def since(change: Change, person: str) -> Instant:
    """When last something was told of a person that ended what acts for them; 0 when never. Older sign-ins are over."""
    heard = change.reader.where(Signal, "person = ?", (person,))
    told = (one.told for one in heard if one.ends not in ("nothing", "sessions"))
    return min(max(told, default=Instant(0)), change.now)


def _person(change: Change, source: Transmitter, event: Event) -> Person | None:
    """Whom it is about: of several names of the same one, the first that is known here."""
    named = subjects(event.subject)
    found = next((one for one in (_known(change, source, *name) for name in named) if one is not None), None)
    if found is None and any(issuer and not source.speaks_of(issuer) for issuer, _ in named):
        raise RemitError(
            "subject_foreign", "This transmitter does not speak of that issuer's people.", "Name the issuer in about."
        )
    return found


def _known(change: Change, source: Transmitter, issuer: str, name: str) -> Person | None:
    if not (source.speaks_of(issuer) if issuer else source.email):
        return None
    found = payload.person_at(change.db, issuer or source.issuer, name)
    if found is None and not issuer:
        # RFC 9493 section 3.2.2: one that writes an address in other capitals must not be heard in vain.
        found = payload.person_written(change.db, source.issuer, name)
    return change.reader.get(Person, found) if found else None


def _end(change: Change, person: str, what: str, by: str) -> None:
    """End what a signal ends; deepest first where one holds the other."""
    if what == "nothing":
        return
    session.end_all(change, person, by, "signal")
    if what == "person":
        revocation.revoke(change, "person", person, by, "signal")
    elif what == "tasks":
        for one in list(change.reader.where(Task, "person = ? AND state != 'ended'", (person,))):
            task.end(change, one.id, "person", by)
    elif what == "credentials":
        for yes in list(change.reader.where(Consent, "person = ? AND state = 'live'", (person,))):
            consent.spoil(change, yes.id, by)
        live = change.reader.where(Credential, "state = 'active' AND expires > ?", (change.now,))
        held = [one.id for one in live if one.path is TrustPath.DELEGATED and one.subject == person]
        for identity in held:
            if change.need(Credential, identity).state == "active":
                credential.end(change, identity, by, "signal")
