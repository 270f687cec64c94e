"""Addresses that code calls over plain http beyond the machine, and servers that it opens to all (AG130). Pure.

Read are a name that says that it holds an address, what a client's call is given first, and what a server is told to
listen to. A namespace or a schema is no address that is called.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from remit.core.finding import Kind
from remit.scan import addressed, mounted, packaged, server, syntax
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_NAME: Final = re.compile(
    r"(?i)(?:^|_)(?:urls?|uri|base|endpoint|host|api|server|gateway|address|backend|service|upstream)(?:_(?:url|uri))?$"
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPACES: Final = re.compile(
    r"(?i)^https?://(?:www\.w3\.org|schemas?\.|json-schema\.org|xmlns\.|purl\.|ns\.adobe|www\.xml)"
)
_CALLS: Final = re.compile(
    r"(?:^|\.)(?:requests|httpx|aiohttp|\w*session|\w*client|http|urllib3?|request)"
    r"\.(?:get|post|put|patch|delete|head|request|stream|urlopen|ws_connect|connect)$|(?:^|\.)urlopen$|^websockets\.connect$"
)
_FETCH: Final = re.compile(
    r"\b(?:fetch|(?:axios|got|ky|request|superagent|undici|http)(?:\.\w+)?|new\s+(?:WebSocket|EventSource))\s*(?:<[^<>]{0,80}>)?"
    r"\(\s*[\"'`]((?:http|ws)://[^\"'`\s]+)"
)
_TOKENED: Final = re.compile(
    r"(?:\b(?:fetch|(?:axios|got|ky|request|superagent|undici)(?:\.\w+)?|new\s+(?:URL|WebSocket|EventSource))\s*(?:<[^<>]{0,80}>)?\(\s*"
    r"|\b(?:url|uri|endpoint|baseURL|baseUrl|serverUrl)\s*:\s*|\b(?:const|let)\s+\w*(?:url|URL|Url|endpoint|ENDPOINT|Endpoint)\s*=\s*)"
    r"[\"'`]((?:https?|wss?)://[^\"'`\s]{1,2000})"
)
_CONST: Final = re.compile(
    r"\b(?:const|let|var|readonly|static)\s+(\w+)\s*(?::\s*\w+)?\s*=\s*(?:process\.env[\w.!\[\]\"']*\s*(?:\?\?|\|\|)\s*)?"
    r"[\"'`]((?:http|ws)://[^\"'`\s]+)[\"'`]"
)
_SERVES: Final = re.compile(r"\bMcpServer\b|\bFastMCP\b|ServerTransport\b|modelcontextprotocol/sdk/server")
_LISTENS: Final = re.compile(
    r"\.listen\(\s*[^()]{0,80}?[\"'](?:0\.0\.0\.0|::)[\"']|\b(?:host|hostname)\s*:\s*[\"'](?:0\.0\.0\.0|::)[\"']"
)
_ASKS: Final = re.compile(
    r"(?i)bearerauth|(?<!un)authoriz|(?<!un)authenticat|verify\w*token|mcpAuthRouter|passport|jwt|api[-_]?key|\bauth\b|oauth|x-api-key"
    r"|clientCert|requestCert"
)
_PLAIN: Final = "it is called over http, without TLS"
UNCHECKED: Final = "certificates are not checked"


def _beyond(name: str, url: str) -> bool:
    return bool(_NAME.search(_HUMP.sub("_", name))) and addressed.beyond(url) and not _SPACES.match(url)


def _tokens(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        yield from () if addressed.here(parts.hostname or "") else addressed.tokens(parts)
    except ValueError:
        return


def in_python(tree: ast.AST) -> Iterator[Told]:
    """The addresses of a tree."""
    if not re.search(r"\b(?:https?|wss?)://", syntax.words(tree)):
        return
    yield from _spelled(tree)
    kept = [(node.targets[0], node.value) for node in syntax.every(tree, ast.Assign)]
    for target, value in (*kept, *((node.target, node.value) for node in syntax.every(tree, ast.AnnAssign))):
        text = _text(value)
        if isinstance(target, ast.Name) and text and _beyond(target.id, text):
            yield Kind.OPEN_REMOTE, target.lineno, f"{target.id}: {_PLAIN}"
    for call in syntax.every(tree, ast.Call):
        if not call.args or not isinstance(call.func, ast.Attribute | ast.Name):
            continue
        texts = [text for text in map(_text, call.args[:2]) if text.startswith(("http://", "ws://"))]
        if texts and addressed.beyond(texts[0]) and _CALLS.search(syntax.said(call.func)):
            yield Kind.OPEN_REMOTE, call.args[0].lineno, _PLAIN


_WITHIN: Final = re.compile(r"(?:ASGI|WSGI|Mock|InMemory|FastMCP)Transport$|^(?:Async)?TestClient$")
"""What calls an application in the same process: the address is a name that no network knows."""


def open_still(tree: ast.AST, told: list[Told]) -> list[Told]:
    """The same without what is open to nobody: a call in its own process, checks left to a setting or told twice."""
    if all(kind is not Kind.OPEN_REMOTE for kind, _, _ in told):
        return told
    within, chosen = _within(tree), _chosen(tree)
    kept = [
        one
        for one in told
        if one[0] is not Kind.OPEN_REMOTE or not (one[1] in within or (one[1] in chosen and "certificate" in one[2]))
    ]
    return [*_once(kept)]


def _within(tree: ast.AST) -> frozenset[int]:
    """The lines of addresses by which code calls an application in its own process."""
    if not re.search(r"(?:ASGI|WSGI|Mock|InMemory)Transport|TestClient", syntax.words(tree)):
        return frozenset()
    made = {
        node.targets[0].id
        for node in syntax.every(tree, ast.Assign)
        if isinstance(node.targets[0], ast.Name) and _is_within(node.value, set())
    }
    return frozenset(
        one.value.lineno
        for call in syntax.every(tree, ast.Call)
        if _WITHIN.search(syntax.last(call.func))
        or any(one.arg in ("transport", "app") and _is_within(one.value, made) for one in call.keywords)
        for one in call.keywords
        if one.arg in (*server.ADDRESSES, "baseURL")
    )


_SETS: Final = re.compile(
    r"(?i)verif|insecure|self_?signed|trust_?all|(?:skip|validate|check|ignore|disable)_?(?:ssl|tls|cert|host)"
    r"|(?:ssl|tls|cert)\w{0,20}_?(?:validat|check)"
)


def _chosen(tree: ast.AST) -> frozenset[int]:
    """The lines that run only where a setting of the code says whether certificates are checked, or says that not."""
    lines: set[int] = set()
    for one in syntax.every(tree, ast.If):
        if _SETS.search(syntax.said(one.test)):
            for part in (*one.body, *one.orelse):
                lines.update(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    return frozenset(lines)


def _once(told: list[Told]) -> Iterator[Told]:
    """The same, of a context whose checks are turned off in two words, as Python wants it, only the one that does."""
    off = {line for kind, line, said in told if kind is Kind.OPEN_REMOTE and said == UNCHECKED}
    for one in told:
        if not (one[2].startswith("check_hostname ") and any(one[1] + by in off for by in (-2, -1, 1, 2))):
            yield one


_CHANNEL: Final = re.compile(r"(?i)Exporter$|Channel$|grpc")
"""What calls over gRPC, where `insecure` says that there is no TLS; without an address, this machine is called."""


def is_plain(name: str, given: dict[str, ast.expr]) -> bool:
    """Say whether a channel that is told to use no TLS stays on this machine, or leads to where nobody can see here."""
    if "insecure" not in given or not _CHANNEL.search(name) or syntax.said(given["insecure"]) != "True":
        return False
    place = next((given[key] for key in ("endpoint", "target", "address", "host") if key in given), None)
    text = place.value if isinstance(place, ast.Constant) and isinstance(place.value, str) else ""
    return not addressed.beyond(text if "://" in text else f"http://{text}")


def _is_within(node: ast.expr, made: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in made
    return isinstance(node, ast.Call) and bool(_WITHIN.search(syntax.last(node.func)))


def _spelled(tree: ast.AST) -> Iterator[Told]:
    """Addresses with a token in them that a call is given, or that are kept under a name that says so."""
    for call in syntax.every(tree, ast.Call):
        named = [one.value for one in call.keywords if one.arg in (*server.ADDRESSES, "baseURL")]
        asks = isinstance(call.func, ast.Attribute | ast.Name) and _CALLS.search(syntax.said(call.func))
        for one in (*(call.args[:2] if asks else ()), *named):
            yield from ((Kind.OPEN_REMOTE, one.lineno, said) for said in _tokens(_drawn(one)))
    for back in syntax.every(tree, ast.Return):
        if back.value is not None:
            yield from ((Kind.OPEN_REMOTE, back.lineno, said) for said in _tokens(_drawn(back.value)))
    for node in syntax.every(tree, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Name) and _NAME.search(target.id):
            yield from ((Kind.OPEN_REMOTE, node.lineno, said) for said in _tokens(_drawn(node.value)))


def _drawn(node: ast.expr) -> str:
    """An address that is put together, what is put in as a reference by its last name; "" for any other text."""
    if not isinstance(node, ast.JoinedStr):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    else:
        text = "".join(
            str(one.value) if isinstance(one, ast.Constant) else "${" + syntax.said(one)[2:-2].strip("{}") + "}"
            for one in node.values
        )
    return addressed.drawn(text) if re.match(r"(?:https?|wss?)://", text) else ""


def _text(node: ast.expr | None) -> str:
    """A text; of one that is put together, what it begins with; of a variable that may be unset, what stands for it."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0] if node.values else None
    if (
        isinstance(node, ast.Call)
        and len(node.args) == 2
        and re.search(r"environ\.get$|getenv$", syntax.said(node.func))
    ):
        node = node.args[1]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def in_typescript(text: str) -> Iterator[Told]:
    """The addresses of a text whose comments were made blank, and its servers."""
    if "http://" in text or "ws://" in text:
        for one in _FETCH.finditer(text):
            if addressed.beyond(one[1]):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), _PLAIN
        for one in _CONST.finditer(text):
            if _beyond(one[1], one[2]):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), f"{one[1]}: {_PLAIN}"
    for one in _TOKENED.finditer(text):
        if "=" in one[1] or "@" in one[1]:
            yield from ((Kind.OPEN_REMOTE, line_at(text, one.end()), said) for said in _tokens(addressed.drawn(one[1])))
    if _SERVES.search(text) and not _ASKS.search(text):
        for one in _LISTENS.finditer(text):
            yield Kind.OPEN_REMOTE, line_at(text, one.end()), addressed.NOBODY
    yield from _unsecured(text)


def _unsecured(text: str) -> Iterator[Told]:
    """Channels of gRPC beyond the machine that are made without TLS."""
    if "createInsecure" in text:
        for one in re.finditer(r"new\s+\w+\(\s*[\"'`]([\w.-]+):\d+[\"'`]\s*,\s*[\w.]*createInsecure\(", text):
            if addressed.beyond(f"http://{one[1]}"):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), "it is called without TLS"


def mounts(part: Node) -> Iterator[Told]:
    """What an object literal mounts of the host: in the words of docker's API, of a cluster, of a test's container."""
    yield from mounted.binds([(one.text, one.line) for key in ("Binds", "binds") for one in part[key].items])
    given = any(packaged.is_named(one.text.partition("=")[0]) for one in part["Env"].items if one.text)
    if given and part["Image"].text and not packaged.pinned_image(part["Image"].text):
        yield Kind.UNPINNED, part["Image"].line, "an image with no exact version is given a credential"
    for place in (part["hostPath"]["path"], part["hostPath"], part["host"]["sourcePath"]):
        yield from mounted.binds([(place.text, place.line)])
    for source, kind in (("Source", "Type"), ("source", "type")):
        bound = part[kind].text == "bind" or (not part[kind].text and not {"target", "Target"}.isdisjoint(part.members))
        if bound:
            yield from mounted.binds([(part[source].text, part[source].line)])


def of_object(part: Node, chosen: frozenset[int]) -> Iterator[Told]:
    """What is wrong with the addresses of an object literal; `chosen`: lines where a setting leaves them unchecked."""
    for key in (*server.ADDRESSES, "baseURL", "connectionString"):
        url = part[key].text
        if url.startswith(("http", "ws")):
            for said in () if _SPACES.match(url) else addressed.address(url):
                if "token" in said or addressed.beyond(url) or re.search(r"(?i)mcp|/sse\b", url):
                    yield Kind.OPEN_REMOTE, part[key].line, said
        elif url and addressed.plain(url):
            yield Kind.OPEN_REMOTE, part[key].line, "the connection is made without TLS or its checks"
    for name, one in part.members.items():
        if name == "rejectUnauthorized" and one.line in chosen:
            continue
        if one.text in ("${false}", "${true}") and server.unchecked(name, one.text == "${true}"):
            yield Kind.OPEN_REMOTE, one.line, UNCHECKED
