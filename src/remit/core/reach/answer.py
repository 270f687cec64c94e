"""The answer: numbers first, then shortest paths, then the nodes that all goes through and what cutting them gains.

One function answers for every view and what-if: it is given a graph, where to start and what to leave out. Pure.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json
from remit.core.reach.amount import number, text
from remit.core.reach.bound import Reach, bounded
from remit.core.reach.graph import NUMBER, Graph
from remit.core.reach.walk import Walk, dominators, walk

VIEWS: Final = ("possible", "observed", "now")
COUNTED: Final = {
    "systems": "resource", "writable": "write", "objects": "object", "domains": "domain", "logins": "role",
    "secrets": "secret", "code": "code",
}  # fmt: skip
"""What is counted, and the kind of node that it is."""
GAINED: Final = ("sensitive", "writable", "systems", "objects")
"""What cutting a node is weighed by, the weightiest first."""
SHOWN: Final = 10
"""How many paths and choke points an answer names."""
PASSED: Final = frozenset(NUMBER[kind] for kind in ("write", "domain", "resource"))
"""Kinds that nothing is to be gained by cutting: they are what is counted."""
_BITS: Final = 24
_MASK: Final = (1 << _BITS) - 1
_FIRST: Final = ("code", "secret", "domain", "resource", "write", "object")
"""What a path is shown to, the most telling first; before all, domains that are sensitive."""


@dataclass(frozen=True, slots=True)
class Choke:
    """A node that everything behind it is reached through alone, and how much that is."""

    node: int
    gain: dict[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is reached from one node. `chokes` is None where they were not looked for."""

    graph: Graph
    start: int
    without: tuple[int, ...]
    walked: Walk
    numbers: dict[str, int]
    bound: Reach
    paths: list[list[int]]
    chokes: list[Choke] | None

    def to_json(self) -> dict[str, Json]:
        """Write it, by keys."""
        graph = self.graph
        keys = graph.keys
        chokes: Json = None
        if self.chokes is not None:
            chokes = [{"node": keys[one.node], "title": graph.title(one.node), "gain": one.gain} for one in self.chokes]
        return {
            "of": keys[self.start],
            "title": graph.title(self.start),
            "without": [keys[node] for node in self.without],
            "numbers": {**self.numbers, "people": number(self.bound.people), "money": self.money()},
            "systems": list(self.bound.systems),
            "writable": list(self.bound.writable[:1000]),
            "domains": sorted(graph.name(n) for n in self.walked.order if graph.kinds[n] == NUMBER["domain"]),
            "bound": self.bound.to_json() | {"systems": len(self.bound.systems), "writable": len(self.bound.writable)},
            "paths": [[{"node": keys[node], "by": by} for node, by in labelled(graph, path)] for path in self.paths],
            "chokes": chokes,
        }

    def money(self) -> dict[str, str]:
        """How much of each argument that is an amount."""
        return {name: text(most) for name, most in self.bound.money.items()}


def answer(
    graph: Graph,
    start: int,
    without: Iterable[int] = (),
    *,
    to: int | None = None,
    brief: bool = False,
) -> Answer:
    """What is reached from `start` without some nodes. `to` asks for the way to one node; `brief` for numbers alone."""
    gone = frozenset(without)
    walked = walk(graph, start, gone)
    return Answer(
        graph=graph,
        start=start,
        without=tuple(sorted(gone)),
        walked=walked,
        numbers=counted(graph, walked),
        bound=bounded(graph, walked),
        paths=[] if brief else _paths(graph, walked, to),
        chokes=[] if brief else _chokes(graph, walked),
    )


def counted(graph: Graph, walked: Walk) -> dict[str, int]:
    """How many of each kind are reached, the start itself left out."""
    kinds = bytes(graph.kinds[node] for node in walked.order[1:])
    found = {name: kinds.count(NUMBER[kind]) for name, kind in COUNTED.items()}
    found["sensitive"] = sum(walked.before[node] >= 0 for node in graph.sensitive)
    return found


def labelled(graph: Graph, path: Sequence[int]) -> list[tuple[int, str]]:
    """A path with what leads to each of its nodes; writes fold into the object that they are to."""
    found = [(path[0], "")]
    for source, target in itertools.pairwise(path):
        by = graph.label(source, target)
        if graph.kinds[source] == NUMBER["write"]:
            found[-1] = (target, f"{found[-1][1]} (writes)")
        else:
            found.append((target, by))
    return found


def _paths(graph: Graph, walked: Walk, to: int | None) -> list[list[int]]:
    """Shortest ways to what tells most."""
    if to is not None:
        return [walked.path(to)] if walked.before[to] >= 0 else []
    held = bytes(map(graph.kinds.__getitem__, walked.order))
    rest = [walked.order[place] for kind in _FIRST for place in _first(held, NUMBER[kind])]
    first = [node for node in walked.order if node in graph.sensitive] if graph.sensitive else []
    named = list(dict.fromkeys([*first, *rest]))[:SHOWN]
    ways = [walked.path(node) for node in named]
    inner = {node for way in ways for node in way[:-1]}
    return [way for way in ways if way[-1] not in inner]


def _first(kinds: bytes, kind: int) -> list[int]:
    """The first places of a kind, the start left out."""
    found: list[int] = []
    place = kinds.find(kind, 1)
    while place >= 0 and len(found) < SHOWN:
        found.append(place)
        place = kinds.find(kind, place + 1)
    return found


def _chokes(graph: Graph, walked: Walk) -> list[Choke] | None:
    """The nodes that most goes through; None when that was not looked for."""
    nearest = dominators(graph, walked)
    if nearest is None:
        return None
    weigh = _weights()
    worth = [weigh[kind] for kind in graph.kinds]
    for node in graph.sensitive:
        worth[node] |= 1 << 3 * _BITS
    own = [worth[node] for node in walked.order]
    sums = own.copy()
    for place in range(len(sums) - 1, 0, -1):
        if sums[place]:
            sums[nearest[place]] += sums[place]
    found = [
        Choke(walked.order[place], _gain(whole))
        for place, whole in enumerate(sums)
        if place and whole != own[place] and graph.kinds[walked.order[place]] not in PASSED
    ]
    found.sort(key=_most)
    return sorted(_whole(graph, walked, nearest, found[:SHOWN], worth), key=_most)


def _most(one: Choke) -> list[int]:
    return [-one.gain[name] for name in GAINED]


def _whole(
    graph: Graph, walked: Walk, nearest: Sequence[int], found: Sequence[Choke], worth: Sequence[int]
) -> Iterator[Choke]:
    """The same with what else `cut` takes away: the writes to each, where they are reached and do not hang on it."""
    writes = {one.node: graph.cut([one.node]) - {one.node} for one in found}
    wanted = frozenset(writes).union(*writes.values())
    places = {node: place for place, node in enumerate(walked.order) if node in wanted}
    for one in found:
        gain, at = one.gain, places[one.node]
        for node in writes[one.node] & places.keys():
            place = places[node]
            while place > at:
                place = nearest[place]
            if place != at:
                more = _gain(worth[node])
                gain = {name: gain[name] + more[name] for name in GAINED}
        yield Choke(one.node, gain)


def _weights() -> list[int]:
    found = [0] * len(NUMBER)
    for place, name in enumerate(("objects", "systems", "writable")):
        found[NUMBER[COUNTED[name]]] = 1 << place * _BITS
    return found


def _gain(whole: int) -> dict[str, int]:
    return {name: whole >> (3 - place) * _BITS & _MASK for place, name in enumerate(GAINED)}
