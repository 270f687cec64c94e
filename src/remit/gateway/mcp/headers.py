"""Headers that repeat the body must agree with it (MCP 2026-07-28, Streamable HTTP): disagreement is an attack.

Only the body is decided and forwarded; what goes upstream in headers is written again from the body.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from remit.core.canonical import Json
from remit.gateway.mcp.message import MISMATCH, PARAMS, VERSION, Message, Wrong
from remit.gateway.mcp.method import NAMED

MODERN: Final = "2026-07-28"
LEGACY: Final = ("2025-11-25", "2025-06-18")
META: Final = "io.modelcontextprotocol/"
_KEY: Final = META + "protocolVersion"
_CAPABILITIES: Final = META + "clientCapabilities"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.0{1,40})?", re.ASCII)
_KINDS: Final = frozenset({"string", "integer", "boolean"})

Headers = Mapping[bytes, list[bytes]]
Repeated = Sequence[tuple[tuple[str, ...], str, str]]
"""The arguments that headers repeat: where each stands, the header's name after `Mcp-Param-`, its type."""


def modern(headers: Headers, message: Message) -> bool:
    """Say whether a message belongs to the stateless era: it or its header names a revision, and no legacy one."""
    given = headers.get(b"mcp-protocol-version")
    if given is not None:
        text = given[0].decode("latin-1")
        return text == MODERN or (text not in LEGACY and message.method != "initialize")
    meta = message.params.get("_meta")
    return type(meta) is dict and _KEY in meta


def agree(headers: Headers, message: Message) -> Wrong | None:
    """Hold the headers of a modern request against its body; None when they agree."""
    for name in (b"mcp-protocol-version", b"mcp-method", b"mcp-name"):
        if len(headers.get(name, ())) > 1:
            return _mismatch(f"{name.decode()} stands twice")
    meta = message.params.get("_meta")
    version = _one(headers, b"mcp-protocol-version")
    if message.id is None:
        return contradicts(headers, message) if version == MODERN else _unsupported(version)
    if type(meta) is not dict or _KEY not in meta or type(meta.get(_CAPABILITIES)) is not dict:
        return Wrong(PARAMS, f"params._meta must hold {_KEY} and {_CAPABILITIES}.", "message_invalid")
    if version is None or version != meta[_KEY]:
        return _mismatch("MCP-Protocol-Version does not agree with the body")
    if _one(headers, b"mcp-method") != message.method:
        return _mismatch("Mcp-Method does not agree with the body")
    key = NAMED.get(message.method)
    if key is not None:
        named = message.params.get(key)
        if named is not None and decoded(_one(headers, b"mcp-name")) != named:
            return _mismatch("Mcp-Name does not agree with the body")
    return None if version == MODERN else _unsupported(version)


def contradicts(headers: Headers, message: Message) -> Wrong | None:
    """Hold what a legacy request repeats, though it need not, against its body; None when nothing disagrees."""
    method, named = _one(headers, b"mcp-method"), _one(headers, b"mcp-name")
    if method is not None and method != message.method:
        return _mismatch("Mcp-Method does not agree with the body")
    key = NAMED.get(message.method)
    if named is not None and (key is None or decoded(named) != message.params.get(key)):
        return _mismatch("Mcp-Name does not agree with the body")
    meta, version = message.params.get("_meta"), _one(headers, b"mcp-protocol-version")
    if version is not None and type(meta) is dict and meta.get(_KEY, version) != version:
        return _mismatch("MCP-Protocol-Version does not agree with the body")
    return None


def agree_on_arguments(headers: Headers, repeated: Repeated, arguments: Mapping[str, Json]) -> Wrong | None:
    """Hold `Mcp-Param-*` headers against the arguments that the tool's schema says they repeat (`x-mcp-header`)."""
    for path, token, kind in repeated:
        name = f"mcp-param-{token}".lower().encode()
        given = headers.get(name, [])
        if len(given) > 1:
            return _mismatch(f"Mcp-Param-{token} stands twice")
        value = _at(arguments, path)
        shown = _shown(value)
        if shown is None:
            if given:
                return _mismatch(f"Mcp-Param-{token} has no argument in the body")
            continue
        if not given:
            return _mismatch(f"Mcp-Param-{token} is missing")
        said = decoded(given[0].decode("latin-1"))
        if said is None or not (said == shown or (kind == "integer" and _same_number(value, said))):
            return _mismatch(f"Mcp-Param-{token} does not agree with the body")
    return None


def onward(message: Message, repeated: Repeated = ()) -> list[tuple[bytes, bytes]]:
    """The headers of a modern request upstream, written from its body."""
    made = [(b"mcp-protocol-version", MODERN.encode()), (b"mcp-method", encoded(message.method).encode())]
    key = NAMED.get(message.method)
    if key is not None and type(message.params.get(key)) is str:
        made.append((b"mcp-name", encoded(message.params[key]).encode()))
    if message.method == "tools/call" and repeated:
        arguments = message.params.get("arguments") or {}
        for path, token, _ in repeated:
            shown = _shown(_at(arguments, path))
            if shown is not None:
                made.append((f"mcp-param-{token}".lower().encode(), encoded(shown).encode()))
    return made


def annotated(schema: Json) -> Repeated:
    """The arguments that a tool wants repeated in headers: where they stand, as what, of which type.

    A schema with one invalid annotation has none: clients drop such a tool.
    """
    if type(schema) is not dict or not mentions(schema):
        return []
    found: list[tuple[tuple[str, ...], str, str]] = []
    for path, part in _positions(schema, ()):
        token = part.get("x-mcp-header")
        if token is None:
            continue
        kind = part.get("type")
        if type(token) is not str or not path or not _TOKEN.fullmatch(token) or kind not in _KINDS:
            return []
        found.append((path, token, kind))
    if len({token.lower() for _, token, _ in found}) != len(found) or len(found) != mentions(schema):
        return []
    return found


def mentions(value: Json) -> int:
    """Count the annotations anywhere in a schema, those out of reach as well."""
    stack, count = [value], 0
    while stack:
        one = stack.pop()
        if type(one) is dict:
            count += type(one.get("x-mcp-header")) is str
            stack += [inner for name, inner in one.items() if name not in ("default", "examples", "const", "enum")]
        elif type(one) is list:
            stack += one
    return count


def decoded(text: str | None) -> str | None:
    """Take off `=?base64?…?=`; None for what is no clean encoding."""
    if text is None or not (text.startswith("=?base64?") and text.endswith("?=") and len(text) >= 11):
        return text
    inner = text[9:-2]
    try:
        data = base64.b64decode(inner, validate=True)
        return data.decode("utf-8") if base64.b64encode(data).decode() == inner else None
    except ValueError:
        return None


def encoded(text: str) -> str:
    """Write a value so that it survives as a header field."""
    plain = text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?")
    return text if plain and text else f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _positions(schema: dict[str, Json], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Json]]]:
    yield path, schema
    inner = schema.get("properties")
    if type(inner) is dict and len(path) < 32:
        for name, part in inner.items():
            if type(part) is dict:
                yield from _positions(part, (*path, name))


def _at(arguments: Mapping[str, Json], path: tuple[str, ...]) -> Json:
    value: Json = arguments
    for name in path:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def _shown(value: Json) -> str | None:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (str, int, float) else None


def _same_number(value: Json, said: str) -> bool:
    if type(value) is bool or not _DECIMAL.fullmatch(said) or not (type(value) is int or float(value).is_integer()):
        return False
    return int(said.partition(".")[0]) == int(value)


def _one(headers: Headers, name: bytes) -> str | None:
    given = headers.get(name)
    return given[0].decode("latin-1") if given else None


def _mismatch(what: str) -> Wrong:
    return Wrong(MISMATCH, f"{what}.", "header_mismatch")


def _unsupported(version: str | None) -> Wrong:
    data = {"supported": [MODERN], "requested": version or ""}
    return Wrong(VERSION, "This protocol version is not spoken here.", "version_unsupported", data)


def too_old(message: Message) -> Wrong | None:
    """Refuse an `initialize` that asks for a revision before 2025-06-18."""
    asked = message.params.get("protocolVersion")
    if type(asked) is not str:
        return Wrong(PARAMS, "Name the protocolVersion that you speak.", "version_unsupported")
    if not asked[:1].isdigit() or asked >= LEGACY[-1]:
        return None
    data = {"supported": [MODERN, *LEGACY], "requested": asked[:32]}
    return Wrong(PARAMS, "Unsupported protocol version: it is too old to be governed.", "version_unsupported", data)
