"""Reach on 100,000 nodes and 1,000,000 edges, in seconds of processor: the first answer, and each what-if after it."""

import random
import time

from remit.core.reach.answer import answer
from remit.core.reach.graph import KINDS, Builder

NODES, EDGES = 100_000, 1_000_000


def gathered(nodes: int, edges: int) -> Builder:
    """A graph in which a few nodes lead to most of the others, with a domain in a hundred that is sensitive."""
    draw = random.Random(7)
    builder = Builder()
    kinds = [kind for kind in KINDS if kind != "agent"]
    for n in range(nodes):
        builder.node(draw.choice(kinds) if n else "agent", f"n{n}")
    for n in range(0, nodes, 100):
        if builder.keys[n].startswith("domain:"):
            builder.sensitive(n)
    for _ in range(edges):
        builder.edge(int(draw.random() ** 1.5 * nodes), draw.randrange(nodes), "leads to")
    return builder


def measure(*, quick: bool) -> dict[str, float]:
    share = 10 if quick else 1
    builder = gathered(NODES // share, EDGES // share)
    start = time.process_time()
    graph = builder.build()
    found = answer(graph, graph.find("agent:n0"))
    first = time.process_time() - start
    assert found.chokes, "nothing goes through one node, or that was not looked for"
    asked: list[float] = []
    for one in found.walked.order[1:12]:
        start = time.process_time()
        answer(graph, found.start, graph.cut([graph.find(graph.keys[one])]), brief=True)
        asked.append(time.process_time() - start)
    return {"reach.first_s": first, "reach.whatif_s": max(asked)}
