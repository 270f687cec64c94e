"""Suggestion: a connector and a brief, proposed from a tool list and a request by fixed rules, for a person to edit.

No model. What a name does not tell is left at its strictest: an argument nobody knows is a setting that needs a
voucher, a tool that does not say that it reads is a write, and nothing is trusted.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lineage import request
from remit.core.lineage.argument import shape_of
from remit.core.resource import TOOL, action

READS: Final = frozenset(
    {
        "get",
        "list",
        "read",
        "search",
        "find",
        "fetch",
        "show",
        "look",
        "lookup",
        "check",
        "query",
        "count",
        "describe",
        "view",
    }
)
_KINDS: Final = (
    ("email", {"email", "emails", "mail", "recipients", "participants", "attendees", "cc", "bcc", "invitees"}),
    ("url", {"url", "uri", "link", "website", "webpage", "href"}),
    ("amount", {"amount", "price", "total", "sum", "cost", "fee"}),
    ("time", {"date", "time", "day", "start", "end", "deadline", "due", "when", "until", "checkin", "checkout"}),
    ("id", {"id", "ids", "uuid", "key", "number", "iban", "account"}),
    ("name", {"user", "users", "channel", "recipient", "name", "group", "team", "owner", "member", "members"}),
)  # fmt: skip
_ROLES: Final = (
    ("content", {
        "body", "content", "text", "message", "subject", "title", "description", "comment", "note", "caption",
        "filename", "location",
    }),
    ("destination", {
        "to", "recipient", "recipients", "cc", "bcc", "email", "emails", "address", "participants", "attendees", "user",
        "users", "member", "members", "channel", "url", "uri", "link", "iban", "phone", "invitees", "webhook",
    }),
    ("object", {"id", "ids", "file", "path", "event", "order", "reservation", "document", "item", "items"}),
)  # fmt: skip
_SERVICE: Final = {
    "id": "id", "sender": "email", "owner": "email", "created": "time", "updated": "time", "timestamp": "time",
    "modified": "time", "size": "number",
}  # fmt: skip
_NAMES: Final = frozenset({"title", "subject", "filename", "name"})
_PART: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
LARGEST: Final = 200


def suggest(resource: str, tools: Json, text: str = "", domain: str = "") -> dict[str, Json]:
    """Propose `connector` and `brief` for the tools of one resource; with a request, only the acts that it may mean.

    `tools` is what `tools/list` answered: a list of definitions, or an object with the member `tools`. Refuses what is
    no tool list (`tools_invalid`).
    """
    offered = tools.get("tools") if isinstance(tools, dict) else tools
    if not isinstance(offered, list) or len(offered) > LARGEST or not all(_tool(one) for one in offered):
        raise RemitError("tools_invalid", "This is no tool list of MCP.", "Give what tools/list answered, as JSON.")
    shapes = {one["name"]: _shape(one) for one in offered}
    reading = request.read(text)
    planned = [one for one in offered if not text or _means(reading, shapes[one["name"]], one["name"])]
    lineage = {"acts": "request", "unvouched": "ask", "groups": ["approvers"], "undirected": 1, "flows": []}
    brief = {
        "name": resource,
        "version": 1,
        "purpose": "Say what tasks of this kind are for.",
        "steps": [_step(resource, one) for one in planned],
        "dispatchers": ["group:dispatchers"],
        "agents": [],
        "domains": [domain or resource],
        "lineage": lineage,
    }
    return {"connector": {"tools": shapes}, "brief": brief}


def _tool(one: Json) -> bool:
    return isinstance(one, dict) and isinstance(one.get("name"), str) and TOOL.fullmatch(one["name"]) is not None


def _means(reading: request.Reading, shape: Mapping[str, Json], name: str) -> bool:
    own = shape_of(None, name)
    verbs, nouns = tuple(shape.get("verbs", own.verbs)), tuple(shape.get("nouns", own.nouns))
    return shape["effect"] == "read" or request.act(reading, verbs, nouns).how != "no"


def _shape(tool: Mapping[str, Json]) -> dict[str, Json]:
    hints, own = tool.get("annotations"), shape_of(None, tool["name"])
    reads = isinstance(hints, dict) and hints.get("readOnlyHint") is True
    reads = reads or (bool(own.verbs) and own.verbs[0] in READS)
    found: dict[str, Json] = {"effect": "read" if reads else "write"}
    if not reads:
        found |= {
            "verbs": list(own.verbs),
            "nouns": [" ".join(own.nouns), *own.nouns] if len(own.nouns) > 1 else list(own.nouns),
        }
    arguments = {place: _argument(words, reads=reads) for place, words in _leaves(tool.get("inputSchema"), "")}
    kept = {place: one for place, one in arguments.items() if one and (not reads or one.get("role") == "destination")}
    results = {
        place: one for place, words in _leaves(tool.get("outputSchema"), "") if (one := _field(words, reads=reads))
    }
    return found | ({"arguments": kept} if kept else {}) | ({"results": results} if results else {})


def _argument(words: frozenset[str], *, reads: bool) -> dict[str, Json]:
    role = next((role for role, known in _ROLES if words & known), "")
    kind = next((kind for kind, known in _KINDS if words & known), "")
    if reads and kind != "url":
        return {}  # what a read is given leaves with it only where it is an address
    return {name: value for name, value in (("role", role), ("kind", kind)) if value}


def _field(words: frozenset[str], *, reads: bool) -> dict[str, Json]:
    kind = next((kind for word, kind in _SERVICE.items() if word in words), "")
    if kind and (reads or kind == "id"):
        return {"by": "service" if reads else "minted", "kind": kind}
    return {"names": True} if reads and words & _NAMES else {}


def _leaves(schema: Json, place: str, whole: Json = None) -> Iterator[tuple[str, frozenset[str]]]:
    """Each value that a JSON schema names: its place, and its name's words. `whole` is what references lead into."""
    whole = schema if whole is None else whole
    schema = _resolved(schema, whole)
    if not isinstance(schema, dict) or place.count("/") > 6:
        return
    choices = [one for name in ("anyOf", "oneOf") for one in schema.get(name) or () if isinstance(one, dict)]
    kinds = [schema, *choices]
    properties = next((one["properties"] for one in kinds if isinstance(one.get("properties"), dict)), None)
    items = next((one["items"] for one in kinds if isinstance(one.get("items"), dict)), None)
    if properties is not None:
        for name, inner in list(properties.items())[:LARGEST]:
            yield from _leaves(inner, f"{place}/{name}", whole)
    elif items is not None:
        yield from _leaves(items, f"{place}/*", whole)
    elif place:
        name = next((part for part in reversed(place.split("/")) if part != "*"), "")
        yield place, frozenset(part.casefold() for part in _PART.split(name) if part)


def _resolved(schema: Json, whole: Json) -> Json:
    """Follow a reference into the schema's own definitions, once; another one leads nowhere."""
    name = schema.get("$ref") if isinstance(schema, dict) else None
    if not isinstance(name, str):
        return schema
    found: Json = whole
    for part in name.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _step(resource: str, tool: Mapping[str, Json]) -> dict[str, Json]:
    schema = tool.get("inputSchema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    names = list(properties) if isinstance(properties, dict) else []
    required = schema.get("required") if isinstance(schema, dict) else None
    needed = required if isinstance(required, list) else []
    found: dict[str, Json] = {"action": action(resource, tool["name"]), "path": "own"}
    if names:
        found["arguments"] = {name: [{"any": True}] for name in names}
        found["optional"] = [name for name in names if name not in needed]
    return found
