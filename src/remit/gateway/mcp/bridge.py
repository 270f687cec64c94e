"""Between the eras: a modern client on a legacy server, and a legacy client on a modern server.

Bridged are connecting, lists, calls, reading and prompts. What only one era has (subscriptions, requests from server to
client) is refused: the gate declares no client capabilities on the far side, so that a server does not ask.
"""

from typing import Any, Final

from remit.core.canonical import Json
from remit.gateway.mcp.headers import LEGACY, META, MODERN
from remit.gateway.mcp.message import Message

INFO: Final = {"name": "remit", "version": "1"}
CACHED: Final = frozenset(
    {"tools/list", "resources/list", "resources/templates/list", "prompts/list", "resources/read", "server/discover"}
)
_NEW: Final = ("resultType", "ttlMs", "cacheScope")
_ASKED: Final = ("inputResponses", "requestState")
_NOT_FOUND: Final = -32002

ASKABLE: Final = ("elicitation", "roots", "sampling")
"""What a server may ask of a client that declares it."""


def hello(number: Json, asked: Message | None = None) -> dict[str, Json]:
    """The `initialize` that the gate itself sends to a legacy server.

    Behind `asked`, a client's own `initialize`, it can be asked for what that client can be.
    """
    told = asked.params.get("capabilities") if asked is not None else None
    able: dict[str, Json] = {name: told[name] for name in ASKABLE if name in told} if type(told) is dict else {}
    params: dict[str, Json] = {"protocolVersion": LEGACY[0], "capabilities": able, "clientInfo": dict(INFO)}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


def discover(number: Json) -> dict[str, Json]:
    """The `server/discover` that the gate itself sends to a modern server."""
    return {"jsonrpc": "2.0", "id": number, "method": "server/discover", "params": {"_meta": _meta({})}}


def to_legacy(message: Message) -> dict[str, Json]:
    """A modern request as a legacy server reads it."""
    params = {name: value for name, value in message.params.items() if name not in _ASKED}
    meta = params.pop("_meta", None)
    kept = {k: v for k, v in meta.items() if not k.startswith(META)} if type(meta) is dict else {}
    if kept:
        params["_meta"] = kept
    return _with(message, params)


def to_modern(message: Message) -> dict[str, Json]:
    """A legacy request as a modern server reads it."""
    meta = message.params.get("_meta")
    return _with(message, {**message.params, "_meta": _meta(meta if type(meta) is dict else {})})


def from_legacy(method: str, body: dict[str, Json]) -> dict[str, Json]:
    """A legacy server's response as a modern client reads it."""
    value, fault = body.get("result"), body.get("error")
    if type(value) is dict:
        more: dict[str, Any] = {"resultType": "complete"}
        if method in CACHED:
            more |= {"ttlMs": 0, "cacheScope": "private"}
        return {**body, "result": {**value, **more}}
    if type(fault) is dict and fault.get("code") == _NOT_FOUND:
        return {**body, "error": {**fault, "code": -32602}}
    return body


def from_modern(body: dict[str, Json]) -> dict[str, Json] | None:
    """A modern server's response as a legacy client reads it; None when it asks for input, which no bridge carries."""
    value = body.get("result")
    if type(value) is not dict:
        return body
    if value.get("resultType", "complete") != "complete":
        return None
    return {**body, "result": {name: held for name, held in value.items() if name not in _NEW}}


def discovered(greeting: dict[str, Json]) -> dict[str, Json]:
    """What a legacy server said to `initialize`, as the answer to `server/discover`."""
    found: dict[str, Json] = {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": _capabilities(greeting),
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {META + "serverInfo": greeting.get("serverInfo", dict(INFO))},
    }
    if type(greeting.get("instructions")) is str:
        found["instructions"] = greeting["instructions"]
    return found


def greeted(found: dict[str, Json], asked: Json) -> dict[str, Json]:
    """What a modern server said to `server/discover`, as the answer to `initialize`."""
    meta = found.get("_meta")
    info = meta.get(META + "serverInfo") if type(meta) is dict else None
    value: dict[str, Json] = {
        "protocolVersion": asked if asked in LEGACY else LEGACY[0],
        "capabilities": _capabilities(found),
        "serverInfo": info if type(info) is dict else {"name": "server", "version": "0"},
    }
    if type(found.get("instructions")) is str:
        value["instructions"] = found["instructions"]
    return value


def _capabilities(said: dict[str, Json]) -> dict[str, Json]:
    held = said.get("capabilities")
    return (
        {k: v for k, v in held.items() if k in ("tools", "resources", "prompts", "completions")}
        if type(held) is dict
        else {}
    )


def _meta(kept: dict[str, Json]) -> dict[str, Json]:
    own: dict[str, Json] = {
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {},
        META + "clientInfo": dict(INFO),
    }
    return {**kept, **own}


def _with(message: Message, params: dict[str, Json]) -> dict[str, Json]:
    body: dict[str, Json] = {"jsonrpc": "2.0", "method": message.method}
    if message.id is not None:
        body["id"] = message.id
    if params:
        body["params"] = params
    return body
