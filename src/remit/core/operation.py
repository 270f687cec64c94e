"""Operation: a tool that is called as a plain HTTP request, and the one reading of such a request.

A tool's pinned definition says `"http": {"method": …, "path": …, "body": …}`, with `{name}` for whole path segments;
`body` is whether there is one of JSON, or which other it is.
A request is refused when two readers could read it differently (`request_ambiguous`): dot segments, empty segments,
encoded slashes, an escape that need not be one, a name given twice, a plus sign in the query, headers and arguments
that name another request.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from remit.core import body as bodies
from remit.core.body import MEDIA
from remit.core.canonical import Json, read
from remit.core.errors import RemitError

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER_REQUEST: Final = frozenset(
    {
        "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url",
        "x-original-uri", "x-original-method", "upgrade",
    }
)  # fmt: skip
OTHER_ARGUMENT: Final = frozenset({"_method", "x-http-method-override", "x-http-method", "x-method-override"})
"""Arguments by which some servers take a request for one of another method, wherever they stand."""
LONGEST: Final = 8_192
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})+", re.ASCII)
_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*,:@/?]|%[0-9A-Fa-f]{2})*", re.ASCII)
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}", re.ASCII)
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operation:
    """One tool as an HTTP request. `parts` are literal segments, or names where `holes` says so.

    `body` is how its body is read: not at all, as `json`, as a `form`, as `multipart`, or as octets of the media type
    that it names. With `upgrade` it opens a WebSocket.
    """

    name: str
    method: str
    parts: tuple[str, ...]
    holes: tuple[bool, ...]
    body: str = ""
    upgrade: bool = False


class Request(msgspec.Struct, frozen=True):
    """A request as the data plane tells of it: method, raw path and query, header names, and the body if any."""

    method: str
    path: str
    query: str = ""
    headers: frozenset[str] = frozenset()
    kind: str = ""
    body: bytes = b""

    __repr__ = object.__repr__


def operation(name: str, definition: Json) -> Operation | None:
    """The HTTP form of a tool, or None when its definition gives none that can be used."""
    said = definition.get("http") if isinstance(definition, dict) else None
    if not isinstance(said, dict) or not said.keys() <= {"method", "path", "body", "upgrade"}:
        return None
    method, path, body = said.get("method"), said.get("path"), said.get("body", False)
    if method not in METHODS or not isinstance(path, str) or not path.startswith("/"):
        return None
    if isinstance(body, bool):
        body = "json" if body else ""
    if not isinstance(body, str) or not (body in ("", "json", "form", "multipart") or MEDIA.fullmatch(body)):
        return None
    upgrade = said.get("upgrade", False)
    if not isinstance(upgrade, bool) or (upgrade and (method != "GET" or body)):
        return None
    texts = path[1:].split("/") if path != "/" else []
    parts, holes = [], []
    for text in texts:
        hole = _HOLE.fullmatch(text)
        if hole is None and not (text and _PLAIN.issuperset(text) and text not in (".", "..")):
            return None
        parts.append(hole[1] if hole else text)
        holes.append(hole is not None)
    names = [part.casefold() for part, hole in zip(parts, holes, strict=True) if hole]
    if len(set(names)) != len(names):
        return None
    return Operation(name, method, tuple(parts), tuple(holes), body, upgrade)


class Reading(NamedTuple):
    """One request, read once: its operation, the decoded segments of its path, its query, and what its body holds.

    A body is the members of an object, or parts, each with its arguments.
    """

    operation: Operation
    segments: tuple[str, ...]
    query: list[tuple[str, str]]
    members: Mapping[str, Json]
    parts: Sequence[tuple[bodies.Part, list[tuple[str, Json]]]]


def found(operations: Iterable[Operation], request: Request) -> tuple[str, dict[str, Json]]:
    """The one operation that this request is, and its arguments, as they stand there. Refuses what `reading` does."""
    said = reading(operations, request)
    return said.operation.name, dict(_pairs(said))


def reading(operations: Iterable[Operation], request: Request) -> Reading:
    """Read a request.

    Refuses one that can be read in two ways (`request_ambiguous`), that is of no operation (`operation_unknown`)
    or of several (`operation_ambiguous`), and a body where the operation has none, or which is no JSON object
    (`body_refused`, `json_invalid`).
    """
    other = request.headers & OTHER_REQUEST
    if other:
        raise _ambiguous(f"the header {min(other)} could name another request")
    segments, method = path_segments(request.path), request.method
    size = len(segments)
    fits = [one for one in operations if one.method == method and len(one.parts) == size and _fits(one, segments)]
    if not fits:
        raise RemitError(
            "operation_unknown", "No operation of this resource is this request.", "Ask for one that is registered."
        )
    if len(fits) > 1:
        raise RemitError(
            "operation_ambiguous", "Several operations of this resource are this request.", "Register one of them."
        )
    said = Reading(fits[0], segments, query_pairs(request.query), *_body(fits[0], request))
    names = [name.casefold() for name, _ in _pairs(said)]
    if len(set(names)) != len(names):
        raise _ambiguous("an argument is given twice")
    if OTHER_ARGUMENT.intersection(names):
        raise _ambiguous("an argument could name another method")
    return said


def _pairs(said: Reading) -> Iterator[tuple[str, Json]]:
    one = said.operation
    for part, hole, value in zip(one.parts, one.holes, said.segments, strict=True):
        if hole:
            yield part, value
    yield from said.query
    yield from said.members.items()
    for _, held in said.parts:
        yield from held


def path_segments(path: str) -> tuple[str, ...]:
    """The segments of a raw path, each decoded once."""
    if not path.startswith("/") or len(path) > LONGEST:
        raise _ambiguous("the path does not start with a slash, or is too long")
    return () if path == "/" else tuple(map(_segment, path[1:].split("/")))


def query_pairs(query: str) -> list[tuple[str, str]]:
    """The pairs of a raw query, each value decoded once."""
    if len(query) > LONGEST:
        raise _ambiguous("the query is too long")
    pairs = []
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _ambiguous("the query is not of plain NAME=VALUE parts")
        pairs.append((name, _decoded(value)))
    return pairs


def _segment(text: str) -> str:
    if not _SEGMENT.fullmatch(text):
        raise _ambiguous("a path segment is empty or holds what it must not")
    value = _decoded(text)
    if value in (".", "..") or "/" in value or "\\" in value or ";" in value:
        raise _ambiguous("a path segment is a dot segment or hides a separator")
    return value


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    for escape in re.findall(r"%([0-9A-Fa-f]{2})", text):
        if chr(int(escape, 16)) in _PLAIN:
            raise _ambiguous("an escape stands where a plain character belongs")
    try:
        value = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text.encode("ascii")).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise _ambiguous("an escape is not UTF-8") from fault
    if "%" in value or not value.isprintable():
        raise _ambiguous("an escape is encoded twice, or hides a control character")
    return value


def _fits(one: Operation, segments: tuple[str, ...]) -> bool:
    return all(hole or part == value for part, hole, value in zip(one.parts, one.holes, segments, strict=True))


def _body(
    one: Operation, request: Request
) -> tuple[Mapping[str, Json], Sequence[tuple[bodies.Part, list[tuple[str, Json]]]]]:
    if not one.body:
        if request.body:
            raise RemitError("body_refused", "This operation has no body.", "Send none, or register it with a body.")
        return {}, ()
    if not request.body:
        return {}, ()
    if one.body != "json":
        return {}, [(part, part.arguments) for part in bodies.parts(one.body, request.kind, request.body)]
    if request.kind.split(";")[0].strip().lower() != "application/json":
        raise RemitError("body_refused", "The body is not JSON.", "Send it with Content-Type: application/json.")
    value = read(request.body)
    if not isinstance(value, dict):
        raise RemitError("body_refused", "The body is not a JSON object.", "Send the arguments as members.")
    members: Mapping[str, Json] = value
    return members, ()


def _ambiguous(why: str) -> RemitError:
    return RemitError(
        "request_ambiguous", f"This request could be read in two ways: {why}.", "Send it in its plain form."
    )
