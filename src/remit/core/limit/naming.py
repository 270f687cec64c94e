"""Names of arguments: plain for the top level, a JSON Pointer (RFC 6901) for what is nested, `*` for every element."""

import re
from collections.abc import Mapping
from typing import Final

from remit.core.canonical import Json
from remit.core.limit.shape import ArgumentLimit, invalid

NAME_LENGTH: Final = 256
_ESCAPE = re.compile(r"~(?![01])")


def segments(name: object) -> tuple[str, ...]:
    """Split a name into its members, outermost first. One argument has one name; another spelling is refused."""
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH:
        raise invalid(f"An argument's name takes 1 to {NAME_LENGTH} characters.")
    if not name.startswith("/"):
        return (name,)
    parts = name[1:].split("/")
    if _ESCAPE.search(name):
        raise invalid("An argument's name is not a JSON Pointer.")
    read = tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)
    if len(read) == 1 and not read[0].startswith("/"):
        raise invalid("An argument of the top level is named without a slash.")
    if read[0] == "*":
        raise invalid("The top level has no elements.")
    return read


def related(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Say whether one name lies at or above the other, `*` standing for any element."""
    return all(mine == theirs or "*" in {mine, theirs} for mine, theirs in zip(left, right, strict=False))


class Node:
    """The limits on one value and on what is inside it. Built once for a step and then only read."""

    __slots__ = ("inner", "limits", "name", "optional")

    def __init__(self, name: str) -> None:
        self.name = name
        self.limits: tuple[ArgumentLimit, ...] = ()
        self.optional = True
        self.inner: dict[str, Node] = {}


def tree(arguments: Mapping[str, tuple[ArgumentLimit, ...]], optional: frozenset[str]) -> Node:
    """Arrange the limits of a step by where they apply."""
    root = Node("")
    for name, limits in arguments.items():
        at = root
        for part in segments(name):
            at = at.inner.setdefault(part, Node(name))
        at.name, at.limits, at.optional = name, limits, name in optional
    return root


def find(arguments: Mapping[str, Json], where: tuple[str, ...]) -> Json:
    """Return the value at a name, or None when it is absent."""
    at: Json = arguments
    for part in where:
        if not isinstance(at, Mapping) or part not in at:
            return None
        at = at[part]
    return at
