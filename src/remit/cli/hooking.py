"""Telling hooks and receivers of events while a node serves: one at a time to each, for ever, in the ledger's order.

Owned by the composition root. Where several nodes serve one store, each notice is claimed by one of them; a hook may
still hear one twice, under the same id.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from remit.cli.output import say
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.messenger import Due, Hook, Messenger
from remit.core import hook as rules
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.shown import shown
from remit.store import hook as store
from remit.store import log

AT_ONCE: Final = 4
CLAIM_MS: Final = 30_000
FAR: Final = 5_000
"""How many entries without a notice are passed over before that is written down."""


class Hooking:
    """The messengers of one node. Everything but what a messenger does runs on the loop's thread."""

    def __init__(
        self, authority: Authority, batch: Batch, place: Path | str, hooks: tuple[Hook, ...],
        loop: asyncio.AbstractEventLoop, more: tuple[Messenger, ...] = (),
    ) -> None:  # fmt: skip
        self._authority, self._batch, self._loop = authority, batch, loop
        self._pool = ThreadPoolExecutor(AT_ONCE, "remit-hook") if hooks or more else None
        self._all = [*(Messenger(place, one, authority.issuer) for one in hooks), *more]
        self._out: set[str] = set()
        self._read: dict[str, int] = {}
        self._over = False

    def tick(self) -> None:
        """Look for what each hook must be told next. Called each second."""
        for one in self._all:
            name = one.hook.name
            if self._over or name in self._out:
                continue
            try:
                told = store.get(self._authority.reading(), name)
                now = self._authority.clock.now()
            except RemitError:
                return
            if told is None:
                self._act(name, partial(_begun, hook=name), lambda _: None)
            elif told.due <= now:
                after = max(told.leaf, self._read.get(name, -1))
                self._go(name, partial(one.next, after), partial(self._found, one, told.leaf))

    def close(self) -> None:
        """Tell nothing more, and wait for what is being told."""
        self._over = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for one in self._all:
            one.close()

    def _found(self, one: Messenger, leaf: int, due: Due | RemitError) -> None:
        name = one.hook.name
        if isinstance(due, RemitError):
            return
        self._read[name] = due.read if due.leaf < 0 else due.leaf - 1
        if due.leaf < 0:
            if due.read - leaf > FAR:
                self._act(name, partial(_moved, hook=name, leaf=due.read), lambda _: None)
            return
        self._act(name, partial(_claimed, hook=name, leaf=leaf), partial(self._tell, one, due))

    def _tell(self, one: Messenger, due: Due, claimed: bool) -> None:  # noqa: FBT001 - what the batch hands over
        if claimed:
            at = self._authority.clock.now() // 1000
            self._go(one.hook.name, partial(one.tell, due, at), partial(self._told, one, due))

    def _told(self, one: Messenger, due: Due, trouble: str | RemitError) -> None:
        name, why = one.hook.name, trouble.message if isinstance(trouble, RemitError) else trouble
        if not why:
            self._act(name, partial(_moved, hook=name, leaf=due.leaf), lambda _: None)
            return
        told = store.get(self._authority.reading(), name)
        if told is not None and told.trouble != why:
            say(f"Hook {name}: {shown(why, 200)} It is told again and again.")
        self._act(name, partial(_failed, hook=name, trouble=why), lambda _: None)

    def _go(self, name: str, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Do a job beside the loop, and what follows on it."""
        if self._pool is None or self._over:
            return
        self._out.add(name)

        def done(found: Any) -> None:
            self._out.discard(name)
            then(found)

        def run() -> None:
            try:
                found = job()
            except RemitError as fault:
                found = fault
            if not self._over:
                self._loop.call_soon_threadsafe(done, found)

        self._pool.submit(run)

    def _act(self, name: str, work: Callable[[Change], Any], then: Callable[[Any], None]) -> None:
        self._out.add(name)

        def done(found: Any) -> None:
            self._out.discard(name)
            if not isinstance(found, RemitError):
                then(found)

        self._batch.submit("hook", work, done)
        self._batch.wake()


def _begun(change: Change, hook: str) -> None:
    """Begin at the newest entry: what was before the hook is not told."""
    change.keep()
    store.begin(change.db, hook, log.newest(change.db).size - 1)


def _claimed(change: Change, hook: str, leaf: int) -> bool:
    change.keep()
    return store.claim(change.db, hook, leaf, change.now, Instant(change.now + CLAIM_MS))


def _moved(change: Change, hook: str, leaf: int) -> None:
    change.keep()
    store.moved(change.db, hook, leaf)


def _failed(change: Change, hook: str, trouble: str) -> None:
    change.keep()
    told = store.get(change.db, hook)
    store.failed(change.db, hook, Instant(change.now + rules.again(told.tries if told else 0)), trouble)
