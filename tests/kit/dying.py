"""The process that is killed in the middle of a mint at a real target, and the node that it shares with the others.

`Place` is one target as the tests know it without any source. As a program, this module takes a place and a point as
JSON on its input, makes a world with one task, mints for it, and dies at that point; it says `over` where it never came
to it. Who kills it, and what is to hold then: `killing`.
"""

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql.cursors

from remit.control import connection, lease, resource, revocation, sweep
from remit.control.gate import Gate
from remit.control.lessor import Lessor
from remit.control.target import Inline
from remit.core.agent import Agent
from remit.core.moment import Instant
from remit.core.permit import Permit
from remit.core.principal import Person
from remit.core.resource import Minting
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Intent, Minted, Source
from remit.custody.sources.opening import open_source
from remit.custody.sources.provider import Provider
from remit.custody.sources.rest import Api
from remit.custody.sources.sts import StsSource
from remit.store.record import Reader
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time
from tests.kit.world import World, read_call

POINTS = ("before", "made", "recording")
"""Before the target is asked; after it made it; while it is being recorded, before that commits. Or after N steps."""
WIRES = (
    (Api, "ask"), (Provider, "post"), (StsSource, "call"), (psycopg.Connection, "execute"),
    (pymysql.cursors.Cursor, "execute"),
)  # fmt: skip
"""Where the words of each source go to its target: one call is one step."""


@dataclass(frozen=True)
class Place:
    """One target. `standing` says by name what is there now, asked without the source; None where nobody can say.

    `given` is what a person gave, for a target of people. At one that is `left`, nobody can take back what was lost: it
    dies by time. One that is `later` ends what a lost token read a moment after it has said that the token is gone.
    """

    kind: str
    secret: bytes
    settings: dict[str, str]
    standing: Callable[[], set[str]] | None
    given: bytes = b""
    left: bool = False
    later: bool = False

    @property
    def path(self) -> TrustPath:
        return TrustPath.DELEGATED if self.given else TrustPath.OWN

    def said(self) -> dict[str, Any]:
        return {"kind": self.kind, "secret": self.secret.hex(), "settings": self.settings, "given": self.given.hex()}


def now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


class Doomed:
    """A source whose mint does something at a point of it."""

    def __init__(self, source: Source, at: Callable[[str], None]) -> None:
        self._source, self._at = source, at
        self.seen: list[Intent] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def mint(self, intent: Intent) -> Minted:
        self.seen.append(intent)
        self._at("before")
        minted = self._source.mint(intent)
        self._at("made")
        return minted


class Node(Lending):
    """One node of a store whose resource is minted at a real target."""

    def __init__(self, store: Path, place: Place, ms: int, name: str, at: Callable[[str], None] = str) -> None:
        self.time = Time()
        self.time.ms = ms
        World.__init__(self, store, ByHand(self.time))
        self.authority.node, self.place = name, place
        self.inline = Inline()
        self.lessor = Lessor(
            self.authority,
            self.batch,
            self.inline.post,
            lambda where, secret, owner, _: Doomed(open_source(where, secret, owner, now), at),
        )
        self.gate = Gate(self.authority, self.batch, self.lessor)
        self.batch.moved = self.lessor.look

    def settle(self) -> "Node":
        World.settle(self)
        self.act(lambda c: resource.put_secret(c, "target", Secret(self.place.secret)))
        self.register(minting=Minting(kind=self.place.kind, secret="target", settings=self.place.settings))
        if self.place.given:
            mine = {"person": self.person.id, "resource": "notes", "scopes": (), "by": self.person.id}
            self.act(lambda c: connection.connect(c, token=Secret(self.place.given), **mine))
        self.errand()
        return self

    def errand(self) -> None:
        """Open the task whose mint is to come, by whom it is to act for."""
        who = self.person.id if self.place.given else self.owner.id
        self.task = self.a_task(requester=who, by=who, person=self.person.id if self.place.given else "")

    def meet(self) -> "Node":
        """Know whom another node of this store registered."""
        reader = Reader(self.authority.reading())
        people = list(reader.where(Person))
        self.owner = next(one for one in people if one.groups)
        self.person = next(one for one in people if not one.groups)
        self.agent = next(iter(reader.where(Agent)))
        return self

    def begin(self) -> list[Any]:
        """Have one call decided that needs a mint; what came of it stands in the list, in time."""
        found: list[Any] = []
        person = self.person.id if self.place.given else ""
        paper = self.a_credential(self.task.id, self.place.path, person)
        self.gate.decide(read_call(), self.enter(paper.text), "", found.append)
        return found

    def reap(self, at: int) -> None:
        """Do what a node does as time passes, at an instant."""
        self.time.ms = at
        self.act(sweep.sweep)
        assert self.settle_targets(300), "what was due at the target did not end"

    def close(self) -> None:
        self.lessor.close()
        World.close(self)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """The process that is killed: one mint, up to a point."""
    said = json.load(sys.stdin)
    place = Place(said["kind"], bytes.fromhex(said["secret"]), said["settings"], None, bytes.fromhex(said["given"]))
    point, mint = said["point"], threading.local()
    left = int(point) if point.isdecimal() else -1

    def at(here: str) -> None:
        mint.on = here == "before"
        if here == point:
            _die()

    def step(real: Callable[..., Any], *args: Any, **members: Any) -> Any:
        nonlocal left
        found = real(*args, **members)
        if getattr(mint, "on", False) and left > 0:
            left -= 1
            if not left:
                _die()
        return found

    for owner, name in WIRES:
        real = getattr(owner, name)

        def counted(*args: Any, real: Callable[..., Any] = real, **members: Any) -> Any:
            return step(real, *args, **members)

        setattr(owner, name, functools.wraps(real)(counted))
    if point == "recording":
        recorded = lease.activate

        def activate(*args: Any) -> None:
            recorded(*args)
            _die()

        lease.activate = activate
    node = Node(Path(said["store"]), place, said["at"], "killed", at).settle()
    found = node.begin()
    node.inline.settle(node.lessor, 600)
    assert isinstance(found[0], Permit), found
    node.act(lambda c: revocation.revoke(c, "task", node.task.id, "operator"))
    assert node.settle_targets(600)
    sys.stdout.write("over\n")


if __name__ == "__main__":
    main()
