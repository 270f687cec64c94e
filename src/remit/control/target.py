"""One target as a node holds it: its source, the threads that wait for it, and the way back from them."""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from remit.core.resource import Resource
from remit.custody.secret import Secret
from remit.custody.source import Source

Job = Callable[[], None]

AT_ONCE: Final = 8
"""Threads for each target."""
FOUND_MS: Final = 300_000
"""How often each target is asked for names of ours that nothing here explains."""


class Target:
    """One target as this node holds it: its source, and the threads that wait for it."""

    def __init__(self, resource: Resource, secret: Secret | None, source: Source) -> None:
        self.resource, self.secret, self.source = resource, secret, source
        self.pool = ThreadPoolExecutor(AT_ONCE, f"remit-{resource.name}")
        self.minting = 0
        self.asked = -FOUND_MS

    def is_for(self, resource: Resource, secret: Secret | None) -> bool:
        """Say whether it was opened for this registration and secret."""
        mine = self.resource.minting, self.resource.upstream, self.secret
        return mine == (resource.minting, resource.upstream, secret)

    def retire(self) -> None:
        """Let what was begun end, and then let go, without waiting for it."""
        self.pool.submit(self.source.close)
        self.pool.shutdown(wait=False)

    def close(self) -> None:
        """Begin nothing more, wait for what runs, and let go of connections."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.source.close()


class Hands(Protocol):
    """Who looks for what is due at targets: the lessor."""

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        ...

    def look(self) -> None:
        """Begin what is due."""
        ...


class Inline:
    """Brings results back to a thread that has nothing else to do: for one command, and for tests."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.post: Callable[[Job], object] = self._jobs.put

    def settle(self, lessor: Hands, patience: int) -> bool:
        """Do what comes back until nothing is under way, for at most `patience` tenths of a second; say whether so."""
        while not lessor.idle and patience > 0:
            try:
                self._jobs.get(timeout=0.1)()
            except queue.Empty:
                patience -= 1
        return lessor.idle

    def work(self, lessor: Hands, over: Callable[[], bool], patience: int) -> bool:
        """Look for what is due and do what comes back until it is over, for at most `patience` tenths of a second."""
        while not over() and patience > 0:
            lessor.look()
            try:
                self._jobs.get(timeout=0.1)()
            except queue.Empty:
                patience -= 1
        return over()
