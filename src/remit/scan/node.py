"""Values read from a configuration file, each with the line on which it stands, whatever format the file has. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

DEEPEST: Final = 64
"""Levels of nesting that are read; more is refused."""

MOST: Final = 200_000
"""Values of one file that are read; more is refused."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line, from 1, on which it begins."""

    line: int
    value: "Value"

    def __getitem__(self, name: str) -> "Node":
        """The member of this name; a node that holds nothing when there is none."""
        return self.value.get(name, NOTHING) if isinstance(self.value, dict) else NOTHING

    @property
    def text(self) -> str:
        """Its text; empty when it is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def members(self) -> dict[str, "Node"]:
        """Its members; none when it is no object."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list["Node"]:
        """Its items; itself alone when it is no list, and nothing when it holds nothing."""
        if isinstance(self.value, list):
            return self.value
        return [] if self.value is None else [self]

    def inside(self) -> Iterator["Node"]:
        """The node and all below it, in the order of the file."""
        left = [self]
        while left:
            one = left.pop()
            yield one
            if isinstance(one.value, dict):
                left.extend(reversed(one.value.values()))
            elif isinstance(one.value, list):
                left.extend(reversed(one.value))

    def below(self, by: int) -> "Node":
        """The same node, so many lines further down."""
        if isinstance(self.value, dict):
            return Node(self.line + by, {name: one.below(by) for name, one in self.value.items()})
        if isinstance(self.value, list):
            return Node(self.line + by, [one.below(by) for one in self.value])
        return Node(self.line + by, self.value)


Value: TypeAlias = dict[str, Node] | list[Node] | str | int | float | bool | None
NOTHING: Final = Node(0, None)


def line_at(text: str, at: int) -> int:
    """The line, from 1, of a place in a text."""
    return text.count("\n", 0, at) + 1
