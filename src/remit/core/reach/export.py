"""What was reached, for other programs: Graphviz DOT, and BloodHound's OpenGraph. Pure; every text is escaped.

OpenGraph knows nodes by id and a list of kinds, edges by one kind of letters, digits and underscores
(docs/spec/reach.md); ours begin with `Remit`.
"""

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
_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


def dot(answer: Answer) -> str:
    """The nodes that were reached and the edges between them, as a Graphviz digraph."""
    graph = answer.graph
    there = set(answer.walked.order)
    lines = ["digraph reach {", '  rankdir="LR";', '  node [fontname="sans-serif", fontsize=10];']
    for node in answer.walked.order:
        shape = SHAPES.get(graph.kind(node), "plaintext")
        mark = ", penwidth=3" if node in graph.sensitive or node == answer.start else ""
        lines.append(f"  n{node} [label={_quoted(f'{graph.kind(node)} {graph.title(node)}')}, shape={shape}{mark}];")
    lines += [f"  n{source} -> n{target} [label={_quoted(label)}];" for source, target, label in edges(graph, there)]
    return "\n".join([*lines, "}", ""])


def opengraph(answer: Answer) -> dict[str, Json]:
    """The same as an OpenGraph payload that BloodHound takes in."""
    graph = answer.graph
    there = set(answer.walked.order)
    nodes: list[Json] = [
        {
            "id": graph.keys[node],
            "kinds": [f"Remit{graph.kind(node).capitalize()}", "Remit"],
            "properties": {
                "name": shown(graph.title(node)),
                "displayname": shown(graph.title(node)),
                "kind": graph.kind(node),
                "sensitive": node in graph.sensitive,
            },
        }
        for node in answer.walked.order
    ]
    links: list[Json] = [
        {
            "kind": f"Remit{''.join(part.capitalize() for part in _WORD.split(label))[:100] or 'Leads'}",
            "start": {"match_by": "id", "value": graph.keys[source]},
            "end": {"match_by": "id", "value": graph.keys[target]},
            "properties": {"says": shown(label)},
        }
        for source, target, label in edges(graph, there)
    ]
    return {"metadata": {"source_kind": "Remit"}, "graph": {"nodes": nodes, "edges": links}}


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
