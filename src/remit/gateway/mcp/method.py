"""Which call a message is: each method that passes has its action and the arguments that are decided."""

from typing import Final

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.resource import TOOL, action
from remit.gateway.mcp.message import Message

LISTS: Final = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}
_SESSION_MODERN: Final = frozenset({"server/discover"})
_SESSION_LEGACY: Final = frozenset({"initialize", "ping", "logging/setLevel"})
_NOTICES: Final = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    }
)
_UNKNOWN: Final = Deny("method_unknown", "This method is not known here.", "Use the methods of this protocol revision.")
NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The parameter that `Mcp-Name` repeats."""


def call(resource: str, message: Message, *, modern: bool) -> Call | Deny:
    """Say which call of this resource a request or notification is; a Deny when it is none that could be decided."""
    method, params = message.method, message.params
    if message.id is None:
        if method in _NOTICES or (modern and method.startswith("notifications/")):
            return session(resource, method)
        return _UNKNOWN
    try:
        known = _decidable(resource, method, params, modern=modern)
    except RemitError as fault:
        return Deny(fault.code, fault.message, fault.remedy)
    if known is None and method in (_SESSION_MODERN if modern else _SESSION_LEGACY):
        return session(resource, method)
    return known or _UNKNOWN


def _decidable(resource: str, method: str, params: dict[str, Json], *, modern: bool) -> Call | Deny | None:
    if method == "tools/call":
        return _tool(resource, params)
    if method == "resources/read":
        return Call(action(resource, "@read"), {"uri": _text(params, "uri")})
    if method == "prompts/get":
        return Call(action(resource, "@prompt"), {"name": _text(params, "name"), "arguments": _object(params)})
    if method == "completion/complete":
        return Call(action(resource, "@complete"), _without_meta(params))
    if method in LISTS:
        cursor = {"cursor": _text(params, "cursor")} if "cursor" in params else {}
        return Call(action(resource, "@list"), {"method": method, **cursor})
    if method == "subscriptions/listen" and modern:
        return Call(action(resource, "@subscribe"), _without_meta(params))
    if method in ("resources/subscribe", "resources/unsubscribe") and not modern:
        return Call(action(resource, "@subscribe"), {"uri": _text(params, "uri")})
    return None


def session(resource: str, method: str) -> Call:
    """The call that opening, keeping and ending a connection is."""
    return Call(action(resource, "@session"), {"method": method[:128]})


def _tool(resource: str, params: dict[str, Json]) -> Call | Deny:
    name = params.get("name")
    if type(name) is not str or not TOOL.fullmatch(name):
        return Deny("tool_name_invalid", "This is not the name of a tool.", "Use a name that tools/list gave.")
    if "task" in params:
        return Deny("method_unknown", "Task-augmented calls are not open here.", "Call the tool without `task`.")
    return Call(action(resource, name), _object(params))


def _object(params: dict[str, Json]) -> dict[str, Json]:
    value = params.get("arguments")
    if value is None:
        return {}
    if type(value) is not dict:
        raise _unfit("The arguments must be an object.")
    return value


def _text(params: dict[str, Json], name: str) -> str:
    value = params.get(name)
    if type(value) is not str or len(value) > 65_536:
        raise _unfit(f"The parameter {name} must be a string.")
    return value


def _without_meta(params: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in params.items() if name != "_meta"}


def _unfit(why: str) -> RemitError:
    return RemitError("message_invalid", why, "Send parameters of the form that this method has.")
