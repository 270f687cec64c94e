"""Site: what every page needs, in one object; and the bridge from the loop to the one writer."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import anyio

from remit.control.access import Door
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.jwk import PublicKey
from remit.store.record import Reader
from remit.web.attestors import Attestors
from remit.web.issuers import Issuers
from remit.web.kept import Documents
from remit.web.keysets import KeySets
from remit.web.rate import Buckets
from remit.web.reaching import Reaching
from remit.web.settings import WebSettings

T = TypeVar("T")
STRANGERS: Final = 32
"""How many addresses that strangers name are asked at once: in threads that nobody else waits for."""


class Watched(Protocol):
    """A gate that can be watched: presentations that were no entry, by reason."""

    unknown: dict[str, int]


async def do(batch: Batch, who: str, work: Callable[[Change], T]) -> T:
    """Have one piece of work done in the next transaction; its result after the commit, or its fault raised."""
    future: asyncio.Future[T | RemitError] = asyncio.get_running_loop().create_future()

    def done(result: T | RemitError) -> None:
        if not future.done():
            future.set_result(result)

    batch.submit(who, work, done)
    batch.wake()
    found = await future
    if isinstance(found, RemitError):
        raise found
    return found


@dataclass(slots=True)
class Site:
    """Owned by the application; everything runs on its loop's thread."""

    authority: Authority
    batch: Batch
    settings: WebSettings
    issuers: Issuers
    watched: Watched | None
    door: Door
    turned_away: Mapping[str, int]
    attestors: Attestors
    rates: Buckets
    client_keys: KeySets[tuple[PublicKey, ...]]
    reaching: Reaching
    documents: Documents = field(default_factory=Documents)
    strangers: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(STRANGERS))
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever reads the whole ledger for a page: one at a time."""
    waiting: int = 0

    def now(self) -> Instant:
        """This instant (`clock_jumped`)."""
        return self.authority.clock.now()

    def reader(self) -> Reader:
        """Reads between transactions."""
        return Reader(self.authority.view)

    async def act(self, who: str, work: Callable[[Change], T]) -> T:
        """Do one piece of work in the next transaction."""
        self.waiting += 1
        try:
            return await do(self.batch, who, work)
        finally:
            self.waiting -= 1

    def noise(self) -> Mapping[str, int]:
        """Presentations at the gate that were no entry, by reason."""
        return self.watched.unknown if self.watched else {}
