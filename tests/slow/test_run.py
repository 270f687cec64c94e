"""`remit run` killed with its guard: nobody is left on its machine, and the node ends the task by itself."""

import contextlib
import os
import signal
import time
from pathlib import Path

import psycopg

from remit.control.run import WATCH_MS
from tests.kit.running_node import Shop, pinging, shop_node

SLACK_S = 10


def below(process: int) -> set[int]:
    """The processes that this one started."""
    found = set()
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(one.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == process:
                found.add(int(one.parent.name))
    return found


def state(node: Shop, identity: str) -> str:
    """The state of a lease."""
    (found,) = [lease for lease in node.leases() if lease["id"] == identity]
    return found["state"]


def test_the_node_ends_what_nobody_watches_and_proves_its_lease_dead(tmp_path):
    words = (
        "import os, psycopg, time\n"
        "conn = psycopg.connect(); conn.execute('SELECT id FROM orders LIMIT 1'); conn.commit()\n"
        "print(os.getpid(), flush=True)\n"
        "while True:\n"
        "    time.sleep(1)\n"
        "    try: conn = psycopg.connect(); conn.execute('SELECT id FROM orders LIMIT 1'); conn.commit()\n"
        "    except psycopg.Error: pass\n"
    )
    with pinging() as api, shop_node(tmp_path, api) as node, node.start(words) as process:
        assert process.stdout is not None
        command = int(process.stdout.readline())
        (one,) = [lease for lease in node.leases() if lease["state"] == "active"]
        (guard,) = below(process.pid) - {command}
        os.kill(guard, signal.SIGSTOP)
        process.kill()
        process.wait(20)
        os.kill(guard, signal.SIGKILL)
        killed = time.monotonic()
        try:
            while state(node, one["id"]) != "dead":
                assert time.monotonic() < killed + WATCH_MS / 1000 + SLACK_S
                time.sleep(0.5)
            assert time.monotonic() > killed + WATCH_MS / 1000 - 16
            with psycopg.connect(node.url) as conn:
                told = conn.execute("SELECT 1 FROM pg_roles WHERE rolname LIKE %s", (f"%{one['task']}%",)).fetchall()
            assert told == []
            shown = node.ok(f"remit task show {one['task']}")
            assert "ended (unwatched)" in shown
        finally:
            os.kill(command, signal.SIGKILL)
