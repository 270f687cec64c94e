"""Connections: opened by their person, ended by them or with them; what was lent of one ends with it.

The records alone: the provider takes an ended one back by control/parting, and until then its token stays sealed here.
"""

from typing import Final

from remit.control import lease as leases
from remit.control.change import Change
from remit.core.connection import LEAVING, LIFE, Connection
from remit.core.errors import RemitError
from remit.core.lease import Lease
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.resource import Minting, Resource
from remit.custody.secret import Secret
from remit.store.record import Reader

SECRETS: Final = leases.CONNECTIONS
CONNECTED: Final = leases.CONNECTED
_LEAVING: Final = f"state IN ({', '.join(map(repr, LEAVING))})"


def connect(
    change: Change, *, person: str, resource: str, token: Secret, scopes: tuple[str, ...], by: str
) -> Connection:
    """Take in a person's account at a resource and seal its refresh token; the one before it ends.

    Refuses a person who is not here, and a resource that lends nothing of people (`connection_refused`).
    """
    who, place = change.need(Person, person), change.need(Resource, resource)
    if who.state != "active" or place.state != "active" or place.minting is None or place.minting.kind != CONNECTED:
        raise RemitError(
            "connection_refused",
            "Only a person who is here connects, and only where tokens of people are lent.",
            "Let leases be made there first: remit lease mint RESOURCE oauth.",
        )
    for one in list(live(change.reader, person, resource)):
        end(change, one.id, by, "connected anew", replaced=True)
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


def end(change: Change, identity: str, by: str, because: str = "", *, replaced: bool = False) -> Connection | None:
    """End a connection, and what was lent of it. None when it has ended already.

    The provider takes its token back after this transaction; one that is `replaced` is forgotten alone, since many
    providers end a person's whole grant with one token of it.
    """
    one = change.need(Connection, identity)
    if one.state != "live":
        return None
    ended = changed(one, state=LIFE.after(one.state, "ended"), ended=change.now)
    change.record("connection.ended", ended, by, because)
    leases.end(change, "person", by, resource=one.resource, person=one.person)
    if replaced:
        return gone(change, identity, "replaced")
    place = change.reader.get(Resource, one.resource)
    taken_back = place is not None and place.minting is not None and place.minting.settings.get("revoke")
    return ended if taken_back else gone(change, identity, "forgotten")


def stray(change: Change, *, person: str, resource: str, token: Secret, minting: Minting, by: str) -> Connection:
    """Take in what a provider gave and nobody keeps, as a connection that has ended: it is taken back like any other.

    Refuses it where another provider or client is set by now (`connection_refused`): it is shown to no other.
    """
    place = change.need(Resource, resource)
    if place.minting is None or _places(place.minting, "") != _places(minting, ""):
        raise RemitError(
            "connection_refused",
            "The operator has set another provider meanwhile.",
            "Begin again from your connections.",
        )
    made = Connection(
        id=change.authority.make("cnx"), person=person, resource=resource, scopes=(), at=change.now, state="ended",
        ended=change.now,
    )  # fmt: skip
    change.authority.vault.put(SECRETS, made.id, token)
    change.record("connection.ended", made, by, "given, and not kept")
    return made


def gone(change: Change, identity: str, proof: str) -> Connection | None:
    """Record that an ended connection is of no use to anybody any more, and forget its token. None when it is known."""
    one = change.need(Connection, identity)
    if one.state not in LEAVING:
        return None
    change.authority.vault.forget(SECRETS, one.id)
    over = changed(one, state=LIFE.after(one.state, "gone"), proof=proof, trouble="")
    change.record("connection.gone", over, "lessor")
    return over


def stuck(change: Change, identity: str, trouble: str) -> Connection | None:
    """Record that the provider has not taken an ended connection back: an incident until it has. None when known."""
    one = change.need(Connection, identity)
    if one.state != "ended":
        return None
    known = changed(one, state=LIFE.after(one.state, "pending"), trouble=trouble[:200])
    change.record("connection.pending", known, "lessor")
    return known


def end_all(change: Change, person: str, by: str) -> None:
    """End every connection of a person who leaves."""
    for one in list(live(change.reader, person)):
        end(change, one.id, by, "the person left")


def end_at(change: Change, resource: str, by: str, because: str) -> int:
    """End every connection at a resource; returns how many."""
    found = [one for one in change.reader.where(Connection, "state = 'live'") if one.resource == resource]
    for one in found:
        end(change, one.id, by, because)
    return len(found)


def hold(change: Change, resource: str, before: Minting | None, after: Minting | None) -> None:
    """Refuse another provider, client or address while people's tokens of the one before are kept (`connection_live`).

    And another server of the target while what was lent there is not proven dead. A token that one server gave is never
    shown to another, and only its own can take it back.
    """
    if before is None or before.kind != CONNECTED:
        return
    moved = _places(before, "") != _places(after, "")
    kept = change.reader.where(Connection, f"state = 'live' OR {_LEAVING}") if moved else ()
    if any(one.resource == resource for one in kept):
        raise RemitError(
            "connection_live",
            f"People have connected {resource} at the provider that is set there now.",
            f"End these connections first: remit connect {resource} --end.",
        )
    moved = moved or _places(before, "target.") != _places(after, "target.")
    lent = change.reader.where(Lease, "resource = ? AND state <> 'dead'", (resource,)) if moved else ()
    if any(one.kind == CONNECTED for one in lent):
        raise RemitError(
            "connection_live",
            f"What was lent at {resource} is not proven dead at the server that gave it.",
            "End the tasks that it was lent to, and wait until it is: remit lease show.",
        )


def live(reader: Reader, person: str, resource: str = "") -> list[Connection]:
    """The live connections of a person, at one resource or at all."""
    found = reader.where(Connection, "person = ? AND state = 'live'", (person,))
    return [one for one in found if not resource or one.resource == resource]


def leaving(reader: Reader) -> list[Connection]:
    """The connections that have ended here, and that their providers have not taken back."""
    return list(reader.where(Connection, _LEAVING))


def _places(minting: Minting | None, where: str) -> tuple[str, ...]:
    """The client and every address that tokens are sent to: at the provider, or at the `target.` server of its own."""
    if minting is None or minting.kind != CONNECTED or (where and minting.settings.get("by") != "id-jag"):
        return ()
    return tuple(
        minting.settings.get(where + name, "") for name in ("client", "token", "issuer", "revoke", "introspect")
    )
