"""Key sets that others publish: kept for five minutes, and asked for again at most every ten seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from remit.web.fetch import unreachable

K = TypeVar("K")
KEPT_MS: Final = 5 * 60_000
AGAIN_MS: Final = 10_000
MOST: Final = 256


@dataclass(slots=True)
class _Kept(Generic[K]):
    found: K | None = None
    at: int = 0
    tried: int = -AGAIN_MS
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets(Generic[K]):
    """What was fetched, by the place it is from. `steady` is a monotonic clock in milliseconds."""

    def __init__(self, steady: Callable[[], int]) -> None:
        self._steady = steady
        self._kept: dict[str, _Kept[K]] = {}

    async def of(self, place: str, fetch: Callable[[K | None], Awaitable[K]], oldest: int = KEPT_MS) -> K:
        """The set of a place, no older than `oldest` if it can be had (`issuer_unreachable`).

        `fetch` is given the set before, or None. One that could not be fetched anew goes on for five minutes.
        """
        if len(self._kept) >= MOST and place not in self._kept:
            self._kept.clear()
        kept = self._kept.setdefault(place, _Kept())
        if kept.found is not None and self._steady() - kept.at < oldest:
            # Not behind the lock: whoever shows an unknown key has it asked for, and nobody else waits for that.
            return kept.found
        async with kept.lock:
            now = self._steady()
            if kept.found is not None and now - kept.at < oldest:
                return kept.found
            if now - kept.tried < AGAIN_MS:
                if kept.found is not None and now - kept.at < KEPT_MS:
                    return kept.found
                raise unreachable()
            kept.tried = now
            kept.found = await fetch(kept.found)
            kept.at = now
            return kept.found
