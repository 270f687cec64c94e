"""Three processes on one shared store race for what may be used only so often."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from remit.control.possession import Ticket
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.permit import Entry, Permit
from remit.core.trust import TrustPath
from remit.custody.proof import Proof
from remit.store import payload
from tests.kit import ledger, postgres
from tests.kit.world import World, read_call

NODES = 3
EACH = 3
THUMB = "t" * 43
USES = 3
"""What the world's brief lets its writing step be used."""


@dataclass
class Races:
    """What came of all rounds: per round, how many writes were allowed, and how many spent or proved the same."""

    allowed: list[int]
    spent: list[int]
    proved: list[int]
    faults: list[str]


def run(rounds: int) -> Races:
    """Let each node try to write and to spend in every round, all at once; then audit the ledger they wrote."""
    url = postgres.fresh()
    world = World(url).settle()
    found = Races([], [], [], [])
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(url)) for _ in range(NODES)]
        for number in range(rounds):
            task = world.a_task()
            paper = world.a_credential(task.id).credential
            bound = world.a_credential(task.id, thumb=THUMB).credential
            for tell, _ in nodes:
                os.write(tell, f"{paper.id} {bound.id} {task.id} {world.agent.id} jti-{number}\n".encode())
            answers = [next(lines).split() for _, lines in nodes]
            found.allowed.append(sum(int(one[0]) for one in answers))
            found.spent.append(sum(int(one[1]) for one in answers))
            found.proved.append(sum(int(one[2]) for one in answers))
    found.faults = ledger.faults(world.authority)
    world.close()
    return found


@contextmanager
def node(url: str) -> Iterator[tuple[int, Iterator[str]]]:
    """One racing process: where to tell it of a round, and what it answers."""
    told, tell = os.pipe()
    hear, say = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(tell)
            os.close(hear)
            race(url, told, say)
        finally:
            os._exit(0)
    os.close(told)
    os.close(say)
    try:
        with os.fdopen(hear) as lines:
            yield tell, lines
    finally:
        os.close(tell)
        os.waitpid(child, 0)


def race(url: str, told: int, say: int) -> None:
    """Be a node: for each line, call and spend, and say how often each went through."""
    world = World(url)
    write = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "t"})
    with os.fdopen(told) as lines:
        for line in lines:
            paper, bound, task, agent, jti = line.split()
            entry = Entry(paper, task, agent, TrustPath.OWN, "notes")
            answers: list[object] = []
            proved: list[object] = []
            for _ in range(EACH):
                world.gate.decide(write, entry, "", answers.append)
                proof = Proof(THUMB, jti, Instant(world.authority.clock.now() + 60_000))
                shown = Entry(bound, task, agent, TrustPath.OWN, "notes", THUMB, Ticket(proof))
                world.gate.decide(read_call(), shown, "", proved.append)
            try:
                spent = world.act(lambda c, jti=jti: _spend(c, jti))
            except RemitError:
                spent = False
            while not world.batch.idle:
                world.batch.turn()
            counts = [sum(isinstance(one, Permit) for one in each) for each in (answers, proved)]
            os.write(say, f"{counts[0]} {int(spent)} {counts[1]}\n".encode())
    world.close()


def _spend(change: object, jti: str) -> bool:
    change.keep()  # type: ignore[attr-defined]
    return payload.spend(change.db, "assertion", jti, change.now + 60_000)  # type: ignore[attr-defined]
