"""A person who consents, in the world of the kit: a client of its agent, a session, a yes, and what came of it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from remit.control import client as clients
from remit.control import consent, renewal, session
from remit.control.consent import Given, Offer, Wish
from remit.control.session import Proof
from remit.core.canonical import b64
from remit.core.client import Client
from remit.core.errors import RemitError
from remit.core.principal import Person
from remit.core.session import Session
from remit.store.record import Reader
from tests.kit.world import World

CALLBACK = "http://127.0.0.1/callback"
VERIFIER = "v" * 43
CHALLENGE = b64(hashlib.sha256(VERIFIER.encode()).digest())


@dataclass
class Consenting:
    """Everything that a yes needs, for the world's person."""

    world: World
    client: Client
    session: Session

    def offers(self, **wish: Any) -> list[Offer]:
        world = self.world
        reader = Reader(world.authority.view)
        person = reader.get(Person, world.person.id)
        assert person is not None
        return consent.offers(reader, person, self.client, Wish(**wish), world.authority.clock.now())

    def give(self, shown: str = "", brief: str = "notes", thumb: str = "", **wish: Any) -> Given:
        digest = shown or self.offers(**wish)[0].digest
        return self.world.act(
            lambda c: consent.give(
                c, session=self.session, client=self.client, wish=Wish(**wish), brief=brief, shown=digest,
                redirect=CALLBACK, challenge=CHALLENGE, thumb=thumb,
            )
        )  # fmt: skip

    def redeem(
        self, code: str, verifier: str = VERIFIER, redirect: str = CALLBACK, thumb: str = "", **more: Any
    ) -> Any:
        """The credential and the refresh token for a code, or the fault."""
        client = more.pop("client", self.client)
        return self._turn(client, lambda c: renewal.take(c, client, code, redirect, verifier, thumb), thumb, **more)

    def renew(self, text: str, thumb: str = "", **more: Any) -> Any:
        """The credential and the next refresh token for a refresh token, or the fault."""
        client = more.pop("client", self.client)
        return self._turn(client, lambda c: renewal.again(c, client, text, thumb), thumb, **more)

    def _turn(self, client: Client, taking: Any, thumb: str, resources: tuple[str, ...] = ()) -> Any:
        def work(change: Any) -> list[Any]:
            one = taking(change)
            if isinstance(one, RemitError):
                return [one]
            return [change.part(lambda c: renewal.give(c, client, one, resources, thumb, ""))]

        return self.world.act(work)[0]


def consenting(world: World, confidential: bool = False) -> Consenting:
    """The world's person, signed in, and a client of its agent."""
    one = world.act(
        lambda c: clients.add(
            c, agent=world.agent.id, name="Desk", redirects=(CALLBACK,), confidential=confidential, by="operator"
        )
    )
    proof = Proof("https://idp.test", world.authority.clock.now())
    secret = world.act(lambda c: session.begin(c, world.person.id, proof))
    found = world.act(lambda c: c.need(Session, session.name(secret)))
    return Consenting(world, one, found)
