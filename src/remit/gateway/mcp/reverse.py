"""Requests from server to client: which calls in reverse they are, and where an `input_required` result has them."""

from collections.abc import Mapping
from typing import Final

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.resource import action

KINDS: Final = {"sampling/createMessage": "@sampling", "elicitation/create": "@elicitation", "roots/list": "@roots"}
_UNKNOWN: Final = Deny("reverse_refused", "The server asked for something that is not known here.", "Go on without it.")


def call(resource: str, request: Mapping[str, Json]) -> Call | Deny:
    """The call in reverse that a server's request is."""
    kind = KINDS.get(request.get("method", "")) if type(request.get("method")) is str else None
    params = request.get("params")
    if kind is None or not (params is None or type(params) is dict):
        return _UNKNOWN
    try:
        return Call(action(resource, kind), {k: v for k, v in (params or {}).items() if k != "_meta"})
    except RemitError:
        return _UNKNOWN


def wanted(result: Json) -> list[dict[str, Json]]:
    """The requests that a multi-round-trip result puts to the client; a malformed one stands as an empty request."""
    if type(result) is not dict or result.get("resultType") != "input_required":
        return []
    asked = result.get("inputRequests")
    if asked is None:
        return []
    if type(asked) is not dict:
        return [{}]
    return [one if type(one) is dict else {} for one in asked.values()]
