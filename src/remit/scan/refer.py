"""A secret that stands in a file, put by a reference in the words that its reader knows. Pure.

The words, and where each is put in, are those of the readers' own pages: Claude Code `${NAME}`, Cursor and Windsurf
`${env:NAME}` in a server's variables, headers, arguments and address; Kiro `${NAME}` in variables and headers; VS Code
`${input:ID}`, with the question beside it, in variables, headers and arguments; Gemini CLI `${NAME}` and opencode
`{env:NAME}` in every text; Docker Compose `${NAME:?}` in every value: it refuses to start what has no value. Codex and
Goose name the variables that they hand on (`moved`). Of Claude Desktop, Zed and others no word is known.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from remit.core.finding import Finding, Kind
from remit.scan import client, secret, server, workload
from remit.scan.fix import Edit, Fix, lines
from remit.scan.names import Names
from remit.scan.node import Node
from remit.scan.placed import Placed, Span

_NEAR: Final = frozenset({"env", "headers"})
_FAR: Final = _NEAR | {"args", "url"}
_WORDS: Final = (
    (re.compile(r"/\.mcp\.json$"), "${%s}", _FAR),
    (re.compile(r"/\.kiro/settings/mcp\.json$"), "${%s}", _NEAR),
    (re.compile(r"/(?:\.cursor/mcp\.json|(?:\.codeium/)?windsurf/mcp_config\.json)$"), "${env:%s}", _FAR),
    (re.compile(r"/(?:\.vscode|Code/User|Code - Insiders/User)/mcp\.json$"), "${input:%s}", _NEAR | {"args"}),
    (re.compile(r"/\.gemini/settings\.json$"), "${%s}", _FAR | {"all"}),
    (re.compile(r"/opencode\.jsonc?$"), "{env:%s}", _FAR | {"all"}),
)
_ENVS: Final = ("env", "environment")
_HEADERS: Final = ("headers", "http_headers", "requestHeaders")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME: Final = re.compile(r"(?i)^(?:bearer|token|basic)\s+")
_HEADER: Final = re.compile(r"(?i)^(?:[\w-]+: *)?(?:bearer|basic|token) +(\S+)$")
_QUERY: Final = re.compile(r"[?&]([\w.-]+)=([^&#%\s]+)")
_PASSWORD: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s@/%]+)@", re.IGNORECASE)
ADDRESS: Final = "its address holds a token"
REFERRED: Final = "its address refers to a token"
"""What is said of an address that holds a token in full, and of one that holds it by a reference."""


@dataclass(frozen=True, slots=True)
class Held:
    """A secret in a text of a file: where in that text, and the names that a variable for it may have."""

    node: Node
    part: Span
    called: str
    wanted: tuple[str, ...]


def fixes(path: str, document: Placed, findings: Iterable[Finding], names: Names) -> Iterator[Fix]:
    """A fix for each secret on these lines that can be taken by reference; of VS Code one for all."""
    findings = tuple(findings)
    found = lines(findings, Kind.LITERAL_SECRET)
    far = {line: said for line, said in lines(findings, Kind.OPEN_REMOTE).items() if ADDRESS in said}
    word, parts = words(path)
    if not word and workload.is_compose(path, document.root):
        word, parts = "${%s:?}", frozenset({"compose"})
    if not word:
        return
    made: dict[int, list[Held]] = {}
    for one in _held(document, parts):
        listed = (far | found) if one.called in server.ADDRESSES else found
        if one.node.line in listed and document.stands(one.node):
            made.setdefault(id(one.node), []).append(one)
    done = [_fix(document, each, word, names) for each in made.values()]
    if "input" not in word:
        yield from done
    elif done:
        yield from _asking(document, done)


def words(path: str) -> tuple[str, frozenset[str]]:
    """The word by which a client refers to a variable, and the parts of its settings in which it does."""
    return next(((word, parts) for place, word, parts in _WORDS if place.search(f"/{path}")), ("", frozenset()))


def _held(document: Placed, parts: frozenset[str]) -> Iterator[Held]:
    """The secrets of a file that stand where its reader puts references in."""
    if "compose" in parts:
        yield from _composed(document.root)
        return
    seen = set()
    for name, entry in client.servers(document.root):
        for one in _of_server(name, entry, parts):
            seen.add(id(one.node))
            yield one
    if "all" in parts:
        for node in document.nodes:
            name = document.name(node)
            if id(node) not in seen and node.text and secret.is_held(name, node.text):
                yield _whole("", name, node)


def _of_server(name: str, entry: Node, parts: frozenset[str]) -> Iterator[Held]:
    for part in (*(_ENVS if "env" in parts else ()), *(_HEADERS if "headers" in parts else ())):
        for key, node in entry[part].members.items():
            if node.text and any(kind is Kind.LITERAL_SECRET for kind, _, _ in server.variable(part, key, node)):
                yield _whole(name, key, node)
    if "args" in parts:
        yield from _arguments(name, [*entry["command"].items, *entry["cmd"].items, *entry["args"].items])
    for key in server.ADDRESSES if "url" in parts else ():
        yield from _address(name, key, entry[key])


def _whole(owner: str, key: str, node: Node) -> Held:
    """A whole value, or what follows the name of its scheme."""
    scheme = _SCHEME.match(node.text)
    last = "TOKEN" if scheme or key.lower() == "authorization" else key
    qualified = f"{owner}_{last}" if owner else last
    wanted = (key, qualified) if _NAME.fullmatch(key) and not scheme else (qualified,)
    return Held(node, (scheme.end() if scheme else 0, len(node.text)), key, wanted)


def _arguments(owner: str, nodes: list[Node]) -> Iterator[Held]:
    """Secrets among the words of a command: of a flag, of a header, or by their own shape."""
    before = ""
    for node in nodes:
        text, flag = node.text, before
        before = text
        if not text:
            continue
        named, mark, value = text.removeprefix("--env=").partition("=")
        header = _HEADER.match(text)
        name = flag.lstrip("-")
        if mark and secret.is_name(named) and secret.is_literal(value):
            wanted = (named.lstrip("-"), f"{owner}_{named.lstrip('-')}")
            yield Held(node, (len(text) - len(value), len(text)), named, wanted)
        elif flag.startswith("-") and "=" not in flag and secret.is_name(name) and secret.is_literal(text):
            yield Held(node, (0, len(text)), flag, (name, f"{owner}_{name}"))
        elif header and secret.is_literal(header[1]):
            yield Held(node, header.span(1), "a header", (f"{owner}_TOKEN",))
        elif secret.is_known(text) and not any(c.isspace() for c in text):
            yield Held(node, (0, len(text)), "an argument", (f"{owner}_{'URL' if '://' in text else 'SECRET'}",))


def _address(owner: str, key: str, node: Node) -> Iterator[Held]:
    """The secrets of an address: its password, and those of its query."""
    password = _PASSWORD.match(node.text)
    if password and secret.is_password(password[1]) and not secret.is_reference(password[1]):
        yield Held(node, password.span(1), key, (f"{owner}_PASSWORD",))
    for one in _QUERY.finditer(node.text):
        named = secret.is_name(one[1]) or one[1].lower() in ("apikey", "auth")
        if (named and secret.is_literal(one[2])) or secret.is_known(one[2]):
            yield Held(node, one.span(2), key, (f"{owner}_{one[1]}",))


def _composed(root: Node) -> Iterator[Held]:
    """The secrets among the variables and arguments of a file of Compose; `$` has a meaning of its own there."""
    for name, one in root["services"].members.items():
        for part in (one["environment"], one["build"]["args"]):
            for key, node in part.members.items():
                if node.text and "$" not in node.text and secret.is_held(key, node.text):
                    yield Held(node, (0, len(node.text)), key, (key, f"{name}_{key}"))
            for node in part.value if isinstance(part.value, list) else ():
                key, _, value = node.text.partition("=")
                if value and "$" not in value and secret.is_held(key, value):
                    yield Held(node, (len(key) + 1, len(node.text)), key, (key, f"{name}_{key}"))


def _fix(document: Placed, held: list[Held], word: str, names: Names) -> Fix:
    """One text with a reference in place of each of its secrets."""
    node, text, takes, said = held[0].node, held[0].node.text, [], []
    for one in sorted(held, key=lambda each: -each.part[0]):
        start, end = one.part
        value = node.text[start:end]
        name = names.take(one.wanted, value)
        text = text[:start] + word % (_asked_as(name) if "input" in word else name) + text[end:]
        takes.append((name, value))
        said.append(f"{one.called} refers to {name if name != one.called else 'the variable of its name'}")
    edit = Edit(*document.span(node), document.written(node, text))
    kind = Kind.LITERAL_SECRET
    return Fix(kind, node.line, ", ".join(said), (edit,), tuple(takes), meant=((document.path(node), text),))


def _asking(document: Placed, made: list[Fix]) -> Iterator[Fix]:
    """The fixes as one, with the questions that VS Code asks for what it is to put in."""
    ids = [_asked_as(name) for name in dict.fromkeys(name for one in made for name, _ in one.takes)]
    asked = [{"type": "promptString", "id": one, "description": one, "password": True} for one in ids]
    edit = _asked(document, ", ".join(map(json.dumps, asked)))
    if edit is not None:
        edits = (*(each for one in made for each in one.edits), edit)
        takes = tuple(taken for one in made for taken in one.takes)
        old = document.root["inputs"].value
        meant = (("inputs",), [*asked, *(old if isinstance(old, list) else ())])
        yield Fix(
            made[0].kind, made[0].line, "; ".join(one.said for one in made), edits, takes,
            meant=(*(each for one in made for each in one.meant), meant), also=tuple(one.line for one in made[1:]),
        )  # fmt: skip


def _asked(document: Placed, asked: str) -> Edit | None:
    """The questions, before those that stand there."""
    known, root = document.root["inputs"], document.span(document.root)
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
