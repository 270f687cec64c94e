"""Logins: drawn, shown once, used once, ended. Of a secret the store keeps an id of its digest."""

import hashlib
from typing import Final

from remit.control.change import Change
from remit.core import ids
from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.login import LASTS, LIFE, Login
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.store.record import Reader

MOST: Final = 512
AGAIN: Final = "Print another: remit up --admin --no-serve, or for a person remit person link."


def name(secret: str) -> str:
    """The id that this secret's login has: 16 bytes of its SHA-256."""
    return ids.make("lgn", hashlib.sha256(secret.encode()).digest()[:16])


def issue(change: Change, kind: str, by: str, person: str = "") -> str:
    """Draw the secret of a new login of this kind and return it; it can never be shown again.

    `person` is whose link it is, when it is not the operator's; they must be here (`person_gone`).
    """
    if person and change.need(Person, person).state != "active":
        raise RemitError("person_gone", "This person is not here any more.", "Add them again: remit person add.")
    return keep(change, kind, b64(change.authority.random(32)), by, person)


def keep(change: Change, kind: str, secret: str, by: str, person: str = "") -> str:
    """Let this secret be a login. Refuses a guessable one (`login_weak`)."""
    if not 32 <= len(secret) <= MOST:
        raise RemitError("login_weak", "This secret could be guessed.", "Use 32 random bytes, in base64url.")
    until = Instant(change.now + LASTS[kind])
    made = Login(id=name(secret), kind=kind, made=change.now, until=until, person=person)
    change.record("login.issued", made, by)
    return secret


def use(change: Change, code: str) -> Login:
    """Use a link's code up, and say whose link it was.

    Refuses a code that is of no link (`login_unknown`), was used (`login_used`) or is too old (`login_old`).
    """
    link = change.reader.get(Login, name(code)) if len(code) <= MOST else None
    if link is None or link.kind != "link":
        raise RemitError("login_unknown", "This link is not one of ours.", AGAIN)
    if link.state != "open":
        raise RemitError("login_used", "This link was used before.", AGAIN)
    if change.now >= link.until:
        raise RemitError("login_old", "This link is too old.", AGAIN)
    used = changed(link, state=LIFE.after(link.state, "used"))
    change.record("login.used", used, link.person or "operator")
    return used


def enter(change: Change, code: str, kind: str) -> str:
    """Use an operator's link up and return the secret of the session or token that it gives, in one transaction.

    Refuses what `use` refuses, and a person's link (`login_unknown`): it gives nothing of the operator's.
    """
    if use(change, code).person:
        raise RemitError("login_unknown", "This link is a person's.", "Open it in a browser.")
    return issue(change, kind, "operator")


def stands(reader: Reader, secret: str, kind: str, now: Instant) -> Login | None:
    """The open login of this kind that the secret opens, or None."""
    found = reader.get(Login, name(secret)) if 0 < len(secret) <= MOST else None
    return found if found and (found.kind, found.state) == (kind, "open") and now < found.until else None


def end(change: Change, identity: str, by: str) -> None:
    """End one login; one that is over stays as it is."""
    found = change.need(Login, identity)
    if found.state == "open":
        change.record("login.ended", changed(found, state=LIFE.after(found.state, "ended")), by)


def end_all(change: Change, by: str) -> int:
    """End every login there is, links included; returns how many."""
    found = list(change.reader.where(Login, "state = 'open'"))
    for one in found:
        end(change, one.id, by)
    return len(found)
