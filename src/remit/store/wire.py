"""A connection to PostgreSQL that gives up on a server which says nothing, instead of waiting for ever."""

import logging
from collections.abc import Generator
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen

from remit.store.db import Row

logging.getLogger("psycopg").setLevel(logging.ERROR)
# What it warns of (a pipeline that an error ended) is raised to us anyway.

POLL_S: Final = 0.1
SILENT: Final = 40
"""How many polls in a row without a word from the server until the connection is given up: 4 seconds."""


class Watched(psycopg.Connection[Row]):
    """A connection that gives up on a server which says nothing, instead of waiting for ever."""

    def wait(self, gen: PQGen[RV], interval: float = POLL_S, timeout: float | None = None) -> RV:
        """Run one exchange with the server; `OperationalError` after `SILENT` polls without an answer."""
        found: RV = super().wait(_patient(gen), min(interval, POLL_S), timeout)
        return found


def _patient(gen: Any) -> Generator[Any, Any, Any]:
    silent = 0
    try:
        state = next(gen)
        while True:
            ready = yield state
            silent = 0 if ready else silent + 1
            if silent > SILENT:
                raise psycopg.OperationalError("the server says nothing")
            state = gen.send(ready)
    except StopIteration as end:
        return end.value
