"""YAML as nodes with their lines. Pure. The grammar is PyYAML's (YAML 1.1); nothing is built but text and numbers.

An alias is read as what it stands for; a file whose aliases unfold to more than `node.MOST` values is refused. What a
tag of CloudFormation refers to (`!Ref`, `!Sub`) is read as a reference, `${…}`.
What a chart of Helm fills in is some text.
"""

import re
from functools import lru_cache
from typing import Final

import yaml

from remit.scan.node import DEEPEST, MOST, Node, Value

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@lru_cache(maxsize=1)
def read(text: str) -> tuple[Node, ...] | None:
    """Read every document of a file; None when it is no YAML, or is nested too deep. The last file read is kept."""
    found = _read(text)
    if found is None and "{{" in text:
        plain = _ALONE.sub("", text)
        found = _read(_FILLED.sub("x", plain))
    return found


_ALONE: Final = re.compile(r"(?m)^[ \t]*\{\{[^{}\n]*\}\}[ \t]*$")
_FILLED: Final = re.compile(r"\{\{[^{}\n]*\}\}")
"""What a chart fills in, on a line of its own or in a value: it is read as some text."""


def _read(text: str) -> tuple[Node, ...] | None:
    try:
        reader = Reader()
        return tuple(reader.node(one, 0) for one in yaml.compose_all(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


class Reader:
    """One reading of one file. What is wrong raises ValueError."""

    def __init__(self) -> None:
        self.left = MOST

    def node(self, found: yaml.Node, depth: int) -> Node:
        """A value, so many levels down."""
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            raise ValueError
        line = found.start_mark.line + 1
        if isinstance(found, yaml.MappingNode):
            return Node(line, self.mapping(found, depth))
        if isinstance(found, yaml.SequenceNode):
            if found.tag.startswith("!"):
                return Node(line, "${" + found.tag[1:] + "}")
            return Node(line, [self.node(one, depth + 1) for one in found.value])
        return Node(line, _scalar(found))

    def mapping(self, found: yaml.MappingNode, depth: int) -> dict[str, Node]:
        """The members of a table, with those that it is merged from."""
        members: dict[str, Node] = {}
        for key, value in found.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            given = self.node(value, depth + 1)
            if name == "<<":
                for one in given.items:
                    members = {**one.members, **members}
            else:
                members[name] = given
        return members


def _scalar(found: yaml.Node) -> Value:
    text = str(found.value)
    if found.tag.startswith("!"):
        return text if found.tag == "!Sub" and "${" in text else "${" + text + "}"
    kind = found.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return _WORDS[text.lower()]
    if kind == "int" and text.lstrip("+-").isdecimal():
        return int(text) if len(text) < 20 else text
    return text
