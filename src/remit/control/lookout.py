"""Lookout: reads from the store what a lessor has to do. Beside the loop, where the store is across a network.

Owned by one lessor. What is due comes to `seen` on the lessor's own thread; asked again while it reads, it reads once
more. A store that is away is nothing that is due: it is asked again a second later, and readiness says why.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from remit.control import connection as connections
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.lease import Lease
from remit.core.resource import Resource
from remit.store import lease as store
from remit.store.db import Database
from remit.store.opening import Aside
from remit.store.record import Reader


@dataclass(frozen=True, slots=True)
class Due:
    """What is due.

    Leases to be ended, connections that are to end at their providers too, what became of the leases that are waited
    for, and the targets where names of ours are looked for.
    """

    ending: list[Lease]
    leaving: list[Connection] = field(default_factory=list)
    waited: dict[str, Lease | None] = field(default_factory=dict)
    targets: tuple[Resource, ...] = ()


class Lookout:
    """`reading` is the connection of the lessor's thread; with `aside`, a thread of its own reads, over that one."""

    def __init__(
        self,
        reading: Callable[[], Database],
        post: Callable[[Callable[[], None]], object],
        seen: Callable[[Due], None],
        aside: Aside | None = None,
    ) -> None:
        self._reading, self._post, self._seen, self._aside = reading, post, seen, aside
        self._pool = ThreadPoolExecutor(1, "remit-lookout") if aside is not None else None
        self._again: tuple[set[str], bool] | None = None
        self.busy = False

    def look(self, waited: Iterable[str] = (), *, targets: bool = False) -> None:
        """Read what is due, with these leases, and with the targets if asked for."""
        if self._pool is None or self._aside is None:
            try:
                due = read(self._reading(), waited, targets=targets)
            except RemitError:
                return
            self._seen(due)
        elif self.busy:
            before = self._again or (set(), False)
            self._again = before[0].union(waited), before[1] or targets
        else:
            self.busy = True
            self._pool.submit(self._beside, self._aside, tuple(waited), targets)

    def close(self) -> None:
        """Wait for what is being read, and let go of the connection."""
        if self._pool is not None and self._aside is not None:
            self._pool.shutdown(wait=True)
            self._aside.close()
            self._pool = None

    def _beside(self, aside: Aside, waited: tuple[str, ...], targets: bool) -> None:  # noqa: FBT001 - a thread's argument
        due: Due | None = None
        try:
            due = read(aside.reading(), waited, targets=targets)
        except RemitError:
            pass
        finally:
            self._post(lambda: self._came(due))

    def _came(self, due: Due | None) -> None:
        again, self._again, self.busy = self._again, None, False
        if again is not None and self._pool is not None:
            self.look(again[0], targets=again[1])
        if due is not None:
            self._seen(due)


def read(db: Database, waited: Iterable[str], *, targets: bool) -> Due:
    """What the store says is due."""
    reader = Reader(db)
    listed = reader.where(Resource, "state = 'active'") if targets else ()
    return Due(
        store.ending(db),
        connections.leaving(reader),
        {one: reader.get(Lease, one) for one in waited},
        tuple(one for one in listed if one.minting is not None),
    )
