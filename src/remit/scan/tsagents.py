"""Agents that TypeScript builds, and what the tools and servers that each is given do (AG150). Pure.

What an agent is given is followed through a `const` of the same file: a list of tools, a tool, a toolkit, a client of
servers.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.scan import client, defined, toxic, tsobject
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

Part = tuple[str, int, frozenset[str]]
_CONST: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=;\n]{0,80})?=\s*(?:await\s+)?(?:new\s+)?([\w.]*)\s*(?:<[^<>]{0,80}>)?(?=[(\[{])"
)
_TOOLS: Final = re.compile(
    r"^(?:\.\.\.)?\(?(?:await\s+)?(\w+)\.(?:getTools|getToolsets|listTools|listToolsets|asTools|toTools|tools|mcpTools)\b"
)
_BUILT: Final = re.compile(r"^(?:\.\.\.)?\(?new\s+(\w+)")
_BUILT_IN: Final = frozenset({"WebFetch", "WebSearch"})
_BOUND: Final = re.compile(r"\b(?:bindTools|ToolNode|withTools)\(\s*")
"""What is given the tools in its first place."""
_SCOPES: Final = re.compile(r"(?i)\b\w*scopes?\b\s*(?::[^=\n\[\]]{0,40}(?:\[\])?\s*)?[=:]?\s*\[([^\[\]]{1,1500})\]")
_MOST: Final = 400
"""Names of one file that are followed."""


class _File:
    """The names of one file's text, each with where its value begins; a value is read once. Owned by one reading."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names = {one[1]: (one[2], one.end()) for one in islice(_CONST.finditer(text), _MOST)}
        self._read: dict[int, Node | None] = {}
        self.followed: set[str] = set()

    def value(self, at: int) -> Node | None:
        """The value that begins at this place."""
        if at not in self._read:
            self._read[at] = tsobject.value(self.text, at)
        return self._read[at]

    def follow(self, name: str) -> tuple[str, int] | None:
        """What a name stands for; nothing when it is unknown, or was followed for this agent before."""
        if name in self.followed:
            return None
        self.followed.add(name)
        return self.names.get(name)


def told(text: str) -> Iterator[Told]:
    """The agents of a text, its comments made blank, that hold all three."""
    file: _File | None = None
    for root in tsobject.objects(text):
        for part in root.inside():
            if not part.members.keys().isdisjoint(_GIVEN):
                file = file or _File(text)
                file.followed = set()
                yield from toxic.judged([*_of(part, file)])
    for one in islice(_BOUND.finditer(text), _MOST):
        file = file or _File(text)
        file.followed = set()
        given = file.value(one.end())
        if given is not None:
            yield from toxic.judged([*_tools(given, file)])
    for one in islice(_SCOPES.finditer(text), _MOST):
        scopes = [(word, line_at(text, one.start(1))) for word in re.findall(r"[\"'`]([^\"'`\s]{3,200})[\"'`]", one[1])]
        yield from defined.of_scopes(scopes)


_GIVEN: Final = frozenset({"tools", "mcpServers", "servers", "toolsets", "allowedTools"})


def _of(part: Node, file: _File) -> Iterator[Part]:
    """What one object literal is given: tools, servers, and those of the client's own that it may use."""
    for key in ("tools", "toolsets"):
        yield from _tools(part[key], file)
    yield from _servers(part["mcpServers"])
    if not part["servers"].members.keys() & client.MARKS:
        yield from _servers(part["servers"])
    for one in part["allowedTools"].items:
        if one.text in _BUILT_IN:
            yield one.text, one.line, frozenset({toxic.STRANGERS})


def _servers(given: Node) -> Iterator[Part]:
    for name, one in given.members.items():
        if not isinstance(one.value, str | dict):
            continue
        texts = [name, *(part.text for part in one.inside() if part.text)]
        yield name, one.line, toxic.legs_of(" ".join(re.sub(r"^https?://", "", text) for text in texts), by_verb=False)


def _tools(given: Node, file: _File) -> Iterator[Part]:
    for name, one in given.members.items():
        if name.startswith("..."):
            yield from _tool(Node(one.line, "${" + name + "}"), file)
        else:
            legs = toxic.legs_of(name, by_verb=True) or toxic.legs_of(one["description"].text, by_verb=True)
            yield name, one.line, legs
    if isinstance(given.value, list):
        for one in given.value:
            yield from _tool(one, file)
    elif given.text.startswith("${"):
        yield from _tool(given, file)


def _tool(one: Node, file: _File) -> Iterator[Part]:
    """One item of a list of tools: by what it was made of, else by its own words."""
    said = one.text[2:-1].strip() if one.text.startswith("${") else one.text
    kit, built = _TOOLS.match(said), _BUILT.match(said)
    name = kit[1] if kit else built[1] if built else said.removeprefix("...").strip()
    known = not built and name in file.names
    if known and (made := file.follow(name)):
        yield from _kit(made, one.line, file) if kit else _made(name, made, one.line, file)
    elif known:
        return
    elif one["server_label"].text or one["serverLabel"].text:
        label = one["server_label"].text or one["serverLabel"].text
        url = one["server_url"].text or one["serverUrl"].text
        yield label, one.line, toxic.legs_of(f"{label} {re.sub('^https?://', '', url)}", by_verb=False)
    elif one.members:
        texts = (one["name"].text, one["function"]["name"].text, one["type"].text, one["description"].text)
        legs = next((legs for text in texts if (legs := toxic.legs_of(text, by_verb=True))), frozenset())
        yield next((text for text in texts if text), "a tool"), one.line, legs
    elif re.fullmatch(r"[\w.]+(?:\(.*\))?", name, re.DOTALL):
        yield name[:60], one.line, toxic.legs_of(name.partition("(")[0], by_verb=True)


def _kit(made: tuple[str, int], line: int, file: _File) -> Iterator[Part]:
    """What a toolkit, or a client of servers, brings."""
    kind, at = made
    given = file.value(at + 1) if file.text.startswith("(", at) else None
    servers = [*_servers(given["servers"]), *_servers(given["mcpServers"])] if given else []
    if servers:
        yield from servers
    elif given and re.search(r"M[Cc][Pp]", kind):
        yield from _servers(given)
    else:
        yield kind, line, toxic.legs_of(re.sub(r"Tool(?:kit|s)?$", "", kind), by_verb=False)


def _made(name: str, made: tuple[str, int], line: int, file: _File) -> Iterator[Part]:
    """What stands behind a name: a list of tools, an object of them, one tool."""
    kind, at = made
    if not kind:
        given = file.value(at)
        if given is not None:
            yield from _tools(given, file)
        return
    given = file.value(at + 1)
    said = [given[key].text for key in ("name", "id", "description") if given[key].text] if given else []
    legs = next((legs for one in (*said, name) if (legs := toxic.legs_of(one, by_verb=True))), frozenset())
    if not re.search(r"(?:^|\.)(?:tool|createTool)$|Tool$", kind):
        legs = legs or toxic.legs_of(kind, by_verb=True)
    yield name, line, legs
