"""What is reached in a graph, by which shortest way, and through which nodes everything must go. Pure.

The nodes through which every way leads (dominators) are found from the tree of shortest ways: each edge that comes from
elsewhere lifts its node to where both ways part, until nothing moves (Cooper, Harvey and Kennedy, "A Simple, Fast
Dominance Algorithm", 2001, in the order of a breadth-first search, in which a dominator always stands before what it
dominates). Its twin, tests/oracle/reach, takes each node out and looks what is left.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from remit.core.reach.graph import Graph

DEEPEST: Final = 64
"""Steps of the longest shortest way, above which dominators are not looked for: each lift may walk that far."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What was reached: the nodes, nearest first, and from where each was reached first (-1 for the start)."""

    order: Sequence[int]
    before: Sequence[int]
    depth: int

    def path(self, node: int) -> list[int]:
        """A shortest way to a node that was reached, from the start."""
        found = [node]
        while self.before[found[-1]] >= 0:
            found.append(self.before[found[-1]])
        return found[::-1]


def walk(graph: Graph, start: int, without: AbstractSet[int] = frozenset()) -> Walk:
    """Reach all that can be reached, as if what is in `without` were not there."""
    offsets, targets = graph.offsets, graph.targets
    seen = bytearray(len(graph.kinds))
    for gone in without:
        seen[gone] = 1
    before = [-1] * len(graph.kinds)
    order: list[int] = []
    level = [] if seen[start] else [start]
    seen[start] = 1
    depth = 0
    while level:
        order += level
        following: list[int] = []
        for node in level:
            for target in targets[offsets[node] : offsets[node + 1]]:
                if not seen[target]:
                    seen[target] = 1
                    before[target] = node
                    following.append(target)
        level = following
        depth += bool(level)
    return Walk(order, before, depth)


def dominators(graph: Graph, walked: Walk) -> list[int] | None:
    """For each node by its place in the walk's order, the place of its nearest dominator; None when ways are too long.

    Of the start, itself.
    """
    if walked.depth > DEEPEST:
        return None
    offsets, targets, order = graph.offsets, graph.targets, walked.order
    place = [0] * len(graph.kinds)
    for at, node in enumerate(order):
        place[node] = at
    nearest = [0, *(place[walked.before[node]] for node in order[1:])]
    # Most nodes end below the start itself after one look at their edges, and are never looked at again.
    low = bytearray(len(graph.kinds))
    for at, node in enumerate(order):
        low[node] = nearest[at] > 0
    for at, node in enumerate(order):
        for other in targets[offsets[node] : offsets[node + 1]]:
            if low[other]:
                to = place[other]
                if nearest[to] != at:
                    nearest[to] = _parting(nearest, at, nearest[to])
                    low[other] = nearest[to] > 0
    left = [
        (at, place[other])
        for at, node in enumerate(order)
        for other in targets[offsets[node] : offsets[node + 1]]
        if low[other]
    ]
    _settle(nearest, left)
    return nearest


def _settle(nearest: list[int], left: Sequence[tuple[int, int]]) -> None:
    """Lift nodes by these edges until nothing moves."""
    moved = True
    while moved:
        moved = False
        for at, to in left:
            held = nearest[to]
            above = _parting(nearest, at, held)
            if above != held:
                nearest[to], moved = above, True


def _parting(nearest: list[int], one: int, other: int) -> int:
    """Where the ways to two nodes part: their nearest common dominator, as far as is known."""
    while one != other:
        if one > other:
            one = nearest[one]
        else:
            other = nearest[other]
    return one
