"""A list shows only what a call could reach: the same set that the decision used (MCP server/tools, tools/list)."""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from remit.core.canonical import Json
from remit.gateway.mcp.method import LISTS

TTL_MS: Final = 1_000


def filtered(
    method: str, result: dict[str, Json], visible: AbstractSet[str], hidden: AbstractSet[str], *, modern: bool
) -> dict[str, Json]:
    """Leave out of a list's result what is not visible; in the modern revision say that it is for this client only."""
    member = LISTS[method]
    held = result.get(member)
    entries: list[Any] = held if type(held) is list else []
    if method == "tools/list":
        kept = [one for one in entries if _name(one) in visible and _name(one) not in hidden]
    else:
        kept = entries if ("@prompt" if member == "prompts" else "@read") in visible else []
    shown = {**result, member: kept}
    if modern:
        ttl = result.get("ttlMs")
        shown["ttlMs"] = min(ttl, TTL_MS) if type(ttl) is int and ttl >= 0 else 0
        shown["cacheScope"] = "private"
    return shown


def definitions(result: dict[str, Json]) -> dict[str, Json]:
    """The tool definitions of a list's result by name; of two under one name none is what was pinned."""
    found: dict[str, Json] = {}
    for one in result.get("tools") or ():
        name = _name(one)
        if name:
            found[name] = {"twice": name} if name in found else one
    return found


def _name(entry: Json) -> str:
    name = entry.get("name") if type(entry) is dict else None
    return name if type(name) is str else ""
