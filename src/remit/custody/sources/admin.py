"""Admin connections to one server: one for each piece of work, kept for the next while it is in order."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar, final

C = TypeVar("C")

KEPT: Final = 8
"""Connections that nobody uses and that are kept all the same: as many as a target has threads."""


@final
class Admins(Generic[C]):
    """Owned by one source; safe to call from several threads. `answers` says whether a kept one is still good."""

    def __init__(self, opened: Callable[[], C], answers: Callable[[C], bool], shut: Callable[[C], None]) -> None:
        self._opened, self._answers, self._shut = opened, answers, shut
        self._free: list[C] = []
        self._lock = threading.Lock()
        self._over = False

    @contextmanager
    def one(self) -> Iterator[C]:
        """A connection for one piece of work; one in which that failed, however it did, is not used again."""
        conn = self._taken()
        try:
            yield conn
        except BaseException:
            self._shut(conn)
            raise
        with self._lock:
            kept = not self._over and len(self._free) < KEPT
            if kept:
                self._free.append(conn)
        if not kept:
            self._shut(conn)

    def close(self) -> None:
        """Close what nobody uses; what somebody does is closed after that."""
        with self._lock:
            self._over, free, self._free = True, self._free, []
        for conn in free:
            self._shut(conn)

    def _taken(self) -> C:
        while True:
            with self._lock:
                conn = self._free.pop() if self._free else None
            if conn is None:
                return self._opened()
            if self._answers(conn):
                return conn
            self._shut(conn)
