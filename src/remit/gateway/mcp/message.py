"""One JSON-RPC message of MCP, read from bytes and shown to be one. Batches and half-messages are refused."""

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, read
from remit.core.errors import RemitError

PARSE, REQUEST, METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
REFUSED: Final = -32001
MISMATCH, CAPABILITY, VERSION = -32020, -32021, -32022
STATUS: Final = {PARSE: 400, REQUEST: 400, METHOD: 404, PARAMS: 400, MISMATCH: 400, CAPABILITY: 400, VERSION: 400}
"""The HTTP status of a JSON-RPC error in the modern revision; 200 for the others."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a request is answered with a JSON-RPC error: its number, its text, and Remit's own code in `why`."""

    number: int
    text: str
    why: str
    data: Json = None


@dataclass(frozen=True, slots=True)
class Message:
    """A request (`id` and `method`), a notification (`method`) or a response (`id`); `body` is what goes on."""

    body: dict[str, Json]
    method: str
    id: Json
    params: dict[str, Json]

    @property
    def asks(self) -> bool:
        """Whether it is a request, that is owed a response."""
        return self.method != "" and self.id is not None


def parse(data: bytes) -> Message | Wrong:
    """Read one message from a body. What is not one strict JSON object that is a JSON-RPC 2.0 message is refused."""
    try:
        body = read(data)
    except RemitError as fault:
        twice = "twice" in fault.message
        return Wrong(REQUEST if twice else PARSE, fault.message, fault.code)
    return shape(body)


def shape(body: Json) -> Message | Wrong:
    """Show that a JSON value is one message."""
    if type(body) is not dict or body.get("jsonrpc") != "2.0":
        return Wrong(REQUEST, "The body must be one JSON-RPC 2.0 message, not a batch.", "message_invalid")
    params = body.get("params")
    number, method = body.get("id"), body.get("method")
    if params is None:
        params = {}
    if type(params) is not dict or ("params" in body and body["params"] is None):
        return Wrong(PARAMS if method else REQUEST, "The parameters must be an object.", "message_invalid")
    if "id" in body and (type(number) not in (str, int) or (type(number) is str and len(number) > 256)):
        return Wrong(REQUEST, "The id must be a string or an integer.", "message_invalid")
    if "method" in body:
        if type(method) is not str or not 0 < len(method) <= 128 or "result" in body or "error" in body:
            return Wrong(REQUEST, "This is neither a request nor a notification.", "message_invalid")
        return Message(body, method, number, params)
    if number is None or ("result" in body) == ("error" in body):
        return Wrong(REQUEST, "This is neither a request, a notification nor a response.", "message_invalid")
    return Message(body, "", number, params)


def error(number: Json, code: int, text: str, data: Json = None) -> dict[str, Json]:
    """Build an error response."""
    fault: dict[str, Json] = {"code": code, "message": text}
    if data is not None:
        fault["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": fault}


def result(number: Json, value: Json) -> dict[str, Json]:
    """Build a response."""
    return {"jsonrpc": "2.0", "id": number, "result": value}
