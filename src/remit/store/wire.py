"""A connection to PostgreSQL: how each session is set, and how long a server may say nothing. Milliseconds."""

import logging
from collections.abc import Generator
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen

from remit.store.db import Row

logging.getLogger("psycopg").setLevel(logging.ERROR)
# What it warns of (a pipeline that an error ended) is raised to us anyway.

TIMEOUT_MS: Final = 2000
IDLE_MS: Final = 1500
"""How long a session may hold the write lock in silence before the server ends it: a stopped node stops nobody else."""
OLDEST: Final = 150_000
"""PostgreSQL 15."""
BOUNDED: Final = 170_000
"""PostgreSQL 17 ends a transaction that lasts too long, even one that stopped in the middle of what it was sending."""
SCHEMA: Final = "remit"

SESSION: Final = (
    ("search_path", f"{SCHEMA}, pg_temp"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("idle_in_transaction_session_timeout", str(IDLE_MS)),
    ("lock_timeout", str(TIMEOUT_MS)),
    ("statement_timeout", "30000"),
    ("client_min_messages", "warning"),
    ("standard_conforming_strings", "on"),
)
BOUND: Final = f"; SET LOCAL transaction_timeout = {IDLE_MS}"

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
