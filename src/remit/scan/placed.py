"""A document with the place of each value in its text: what a fix is cut from. JSON here, as people write it. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from remit.scan.jsonc import SPACE, Reader
from remit.scan.node import Node

Span = tuple[int, int]
Path = tuple[str | int, ...]
"""The names and numbers that lead to a value from the root of its document."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A document, where its values stand in its text, what each is called, and where comments stand.

    An item of a list is called as the list. `form` is `json`, `yaml` or `toml`. A value that is written in a way that
    no fix can be cut from (on several lines, by an alias) has no place. `loose` are places of other texts, and `braced`
    values that stand in brackets or braces of YAML.
    """

    text: str
    root: Node
    nodes: tuple[Node, ...]
    names: dict[int, str]
    comments: tuple[Span, ...]
    _spans: dict[int, Span]
    form: str = "json"
    paths: dict[int, Path] = field(default_factory=dict)
    loose: tuple[tuple[Span, str, str], ...] = ()
    braced: frozenset[int] = frozenset()

    def span(self, node: Node) -> Span:
        """Where a node of this document begins, and where it ends."""
        return self._spans[id(node)]

    def stands(self, node: Node) -> bool:
        """Say whether a node is one of this document, and has a place from which it can be cut."""
        return id(node) in self._spans and id(node) in self.paths

    def name(self, node: Node) -> str:
        """What a node of this document is called."""
        return self.names.get(id(node), "")

    def path(self, node: Node) -> Path:
        """What leads to a node."""
        return self.paths[id(node)]

    def written(self, node: Node, text: str) -> str:
        """A text as it is written where this node stands, in the manner in which that is written."""
        mark = self.text[slice(*self.span(node))][:1]
        return written(self.form, '"' if id(node) in self.braced and mark != "'" else mark, text)

    def texts(self) -> Iterator[tuple[Span, str, str]]:
        """Every text of the file that is no name: its place, what it is called, and what it says."""
        yield from ((self.span(one), self.name(one), one.text) for one in self.nodes if one.text and self.stands(one))
        yield from self.loose


def written(form: str, mark: str, text: str) -> str:
    """A text in quotes, single ones if that is the mark and it can be; in YAML bare where the mark is no quote."""
    if form != "json" and mark == "'" and "'" not in text:
        return f"'{text}'"
    return text if form == "yaml" and mark not in ("'", '"') else json.dumps(text, ensure_ascii=False)


def placed(text: str) -> Placed | None:
    """Read one document; None when it is none, or when a key stands twice: what is meant by it nobody can say."""
    reader = _Placing(text)
    try:
        root = reader.node(0)
        reader.skip()
    except ValueError:
        return None
    nodes = tuple(root.inside())
    if reader.at != len(text) or len(nodes) != len(reader.all):
        return None
    names, paths = called(root)
    spans = {id(one): at for one, at in reader.all}
    return Placed(text, root, nodes, names, tuple(reader.comments), spans, "json", paths)


class _Placing(Reader):
    def __init__(self, text: str) -> None:
        super().__init__(text, SPACE)
        self.all: list[tuple[Node, Span]] = []
        self.comments: list[Span] = []

    def node(self, depth: int) -> Node:
        self.skip()
        start = self.at
        found = super().node(depth)
        self.all.append((found, (start, self.at)))
        return found

    def skip(self) -> None:
        start = self.at
        super().skip()
        if "/" in self.text[start : self.at]:
            self.comments.append((start, self.at))


def called(root: Node) -> tuple[dict[int, str], dict[int, Path]]:
    """What each node below a root is called, and what leads to it."""
    names: dict[int, str] = {}
    paths: dict[int, Path] = {id(root): ()}
    for node in root.inside():
        above = paths[id(node)]
        if isinstance(node.value, dict):
            names |= {id(one): name for name, one in node.value.items()}
            paths |= {id(one): (*above, name) for name, one in node.value.items()}
        elif isinstance(node.value, list):
            names |= {id(one): names.get(id(node), "") for one in node.value}
            paths |= {id(one): (*above, place) for place, one in enumerate(node.value)}
    return names, paths
