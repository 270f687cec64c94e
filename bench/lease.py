"""Leases at a real PostgreSQL server: minted, and ended with open sessions, alone and a hundred together."""

import itertools
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg

from bench.places import quantile
from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted
from remit.custody.sources.postgres import PostgresSource
from tests.kit.nouns import named
from tests.kit.postgres import Postgres

STEP = Step.from_json(
    {"action": "sql:shop/select", "path": "own", "arguments": {"relation": [{"one_of": ["public.orders"]}]}}
)
OPEN = 4
"""Sessions that are open on a lease when it ends."""
CROWD = 50
"""Leases that have such sessions open at once, and are ended at once: 200 sessions."""
TOGETHER = 100


def intents() -> Iterator[Intent]:
    for number in itertools.count():
        task = named("tsk")
        yield Intent(
            f"remit_{task}_own_{number:08d}", TaskId(task), TrustPath.OWN, Instant(2**41), 600_000, (STEP,),
            random=os.urandom,
        )  # fmt: skip


def measure(*, quick: bool) -> dict[str, float]:
    server = Postgres("max_connections=300")
    try:
        url = server.fresh()
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE TABLE orders (id int)")
        with closing(PostgresSource(Secret(url.encode()), "bench")) as source:
            return _one_by_one(source, url, 10 if quick else 60) | _together(source) | _crowd(source, url)
    finally:
        server.close()


def _one_by_one(source: PostgresSource, url: str, times: int) -> dict[str, float]:
    made, ended, fresh = [], [], intents()
    for _ in range(times):
        start = time.perf_counter()
        minted = source.mint(next(fresh))
        made.append(1000 * (time.perf_counter() - start))
        sessions = [psycopg.connect(url, user=minted.name, password=_text(minted)) for _ in range(OPEN)]
        start = time.perf_counter()
        _end(source, minted)
        ended.append(1000 * (time.perf_counter() - start))
        for one in sessions:
            one.close()
    return {
        "lease.mint_p50_ms": quantile(made, 0.5),
        "lease.end_p50_ms": quantile(ended, 0.5),
        "lease.end_p99_ms": quantile(ended, 0.99),
    }


def _together(source: PostgresSource) -> dict[str, float]:
    minted = [source.mint(one) for one in itertools.islice(intents(), TOGETHER)]
    start = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: _end(source, one), minted))
    return {"lease.end_100_s": time.perf_counter() - start}


def _crowd(source: PostgresSource, url: str) -> dict[str, float]:
    """From the word that ends all of them to each one proven dead."""
    minted = [source.mint(one) for one in itertools.islice(intents(), CROWD)]
    sessions = [psycopg.connect(url, user=one.name, password=_text(one)) for one in minted for _ in range(OPEN)]
    start = time.perf_counter()

    def dead(one: Minted) -> float:
        _end(source, one)
        return 1000 * (time.perf_counter() - start)

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(dead, minted))
    for one in sessions:
        one.close()
    return {"lease.dead_200_p50_ms": quantile(taken, 0.5), "lease.dead_200_p99_ms": quantile(taken, 0.99)}


def _end(source: PostgresSource, minted: Minted) -> None:
    source.drop(minted)
    if source.probe(minted) is not Gone.GONE:
        raise SystemExit(f"{minted.name} is not gone")


def _text(minted: Minted) -> str:
    return minted.secret.reveal().decode() if minted.secret else ""
