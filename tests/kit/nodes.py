"""Two processes on one store: one keeps calling with whatever credential it is told, the other revokes it.

Both read CLOCK_MONOTONIC, which is one clock for all processes of a machine: a call counts as let through when it began
after `revoke` had returned and was allowed all the same.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from remit.control import revocation
from remit.core.permit import Entry, Permit
from remit.core.trust import TrustPath
from tests.kit import stores
from tests.kit.world import World, read_call

CALLERS = 32


@dataclass
class Report:
    """One round of the callers: with which credential, when the first began, how many were allowed, when the last of
    those began."""

    credential: str
    began: int
    allowed: int
    last: int


@dataclass
class Tally:
    """What came of all revocations. Times are milliseconds."""

    revoked: int = 0
    let_through: int = 0
    allowed: int = 0
    refused_after: int = 0
    took: list[float] | None = None


def call(place: Path | str, commands: int, reports: int) -> None:
    """Be the node that serves the callers: a round of 32 calls, their outcomes, one line; until told to stop."""
    world = World(place)
    os.set_blocking(commands, False)
    told, line = b"", ""
    while line != "stop":
        with suppress(BlockingIOError):
            told += os.read(commands, 4096)
        if b"\n" in told:
            *_, line = told.decode().split("\n")[:-1]
            told = b""
        if not line or line == "stop":
            time.sleep(0.0005)
            continue
        paper, task, agent = line.split()
        entry = Entry(paper, task, agent, TrustPath.OWN, "notes")
        starts: list[int] = []
        permits: list[Permit] = []

        def answered(answer, began, starts=starts, permits=permits):
            if isinstance(answer, Permit):
                starts.append(began)
                permits.append(answer)

        wake, world.batch.wake = world.batch.wake, lambda: None
        first = time.monotonic_ns()
        for _ in range(CALLERS):
            began = time.monotonic_ns()
            world.gate.decide(read_call(), entry, "", lambda answer, began=began: answered(answer, began))
        world.batch.wake = wake
        finish(world)
        for permit in permits:
            world.gate.note(permit, {"result": "ok"}, lambda _: None)
        finish(world)
        os.write(reports, f"{paper} {first} {len(starts)} {max(starts, default=0)}\n".encode())
    world.close()


def finish(world: World) -> None:
    """Let the batch work until nothing waits."""
    while not world.batch.idle:
        world.batch.turn()


@contextmanager
def node(place: Path | str) -> Iterator[tuple[int, Iterator[Report]]]:
    """The calling process, for as long as the block runs: where to send it credentials, and what it reports."""
    told, tell = os.pipe()
    hear, say = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(tell)
            os.close(hear)
            call(place, told, say)
        finally:
            os._exit(0)
    os.close(told)
    os.close(say)
    try:
        with os.fdopen(hear) as lines:
            yield tell, (Report(w[0], *map(int, w[1:])) for w in map(str.split, lines))
    finally:
        os.write(tell, b"stop\n")
        os.close(tell)
        os.waitpid(child, 0)


def run(folder: Path, revokes: int, allows: int, kind: str = "sqlite") -> Tally:
    """Revoke so many tasks, each after so many calls of it were allowed, in one process, called in another."""
    place = stores.place(kind, folder / "store")
    made = World(place).settle()
    made.close()
    agent = made.agent.id
    tally = Tally(took=[])
    with node(place) as (tell, reports):
        world = World(place)
        world.owner, world.agent = made.owner, made.agent
        for _ in range(revokes):
            task = world.a_task()
            paper = world.a_credential(task.id).credential
            os.write(tell, f"{paper.id} {task.id} {agent}\n".encode())
            seen = 0
            while seen < allows:
                report = next(reports)
                seen += report.allowed if report.credential == paper.id else 0
            began = time.monotonic_ns()
            world.act(lambda c, task=task: revocation.revoke(c, "task", task.id, "operator"))
            returned = time.monotonic_ns()
            tally.took.append((returned - began) / 1e6)
            tally.revoked += 1
            tally.allowed += seen
            while True:
                report = next(reports)
                tally.let_through += report.last > returned
                if report.began > returned:
                    tally.refused_after += CALLERS - report.allowed
                    break
        world.close()
    return tally
