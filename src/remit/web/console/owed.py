"""Owed: what a provider gave, was not kept, and has to be taken back there: tried for ever, and shown.

At once, before the person is told. A provider that does not take it is left to the lessor, for whom it is recorded as a
connection that has ended. What cannot be recorded either is tried on by this process, until one of the two is done.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, final

import anyio.to_thread

from remit.control import connection as connections
from remit.control.change import Change
from remit.core.resource import Resource
from remit.custody.secret import Secret
from remit.custody.sources.connecting import Given, Way, give_back
from remit.web.site import Site

FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Owing:
    """One answer of a provider: for which resource as it was then, what proves us there, what it gave, and by whom."""

    place: Resource
    way: Way
    secret: Secret
    given: Given
    person: str


@final
class Owed:
    """Owned by the page that people connect at. Each of `tasks` tries one thing on."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.tasks: set[asyncio.Task[None]] = set()

    async def back(self, one: Owing) -> None:
        """Have it taken back now, or record that it has to be, or begin to try on."""
        if not await self._done(one):
            task = asyncio.get_running_loop().create_task(self._on(one))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _on(self, one: Owing) -> None:
        wait = FIRST_S
        while True:
            await asyncio.sleep(wait)
            if await self._done(one):
                return
            wait = min(LONGEST_S, 2 * wait)

    async def _done(self, one: Owing) -> bool:
        try:
            await anyio.to_thread.run_sync(give_back, one.way, one.secret, one.given)
        except Exception:  # noqa: BLE001 - whatever it is, it is not taken back
            return await self._recorded(one)
        return True

    async def _recorded(self, one: Owing) -> bool:
        """Whether each token stands in the store now: not every provider ends one with the other."""
        minting, by = one.place.minting, one.person
        tokens = [token for token in (one.given.token, one.given.along) if token is not None]

        def work(change: Change) -> None:
            if minting is not None:
                for token in tokens:
                    connections.stray(change, person=by, resource=one.place.name, token=token, minting=minting, by=by)

        try:
            await self._site.act(by, work)
        except Exception:  # noqa: BLE001 - whatever it is, it is not recorded
            return False
        return True
