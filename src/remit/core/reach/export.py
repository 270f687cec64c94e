"""What was reached, for other programs: Graphviz DOT, and BloodHound's OpenGraph. Pure; every text is escaped.

OpenGraph knows nodes by id and a list of up to three kinds, edges by one kind of letters, digits and underscores
(docs/spec/reach.md); ours begin with `Remit`. BloodHound writes every id in capitals, so ids differ in more than case,
and keeps every kind of edge for good, so what is done to an object is a property, and no kind for each set of verbs.
"""

import hashlib
import json
import re
from typing import Final

from remit.core.canonical import Json
from remit.core.reach.answer import Answer
from remit.core.reach.graph import Graph
from remit.core.shown import shown

SHAPES: Final = {
    "person": "oval", "agent": "box", "secret": "octagon", "domain": "folder", "resource": "cylinder", "code": "cds",
}  # fmt: skip
PERHAPS: Final = " (perhaps)"
_PLAIN: Final = re.compile(r"[a-z]{1,15}(?: [a-z]{1,15}){0,7}")


def dot(answer: Answer) -> str:
    """The nodes that were reached and the edges between them, as a Graphviz digraph."""
    graph = answer.graph
    there = set(answer.walked.order)
    lines = ["digraph reach {", '  rankdir="LR";', '  node [fontname="sans-serif", fontsize=10];']
    for node in answer.walked.order:
        shape = SHAPES.get(graph.kind(node), "plaintext")
        mark = ", penwidth=3" if node in graph.sensitive or node == answer.start else ""
        lines.append(f"  n{node} [label={_quoted(graph.called(node))}, shape={shape}{mark}];")
    lines += [f"  n{source} -> n{target} [label={_quoted(label)}];" for source, target, label in edges(graph, there)]
    return "\n".join([*lines, "}", ""])


def opengraph(answer: Answer) -> dict[str, Json]:
    """The same as an OpenGraph payload that BloodHound takes in."""
    graph = answer.graph
    there = set(answer.walked.order)
    nodes: list[Json] = [
        {
            "id": identity(graph.keys[node]),
            "kinds": [f"Remit{graph.kind(node).capitalize()}", "Remit"],
            "properties": {
                "name": shown(graph.title(node)),
                "displayname": shown(graph.title(node)),
                "kind": graph.kind(node),
                "key": graph.keys[node],
                "sensitive": node in graph.sensitive,
            },
        }
        for node in answer.walked.order
    ]
    links: list[Json] = [
        {
            "kind": f"Remit{_kind(graph.kind(target), label)}",
            "start": {"match_by": "id", "value": identity(graph.keys[source])},
            "end": {"match_by": "id", "value": identity(graph.keys[target])},
            "properties": {"says": shown(label), "perhaps": label.endswith(PERHAPS)},
        }
        for source, target, label in edges(graph, there)
    ]
    return {"metadata": {"source_kind": "Remit"}, "graph": {"nodes": nodes, "edges": links}}


def identity(key: str) -> str:
    """A node's id: its key, and, where capitals could make it another's, the beginning of its digest."""
    if key == key.lower() and "#" not in key:
        return key
    return f"{key}#{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _kind(target: str, label: str) -> str:
    """One of few kinds: a label of plain words is its own; any other says only that it leads, uses or writes."""
    words = label.removesuffix(PERHAPS)
    if _PLAIN.fullmatch(words):
        return "".join(part.capitalize() for part in words.split())
    return {"object": "CanUse", "write": "CanWrite"}.get(target, "Leads")


def edges(graph: Graph, there: set[int]) -> list[tuple[int, int, str]]:
    """The edges between these nodes."""
    return [
        (node, graph.targets[place], graph.said[graph.labels[place]])
        for node in sorted(there)
        for place in range(graph.offsets[node], graph.offsets[node + 1])
        if graph.targets[place] in there
    ]


def _quoted(text: str) -> str:
    return json.dumps(shown(text), ensure_ascii=False)
