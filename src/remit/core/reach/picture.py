"""The shortest paths of an answer as a picture: left to right, what is sensitive with a ring. Pure; text is escaped.

It stands by itself, as the picture of a flow does: no script, no outside reference, and each kind has its word beside
its colour.
"""

import itertools
from html import escape
from typing import Final

from remit.core.reach.answer import Answer, labelled
from remit.core.shown import several, shown

WIDE: Final = 210
HIGH: Final = 58
BOX: Final = 168
LEFT: Final = 24
TOP: Final = 84
INK: Final = "#1b1b1b"
DIM: Final = "#555555"
RING: Final = "#b00050"
COLOURS: Final = {
    "person": "#0b5cad", "agent": "#a24a00", "task": "#a24a00", "grant": "#a24a00", "credential": "#a24a00",
    "secret": "#8a0000", "code": "#8a0000", "role": "#5b3a8c", "rights": "#5b3a8c",
}  # fmt: skip


def svg(answer: Answer) -> str:
    """Draw the shortest paths and mark the choke points."""
    graph = answer.graph
    chokes = {one.node for one in answer.chokes or ()}
    ways = [labelled(graph, path) for path in answer.paths] or [[(answer.start, "")]]
    column: dict[int, int] = {}
    for way in ways:
        for place, (node, _) in enumerate(way):
            column[node] = max(column.get(node, 0), place)
    rows: dict[int, int] = {}
    at: dict[int, tuple[int, int]] = {}
    for node, place in column.items():
        row = rows[place] = rows.get(place, -1) + 1
        at[node] = (LEFT + WIDE * place, TOP + HIGH * row)
    links = {(a, b): by for way in ways for (a, _), (b, by) in itertools.pairwise(way)}
    width = LEFT * 2 + WIDE * (max(column.values()) + 1)
    height = TOP + HIGH * (max(rows.values()) + 1) + 30
    numbers = answer.numbers
    heading = f"Reach of {graph.title(answer.start)}"
    says = (
        f"{several(numbers['systems'], 'system')}, {numbers['writable']:,} writable, "
        f"{several(numbers['domains'], 'domain')}, {numbers['sensitive']} of them sensitive"
    )
    parts = [
        f"<title>{_text(heading)}</title><desc>{_text(says)}</desc>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="30" font-size="17" font-weight="600">{_text(heading)}</text>',
        f'<text x="{LEFT}" y="54" fill="#333333">{_text(says)}</text>',
        *(_link(at[a], at[b], by) for (a, b), by in links.items()),
        *(_box(answer, node, *at[node], choke=node in chokes) for node in column),
    ]
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="12">\n{inside}\n</svg>\n'
    )


def _box(answer: Answer, node: int, x: int, y: int, *, choke: bool) -> str:
    graph = answer.graph
    kind, colour = graph.kind(node), COLOURS.get(graph.kind(node), INK)
    ring = node in graph.sensitive
    edge = RING if ring else colour
    word = f"{kind}, sensitive" if ring else f"{kind}, choke point" if choke else kind
    return (
        f"<g><title>{_text(graph.keys[node])}</title>"
        f'<rect x="{x}" y="{y}" width="{BOX}" height="40" rx="6" fill="#ffffff" stroke="{edge}"'
        f' stroke-width="{3 if ring or choke else 1.3}"{_dash(choke=choke and not ring)}/>'
        f'<text x="{x + 8}" y="{y + 16}" fill="{edge}" font-size="11">{_text(word)}</text>'
        f'<text x="{x + 8}" y="{y + 32}">{_text(_cut(graph.title(node), 25))}</text></g>'
    )


def _dash(*, choke: bool) -> str:
    return ' stroke-dasharray="7 3"' if choke else ""


def _link(source: tuple[int, int], target: tuple[int, int], by: str) -> str:
    (x1, y1), (x2, y2) = (source[0] + BOX, source[1] + 20), (target[0], target[1] + 20)
    middle = (x1 + x2) // 2
    return (
        f"<g><title>{_text(by)}</title>"
        f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none" stroke="{DIM}" stroke-width="1.3"/>'
        f'<path d="M{x2 - 7} {y2 - 4}L{x2} {y2}L{x2 - 7} {y2 + 4}" fill="none" stroke="{DIM}" stroke-width="1.3"/></g>'
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _text(text: str) -> str:
    return escape(shown(text), quote=True)
