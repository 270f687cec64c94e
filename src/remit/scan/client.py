"""Reader of the settings of MCP clients: which servers they start or call, and what they approve by themselves. Pure.

Read are Claude Code and Desktop, Cursor, Windsurf, Kiro and Gemini CLI (`mcpServers`), VS Code and Copilot (`servers`),
opencode (`mcp`), Codex (`mcp_servers`, TOML) and Goose (`extensions`, YAML).
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import addressed, consent, document, jsonc, mounted, opened, secret, server, tomldoc, uttered, yamldoc
from remit.scan.launch import Told
from remit.scan.node import Node

NAMES: Final = frozenset(
    {
        ".mcp.json", "mcp.json", "managed-mcp.json", ".claude.json", "claude_desktop_config.json", "mcp-config.json",
        "mcp_config.json", "opencode.json", "opencode.jsonc", "settings.local.json", "managed-settings.json",
        "mcp_settings.json", "cline_mcp_settings.json", "hooks.json", "gemini-extension.json", "mcp_servers.json",
        "mcp-servers.json", "mcpServers.json", "crush.json", ".crush.json", "roomcp.json",
    }
)  # fmt: skip
_PLACES: Final = (
    ".gemini/settings.json", ".claude/settings.json", ".vscode/settings.json", ".cursor/settings.json",
    "User/settings.json", ".qwen/settings.json", ".codex/config.toml", "codex/config.toml",
    "goose/config.yaml", ".goose/config.yaml", ".goose/config.yml", ".continue/config.yaml", ".kiro/settings/mcp.json",
    ".amazonq/mcp.json", ".zed/settings.json", "zed/settings.json", "Zed/settings.json",
)  # fmt: skip
_AGENTS: Final = re.compile(r"(?:^|/)(?:\.?amazonq/(?:cli-)?agents|\.kiro/agents|amazon-q/agents)/[^/]+\.json$")
"""Agents of Amazon Q and Kiro, each a file of settings."""
KEYS: Final = frozenset({"mcpServers", "servers", "mcp_servers", "mcp", "extensions", "context_servers"})
FOREIGN: Final = frozenset({"mcpServers", "mcp_servers", "context_servers"})
"""Keys that hold servers in whatever file they stand."""
MARKS: Final = frozenset({"command", "cmd", "args", "env", "headers", *server.ADDRESSES})


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    if path.endswith(".json") and is_agent(path):
        return True
    return path.rsplit("/", 1)[-1] in NAMES or f"/{path}".endswith(tuple(f"/{place}" for place in _PLACES))


def is_agent(path: str) -> bool:
    """Say whether such a file is an agent's own."""
    return bool(_AGENTS.search(path))


def foreign(path: str, text: str) -> bool:
    """Say whether a file of no known client holds servers all the same."""
    return not wants(path) and any(f"{key}" in text for key in FOREIGN)


def in_foreign(path: str, text: str) -> Iterator[Told]:
    """What is wrong with the servers that a file of no known client holds, itself or in a text of it."""
    if not foreign(path, text):
        return
    for root in document.read(path, text):
        for one in (root, *document.embedded(root)):
            for name, entry in servers(one, FOREIGN):
                for kind, line, said in (*server.told(entry), *consent.of_server(entry)):
                    yield kind, line, f"server {name}: {said}"


def read(path: str, text: str) -> tuple[Finding, ...] | None:
    """Find what stands in this file; None when it is not of its format."""
    root = _root(path, text)
    if root is None:
        return None
    found = [
        Finding(kind, Confidence.HIGH, Evidence(path, line, f"server {name}: {said}"))
        for name, one in servers(root)
        for kind, line, said in (*server.told(one), *consent.of_server(one))
    ]
    told = [*consent.of_client(path, root), *_reach(root), *_held(root), *_called(root)]
    said = {(one.kind, one.evidence.line) for one in found}
    found += [
        Finding(kind, Confidence.HIGH, Evidence(path, line, what))
        for kind, line, what in told
        if (kind, line) not in said
    ]
    return tuple(found)


def servers(node: Node, keys: frozenset[str] = KEYS) -> Iterator[tuple[str, Node]]:
    """Every server's entry in a document, with its name. One that is switched off is none."""
    for key, child in node.members.items():
        if key in keys:
            listed = enumerate(child.items if isinstance(child.value, list) else ())
            entries = {**child.members, **{_listed(one, f"{key}[{place}]"): one for place, one in listed}}
            found = {name: one for name, one in entries.items() if MARKS & one.members.keys()}
            yield from found.items()
            for name, one in entries.items():
                if name not in found:
                    yield from servers(Node(one.line, {name: one}) if name in keys else one, keys)
        else:
            for one in child.items:
                yield from servers(one, keys)


def _listed(entry: Node, place: str) -> str:
    """The name of a server that stands in a list: its own, else its place."""
    return next((entry[key].text for key in ("name", "id", "title", "server") if entry[key].text), place)


def _reach(root: Node) -> Iterator[Told]:
    """Which folders a client gives its agent besides the project."""
    wide = [
        *root["permissions"]["additionalDirectories"].items,
        *root["sandbox_workspace_write"]["writable_roots"].items,
    ]
    for one in wide:
        if mounted.broad(one.text):
            yield Kind.BROAD_TOOL, one.line, "a folder that the agent may use is the root or a whole home"
    for part in root.inside():
        for name, value in part.members.items():
            if name not in ("additionalDirectories", "writable_roots", "env") and opened.folder(name):
                for one in value.items:
                    if one.text and opened.wide(name, one.text):
                        yield Kind.BROAD_TOOL, one.line, f"{name} holds the root or a whole home"
    for part in (root, *root["profiles"].members.values()):
        if part["sandbox_mode"].text == "danger-full-access":
            yield Kind.BROAD_TOOL, part["sandbox_mode"].line, "the agent's commands run with no sandbox"


def _held(root: Node) -> Iterator[Told]:
    """Secrets that stand elsewhere in a client's settings: a provider's key, a hook's command, a rule."""
    for part in root.inside():
        for name, value in part.members.items():
            for one in value.items if isinstance(value.value, list | str) else ():
                named = one is value and secret.is_held(name, one.text)
                if named or (" " in one.text and any(uttered.literals(one.text, one.line))):
                    yield Kind.LITERAL_SECRET, one.line, f"{name} holds a literal value"


def _called(root: Node) -> Iterator[Told]:
    """Addresses of models, gateways and collectors that the settings name, and checks that they turn off."""
    for part in root.inside():
        for key in (*server.ADDRESSES, "baseURL"):
            yield from ((Kind.OPEN_REMOTE, part[key].line, said) for said in addressed.address(part[key].text))
        for name, value in part.members.items():
            if value.text and name not in server.ADDRESSES and addressed.called(addressed.worded(name), value.text):
                yield Kind.OPEN_REMOTE, value.line, f"{name[:60]} is called over http, without TLS"
        yield from server.checks(part)
    for name, value in root["env"].members.items():
        yield from (one for one in server.variable("env", name, value) if one[0] is Kind.OPEN_REMOTE)


def _root(path: str, text: str) -> Node | None:
    if path.endswith(".toml"):
        return tomldoc.read(text)
    if path.endswith((".yaml", ".yml")):
        documents = yamldoc.read(text)
        return documents[0] if documents else None
    return jsonc.read(text)
