"""A document of YAML with the place of each value that is written on one line, and by itself. Pure."""

from collections import Counter
from typing import Final

import yaml

from remit.scan import yamldoc
from remit.scan.node import Node
from remit.scan.placed import Path, Placed, Span, called

LARGEST: Final = 1 << 16
"""Characters of a file from which a fix is cut; of a larger one nothing is changed."""


def placed(text: str) -> Placed | None:
    """Read a file; None when it is none. Of several documents the one counts that has services, if only one has."""
    if len(text) > LARGEST:
        return None
    reader = _Placing()
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        roots = [reader.node(one, 0) for one in documents]
        comments = _comments(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    meant = [one for one in roots if len(roots) == 1 or one["services"].members]
    if len(meant) != 1:
        return None
    met = Counter(id(found) for _, found in reader.all)
    spans, loose = {}, []
    for node, found in reader.all:
        if not isinstance(found, yaml.ScalarNode) or not node.text:
            continue
        at = (found.start_mark.index, found.end_mark.index)
        plain = "\n" not in text[slice(*at)] and text[at[0]] not in "&!|>*"
        if plain and met[id(found)] == 1:
            spans[id(node)] = at
        else:
            loose.append((at, "", node.text))
    names: dict[int, str] = {}
    paths: dict[int, Path] = {}
    for place, one in enumerate(roots):
        mine, ways = called(one)
        names |= mine
        paths |= {key: (place, *way) if len(roots) > 1 else way for key, way in ways.items()}
    nodes = tuple(node for one in roots for node in one.inside())
    braced = frozenset(id(node) for node, found in reader.all if id(found) in reader.braced)
    return Placed(text, meant[0], nodes, names, comments, spans, "yaml", paths, tuple(loose), braced)


class _Placing(yamldoc.Reader):
    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[Node, yaml.Node]] = []
        self.braced: set[int] = set()

    def node(self, found: yaml.Node, depth: int) -> Node:
        if isinstance(found, yaml.MappingNode) and found.flow_style:
            self.braced |= {id(value) for _, value in found.value}
        if isinstance(found, yaml.SequenceNode) and found.flow_style:
            self.braced |= {id(one) for one in found.value}
        node = super().node(found, depth)
        self.all.append((node, found))
        return node


def _comments(text: str) -> tuple[Span, ...]:
    """Where comments stand: what is between two tokens, and is no space."""
    found, end = [], 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start = token.start_mark.index
        if "#" in text[end:start]:
            found.append((end, start))
        end = max(end, token.end_mark.index)
    return tuple(found)
