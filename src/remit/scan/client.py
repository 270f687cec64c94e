"""Reader of JSON configuration of MCP clients: which servers they start or call, and with what. Pure.

Read are Claude Code and Desktop, Cursor, Windsurf, Kiro and Gemini CLI (`mcpServers`), VS Code and Copilot (`servers`).
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import secret
from remit.scan.jsonc import Node
from remit.scan.jsonc import read as parse

NAMES: Final = frozenset(
    {
        ".mcp.json", "mcp.json", "managed-mcp.json", ".claude.json", "claude_desktop_config.json", "mcp-config.json",
        "mcp_config.json",
    }
)  # fmt: skip
_GEMINI: Final = ".gemini/settings.json"
_RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "pipx"})
_VALUED: Final = frozenset({"--from", "--with", "--python", "--registry", "-p", "--package", "--spec"})
_PACKAGE: Final = frozenset({"--from", "-p", "--package", "--spec"})
_NPM: Final = re.compile(r"^(?:@[\w.-]+/)?[\w.-]+@v?\d+\.\d+\.\d+[\w.+-]*$")
_PYTHON: Final = re.compile(r"^[\w.-]+(?:\[[\w,.-]+\])?(?:==|@)v?\d+(?:\.\d+)+[\w.+-]*$")
_LOCAL: Final = ("./", "../", "/", "~", "file:")
_HOME: Final = re.compile(
    r"^(?:/|~/?|\$HOME/?|\$\{(?:env:)?HOME\}/?|/root/?|/(?:home|Users)(?:/[^/]*)?/?"
    r"|[A-Za-z]:[\\/]{1,2}(?:Users[\\/]{1,2}[^\\/]+[\\/]*)?)$"
)
_HELD: Final = re.compile(r"(?:/docker\.sock|/\.(?:ssh|aws|kube|gnupg|docker|azure|config/gcloud))(?:/|$)")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return path.rsplit("/", 1)[-1] in NAMES or f"/{path}".endswith(f"/{_GEMINI}")


def read(path: str, text: str) -> tuple[Finding, ...] | None:
    """Find what stands in this file; None when it is not JSON."""
    root = parse(text)
    if root is None:
        return None
    return tuple(found for name, server in _servers(root) for found in _server(path, name, server))


def _servers(node: Node) -> Iterator[tuple[str, dict[str, Node]]]:
    children: list[Node] = []
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            if key in ("mcpServers", "servers") and isinstance(child.value, dict):
                yield from ((name, one.value) for name, one in child.value.items() if isinstance(one.value, dict))
            else:
                children.append(child)
    elif isinstance(node.value, list):
        children = node.value
    for child in children:
        yield from _servers(child)


def _server(path: str, name: str, server: dict[str, Node]) -> Iterator[Finding]:
    def tell(kind: Kind, line: int, said: str, sure: Confidence = Confidence.HIGH) -> Finding:
        return Finding(kind, sure, Evidence(path, line, f"server {name}: {said}"))

    for part in ("env", "headers"):
        for key, node in _members(server.get(part)):
            if secret.is_name(key) and isinstance(node.value, str) and secret.is_literal(node.value):
                yield tell(Kind.LITERAL_SECRET, node.line, f"{part} {key} holds a literal value")
    words = _words(server)
    for flag, line in _flags(words):
        yield tell(Kind.LITERAL_SECRET, line, f"argument {flag} holds a literal value")
    for kind, line, said in _started(words):
        yield tell(kind, line, said)
    for key in ("url", "httpUrl", "serverUrl"):
        address = server.get(key)
        if address is not None and isinstance(address.value, str):
            for said in _address(address.value):
                yield tell(Kind.OPEN_REMOTE, address.line, said)


def _members(node: Node | None) -> Iterator[tuple[str, Node]]:
    if node is not None and isinstance(node.value, dict):
        yield from node.value.items()


def _words(server: dict[str, Node]) -> list[tuple[str, int]]:
    """The command and its arguments with their lines, without the shell word that only starts another (`cmd /c`)."""
    nodes = [server["command"]] if "command" in server else []
    if "args" in server and isinstance(server["args"].value, list):
        nodes += server["args"].value
    words = [(node.value, node.line) for node in nodes if isinstance(node.value, str)]
    if len(words) > 1 and _program(words[0][0]) == "cmd" and words[1][0].lower() == "/c":
        words = words[2:]
    return words


def _program(word: str) -> str:
    name = re.split(r"[/\\]", word)[-1].lower()
    return re.sub(r"\.(?:exe|cmd)$", "", name)


def _flags(words: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    for place, (word, line) in enumerate(words):
        flag, mark, value = word.partition("=")
        if mark and secret.is_name(flag) and secret.is_literal(value):
            yield flag, line
        elif not mark and word.startswith("--") and secret.is_name(word) and place + 1 < len(words):
            given, below = words[place + 1]
            if not given.startswith("-") and secret.is_literal(given):
                yield word, below


def _started(words: list[tuple[str, int]]) -> Iterator[tuple[Kind, int, str]]:
    if not words:
        return
    program = _program(words[0][0])
    if program in _RUNNERS:
        package = _package(words[1:])
        if package and not _pinned(program, package[0]):
            yield Kind.UNPINNED, package[1], f"{program} runs a package with no exact version"
    if program in ("docker", "podman"):
        yield from _mounts(words)
    elif any("server-filesystem" in word for word, _ in words):
        yield from (
            (Kind.BROAD_TOOL, line, "the file server's folder is the root or a whole home")
            for word, line in words[1:]
            if _HOME.match(word)
        )


def _package(words: list[tuple[str, int]]) -> tuple[str, int] | None:
    """The package that a runner is told to run: that of --from or --package, else the first word that is no flag."""
    first = None
    past = ""
    for word, line in words:
        flag, mark, value = word.partition("=")
        if past in _PACKAGE:
            return word, line
        if mark and flag in _PACKAGE:
            return value, line
        if first is None and not past and not word.startswith("-") and word not in ("run", "x"):
            first = word, line
            break
        past = word if word in _VALUED or word.endswith("-url") else ""
    return first


def _pinned(program: str, package: str) -> bool:
    if package.startswith(_LOCAL) or "$" in package:
        return True
    if package.startswith(("git+", "github:", "http://", "https://")):
        return bool(re.search(r"[@#][0-9a-f]{40}\b", package))
    return bool((_NPM if program in ("npx", "bunx") else _PYTHON).match(package))


def _mounts(words: list[tuple[str, int]]) -> Iterator[tuple[Kind, int, str]]:
    past = ""
    for word, line in words:
        flag, mark, value = word.partition("=")
        given = (
            word if past in ("-v", "--volume", "--mount") else value if mark and flag in ("--volume", "--mount") else ""
        )
        past = word
        if not given:
            continue
        named = re.search(r"(?:^|,)(?:src|source)=([^,]*)", given)
        drive = re.match(r"[A-Za-z]:[\\/][^:]*", given)
        host = named[1] if named else drive[0] if drive else given.split(":${")[0].rsplit(":/", 1)[0]
        if _HOME.match(host) or _HELD.search(host):
            yield Kind.HOST_MOUNT, line, "a home, credentials or socket of the host is mounted"


def _address(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        given = parse_qsl(parts.query)
    except ValueError:
        return
    if parts.scheme == "http" and host and host not in _LOOPBACK and "$" not in host:
        yield "its address is http, without TLS"
    if (parts.password and secret.is_literal(parts.password)) or any(
        secret.is_name(key) and secret.is_literal(value) for key, value in given
    ):
        yield "its address holds a token"
