"""Reach for the web face: one graph at a time, made beside the loop, and kept while nothing was recorded since.

A graph is read over a connection of its own, where the composition root gave one; else over that of the loop, and on
it.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import anyio.to_thread

from remit.control import reachable
from remit.control.authority import Authority
from remit.control.landscape import Landscape
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.reach.answer import GAINED, VIEWS, Answer, answer
from remit.core.reach.graph import Graph
from remit.store import log
from remit.store.opening import Aside
from remit.store.record import Reader

T = TypeVar("T")
LASTS_MS: Final = 15_000
"""How long a graph counts while nothing is recorded: leases and credentials in it end by themselves."""
WAITING: Final = 8
"""How many may wait for a graph before the next is told to come again."""


@dataclass(frozen=True, slots=True)
class Made:
    """One graph, what it was made from, and up to which entry of the ledger."""

    graph: Graph
    land: Landscape
    size: int


class Reaching:
    """Owned by the application. At most one graph is made at once, and one is kept for each view."""

    def __init__(self, authority: Authority, aside: Aside | None) -> None:
        self._authority, self._aside = authority, aside
        self._kept: dict[str, Made] = {}
        self._turn, self._waiting = asyncio.Lock(), 0

    async def made(self, view: str) -> Made:
        """The graph of this view as of now (`view_unknown`, `reach_busy`)."""
        return await self._in_turn(lambda: self._made(view))

    async def of(self, asked: str, view: str, *, without: str = "", to: str = "", brief: bool = False) -> "Found":
        """What one node reaches in this view (`reach_unknown`, `reach_ambiguous`)."""

        def work() -> Found:
            made = self._made(view)
            graph = made.graph
            start = graph.find(asked)
            gone = graph.cut([graph.find(without)]) if without else frozenset[int]()
            goal = graph.find(to) if to else None
            found = answer(graph, start, gone, to=goal, brief=brief)
            return Found(made, found, answer(graph, start, brief=True) if gone else None)

        return await self._in_turn(work)

    async def agents(self, view: str) -> tuple[Made, list[tuple[str, str, dict[str, int]]]]:
        """Each agent's key, name and numbers, the farthest first."""

        def work() -> tuple[Made, list[tuple[str, str, dict[str, int]]]]:
            made = self._made(view)
            return made, sorted(_agents(made.graph), key=lambda one: [*(-one[2][name] for name in GAINED), one[0]])

        return await self._in_turn(work)

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise RemitError("reach_busy", "Others are waiting for a graph of reach.", "Try again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                if self._aside is None:
                    return work()
                return await anyio.to_thread.run_sync(work)
        finally:
            self._waiting -= 1

    def _made(self, view: str) -> Made:
        """The graph of this view: the one that is kept, or a new one. Reads over one connection alone."""
        db = self._aside.reading() if self._aside is not None else self._authority.reading()
        now, size = self._authority.clock.now(), log.newest(db).size
        kept = self._kept.get(view)
        if kept is not None and kept.size == size and now - kept.land.now < LASTS_MS:
            return kept
        graph, land = reachable.graph(Reader(db), now, view)
        self._kept[view] = made = Made(graph, land, size)
        return made


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, the graph it is of, and the numbers of the same start with nothing left out, where some was."""

    made: Made
    answer: Answer
    whole: Answer | None

    def to_json(self) -> dict[str, Json]:
        """Write it, as `remit reach -o json` does."""
        land = self.made.land
        data: dict[str, Any] = self.answer.to_json() | {"view": land.view, "at": land.now, "notes": list(land.notes)}
        data["surveys"] = reachable.ages(land.surveys, land.now)
        data["unknown"] = reachable.unknown(self.answer, land.surveys)
        if self.whole is not None:
            data["before"] = self.whole.numbers
        return data


def one_view(text: str) -> str:
    """A view that was asked for, the first one when none was (`view_unknown`)."""
    if text and text not in VIEWS:
        raise RemitError("view_unknown", "There is no such view.", f"Use one of {', '.join(VIEWS)}.")
    return text or VIEWS[0]


def _agents(graph: Graph) -> Iterator[tuple[str, str, dict[str, int]]]:
    for node, key in enumerate(graph.keys):
        if key.startswith("agent:"):
            yield key, graph.title(node), answer(graph, node, brief=True).numbers
