"""TOML as nodes with their lines. Pure. The grammar is the standard library's (TOML 1.0).

The library tells no lines, so each is looked up: the line of a key below its table's heading. A key that is
spelled in a way that is not found there has the heading's line.
"""

import re
import tomllib
from functools import lru_cache
from typing import Final

from remit.scan.node import DEEPEST, Node, Value

_HEADING: Final = re.compile(r"^\s*\[\[?\s*([^\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"^\s*((?:\"[^\"]*\"|'[^']*'|[\w.-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[\w-]+))*)\s*=")
_PART: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
Path = tuple[str, ...]


@lru_cache(maxsize=1)
def read(text: str) -> Node | None:
    """Read one document; None when it is no TOML."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None
    return _Lines(text).node(found, (), 1, 0)


class _Lines:
    """Where each key of the file stands. A table that stands several times is counted."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.places: dict[Path, list[int]] = {}
        above: Path = ()
        for number, line in enumerate(self.lines, 1):
            heading, key = _HEADING.match(line), _KEY.match(line)
            if heading:
                above = _parts(heading[1])
                self.places.setdefault(above, []).append(number)
            elif key:
                self.places.setdefault((*above, *_parts(key[1])), []).append(number)

    def node(self, value: object, path: Path, near: int, depth: int) -> Node:
        if depth > DEEPEST:
            return Node(near, None)
        line = self.below(path, near)
        if isinstance(value, dict):
            return Node(line, {name: self.node(one, (*path, name), line, depth + 1) for name, one in value.items()})
        if isinstance(value, list):
            return Node(line, self.items(value, path, line, depth))
        known: Value = value if isinstance(value, str | int | float | bool) else str(value)
        return Node(line, known)

    def below(self, path: Path, near: int) -> int:
        """The first place of this path at or after its table's line."""
        return next((at for at in self.places.get(path, ()) if at >= near), near)

    def items(self, values: list[object], path: Path, near: int, depth: int) -> list[Node]:
        """Items of a list: tables each have a heading of their own, texts are looked for from the key on."""
        found: list[Node] = []
        at = near
        for place, one in enumerate(values):
            if isinstance(one, dict):
                headings = self.places.get(path, [])
                line = headings[place] if place < len(headings) else near
                found.append(self.node(one, path, line, depth + 1))
                continue
            if isinstance(one, str) and one:
                at = next((n for n in range(at, min(at + 60, len(self.lines) + 1)) if one in self.lines[n - 1]), at)
            found.append(Node(at, one if isinstance(one, str | int | float | bool) else None))
        return found


def _parts(text: str) -> Path:
    return tuple(a or b or c for a, b, c in _PART.findall(text))
