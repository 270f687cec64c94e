"""People and services: who may own, dispatch and delegate. A person who leaves ends what was delegated by them."""

import hashlib

from remit.control.change import Change
from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.lineage.value import email
from remit.core.moment import Instant
from remit.core.principal import GIVEN, GIVEN_AGAIN, LIFE, REGROUPED, Person, Service
from remit.core.record import changed
from remit.core.resource import Resource
from remit.store import payload


def add_person(
    change: Change,
    issuer: str,
    subject: str,
    name: str,
    groups: tuple[str, ...],
    by: str,
    told: Instant | None = None,
) -> Person:
    """Register a person by who they are at an identity provider; the same one again is the same person.

    `told` is when a token said the groups; without it an operator does, now. What was said of a person that is known
    before that which counts changes nothing.
    """
    known = payload.person_at(change.db, issuer, subject)
    if known is not None:
        person = change.need(Person, known)
        said = change.now if told is None else min(told, change.now)
        if person.state == "active" and _newest(change, known, said) and person.groups != groups:
            person = changed(person, groups=groups)
            change.record("person.changed", person, by, REGROUPED)
        return person
    if not subject or len(subject) > 255 or not name.isprintable() or len(name) > 200:
        raise RemitError(
            "person_invalid", "A person needs a subject and a printable name.", "Give both, within 200 characters."
        )
    person = Person(id=change.authority.make("per"), groups=groups)
    payload.put_identity(change.db, issuer, subject, person.id, name)
    change.record("person.added", person, by)
    if told is not None:
        _newest(change, person.id, min(told, change.now))
    return person


def _newest(change: Change, person: str, told: Instant) -> bool:
    """Say whether what was said of a person's groups then counts, and if so, that nothing older does from now on.

    Tokens of one person may come in any order: an older one, still good, must not give groups back that they lost.
    """
    before = payload.grouped(change.db, person)
    if told > before:
        payload.regroup(change.db, person, told)
        change.keep()
    return told >= before


def account(change: Change, person_id: str, resource: str, subject: str, by: str) -> Person:
    """Say who a person is at a resource: what belongs to this account there is theirs (the limit `owned`).

    An e-mail address counts without case, as when it is compared. Refuses an account that is somebody else's
    (`account_taken`). Like a name, it lies beside the ledger.
    """
    person = change.need(Person, person_id)
    change.need(Resource, resource)
    LIFE.after(person.state, "left")
    if not subject or len(subject) > 255 or not subject.isprintable():
        raise RemitError("person_invalid", "An account is a printable text.", "Give it within 255 characters.")
    if email(subject):
        subject = subject.casefold()
    known = payload.person_at(change.db, f"mcp:{resource}", subject)
    if known not in {None, person_id}:
        raise RemitError("account_taken", "This account is another person's.", "Check whose it is.")
    if known is None:
        payload.put_identity(change.db, f"mcp:{resource}", subject, person_id, subject)
        change.record("person.changed", person, by, f"an account at {resource}")
    return person


def confirm(change: Change, person_id: str, by: str) -> Person:
    """Say that a person is here: what must have been seen lately of an owner is fresh again."""
    person = change.need(Person, person_id)
    LIFE.after(person.state, "left")
    seen = changed(person, confirmed=change.now)
    change.record("person.changed", seen, by, "confirmed that they are here")
    return seen


def limit(change: Change, person_id: str, rights: tuple[str, ...] | None, by: str) -> Person:
    """Say what can be done for a person at most: these actions; None leaves it to policy again."""
    person = change.need(Person, person_id)
    LIFE.after(person.state, "left")
    limited = changed(person, rights=rights)
    change.record("person.changed", limited, by)
    return limited


def end_person(change: Change, person_id: str, by: str, because: str) -> Person:
    """A person left: their record ends. What was theirs is ended by control.revocation."""
    person = change.need(Person, person_id)
    gone = changed(person, state=LIFE.after(person.state, "left"))
    change.record("person.left", gone, by, because)
    return gone


def end_service(change: Change, service_id: str, by: str, because: str) -> Service:
    """A service is gone for good. What it had dispatched is ended by control.revocation."""
    service = change.need(Service, service_id)
    gone = changed(service, state=LIFE.after(service.state, "left"))
    change.record("service.left", gone, by, because)
    return gone


def erase(change: Change, person_id: str) -> int:
    """Erase by which names a person is known; returns how many. Receipts only ever held the opaque id."""
    change.need(Person, person_id)
    change.keep()
    return payload.forget_person(change.db, person_id)


def add_service(change: Change, name: str, owner: str, keys: tuple[dict[str, str], ...], by: str) -> Service:
    """Register one of the company's own services as a possible dispatcher."""
    change.need(Person, owner)
    if any(one.name == name for one in change.reader.where(Service)):
        raise RemitError("name_taken", f"There is a service {name} already.", "Choose another name.")
    service = Service(id=change.authority.make("svc"), name=name, owner=owner, keys=keys)
    change.record("service.added", service, by)
    return service


def give_token(change: Change, service_id: str, by: str) -> tuple[Service, str]:
    """Give a service the random token it asks for decisions with; the one before it ends. The text is kept nowhere."""
    service = change.need(Service, service_id)
    LIFE.after(service.state, "left")
    text = f"rsv_{b64(change.authority.random(32))}"
    armed = changed(service, token=token_digest(text))
    change.record("service.changed", armed, by, GIVEN_AGAIN if service.token else GIVEN)
    return armed, text


def token_digest(text: str) -> str:
    """The digest by which a service's token is known."""
    return b64(hashlib.sha256(text.encode()).digest())


def known_as(change: Change, person_id: str) -> list[Json]:
    """By which names a person is known; empty once that was erased."""
    return [{"issuer": i, "subject": s, "name": n} for i, s, n in payload.names(change.db, person_id)]
