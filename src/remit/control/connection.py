"""Connections: opened by their person, ended by them or with them; what was lent of one ends with it."""

from typing import Final

from remit.control import lease as leases
from remit.control.change import Change
from remit.core.connection import LIFE, Connection
from remit.core.errors import RemitError
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.resource import Resource
from remit.custody.secret import Secret
from remit.store.record import Reader

SECRETS: Final = leases.CONNECTIONS


def connect(
    change: Change, *, person: str, resource: str, token: Secret, scopes: tuple[str, ...], by: str
) -> Connection:
    """Take in a person's account at a resource and seal its refresh token; the one before it ends.

    Refuses a person who is not here, and a resource that lends nothing of people (`connection_refused`).
    """
    who, place = change.need(Person, person), change.need(Resource, resource)
    if who.state != "active" or place.state != "active" or place.minting is None or place.minting.kind != "oauth":
        raise RemitError(
            "connection_refused",
            "Only a person who is here connects, and only where tokens of people are lent.",
            "Let leases be made there first: remit lease mint RESOURCE oauth.",
        )
    for one in list(live(change.reader, person, resource)):
        end(change, one.id, by, "connected anew")
    made = Connection(
        id=change.authority.make("cnx"),
        person=person,
        resource=resource,
        scopes=tuple(sorted(set(scopes))),
        at=change.now,
    )
    change.authority.vault.put(SECRETS, made.id, token)
    change.record("connection.made", made, by)
    return made


def end(change: Change, identity: str, by: str, because: str = "") -> Connection | None:
    """End a connection, forget its token, and end what was lent of it. None when it has ended already."""
    one = change.need(Connection, identity)
    if one.state == "ended":
        return None
    ended = changed(one, state=LIFE.after(one.state, "ended"))
    change.record("connection.ended", ended, by, because)
    change.authority.vault.forget(SECRETS, one.id)
    leases.end(change, "person", by, resource=one.resource, person=one.person)
    return ended


def end_all(change: Change, person: str, by: str) -> None:
    """End every connection of a person who leaves."""
    for one in list(live(change.reader, person)):
        end(change, one.id, by, "the person left")


def live(reader: Reader, person: str, resource: str = "") -> list[Connection]:
    """The live connections of a person, at one resource or at all."""
    found = reader.where(Connection, "person = ? AND state = 'live'", (person,))
    return [one for one in found if not resource or one.resource == resource]
