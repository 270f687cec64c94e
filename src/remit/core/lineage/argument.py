"""What a call gives, value by value, each with what it is for; and which values its finding will look for."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from remit.core.canonical import Json
from remit.core.connector import Argument, Shape
from remit.core.lineage import day as days
from remit.core.lineage import source, value
from remit.core.resource import Tool

PRONE: Final = frozenset({"destination", "object"})
"""The roles that say where to and what to."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.\-]+")


class Given(NamedTuple):
    """One value that a call gives: where, what for, and itself."""

    place: str
    role: Argument
    content: Json


def shape_of(tool: Tool | None, kind: str) -> Shape:
    """What a tool is to lineage: as it was declared, else by its name alone and as strictly as can be."""
    if tool is not None and tool.shape is not None:
        return tool.shape
    parts = [part.casefold() for part in _CAMEL.split(kind) if part]
    return Shape(
        effect="read" if tool is not None and tool.reads else "write", verbs=tuple(parts[:1]), nouns=tuple(parts[1:])
    )


def leaves(shape: Shape, arguments: Mapping[str, Json]) -> Iterator[Given]:
    """Every value that the arguments give, with its place and what it is for. Empty ones say nothing."""

    def walk(inner: Json, place: str, pattern: str, depth: int) -> Iterator[Given]:
        if inner is None or (not inner and isinstance(inner, str | list | dict)):
            return
        if isinstance(inner, dict) and depth < source.DEEPEST:
            for name, held in inner.items():
                yield from walk(held, f"{place}/{name}", f"{pattern}/{name}", depth + 1)
        elif isinstance(inner, list) and depth < source.DEEPEST:
            for number, held in enumerate(inner):
                yield from walk(held, f"{place}/{number}", f"{pattern}/*", depth + 1)
        else:
            yield Given(place, shape.arguments.get(pattern) or Argument(), inner)

    for name, held in arguments.items():
        yield from walk(held, f"/{name}", f"/{name}", 1)


def wanted(shape: Shape, arguments: Mapping[str, Json]) -> frozenset[str]:
    """Every atom whose holders the finding on this call may look at."""
    found: set[str] = set()
    given = list(leaves(shape, arguments))
    for leaf in given:
        if leaf.role.role == "content":
            found.update(one.atom for one in links(leaf.content))
        elif leaf.role.role != "free":
            for form in source.forms(leaf.content, leaf.role):
                found.update(form)
            if leaf.role.kind == "time":
                found.update(f"span:{minutes}" for minutes in lengths(leaf, given))
                found.update(f"date:{day}" for day in days_before(leaf.content))
    return frozenset(found)


def lengths(leaf: Given, given: list[Given]) -> list[int]:
    """How many minutes this time lies after each other time of the call."""
    own = value.instant(leaf.content) if leaf.role.kind == "time" else None
    if own is None:
        return []
    others = [value.instant(one.content) for one in given if one is not leaf and one.role.kind == "time"]
    return [own - one for one in others if one is not None and one < own]


def days_before(content: Json) -> list[str]:
    """The day of a time and the week before it: the days on which a request may have spoken of it by its weekday."""
    at = value.moment(content) if isinstance(content, str) else None
    day = days.read(at[0]) if at is not None and at[0] is not None else None
    return [] if day is None else [days.write(day - back) for back in range(-1, 8)]


def links(content: Json) -> tuple[value.Literal, ...]:
    """The addresses that a text holds."""
    if not isinstance(content, str):
        return ()
    return tuple(one for one in value.literals(content) if one.atom.startswith(("email:", "url:")))
