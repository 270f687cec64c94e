"""A place in a text that is read from the front: what the readers of JSON, HCL and TypeScript share. Pure."""

import re
from abc import abstractmethod

from remit.scan.node import Node


class Cursor:
    """Owned by one reading of one text. `space` is what stands between two words of the format."""

    def __init__(self, text: str, space: re.Pattern[str]) -> None:
        self.text = text
        self.at = 0
        self._space = space
        self._line = 1
        self._counted = 0

    def here(self) -> int:
        """The line, from 1, of the place; it never goes back."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def skip(self) -> None:
        """Pass over space and comments."""
        found = self._space.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def peek(self, mark: str) -> bool:
        """Say whether the mark comes next, after space."""
        self.skip()
        return self.text.startswith(mark, self.at)

    def take(self, mark: str) -> bool:
        """Pass over the mark if it comes next, and say whether it did."""
        if self.peek(mark):
            self.at += len(mark)
            return True
        return False


class Values(Cursor):
    """A reader of a format whose lists stand in square brackets, with commas between and perhaps one at the end."""

    @abstractmethod
    def value(self, depth: int) -> Node:
        """Read the value that comes next. Refuses what is no value or is nested too deep (ValueError)."""

    def items(self, line: int, depth: int) -> Node:
        """Read the list that comes next, which began on this line."""
        self.take("[")
        found: list[Node] = []
        while not self.take("]"):
            found.append(self.value(depth + 1))
            if not self.take(",") and not self.peek("]"):
                raise ValueError
        return Node(line, found)
