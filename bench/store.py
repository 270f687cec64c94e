"""The shared store under weight: long ledgers, many tasks, and a holder of the lock that stops or dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psycopg

from bench.places import ROOT
from bench.start import resident
from remit.cli.desk import close, opened
from remit.cli.settings import Settings
from remit.control import task
from remit.control.authority import Authority
from remit.core.canonical import canon
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.store.opening import open_db
from tests.kit.postgres import Postgres
from tests.kit.world import World, read_call

PART = 4096
ROUNDS = 40
BATCH = 32
HOLD = """
import sys, time
from remit.store.opening import open_db
db = open_db(sys.argv[1])
db.begin()
print("held", flush=True)
time.sleep(60)
"""


def held(url: str) -> dict[str, float]:
    """How long one that holds the lock keeps another out: stopped, and killed. Milliseconds."""
    db = open_db(url)
    found = {}
    for name, number in (("stopped", signal.SIGSTOP), ("killed", signal.SIGKILL)):
        holder = subprocess.Popen([sys.executable, "-c", HOLD, url], cwd=ROOT, stdout=subprocess.PIPE)
        if holder.stdout is None or not holder.stdout.readline():
            raise SystemExit("the holder did not start")
        begun = time.perf_counter()
        holder.send_signal(number)
        taken(db)
        found[f"holder.{name}_ms"] = (time.perf_counter() - begun) * 1e3
        db.rollback()
        holder.kill()
        holder.wait()
        holder.stdout.close()
    db.close()
    return found


def taken(db: object) -> None:
    while True:
        try:
            db.begin()  # type: ignore[attr-defined]
        except RemitError as fault:
            if fault.code != "store_busy":
                raise
        else:
            return


def filled(url: str, data: Path, leaves: int) -> None:
    """Let the ledger have so many entries, appended and signed as always, a few thousand to a transaction."""
    authority = opened(Settings(data=data, store=url), checked=False)
    try:
        lengthen(authority, leaves)
    finally:
        close(authority)


def lengthen(authority: Authority, leaves: int) -> None:
    while True:
        authority.db.begin()
        authority.clock.hear(authority.db.at)
        head = authority.log.begin()
        count = min(PART, leaves - head.size)
        if count <= 0:
            authority.db.rollback()
            return
        now = authority.clock.now()
        bodies = [
            canon({"v": 1, "kind": "call.denials", "at": now, "agent": "agt_bench", "code": "bench", "count": n + 1})
            for n in range(count)
        ]
        authority.log.append(bodies, now, authority.sign_head)
        authority.db.commit()
        authority.log.committed()


def many_tasks(url: str, world: World, count: int) -> None:
    """Let there be so many tasks that have ended, each with its plan, as copies of one that was opened for real."""
    done = world.a_task()
    world.act(lambda c: task.end(c, done.id, "complete", "operator"))
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET search_path = remit")
        before = (conn.execute("SELECT count(*) FROM task").fetchone() or (0,))[0]
        for table, key in (("task", "id"), ("plan", "id")):
            names = [row[0] for row in conn.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'remit' AND table_name = %s"
                " ORDER BY ordinal_position", (table,),
            )]  # fmt: skip
            fresh = "'tsk_' || substr(md5(n::text), 1, 26)"
            said = {name: name for name in names} | {
                key: f"replace({key}, '{done.id}', {fresh})",
                "body": f"convert_to(replace(convert_from(body, 'UTF8'), '{done.id}', {fresh}), 'UTF8')",
            }
            if table == "plan":
                said["task"] = fresh
            like = f"{key} = '{done.id}'" if table == "task" else f"task = '{done.id}'"
            conn.execute(
                f"INSERT INTO {table} SELECT {', '.join(said[name] for name in names)} FROM {table},"
                f" generate_series({before + 1}, {count}) AS n WHERE {like}".encode()
            )
        conn.execute("ANALYZE")


def cost(world: World) -> float:
    """Microseconds to decide one call and note its outcome, in batches."""
    entry = world.enter(world.a_credential(world.a_task().id).text)
    wake, world.batch.wake = world.batch.wake, lambda: None
    taken_us = []
    for _ in range(ROUNDS):
        found: list[object] = []
        begun = time.perf_counter()
        for _ in range(BATCH):
            world.gate.decide(read_call(), entry, "", found.append)
        while not world.batch.idle:
            world.batch.turn()
        for permit in found:
            if not isinstance(permit, Permit):
                raise SystemExit(f"a call was refused: {permit}")
            world.gate.note(permit, {"result": "ok"}, lambda _: None)
        while not world.batch.idle:
            world.batch.turn()
        taken_us.append((time.perf_counter() - begun) / BATCH * 1e6)
    world.batch.wake = wake
    return median(taken_us)


def grown(server: Postgres, sizes: list[int]) -> dict[str, float]:
    """Cost of a decision and resident memory at each size; `growth` is the largest over the smallest, in percent."""
    found: dict[str, float] = {}
    url = server.fresh()
    world = World(url).settle()
    cost(world)
    costs = []
    for size in sizes:
        many_tasks(url, world, size)
        lengthen(world.authority, size)
        world.close()
        vacuumed(url)
        world = reopened(url, world)
        cost(world)
        costs.append(cost(world))
        found[f"growth.{size}.decision_us"] = costs[-1]
        found[f"growth.{size}.rss_mb"] = resident(os.getpid())
    world.close()
    found["growth"] = (costs[-1] / costs[0] - 1) * 100
    return found


def vacuumed(url: str) -> None:
    """Let the server's upkeep of what was just filled in be over before anything is timed."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")


def reopened(url: str, old: World) -> World:
    fresh = World(url)
    fresh.owner, fresh.person, fresh.agent, fresh.brief = old.owner, old.person, old.agent, old.brief
    return fresh
