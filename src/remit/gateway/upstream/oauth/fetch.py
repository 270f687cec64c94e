"""Asking an authorization server: one request and its whole answer, over connections that are judged by address.

No redirects, no cookies, at most 256 KiB. Owned by the gate's loop.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, final
from urllib.parse import urlencode

from remit.core.canonical import Json, read, write
from remit.core.errors import RemitError
from remit.gateway.upstream import origin, tls
from remit.gateway.upstream.fault import Fault
from remit.gateway.upstream.pool import Pool

LARGEST: Final = 256 * 1024
POOLS: Final = 16
PATIENCE_S: Final = 10.0
Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, fields in lower case, the whole body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field."""
        return [value for key, value in self.headers if key == name]

    def object(self) -> dict[str, Json]:
        """The body as a JSON object; an empty one when it is none."""
        try:
            value = read(self.body)
        except RemitError:
            return {}
        return value if isinstance(value, dict) else {}


@final
class Fetch:
    """The connections to authorization servers, at most `POOLS` origins at once. `allow` judges their addresses."""

    def __init__(self, allow: Callable[[origin.Origin], origin.Allow] = origin.policy) -> None:
        self._allow = allow
        self._pools: OrderedDict[origin.Origin, Pool] = OrderedDict()

    async def get(self, url: str) -> Answer:
        """Read a document (`upstream_unreachable` and its like)."""
        return await self.ask(b"GET", url, [(b"accept", b"application/json")])

    async def form(self, url: str, fields: dict[str, str], headers: Headers = ()) -> Answer:
        """Post a form."""
        kind = [(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")]
        return await self.ask(b"POST", url, [*kind, *headers], urlencode(fields).encode())

    async def json(self, url: str, value: Json) -> Answer:
        """Post JSON."""
        return await self.ask(b"POST", url, [(b"content-type", b"application/json")], write(value))

    async def ask(self, method: bytes, url: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request; its answer within ten seconds, or a fault raised."""
        place, target = origin.parse(url)
        pool = self._pool(place)
        try:
            async with asyncio.timeout(PATIENCE_S):
                outcome = await pool.request(method, target, headers, body)
                if isinstance(outcome, Fault):
                    raise outcome.error()
                async with outcome:
                    return Answer(outcome.status, tuple(outcome.headers), await outcome.read(LARGEST))
        except TimeoutError as fault:
            raise RemitError(
                "upstream_timeout", "An authorization server did not answer in time.", "Try again later."
            ) from fault

    def _pool(self, place: origin.Origin) -> Pool:
        pool = self._pools.pop(place, None)
        if pool is None:
            context = tls.context() if place.scheme == "https" else None
            pool = Pool(place, tls=context, limit=8, allow=self._allow(place))
        self._pools[place] = pool
        if len(self._pools) > POOLS:
            self._pools.popitem(last=False)[1].close()
        return pool

    def close(self) -> None:
        """Cut all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
