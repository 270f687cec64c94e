"""Share: a large ledger read by several processes, each for a share of the errands, with a connection of its own.

What an errand has used hangs on itself alone, so shares add up to the whole, exactly. All read the ledger from its
first entry, and each reads only what its own errands rest on (store/past). A share that is lost is an error, never a
smaller count.
"""

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from remit.control.observing import Seen, observing
from remit.control.rerun import Job, finished, replaying
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.record import dump, load
from remit.core.whatif import Tally
from remit.store.opening import open_db

T = TypeVar("T")
WORTH: Final = 50_000
"""Fewer entries than this are read in one process."""


class Shares:
    """So many processes over one store. Owned by whoever enters it; they end when it is left."""

    def __init__(self, where: Path | str, workers: int) -> None:
        self.where, self.workers = where, workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def observe(self, briefs: Mapping[str, Brief], since: int, size: int) -> Seen:
        """See what was used of these briefs."""
        whole = Seen()
        for one in self._all(size, _observe, {name: dump(one) for name, one in briefs.items()}, since, size):
            whole.add(one)
        return whole

    def replay(self, job: Job) -> tuple[Tally, int]:
        """Decide every recorded call of the brief again."""
        whole, beyond = Tally(), 0
        for tally, more in self._all(job.size, _replay, _written(job)):
            whole.add(tally)
            beyond += more
        return whole, beyond

    def _all(self, size: int, work: Callable[..., T], *given: Any) -> list[T]:
        """What each share gives, or an error (`share_lost`)."""
        if self.workers < 2 or size < WORTH:
            return [work(self.where, (0, 1), *given)]
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, mp_context=multiprocessing.get_context("spawn"))
        try:
            asked = [self._pool.submit(work, self.where, (one, self.workers), *given) for one in range(self.workers)]
            return [one.result() for one in asked]
        except BrokenProcessPool as fault:
            raise RemitError(
                "share_lost",
                "A process that read a share of the ledger ended before it was done.",
                "Try again; if it was killed for its memory, do it where there is more.",
            ) from fault


def _written(job: Job) -> dict[str, Json]:
    return {
        "brief": dump(job.brief), "base": dump(job.base), "moved": list(job.moved), "since": job.since, "size": job.size
    }  # fmt: skip


def _observe(where: Path | str, of: tuple[int, int], briefs: Mapping[str, Json], since: int, size: int) -> Seen:
    db = open_db(where)
    try:
        return finished(observing(db, {name: load(Brief, one) for name, one in briefs.items()}, since, size, of=of))
    finally:
        db.close()


def _replay(where: Path | str, of: tuple[int, int], job: Mapping[str, Json]) -> tuple[Tally, int]:
    db = open_db(where)
    try:
        read = Job(load(Brief, job["brief"]), load(Brief, job["base"]), tuple(job["moved"]), job["since"], job["size"])
        return finished(replaying(db, read, of))
    finally:
        db.close()
