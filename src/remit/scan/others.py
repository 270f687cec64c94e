"""Rights that further clients keep in files of their own, known by their names: what runs with nobody asked. Pure.

Read are Aider's, Amp's and Copilot's settings, Cursor's command line and permissions, Goose's rights, Factory's,
Augment's, Mistral Vibe's, Rovo Dev's and Continue's. Sources are their own pages.
"""

import re
from collections.abc import Iterator

from remit.core.finding import Kind
from remit.scan import switched, verbs
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.said import named, short


def told(path: str, root: Node) -> Iterator[Told]:
    """The same of files that only their names tell: Aider's, Cursor's command line, Goose's rights, Amp's settings."""
    name = path.rpartition("/")[2]
    if name in ("cli.json", "cli-config.json"):
        yield from switched.cursor(path, root)
    if (name == "settings.json" and "/amp/" in f"/{path}") or name in (".aider.conf.yml", "config.json"):
        yield from (one for one in switched.told(path, root) if name != "config.json" or "copilot" in path)
    if name == "permissions.json" and "cursor" in path.lower():
        yield from switched.told(path, root)
        loud = [one for one in root["mcpAllowlist"].items if one.text and verbs.writes(one.text.rpartition(":")[2])]
        if loud:
            yield Kind.UNASKED, loud[0].line, f"mcpAllowlist lets {named(loud)} run with nobody asked"
    if re.search(r"(?:^|/)\.?(?:factory|augment|junie|vibe|rovodev|continue|copilot)/", path):
        yield from _others(path, root)
    if name.startswith(("roo-code-settings", "kilo-code-settings")):
        yield from switched.told(path, root["globalSettings"])
    yield from _goose(path, root)


def _others(path: str, root: Node) -> Iterator[Told]:
    """Factory's, Augment's, Mistral Vibe's, Rovo Dev's and Continue's own words for what runs unasked."""
    if "factory/" in path:
        yield from switched.told(path, root)
    for one in root["toolPermissions"].items:
        if one["permission"]["type"].text == "allow" and verbs.writes(one["toolName"].text or "*"):
            yield Kind.UNASKED, one["toolName"].line, f"{short(one['toolName'].text)} runs with nobody asked"
    rights = root["toolPermissions"].members
    for name, node in (*rights.items(), *root["toolPermissions"]["tools"].members.items()):
        given = node["default"] if name == "bash" else node
        if given.text == "allow" and (name in ("default", "bash") or verbs.writes(name)):
            yield Kind.UNASKED, given.line, f"{short(name)} is allowed with nobody asked"
    yield from _vibe(path, root)


def _vibe(path: str, root: Node) -> Iterator[Told]:
    for name, node in root["tools"].members.items():
        if node["permission"].text == "always" and verbs.writes(name):
            yield Kind.UNASKED, node["permission"].line, f"{short(name)} runs with nobody asked"
    if root["auto_approve"].value is True:
        yield Kind.UNASKED, root["auto_approve"].line, "auto_approve lets everything run with nobody asked"
    if path.endswith(("permissions.yaml", "permissions.yml")):
        loud = [one for one in root["allow"].items if one.text and switched.approves(one.text)]
        if loud:
            yield Kind.UNASKED, loud[0].line, f"allow lets {named(loud)} run with nobody asked"


def _goose(path: str, root: Node) -> Iterator[Told]:
    if path.endswith("/permission.yaml") and "goose" in path:
        for part in root.members.values():
            loud = [one for one in part["always_allow"].items if one.text and verbs.writes(one.text)]
            if loud:
                yield Kind.UNASKED, loud[0].line, f"always_allow lets {named(loud)} run with nobody asked"
