"""A secret that stands in a client's JSON, put by a reference in the words that this client knows. Pure.

The words are those of the clients' own pages: Claude Code and Kiro `${NAME}`, Cursor and Windsurf `${env:NAME}`, Gemini
CLI `${NAME}`, opencode `{env:NAME}`, VS Code `${input:ID}` with the question beside it. Claude Desktop, Codex, Zed and
others know none in their JSON or TOML, so nothing is changed there.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, secret, server
from remit.scan.fix import Edit, Fix
from remit.scan.node import Node
from remit.scan.placed import Placed

_SERVERS: Final = (
    (re.compile(r"/(?:\.mcp\.json|\.kiro/settings/mcp\.json)$"), "${%s}"),
    (re.compile(r"/(?:\.cursor/mcp\.json|(?:\.codeium/)?windsurf/mcp_config\.json)$"), "${env:%s}"),
    (re.compile(r"/(?:\.vscode|Code/User|Code - Insiders/User)/mcp\.json$"), "${input:%s}"),
    (re.compile(r"/(?:\.gemini/settings\.json)$"), "${%s}"),
    (re.compile(r"/opencode\.jsonc?$"), "{env:%s}"),
)
_WHOLE: Final = re.compile(r"/(?:\.gemini/settings\.json|opencode\.jsonc?)$")
"""Clients that put references in everywhere in the file, not only in what a server is given."""
_PARTS: Final = ("env", "environment", "headers", "http_headers", "requestHeaders")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USED: Final = re.compile(r"\$\{(?:env:|input:)?([A-Za-z_][\w-]*)|\{env:(\w+)\}|\$([A-Za-z_]\w*)")
_SCHEME: Final = re.compile(r"(?i)^(?:bearer|token|basic)\s+")


class Names:
    """Which variable stands for which secret: one name never means two values. Owned by one `--fix`.

    `known` is the environment that references will be read from, as far as it is known now.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._of: dict[str, str | None] = {}

    def reserve(self, text: str) -> None:
        """Leave the names alone that a file refers to already: what they stand for is not known here."""
        for found in _USED.finditer(text):
            self._of.setdefault(_plain(next(one for one in found.groups() if one)), None)

    def take(self, wanted: Iterable[str], value: str) -> str:
        """The first of these names that means nothing else, or the last of them with a number."""
        name = ""
        for name in map(_plain, wanted):
            if self._free(name, value):
                break
        else:
            name = next(one for one in (f"{name}_{number}" for number in range(2, 10_000)) if self._free(one, value))
        self._of[name] = value
        return name

    def _free(self, name: str, value: str) -> bool:
        return self._of.get(name, value) == value and self._known.get(name, value) == value


def fixes(path: str, document: Placed, found: Mapping[int, str], names: Names) -> Iterator[Fix]:
    """A fix for each secret on these lines that this client can take by reference; of VS Code one for all."""
    word = next((word for place, word in _SERVERS if place.search(f"/{path}")), "")
    if not word or not found:
        return
    made = [_fix(document, one, word, names) for one in _held(path, document) if one[2].line in found]
    if "input" not in word:
        yield from made
    elif made:
        asked = _asked(document, [name for one in made for name, _ in one.takes])
        if asked is not None:
            edits = (*(edit for one in made for edit in one.edits), asked)
            takes = tuple(taken for one in made for taken in one.takes)
            yield Fix(made[0].kind, made[0].line, "; ".join(one.said for one in made), edits, takes)


def _held(path: str, document: Placed) -> Iterator[tuple[str, str, Node]]:
    """The secrets of a file: whose, called how, and the node."""
    seen = set()
    for name, entry in client.servers(document.root):
        for part in _PARTS:
            for key, node in entry[part].members.items():
                if node.text and any(kind is Kind.LITERAL_SECRET for kind, _, _ in server.variable(part, key, node)):
                    seen.add(id(node))
                    yield name, key, node
    if _WHOLE.search(f"/{path}"):
        for node in document.nodes:
            name = document.name(node)
            if id(node) not in seen and node.text and secret.is_held(name, node.text):
                yield "", name, node


def _fix(document: Placed, held: tuple[str, str, Node], word: str, names: Names) -> Fix:
    owner, key, node = held
    scheme = _SCHEME.match(node.text)
    value = node.text[scheme.end() :] if scheme else node.text
    last = "TOKEN" if scheme or key.lower() == "authorization" else key
    qualified = f"{owner}_{last}" if owner else last
    name = names.take([key, qualified] if _NAME.fullmatch(key) and not scheme else [qualified], value)
    called = _asked_as(name) if "input" in word else name
    text = json.dumps((scheme[0] if scheme else "") + word % called, ensure_ascii=False)
    return Fix(
        Kind.LITERAL_SECRET, node.line, f"{key} refers to {name}", (Edit(*document.span(node), text),), ((name, value),)
    )


def _asked(document: Placed, wanted: list[str]) -> Edit | None:
    """The questions that VS Code asks for what it is to put in, beside those that stand there."""
    known, root = document.root["inputs"], document.span(document.root)
    ids = [_asked_as(name) for name in dict.fromkeys(wanted)]
    asked = ", ".join(
        json.dumps({"type": "promptString", "id": one, "description": one, "password": True}) for one in ids
    )
    if "inputs" in document.root.members:
        if not isinstance(known.value, list):
            return None
        start = document.span(known)[0] + 1
        return Edit(start, start, f"{asked}, " if known.value else asked)
    start = root[0] + 1
    after = re.match(r"\r?\n[ \t]*", document.text[start:])
    return Edit(start, start, f"{after[0] if after else ''}{json.dumps('inputs')}: [{asked}],")


def _asked_as(name: str) -> str:
    return name.lower().replace("_", "-")


def _plain(text: str) -> str:
    bare = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper() or "SECRET"
    return f"_{bare}" if bare[0].isdigit() else bare
