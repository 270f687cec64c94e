"""Agents that TypeScript builds, and what the tools and servers that each is given do (AG150). Pure.

What an agent is given is followed through a `const` of the same file: a list of tools, a tool, a toolkit, a client of
servers.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.scan import client, defined, toxic, tsobject, verbs
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

Part = tuple[str, int, frozenset[str]]
_CONST: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*(?::[^=;\n]{0,80})?=\s*(?:await\s+)?(?:new\s+)?([\w.]*)\s*(?:<[^<>]{0,80}>)?(?=[(\[{])"
)
_TOOLS: Final = re.compile(
    r"^(?:\.\.\.)?\(?(?:await\s+)?(\w+)\.(?:getTools|getToolsets|listTools|listToolsets|asTools|toTools|tools"
    r"|mcpTools)\b"
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
            if "activeTools" not in text and _is_toolset(part):
                file = file or _File(text)
                file.followed = set()
                yield from toxic.judged([*_tools(part, file)])
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


def _is_toolset(part: Node) -> bool:
    """Say whether an object holds tools, and nothing else: three at least, each built where it stands."""
    texts = [one.text for one in part.members.values()]
    return len(texts) > 2 and all(re.match(r"\$\{(?:\w+\.)?\w*[tT]ool\(", text) for text in texts)


_GIVEN: Final = frozenset({"tools", "mcpServers", "servers", "toolsets", "allowedTools"})


def _of(part: Node, file: _File) -> Iterator[Part]:
    """What one object literal is given: tools, servers, and those of the client's own that it may use."""
    active = {one.text for one in part["activeTools"].items if one.text}
    for key in ("tools", "toolsets"):
        yield from (one for one in _tools(part[key], file) if not active or one[0] in active)
    yield from _servers(part["mcpServers"])
    yield from _given_servers(part["mcpServers"], file)
    if not part["servers"].members.keys() & client.MARKS:
        yield from _servers(part["servers"])
    for one in part["allowedTools"].items:
        if one.text in _BUILT_IN:
            yield one.text, one.line, frozenset({toxic.STRANGERS})
        elif one.text.startswith("mcp__"):
            yield one.text, one.line, toxic.legs_of(one.text.rpartition("__")[2], by_verb=True)


def _given_servers(given: Node, file: _File) -> Iterator[Part]:
    """Servers that are given in a list: each by the name that it is kept under."""
    for one in given.value if isinstance(given.value, list) else ():
        name = one.text[2:-1].strip() if one.text.startswith("${") else ""
        made = file.follow(name)
        entry = file.value(made[1] + 1) if made else None
        texts = [name, *(part.text for part in entry.inside() if part.text)] if entry else [name]
        said = " ".join(re.sub(r"^https?://", "", text) for text in texts if not _TRANSPORT.match(text))
        yield name, one.line, toxic.legs_of(said, by_verb=False)


_TRANSPORT: Final = re.compile(r"^(?:streamable[-_]?https?|https?|sse|stdio|ws|transport|-y|npx|uvx)$", re.IGNORECASE)


def _servers(given: Node) -> Iterator[Part]:
    for name, one in given.members.items():
        if not isinstance(one.value, str | dict):
            continue
        texts = [text for text in (name, *(part.text for part in one.inside())) if text and not _TRANSPORT.match(text)]
        yield name, one.line, toxic.legs_of(" ".join(re.sub(r"^https?://", "", text) for text in texts), by_verb=False)


_TITLE: Final = re.compile(r"\b(?:name|id)\s*:\s*[\"'`]([\w .-]{1,80})")
_LABEL: Final = re.compile(r"\bserver_?[lL]abel\s*:\s*[\"'`]([\w .-]{1,80})")
_OFFERED: Final = re.compile(r"\ballowed_?[tT]ools\s*:\s*\[([^\[\]]{1,400})")


def _left_out(text: str) -> frozenset[str]:
    """What a server does not give where only tools that read are taken of it: a way out."""
    offered = _OFFERED.search(text)
    names = re.findall(r"[\"'`]([\w.-]+)[\"'`]", offered[1]) if offered else []
    return frozenset({toxic.OUT}) if names and not any(verbs.writes(name) for name in names) else frozenset()


_SAID: Final = re.compile(r"\bdescription\s*:\s*[\"'`]([^\n`]{1,200})")


def _description(text: str) -> str:
    """What a tool says of itself where it is built."""
    found = _SAID.search(text)
    return found[1] if found else ""


def _tools(given: Node, file: _File) -> Iterator[Part]:
    for name, one in given.members.items():
        if name.startswith("..."):
            yield from _tool(Node(one.line, "${" + name + "}"), file)
        else:
            yield name, one.line, toxic.legs_told(name, one["description"].text or _description(one.text))
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
        legs = toxic.legs_told(next((text for text in texts[:3] if text), ""), one["description"].text)
        legs = legs or next((legs for text in texts if (legs := toxic.legs_of(text, by_verb=True))), frozenset())
        yield next((text for text in texts if text), "a tool"), one.line, legs
    elif hosted := _LABEL.search(said):
        yield hosted[1], one.line, toxic.legs_of(hosted[1], by_verb=False) - _left_out(said)
    elif re.match(r"(?:\w+\.)?\w*[tT]ool\(", said) and (told := _TITLE.search(said)):
        yield told[1], one.line, toxic.legs_told(told[1], _description(said))
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
    whole = re.split(r"\n(?:export\s|const\s|function\s|async\s)", file.text[at : at + 3000], maxsplit=1)[0]
    title = _TITLE.search(whole)
    called = (given["name"].text or given["id"].text) if given else ""
    said = (given["description"].text if given else "") or _description(whole)
    legs = toxic.legs_told(called or (title[1] if title else "") or name, said) or toxic.legs_of(name, by_verb=True)
    if not re.search(r"(?:^|\.)(?:tool|createTool)$|Tool$", kind):
        legs = legs or toxic.legs_of(kind, by_verb=True)
    yield name, line, legs
