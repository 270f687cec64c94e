"""Which tools of which servers a client's settings let be used: approved, switched on or asked for. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.resource import TOOL
from remit.scan import client, consent, document

_LISTS: Final = (*consent.LISTS, "includeTools", "enabledTools", "allowedTools")
_RULE: Final = re.compile(r"mcp__([\w-]+?)__(\w[\w.-]*)")


def tools(path: str, text: str) -> tuple[tuple[str, str], ...]:
    """Server and tool, each once, in order. A name that is none of a tool is passed over."""
    found = {(server, tool) for server, tool in _named(path, text) if TOOL.fullmatch(tool)}
    return tuple(sorted(found))


def _named(path: str, text: str) -> Iterator[tuple[str, str]]:
    for root in document.read(path, text):
        for server, entry in client.servers(root):
            for key in _LISTS:
                for one in entry[key].items:
                    yield server, one.text
            for name in entry["tools"].members:
                yield server, name
        for key in ("allow", "ask"):
            for one in root["permissions"][key].items:
                rule = _RULE.fullmatch(one.text)
                if rule:
                    yield rule[1], rule[2]
