"""A service that is told of ends, in a world; and how its events are read, by another implementation."""

from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from remit.control import principal
from remit.control import stream as streams
from remit.control.stream import Receiver
from remit.core.principal import Service
from remit.core.stream import Stream
from remit.core.told import SUPPORTED
from remit.custody.secevent import issue
from remit.custody.signer import EVENT_PURPOSES
from remit.store.record import Reader
from tests.kit.world import ISSUER, World

AUDIENCE = "https://siem.example"


@dataclass
class Receiving:
    """A receiver called `siem` of this world. It knows the people of the issuer `local`."""

    world: World
    receiver: Receiver
    service: Service

    def make(self, *, push: bool = False, events: tuple[str, ...] = SUPPORTED) -> Stream:
        return self.world.act(
            lambda c: streams.make(c, self.service, self.receiver, push=push, events=events, description="")
        )

    def stream(self) -> Stream:
        return streams.of(Reader(self.world.authority.db), self.service.id)

    def waiting(self, most: int = 100) -> tuple[list[str], bool]:
        """The events that wait, each as it is signed."""
        authority = self.world.authority
        found, more = streams.waiting(authority.view, self.stream(), self.receiver, ISSUER, most)
        return [issue(one.told.payload, authority.signer, self.receiver.algorithm) for one in found], more

    def heard(self, *names: str, trouble: str = "") -> None:
        self.world.act(lambda c: streams.heard(c, streams.of(c.reader, self.service.id), self.receiver, names, trouble))

    def events(self) -> list[dict[str, Any]]:
        return [read(self.world, one, self.receiver.algorithm) for one in self.waiting()[0]]


def receiving(world: World, **members: Any) -> Receiving:
    """A service of the owner's, named as a receiver."""
    service = world.act(lambda c: principal.add_service(c, "siem", world.owner.id, (), "operator"))
    return Receiving(
        world, Receiver(**({"service": "siem", "audience": AUDIENCE, "people": "local"} | members)), service
    )


def read(world: World, text: str, algorithm: str = "ES256", audience: str = AUDIENCE) -> dict[str, Any]:
    """What an event says, proved by joserfc with the keys that are published for events alone, by this algorithm."""
    keys = world.authority.signer.jwks(world.authority.clock.now(), EVENT_PURPOSES)
    token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=[algorithm])
    assert token.header["typ"] == "secevent+jwt"
    assert token.claims.keys() == {"iss", "aud", "iat", "jti", "txn", "sub_id", "events"}
    assert (token.claims["iss"], token.claims["aud"]) == (ISSUER, audience)
    assert len(token.claims["events"]) == 1
    return token.claims
