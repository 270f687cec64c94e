"""A governed workload that dies: killed at an I/O of its choice or from outside, or on a disk that fails.

Each call that may go upstream is told to a recorder before anything else happens, as a gate's first byte would be; each
revocation is told once it has returned. What the recorder heard is then held against the store that was left.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from remit.control import authority, revocation
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Entry, Permit
from remit.core.receipt import decode
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.store.sqlite import open_sqlite
from tests.kit import ledger
from tests.kit.disk import STORE, Disk, copy
from tests.kit.world import World, read_call

WRITE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "t", "amount": 1})
Heard = Callable[[str], None]


@contextmanager
def on_disk(vfs: str | None) -> Iterator[None]:
    """Every store that is opened meanwhile is opened through this VFS."""
    opened = authority.open_db
    authority.open_db = partial(open_sqlite, vfs=vfs) if vfs else opened
    try:
        yield
    finally:
        authority.open_db = opened


def settled(folder: Path) -> tuple[Path, str, str]:
    """A store with the usual world in it, closed: its file, and the ids of its owner and its agent."""
    folder.mkdir(mode=0o700)
    world = World(folder).settle()
    world.close()
    return folder / STORE, world.owner.id, world.agent.id


def work(
    folder: Path,
    owner: str,
    agent: str,
    heard: Heard,
    *,
    rounds: int,
    vfs: str | None = None,
    opened: Callable[[World], None] | None = None,
) -> None:
    """Open tasks, call, note and revoke for so many rounds; whatever fails is told to nobody and work goes on."""
    with on_disk(vfs):
        world = World(folder)
    if opened:
        opened(world)
    try:
        world.owner, world.agent = _Known(owner), _Known(agent)
        for _ in range(rounds):
            _round(world, heard)
    finally:
        world.close()


class _Known:
    def __init__(self, identity: str) -> None:
        self.id = identity


def _round(world: World, heard: Heard) -> None:
    try:
        task = world.a_task()
        paper = world.a_credential(task.id).credential
    except RemitError:
        return
    entry = Entry(paper.id, task.id, world.agent.id, TrustPath.OWN, "notes")

    def forward(answer: object) -> None:
        if isinstance(answer, Permit):
            heard(f"forward {answer.leaf} {answer.call} {task.id} {paper.id}")
            world.gate.note(answer, {"result": "ok"}, lambda _: None)

    for call in (read_call(), WRITE):
        world.gate.decide(call, entry, "", forward)
    try:
        world.act(lambda c: revocation.revoke(c, "task", task.id, "operator"))
    except RemitError:
        return
    heard(f"revoked {task.id}")
    world.gate.decide(read_call(), entry, "", forward)


def wrong(store: Path, lines: list[str]) -> list[str]:
    """All that is wrong with the store that was left, given what the recorder heard; opening it takes nobody's help."""
    world = World(store.parent)
    found = ledger.faults(world.authority)
    over: set[str] = set()
    for line in lines:
        kind, *words = line.split()
        if kind == "revoked":
            over.add(words[0])
            one = world.act(lambda c, words=words: c.need(Task, words[0]))
            found += [] if one.state == "ended" else [f"{line}: its revocation was lost"]
            continue
        leaf, call, task, _ = words
        row = world.authority.view.one("SELECT body FROM leaf WHERE number = ?", (int(leaf),))
        body = decode(bytes(row[0])) if row else {}
        if (body.get("call"), body.get("decision")) != (call, "allow"):
            found.append(f"{line}: it was forwarded without its leaf")
        if task in over:
            found.append(f"{line}: it was forwarded after its task was revoked")
    for line in lines:
        kind, *words = line.split()
        if kind == "forward" and words[2] in over:
            entry = Entry(words[3], words[2], "agt", TrustPath.OWN, "notes")
            if isinstance(world.decide(read_call(), entry), Permit):
                found.append(f"{line}: after the restart it was allowed again")
    world.close()
    return found


class Killer(Disk):
    """Kills its process at I/O number `at`: before it is done, or right after when `after`."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def before(self, kind):
        fault = super().before(kind)
        if self.operations == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return fault


def killed(
    start: tuple[Path, str, str], folder: Path, *, at: int = 0, seconds: float = 0.0, warm: bool = False
) -> tuple[Path, list[str], bool]:
    """Work in a process of its own on a copy of the store until it is killed: store, what was heard, if it died.

    `seconds` count from its start, or if it is `warm` from the first that is heard of it, however busy the machine is.
    """
    folder.mkdir(mode=0o700)
    store = folder.resolve() / STORE
    copy(start[0], store)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            vfs = Killer(at) if at else None
            rounds = 4 if at else 10_000
            work(
                store.parent, *start[1:], lambda line: os.write(writing, f"{line}\n".encode()) and None,
                rounds=rounds, vfs=vfs.name if vfs else None,
            )  # fmt: skip
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        first = pipe.readline() if warm else ""
        if seconds:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        lines = (first + pipe.read()).splitlines()
    _, status = os.waitpid(child, 0)
    return store, lines, os.WIFSIGNALED(status)


def moments(seed: int, count: int) -> list[float]:
    """Random moments, in seconds after the start."""
    rng = random.Random(seed)
    return [rng.uniform(0.01, 0.25) for _ in range(count)]
