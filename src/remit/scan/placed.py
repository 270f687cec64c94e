"""JSON as people write it, with the place of each value in the text: what a fix is cut from. Pure."""

from dataclasses import dataclass

from remit.scan.jsonc import SPACE, Reader
from remit.scan.node import Node

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A document, where each of its nodes stands in its text, what each is called, and where comments stand.

    An item of a list is called as the list.
    """

    text: str
    root: Node
    nodes: tuple[Node, ...]
    names: dict[int, str]
    comments: tuple[Span, ...]
    _spans: dict[int, Span]

    def span(self, node: Node) -> Span:
        """Where a node of this document begins, and where it ends."""
        return self._spans[id(node)]

    def name(self, node: Node) -> str:
        """What a node of this document is called."""
        return self.names.get(id(node), "")


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
    return Placed(text, root, nodes, _names(root), tuple(reader.comments), {id(one): at for one, at in reader.all})


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


def _names(root: Node) -> dict[int, str]:
    found: dict[int, str] = {}
    for node in root.inside():
        if isinstance(node.value, dict):
            found |= {id(one): name for name, one in node.value.items()}
        elif isinstance(node.value, list):
            found |= {id(one): found.get(id(node), "") for one in node.value}
    return found
