"""Addresses that code calls over plain http beyond the machine, and servers that it opens to all (AG130). Pure.

Read are a name that says that it holds an address, what a client's call is given first, and what a server is told to
listen to. A namespace or a schema is no address that is called.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import server, syntax
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
_CONST: Final = re.compile(
    r"\b(?:const|let|var|readonly|static)\s+(\w+)\s*(?::\s*\w+)?\s*=\s*(?:process\.env[\w.!\[\]\"']*\s*(?:\?\?|\|\|)\s*)?"
    r"[\"'`]((?:http|ws)://[^\"'`\s]+)[\"'`]"
)
_SERVES: Final = re.compile(r"\bMcpServer\b|\bFastMCP\b|ServerTransport\b|modelcontextprotocol/sdk/server")
_LISTENS: Final = re.compile(
    r"\.listen\(\s*[^()]{0,80}?[\"'](?:0\.0\.0\.0|::)[\"']|\b(?:host|hostname)\s*:\s*[\"'](?:0\.0\.0\.0|::)[\"']"
)
_ASKS: Final = re.compile(
    r"(?i)bearerauth|authoriz|authenticat|verify\w*token|mcpAuthRouter|passport|jwt|api[-_]?key|\bauth\b|oauth|x-api-key"
    r"|clientCert|requestCert"
)
_NOBODY: Final = "it listens to all addresses, and asks nobody who they are"
_PLAIN: Final = "it is called over http, without TLS"


def _beyond(name: str, url: str) -> bool:
    return bool(_NAME.search(_HUMP.sub("_", name))) and server.beyond(url) and not _SPACES.match(url)


def in_python(tree: ast.AST) -> Iterator[Told]:
    """The addresses of a tree."""
    if "http://" not in syntax.words(tree) and "ws://" not in syntax.words(tree):
        return
    kept = [(node.targets[0], node.value) for node in syntax.every(tree, ast.Assign)]
    for target, value in (*kept, *((node.target, node.value) for node in syntax.every(tree, ast.AnnAssign))):
        text = _text(value)
        if isinstance(target, ast.Name) and text and _beyond(target.id, text):
            yield Kind.OPEN_REMOTE, target.lineno, f"{target.id}: {_PLAIN}"
    for call in syntax.every(tree, ast.Call):
        if not call.args or not isinstance(call.func, ast.Attribute | ast.Name):
            continue
        texts = [text for text in map(_text, call.args[:2]) if text.startswith(("http://", "ws://"))]
        if texts and server.beyond(texts[0]) and _CALLS.search(syntax.said(call.func)):
            yield Kind.OPEN_REMOTE, call.args[0].lineno, _PLAIN


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
            if server.beyond(one[1]):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), _PLAIN
        for one in _CONST.finditer(text):
            if _beyond(one[1], one[2]):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), f"{one[1]}: {_PLAIN}"
    if _SERVES.search(text) and not _ASKS.search(text):
        for one in _LISTENS.finditer(text):
            yield Kind.OPEN_REMOTE, line_at(text, one.end()), _NOBODY
    yield from _unsecured(text)


def _unsecured(text: str) -> Iterator[Told]:
    """Channels of gRPC beyond the machine that are made without TLS."""
    if "createInsecure" in text:
        for one in re.finditer(r"new\s+\w+\(\s*[\"'`]([\w.-]+):\d+[\"'`]\s*,\s*[\w.]*createInsecure\(", text):
            if server.beyond(f"http://{one[1]}"):
                yield Kind.OPEN_REMOTE, line_at(text, one.start()), "it is called without TLS"


def of_object(part: Node) -> Iterator[Told]:
    """What is wrong with the addresses of an object literal."""
    for key in (*server.ADDRESSES, "baseURL", "connectionString"):
        url = part[key].text
        if url.startswith(("http", "ws")):
            for said in () if _SPACES.match(url) else server.address(url):
                if "token" in said or server.beyond(url) or re.search(r"(?i)mcp|/sse\b", url):
                    yield Kind.OPEN_REMOTE, part[key].line, said
        elif url and server.plain(url):
            yield Kind.OPEN_REMOTE, part[key].line, "the connection is made without TLS or its checks"
    for wanted, keys in (("${false}", _CHECKS), ("${true}", _SKIPS)):
        for key in keys:
            if part[key].text == wanted:
                yield Kind.OPEN_REMOTE, part[key].line, "certificates are not checked"


_CHECKS: Final = ("strictSSL", "rejectUnauthorized", "verifySsl", "strictSsl")
_SKIPS: Final = ("insecure", "insecureSkipVerify", "allowInsecure", "skipTlsVerify")
