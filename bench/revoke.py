"""Calls let through after `revoke` returned: two processes on one store, 32 callers, one observer that stamps all.

Every caller keeps one call open, half of them at each process. In each trial a task of its own is used for a while,
then revoked at one process, by task or by credential. From the moment at which the observer has the answer to the
revocation, every call that it begins must be refused, at both processes.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.places import ROOT, folder, quantile
from tests.kit.world import World

CALLERS = 32
BEFORE_S = 0.35
AFTER = 7


class Line:
    """One connection to one process; answers are matched to requests by number."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.number = 0
        self.waiting: dict[str, asyncio.Future[str]] = {}
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        while line := await self.reader.readline():
            number, _, said = line.decode().rstrip("\n").partition(" ")
            self.waiting.pop(number).set_result(said)

    def ask(self, text: str) -> asyncio.Future[str]:
        self.number += 1
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting[str(self.number)] = found
        self.writer.write(f"{self.number} {text}\n".encode())
        return found


class Trial:
    """One task, one revocation, and everything that the callers saw of it."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.revoked = 0.0
        self.allowed: list[float] = []
        self.let_through = 0
        self.after = 0

    async def call(self, line: Line, caller: int) -> None:
        left, count = AFTER, 0
        while left:
            count += 1
            over = self.revoked > 0
            found = await line.ask(f"d {self.token} {caller}-{count}")
            if over:
                left -= 1
                self.after += 1
                self.let_through += found == "allow"
            elif found == "allow":
                self.allowed.append(time.perf_counter())


async def trial(lines: list[Line], number: int) -> tuple[Trial, float, int]:
    opened = await lines[number // 2 % 2].ask("o")
    task, credential, token = opened.split()
    one = Trial(token)
    callers = [asyncio.create_task(one.call(lines[caller % 2], caller)) for caller in range(CALLERS)]
    await asyncio.sleep(BEFORE_S)
    kind, target = (("task", task), ("credential", credential))[number // 4 % 2]
    start = time.perf_counter()
    said = await lines[number % 2].ask(f"r {kind} {target}")
    one.revoked = time.perf_counter()
    if said != "done":
        raise SystemExit(f"revoking failed: {said}")
    await asyncio.gather(*callers)
    before = sum(1 for at in one.allowed if one.revoked - 1 <= at)
    return one, one.revoked - start, before


async def trials(paths: list[str], wanted: int) -> dict[str, float]:
    lines = [Line(*await asyncio.open_unix_connection(path, limit=1 << 20)) for path in paths]
    after, through, taken, least, number = 0, 0, [], 10**9, 0
    while after < wanted:
        one, seconds, before = await trial(lines, number)
        after, through, number = after + one.after, through + one.let_through, number + 1
        taken.append(seconds * 1e3)
        least = min(least, before)
    return {
        "revoke.let_through": through,
        "revoke.trials": after,
        "revoke.allows_before_min": least,
        "revoke.revocations": number,
        "revoke.p50_ms": quantile(taken, 0.5),
        "revoke.p99_ms": quantile(taken, 0.99),
    }


@contextlib.contextmanager
def nodes(place: Path, agent: str, owner: str, store: str = "") -> Iterator[list[str]]:
    """Two deciding processes on the store in `place`, or at the URL `store`; their sockets."""
    paths = [str(place / name) for name in ("one", "other")]
    argv = [sys.executable, "-m", "bench.node", store or str(place)]
    running = []
    try:
        for path in paths:
            running.append(subprocess.Popen([*argv, path, agent, owner], cwd=ROOT))
            for _ in range(200):
                if Path(path).exists():
                    break
                time.sleep(0.05)
        yield paths
    finally:
        for one in running:
            one.terminate()
            one.wait(20)


def measure(*, quick: bool) -> dict[str, float]:
    with folder() as place:
        world = World(place).settle()
        agent, owner = world.agent.id, world.owner.id
        world.close()
        with nodes(place, agent, owner) as paths:
            return uvloop.run(trials(paths, 2000 if quick else 10_000))
