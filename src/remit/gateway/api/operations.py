"""The operations of one API, from their pinned definitions, and a request as exactly one of them.

What goes upstream is written from what was decided, and from nothing else: the path and query anew from the decoded
segments and values, the body from its members. Path and query values become what the definition says they are.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core import body as bodies
from remit.core.call import Call
from remit.core.canonical import EXACT, Json, write
from remit.core.errors import RemitError
from remit.core.operation import Operation, Request, operation, reading

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,15}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,14}[1-9])?", re.ASCII)


class Asked(msgspec.Struct, frozen=True):
    """One request, understood: the call that is decided, and the target and body that go upstream."""

    call: Call
    operation: Operation
    target: bytes
    body: bytes = b""
    media: str = "application/json"

    __repr__ = object.__repr__


class Operations:
    """The operations of one resource. Built from its pinned definitions, and again when they change."""

    def __init__(self, resource: str, pinned: Mapping[str, Json]) -> None:
        self._resource = resource
        held = ((operation(name, definition), definition) for name, definition in sorted(pinned.items()))
        known = [(one, kinds(definition)) for one, definition in held if one is not None]
        self._types = {one.name: types for one, types in known}
        self._every = [one for one, _ in known]

    def asked(self, request: Request, base: str) -> Asked:
        """Understand a request under the upstream's own path `base`.

        Refuses what `core/operation.reading` refuses, and a value that is not of the type that it should be
        (`argument_type`).
        """
        said = reading(self._every, request)
        one, segments, pairs = said.operation, said.segments, said.query
        types = self._types[one.name]
        texts = [(part, value) for part, hole, value in zip(one.parts, one.holes, segments, strict=True) if hole]
        arguments: dict[str, Json] = {part: typed(value, types.get(part, "")) for part, value in (*texts, *pairs)}
        body, media = b"", "application/json"
        if one.body == "json" and request.body:
            arguments |= said.members
            body = write(said.members)
        elif said.parts:
            arguments |= {
                part: typed(value, types.get(part, "")) if isinstance(value, str) and each.file is None else value
                for each, held in said.parts
                for part, value in held
            }
            media, body = bodies.written(one.body, [each for each, _ in said.parts])
        target = base + "".join([f"/{quoted(value)}" for value in segments])
        if pairs:
            target += "?" + "&".join(f"{part}={quoted(value)}" for part, value in pairs)
        action = f"http:{self._resource}/{one.name}"
        return Asked(Call(action, arguments), one, (target or "/").encode(), body, media)


def quoted(value: str) -> str:
    """A text as it stands in a path or query: everything but unreserved characters is escaped (RFC 3986)."""
    return bodies.escaped(value.encode()).decode()


def kinds(definition: Json) -> dict[str, str]:
    """The JSON type of each argument, where its definition says one."""
    schema = definition.get("inputSchema") if isinstance(definition, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    found_types = {}
    for name, one in properties.items():
        kind = one.get("type") if isinstance(one, dict) else None
        if isinstance(kind, str):
            found_types[name] = kind
    return found_types


def typed(value: str, kind: str) -> Json:
    """A path or query value as what its definition says: canonical text of an integer, number or boolean only."""
    if kind == "integer":
        if _WHOLE.fullmatch(value) and -EXACT <= int(value) <= EXACT:
            return int(value)
    elif kind == "number":
        if _DECIMAL.fullmatch(value):
            return int(value) if _WHOLE.fullmatch(value) else float(value)
    elif kind == "boolean":
        if value in ("true", "false"):
            return value == "true"
    else:
        return value
    raise RemitError("argument_type", f"A path or query value is not plainly of type {kind}.", "Send it in plain form.")
