"""What an agent is told: refusals a model can read, faults with a code, and the digest of what was answered."""

import hashlib
from collections.abc import Mapping
from typing import Final

from remit.core.answer import Deny
from remit.core.canonical import Json, b64, canon, read, write
from remit.core.errors import RemitError
from remit.core.permit import Fault
from remit.gateway.mcp import asking
from remit.gateway.mcp.message import INTERNAL, METHOD, REFUSED, STATUS, Message, Wrong, error, result

CODE: Final = "remit/code"
APPROVAL: Final = "remit/approval"
SHORT: Final = 8 * 1024 * 1024
"""Octets up to which a result's digest is noted."""


def refused(message: Message, why: Deny | Fault, *, modern: bool, page: str = "") -> dict[str, Json]:
    """The response to a refused request: a tool error for `tools/call`, else a JSON-RPC error.

    `page` is where approvals are answered, when the client can lead a person there.
    """
    if page and isinstance(why, Deny) and why.code == "approval_pending" and why.approval:
        return asking.asked(message, why, page, modern=modern)
    if isinstance(why, Fault):
        told = f"Not done: {why.what}"
        if why.unsure:
            told = f"Outcome unknown: {why.what} It may have been done; check before trying again."
        return error(message.id, INTERNAL, f"{told[:350]} [{why.code}]"[:400], {"code": why.code})
    if why.code == "method_unknown":
        return error(message.id, METHOD, why.told(), {"code": why.code})
    if message.method == "tools/call":
        value: dict[str, Json] = {
            "content": [{"type": "text", "text": why.told()}],
            "isError": True,
            "_meta": {CODE: why.code, **({APPROVAL: why.approval} if why.approval else {})},
        }
        if modern:
            value["resultType"] = "complete"
        return result(message.id, value)
    return error(message.id, REFUSED, why.told(), {"code": why.code})


def wrong(number: Json, why: Wrong) -> dict[str, Json]:
    """The response to a request that is not one."""
    data = {"code": why.why} if why.data is None else why.data
    return error(number, why.number, why.text, data)


def status(body: Mapping[str, Json], *, modern: bool) -> int:
    """The HTTP status that a JSON response goes out with."""
    fault = body.get("error")
    number = fault.get("code") if type(fault) is dict else None
    return STATUS.get(number, 200) if modern and type(number) is int else 200


def outcome(body: Mapping[str, Json], size: int) -> dict[str, Json]:
    """What is noted of a response: whether it was an error, its size, and its digest when it has one."""
    value = body.get("result")
    failed = "error" in body or (type(value) is dict and value.get("isError") is True)
    noted: dict[str, Json] = {"result": "error" if failed else "ok", "bytes": size}
    if value is not None and size <= SHORT:
        noted["digest"] = digested(value)
        counted = rows(value)
        if counted is not None:
            noted["rows"] = counted
    return noted


def plain(value: Json) -> Json:
    """What a tool's result says, as one value: its structured content, else its text, read as JSON where it is some."""
    if type(value) is not dict:
        return None
    structured = value.get("structuredContent")
    if structured is not None:
        whole = type(structured) is dict and structured.keys() == {"result"}
        return structured["result"] if whole else structured
    content = value.get("content")
    parts = [one.get("text") for one in content if type(one) is dict] if type(content) is list else []
    texts = [_said(one) for one in parts if type(one) is str]
    return texts[0] if len(texts) == 1 else texts


def _said(text: str) -> Json:
    try:
        return read(text.encode())
    except (RemitError, UnicodeEncodeError):
        return text


def digested(value: Json) -> str:
    """SHA-256 of the result's canonical form; of the bytes as written when it has none."""
    try:
        data = canon(value)
    except RemitError:
        data = write(value)
    return b64(hashlib.sha256(data).digest())


def rows(value: Json) -> int | None:
    """How many rows a structured result holds: the length of the one list in it; None when that cannot be told."""
    held = value.get("structuredContent") if type(value) is dict else None
    lists = [one for one in held.values() if type(one) is list] if type(held) is dict else []
    return len(lists[0]) if len(lists) == 1 else None
