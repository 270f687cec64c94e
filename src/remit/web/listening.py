"""Listening: transmitters that tell nobody are asked (RFC 8936), and each event is done as if it had been pushed.

Owned by the composition root; lives on its loop. Of nodes that share a store one polls a transmitter at a time. Nothing
about what was taken is kept beside the store: an event whose acknowledgement was lost is told again, and counts once.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.poller import PATIENCE_S, Poller, Source
from remit.core import poll as rules
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.signal import Transmitter
from remit.store import polled as store
from remit.store.record import Reader
from remit.web.hearing import KEY, Hearing
from remit.web.site import do

T = TypeVar("T")
REST_S: Final = 2.0
"""Seconds between two polls of a transmitter that has nothing to tell and does not wait."""
CLAIM_MS: Final = 1000 * int(PATIENCE_S) + 20_000
KEYS_S: Final = 15.0
"""Seconds after which an event by a key that is not known is refused: by then its keys were asked for again."""


class Listening:
    """What one node asks of others. `say` tells the operator when something begins to go wrong."""

    def __init__(
        self, authority: Authority, batch: Batch, sources: tuple[Source, ...], say: Callable[[str], None]
    ) -> None:
        self._batch, self._node = batch, authority.node
        self._pool = ThreadPoolExecutor(len(sources), "remit-poll") if sources else None
        hearing = Hearing(authority, batch)
        self._ears = tuple(
            _Ear(authority, batch, hearing, Poller(one, authority.clock.now, authority.random), self._pool, say)
            for one in sources
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to ask, each transmitter by itself."""
        self._tasks = [loop.create_task(one.listen()) for one in self._ears]

    async def stop(self) -> None:
        """Ask nothing more. What was told and not acknowledged is told again."""
        for one in self._ears:
            one.poller.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for one in self._ears:
            with contextlib.suppress(RemitError, TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(do(self._batch, "poll", partial(_released, name=one.name, node=self._node)), 2)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


class _Ear:
    """One transmitter that is listened to."""

    def __init__(
        self, authority: Authority, batch: Batch, hearing: Hearing, poller: Poller, pool: Executor | None,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.poller, self.name = poller, poller.source.transmitter
        self._authority, self._batch, self._hearing, self._pool, self._say = authority, batch, hearing, pool, say
        self._round = rules.Round()
        self._doubted: dict[str, float] = {}
        self._tries, self._trouble, self._heard, self._more = 0, "", False, False

    async def listen(self) -> None:
        """Ask for ever. Whatever goes wrong, it goes on."""
        while True:
            try:
                pause = await self._once()
            except RemitError as fault:
                pause = await self._failed(fault.message)
            except Exception as fault:  # noqa: BLE001 - one transmitter's trouble must not end the listening
                pause = await self._failed(f"It broke something ({type(fault).__name__}).")
            await asyncio.sleep(pause)

    async def _once(self) -> float:
        """Poll once and do what is told; seconds until the next time."""
        found = Reader(self._authority.reading()).get(Transmitter, self.name)
        if found is None or found.state != "active" or not await self._act(self._claimed):
            self._round = rules.Round()
            return REST_S
        loop = asyncio.get_running_loop()
        began, asked = loop.time(), self._round.request(wait=not (self._round.owes or self._more))
        said = await loop.run_in_executor(self._pool, self.poller.ask, asked)
        if isinstance(said, str):
            return await self._failed(said)
        self._round.took()
        self._more = said.more
        troubles = [await self._done(found, name, text) for name, text in said.sets.items()]
        wrong = next((one for one in troubles if one), "")
        if wrong:
            return await self._failed(wrong)
        self._doubted.clear()
        if not self._heard or self._tries:
            await self._act(self._went_well)
        self._tries, self._trouble, self._heard = 0, "", True
        return 0.0 if self._round.owes or said.more else max(0.0, REST_S - (loop.time() - began))

    async def _done(self, source: Transmitter, name: str, text: str) -> str:
        """Do what one event ends; what keeps it from being done now, if anything does."""
        try:
            wrong = await self._hearing.hear(source, text, name)
        except RemitError as fault:
            return fault.message
        if wrong is None:
            self._round.done(name)
        elif wrong.err == KEY and self._doubts(name):
            return "It signs with a key that it does not publish yet."
        else:
            self._round.refused(name, wrong.err, wrong.description)
        return ""

    def _doubts(self, name: str) -> bool:
        """Whether an event by an unknown key may be by one that was published after we looked."""
        now = asyncio.get_running_loop().time()
        if len(self._doubted) > rules.TAKEN:
            self._doubted.clear()
        return now - self._doubted.setdefault(name, now) < KEYS_S

    async def _failed(self, why: str) -> float:
        if why != self._trouble:
            self._say(f"Transmitter {self.name}: {why} It is asked again and again.")
        pause = rules.again(self._tries) / 1000
        self._tries, self._trouble = self._tries + 1, why
        with contextlib.suppress(RemitError):
            await self._act(self._went_wrong)
        return pause

    async def _act(self, work: Callable[[Change], T]) -> T:
        return await do(self._batch, "poll", work)

    def _claimed(self, change: Change) -> bool:
        """Take this transmitter; on an embedded store nobody else can have it."""
        change.keep()
        until = Instant(change.now + CLAIM_MS)
        free = change.now if change.db.remote else until
        return store.claim(change.db, self.name, self._authority.node, free, until)

    def _went_well(self, change: Change) -> None:
        change.keep()
        store.heard(change.db, self.name, change.now)

    def _went_wrong(self, change: Change) -> None:
        change.keep()
        store.failed(change.db, self.name, self._trouble)


def _released(change: Change, name: str, node: str) -> None:
    change.keep()
    store.release(change.db, name, node)
