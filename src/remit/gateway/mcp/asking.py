"""Asking the person in front of the client: where a call waits for a yes, an elicitation leads to the approval's page.

Whatever the client answers is no yes: it only says that somebody was shown the address. The yes is given at the page,
by a person who is signed in there. MCP 2026-07-28 (input-required result) and 2025-11-25 (URL elicitation required).
"""

from typing import Final

from remit.core.answer import Deny
from remit.core.canonical import Json
from remit.gateway.mcp.headers import META
from remit.gateway.mcp.message import Message, error, result

KEY: Final = "remit/approval"
"""The name of our request among a result's input requests."""
STATE: Final = "remit:"
REQUIRED: Final = -32042
MULTI: Final = frozenset({"tools/call", "prompts/get", "resources/read"})
"""The requests that may be answered with an input-required result."""


def able(capabilities: Json) -> bool:
    """Say whether a client declares that it can lead a person to an address."""
    asked = capabilities.get("elicitation") if type(capabilities) is dict else None
    return type(asked) is dict and type(asked.get("url")) is dict


def declared(message: Message) -> bool:
    """Say whether a modern request declares it, and is one that may be answered so.

    What an upstream has asked for and is being told here stays with it: such a request is not asked about again.
    """
    meta = message.params.get("_meta")
    told = meta.get(f"{META}clientCapabilities") if type(meta) is dict else None
    return (
        message.method in MULTI
        and able(told)
        and "inputResponses" not in message.params
        and "requestState" not in message.params
    )


def taken(message: Message) -> tuple[Message, str, str]:
    """The request without our own part of it, what the client did with our elicitation, and which approval it was for.

    Empty when it carries no answer to one. None of it counts for anything but waiting.
    """
    told = message.params.get("inputResponses")
    if type(told) is not dict or KEY not in told:
        return message, "", ""
    state = message.params.get("requestState")
    state = state if type(state) is str else ""
    ours = state.startswith(STATE)
    rest = {name: value for name, value in told.items() if name != KEY}
    params = {name: value for name, value in message.params.items() if name != "inputResponses"}
    if rest:
        params["inputResponses"] = rest
    if ours:
        params.pop("requestState", None)
    said = told[KEY].get("action") if type(told[KEY]) is dict else None
    body = {**message.body, "params": params}
    action = said if said in ("accept", "decline", "cancel") else "cancel"
    return Message(body, message.method, message.id, params), action, state.removeprefix(STATE) if ours else ""


def asked(message: Message, why: Deny, page: str, *, modern: bool) -> dict[str, Json]:
    """The response that leads a person to the page where this approval is answered."""
    url, text = f"{page}/{why.approval}", f"{why.what} Open the page and sign in to answer."
    params: dict[str, Json] = {"mode": "url", "message": text, "url": url}
    if modern:
        request = {"method": "elicitation/create", "params": params}
        value = {"resultType": "input_required", "inputRequests": {KEY: request}, "requestState": STATE + why.approval}
        return result(message.id, value)
    data = {"elicitations": [{**params, "elicitationId": why.approval}]}
    return error(message.id, REQUIRED, why.told(), data)
