"""Requests to a target that wants a token of the gate's own: shown with each, renewed, asked for when it is refused."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, final

from remit.core.address import public
from remit.core.resource import Upstream
from remit.gateway.upstream import origin
from remit.gateway.upstream.fault import Fault
from remit.gateway.upstream.oauth import grant, keys
from remit.gateway.upstream.oauth.client import Client, Registered
from remit.gateway.upstream.oauth.fetch import Fetch
from remit.gateway.upstream.reply import Outcome

Header = tuple[bytes, bytes]
Send = Callable[[Sequence[Header]], Awaitable[Outcome]]
TRIES: Final = 3
"""How often one request is sent at most: as it is, with a token, with a nonce. A 401 says that it was not done."""
TAIL: Final = 32
"""Octets of a token's end that are taken out of answers: what is left of it opens nothing."""


def _judge(upstream: Upstream) -> Callable[[origin.Origin], origin.Allow]:
    """Which addresses may be asked: those that were registered as they were, any other host only at a public address.

    What a target says of itself must not send the gate to a place inside.
    """
    said = upstream.admission
    known = {origin.parse(url)[0].host for url in (upstream.url, said.issuer if said else "") if url}

    def allow(place: origin.Origin) -> origin.Allow:
        return origin.policy(place) if place.host in known else public

    return allow


@final
class Admission:
    """Owned by the target. The key comes with each call, lent; the client is made anew when it is another one."""

    __slots__ = ("_client", "_fetch", "_pem", "_upstream")

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._fetch = Fetch(_judge(upstream))
        self._pem = b""
        self._client: Client | None = None

    async def send(self, key: bytes, method: bytes, send: Send) -> Outcome:
        """Send a request, and once more with what the target asks for; `key` is empty where it asks for nothing."""
        client = self._of(key)
        if client is None:
            return await send(())
        tries = TRIES
        while True:
            await client.ready()
            outcome, tries = await send(client.headers(method.decode())), tries - 1
            if not tries or isinstance(outcome, Fault) or outcome.status not in (401, 403):
                return outcome
            outcome.close()
            if not await client.challenged(outcome.status, outcome.headers):
                return outcome

    def shown(self, key: bytes, method: bytes) -> list[Header]:
        """What a message carries that nobody waits for."""
        client = self._of(key)
        return client.headers(method.decode()) if client is not None else []

    @property
    def hidden(self) -> tuple[bytes, ...]:
        """What must not come back in an answer."""
        return tuple(one[-TAIL:] for one in self._client.hidden) if self._client is not None else ()

    def _of(self, key: bytes) -> Client | None:
        said = self._upstream.admission
        if said is None or not key:
            return None
        if self._client is None or not hmac.compare_digest(key, self._pem):
            own = keys.from_pem(key)
            self._pem = key
            self._client = Client(
                self._upstream.url,
                grant.credentials(),
                self._fetch,
                registered={said.issuer: Registered(said.client, key=own, method="private_key_jwt")},
                key=own,
            )
        return self._client

    def close(self) -> None:
        """Cut the connections to authorization servers."""
        self._fetch.close()
