"""Agents that a document defines, with the tools, scopes or capabilities that it lists for each (AG150). Pure.

Read are heads of agents' and commands' files, definitions of CrewAI, OpenAI, Dify and their like, declarative agents
of Copilot, flows of n8n, and the scopes of apps.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import client, document, grant, toxic, workflow
from remit.scan.launch import Told
from remit.scan.node import Node

SCOPES: Final = {
    toxic.STRANGERS: re.compile(
        r"^gmail\.(?:readonly|modify)$|^https://mail\.google\.com/?$|^Mail\.Read(?:Write)?(?:\.|$)|^IMAP\."
    ),
    toxic.PRIVATE: re.compile(
        r"^(?:drive|documents|spreadsheets|contacts|calendar|admin\.directory|directory|bigquery"
        r"|cloud-platform)(?:\.|$)"
        r"|^(?:Files|Sites|Calendars|Contacts|Notes|Directory|Chat|User)\.Read(?:Write)?\.?(?:All)?$"
    ),
    toxic.OUT: re.compile(
        r"^gmail\.(?:send|compose|modify)$|^https://mail\.google\.com/?$|^Mail\.Send(?:\.|$)|^(?:Chat"
        r"|Channel)Message\.Send$|^chat:write"
    ),
}
Part = tuple[str, int, frozenset[str]]
_HINT: Final = re.compile(r"(?i)tools|capabilities\"|scopes?\"|permissions?\"|\bscopes?\b|langchain\.agent\b")


def told(path: str, text: str) -> Iterator[Told]:
    """The agents that a document defines and that hold all three."""
    if client.wants(path) or workflow.wants(path) or not _HINT.search(text):
        return
    for root in document.read(path, text):
        for part in root.inside():
            if not part.members:
                continue
            yield from _listed(part)
            yield from _scoped(part)
            yield from _capable(part)
            if "nodes" in part.members:
                yield from _flow(part)


def _listed(part: Node) -> Iterator[Told]:
    """An agent that is written down with the names of its tools."""
    for key in ("tools", "allowed-tools", "allowedTools", "allowed_tools"):
        tools = [each for one in part[key].items for each in _tool(one)]
        if len(tools) >= 3 and all(name for name, _, _ in tools):
            yield from toxic.judged(tools)
            return


def _tool(one: Node) -> Iterator[Part]:
    """One item of a list of tools: names, a tool by its own words, or a server."""
    label = one["server_label"].text or one["mcpServer"]["name"].text
    if label:
        yield label, one.line, toxic.legs_of(f"{label} {one['server_url'].text}", by_verb=False)
        return
    places = (one, one["name"], one["function"]["name"], one["config"]["name"], *(one[key] for key in _NAMED))
    said = next((place.text for place in places if place.text), "")
    for word in said.split(","):
        yield word.strip(), one.line, toxic.legs_of(word.strip(), by_verb=True)


_NAMED: Final = ("tool_name", "toolName", "ref", "id", "tool", "type")


def _flow(part: Node) -> Iterator[Told]:
    """A flow of n8n: its nodes, where one of them is an agent."""
    nodes = [(one["type"].text.rpartition(".")[2], one) for one in part["nodes"].items if one["type"].text]
    if not any(re.search(r"(?i)langchain\.agent\b", one["type"].text) for _, one in nodes):
        return
    parts: list[Part] = []
    for name, one in nodes:
        legs = toxic.legs_of(name, by_verb=False)
        if re.search(r"(?i)(?:webhook|formTrigger|chatTrigger)$", name):
            legs = frozenset({toxic.STRANGERS}) if name != "chatTrigger" or one["parameters"]["public"].value else legs
        elif name.endswith("Trigger"):
            legs -= {toxic.OUT}
        elif name.startswith("respond"):
            legs = frozenset()
        parts.append((name, one.line, legs))
    yield from toxic.judged(parts)


def _scoped(part: Node) -> Iterator[Told]:
    """An app whose scopes read mail, read other private data and send."""
    found: list[tuple[str, int]] = []
    for key, value in part.members.items():
        if re.search(r"(?i)scopes?$|permissions?$", key):
            found += grant.words(value)
    yield from of_scopes(found)


def of_scopes(scopes: list[tuple[str, int]]) -> Iterator[Told]:
    """Scopes that one app asks for together, each with its line."""
    legs = []
    for scope, line in scopes:
        word = scope.rpartition("/")[2] or scope
        legs.append((word, line, frozenset(leg for leg, shape in SCOPES.items() if shape.search(word))))
    yield from toxic.judged(legs)


_OF_COPILOT: Final = {
    "WebSearch": frozenset({toxic.STRANGERS}), "Email": frozenset({toxic.STRANGERS, toxic.PRIVATE}),
    "OneDriveAndSharePoint": frozenset({toxic.PRIVATE}), "GraphConnectors": frozenset({toxic.PRIVATE}),
    "CopilotConnectors": frozenset({toxic.PRIVATE}), "TeamsMessages": frozenset({toxic.PRIVATE}),
    "Dataverse": frozenset({toxic.PRIVATE}),
    "People": frozenset({toxic.PRIVATE}), "Meetings": frozenset({toxic.PRIVATE}),
}  # fmt: skip
"""What a declarative agent of Copilot is given, by the names of its manifest."""


def _capable(part: Node) -> Iterator[Told]:
    """A declarative agent: its capabilities, and its actions, each of which calls out."""
    legs = [(one["name"].text, one.line, _OF_COPILOT.get(one["name"].text)) for one in part["capabilities"].items]
    known = [(name, line, found) for name, line, found in legs if found]
    calls = [
        (one["id"].text, one.line, toxic.legs_of(f"{one['id'].text} {one['file'].text}", by_verb=False) | {toxic.OUT})
        for one in part["actions"].items
        if one["file"].text
    ]
    if known:
        yield from toxic.judged([*known, *((name, line, found - {toxic.PRIVATE}) for name, line, found in calls)])
