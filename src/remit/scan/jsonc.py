"""JSON as people write it in settings (comments, trailing commas), each value with its line. Pure.

The grammar is RFC 8259; `//` and `/* */` comments and a comma before a closing bracket are passed over, as
VS Code does.
"""

import json
import re
from functools import lru_cache
from typing import Final

from remit.scan.cursor import Cursor
from remit.scan.node import DEEPEST, Node

SPACE: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*+")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+"')
_WORD: Final = re.compile(r"-?[0-9][0-9.eE+-]*|true|false|null")


@lru_cache(maxsize=1)
def read(text: str) -> Node | None:
    """Read one document; None when it is none, or is nested too deep. Of a repeated key the last one counts.

    The last file read is kept, for its next reader.
    """
    try:
        reader = Reader(text, SPACE)
        found = reader.node(0)
        reader.skip()
    except ValueError:
        return None
    return found if reader.at == len(text) else None


class Reader(Cursor):
    """One reading of one document. What is wrong raises ValueError."""

    def node(self, depth: int) -> Node:
        """A value, so many levels down."""
        if depth > DEEPEST:
            raise ValueError
        self.skip()
        line = self.here()
        if self.take("{"):
            return Node(line, self.members(depth))
        if self.take("["):
            return Node(line, self.items(depth))
        if self.text.startswith('"', self.at):
            return Node(line, self.string())
        return Node(line, self.word())

    def members(self, depth: int) -> dict[str, Node]:
        """What stands in an object, up to its end."""
        found: dict[str, Node] = {}
        while not self.take("}"):
            name = self.string()
            if not self.take(":"):
                raise ValueError
            found[name] = self.node(depth + 1)
            if not self.take(",") and not self.text.startswith("}", self.at):
                raise ValueError
        return found

    def items(self, depth: int) -> list[Node]:
        """What stands in a list, up to its end."""
        found: list[Node] = []
        while not self.take("]"):
            found.append(self.node(depth + 1))
            if not self.take(",") and not self.text.startswith("]", self.at):
                raise ValueError
        return found

    def string(self) -> str:
        """A text in quotes."""
        found = _STRING.match(self.text, self.at)
        if not found:
            raise ValueError
        self.at = found.end()
        return str(json.loads(found.group()))

    def word(self) -> int | float | bool | None:
        """A number, or one of the three words."""
        found = _WORD.match(self.text, self.at)
        if not found:
            raise ValueError
        self.at = found.end()
        word: int | float | bool | None = json.loads(found.group())
        return word
