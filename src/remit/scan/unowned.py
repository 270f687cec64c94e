"""Identities that nobody answers for (AG140): a place for owner, purpose or end is there, and it says nothing. Pure.

Read are exports of apps, tokens and service accounts, registers of agents, labels of workloads and Terraform. A format
that has no such place is not judged.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, document, grant, syntax, unit
from remit.scan.launch import Told
from remit.scan.node import Node

_PLACES: Final[Mapping[str, re.Pattern[str]]] = {
    "owner": re.compile(
        r"(?i)^(?:(?:app|agent|business|technical|service|data|code|product)[-_ ]?)?(?:owners?|owned[-_ ]?by"
        r"|sponsors?|maintainers?|responsible(?:[-_ ]?(?:person|team))?|accountable|custodian)"
        r"(?:[-_ ]?(?:e-?mails?|names?|ids?|teams?|groups?|contacts?))?$|^(?:contact|managed[-_ ]?by|steward"
        r"|point[-_ ]?of[-_ ]?contact)$"
    ),
    "end": re.compile(
        r"(?i)^(?:token[-_ ]?|key[-_ ]?|credential[-_ ]?|secret[-_ ]?|authorized[-_ ]?credential[-_ ]?"
        r"|access[-_ ]?)?(?:expir(?:y|es|ation|ies)?(?:[-_ ]?(?:s|at|on|date|time|date[-_ ]?time|s[-_ ]?at))?"
        r"|end[-_ ]?date(?:[-_ ]?time)?|valid[-_ ]?(?:before|until|to)(?:[-_ ]?time)?|not[-_ ]?after"
        r"|review[-_ ]?(?:due|by|date)|next[-_ ]?review|sunset(?:[-_ ]?date)?)$"
    ),
    "purpose": re.compile(
        r"(?i)^(?:(?:business|app|agent)[-_ ]?)?(?:purpose|justification|description|reason|notes?|goal|objective"
        r"|mission|use[-_ ]?case|handoff[-_ ]?description)$"
    ),
}
_SAID: Final = {
    "owner": "nobody is named as its owner",
    "purpose": "nothing says what it is for",
    "end": "it never ends",
}
_NOTHING: Final = frozenset(
    {
        "", "-", "--", "?", "n/a", "na", "none", "null", "nil", "unknown", "tbd", "tba", "todo", "unassigned",
        "nobody", "no one",
        "not set", "unset", "empty", "undefined", "fixme", "no owner", "unowned", "no description", "orphaned",
        "to be decided",
        "to be defined", "xxx", "tbc",
    }
)  # fmt: skip
_NEVER: Final = frozenset(
    {"never", "no expiry", "no expiration", "does not expire", "doesn't expire", "never expires", "indefinite",
     "unlimited",
     "permanent", "forever", "infinite", "none", "0", "no", "-1", "no expiration date", "no end", "non-expiring"}
)  # fmt: skip
_FAR: Final = re.compile(r"^(?:2[1-9]\d\d|20[89]\d|[3-9]\d{3})-\d\d-\d\d")
_IDENTITY: Final = re.compile(
    r"(?i)^(?:app|client|oauth|application|service|principal|agent|token|key|credential|installation|bot"
    r"|integration|identity)[-_ ]?(?:id|ids|slug|name|type|account|principal|last[-_ ]?eight|principal[-_ ]?type)$"
    r"|^(?:scopes?|permissions|granted[-_ ]?scopes|oauth[-_ ]?scopes|required[-_ ]?resource[-_ ]?access"
    r"|password[-_ ]?credentials|key[-_ ]?credentials|display[-_ ]?text|oauth2[-_ ]?client[-_ ]?id"
    r"|unique[-_ ]?id|hashed[-_ ]?token|service[-_ ]?accounts?|agent|token|secret"
    r"|skills|capabilities|protocol[-_]?version|instructions|system[-_]?prompt|backstory|allow[-_]?delegation|llm"
    r"|is[-_]?internal|access[-_]?level|api[-_]?key|expected[-_]?output|sub[-_]?agents"
    r"|key[-_ ]?origin|key[-_ ]?algorithm|valid[-_ ]?after[-_ ]?time|token[-_ ]?infos?"
    r"|app[-_ ]?owner[-_ ]?organization[-_ ]?id|sign[-_ ]?in[-_ ]?audience|model|tools|user[-_ ]?key)$"
)
_KIND: Final = re.compile(
    r"(?i)application|service_principal|service_account|iam_(?:user|role)|access_key|access_token|api_?key"
    r"|personal_access|deploy_token|oauth|secret|credential|agent|bot"
)
_AGENTIC: Final = re.compile(r"(?i)(?:^|[-_\s])(?:agent|bot|mcp|assistant|copilot)s?(?:[-_\s]|$)")
_LEFT: Final = re.compile(
    r"(?i)^(?:change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this)|fill[-_ ]?(?:me|this|it)?[-_ ]?in|placeholder"
    r"|your[-_ ](?:name|team|e-?mail|owner)\b.*|(?:team|owner|name)[-_ ]here|insert\b.*)$"
)
"""What a template leaves in a place that is to be filled in."""
_FILE: Final = re.compile(
    r"(?i)agents?|identit|credential|token|service-?account|apps?\b|oauth|principals?|nhi|bots?\b|installations?"
    r"|integrations?|register|registry"
)
_LISTS: Final = re.compile(
    r"(?i)^(?:app|agent|bot|client|token|password[-_]?credentials|key[-_]?credentials|agents?|bots|identities"
    r"|service_?accounts?|api_?keys?|tokens?|credentials|apps|applications"
    r"|oauth_?apps|installations|integrations|clients|keys)$"
)
HINT: Final = re.compile(
    r"(?i)owner|owned.?by|sponsor|maintainer|responsible|purpose|descr|justif|expir|end_?date|valid_?(?:before"
    r"|until|to)|not_?after|notes|contact|review|custodian|accountable|sunset|steward|goal|objective|mission|tags|Tags"
)


def told(path: str, text: str) -> Iterator[Told]:
    """The empty places of a document."""
    if client.wants(path) or not HINT.search(text):
        return
    for root in document.read(path, text):
        if path.endswith(".tf"):
            yield from _terraform(root)
        elif root["apiVersion"].text and root["kind"].text:
            yield from _labelled(root)
        else:
            yield from _tagged(root)
            yield from empty(root["display_information"])
            yield from _listed(
                root, named=document.is_agent(path) or bool(_FILE.search(path.rpartition("/")[2])), inside=False
            )


def _listed(node: Node, *, named: bool, inside: bool) -> Iterator[Told]:
    """Every identity below: an object that has an identity's members, or stands in a list of identities."""
    left: list[tuple[Node, bool]] = [(node, inside)]
    while left:
        one, held = left.pop()
        if isinstance(one.value, list):
            left += [(item, held) for item in reversed(one.value)]
        elif isinstance(one.value, dict) and not grant.over(one):
            known = sum(bool(_IDENTITY.match(name)) and not _mode(value) for name, value in one.value.items())
            known += held and any(name.lower() in ("name", "id", "title") for name in one.value)
            if known >= (1 if named or held else 2):
                yield from empty(one)
            left += [
                (value, bool(_LISTS.match(name)) or (held and bool(value.members) and not known))
                for name, value in reversed(one.value.items())
            ]


def _mode(value: Node) -> bool:
    """Say whether permissions are a file's: a number for its owner, its group and the others."""
    return isinstance(value["owner"].value, int) and isinstance(value["group"].value, int)


def empty(one: Node) -> Iterator[Told]:
    """Which of owner, end and purpose have a place in an object, and say nothing in any of them: one finding."""
    said, line = [], 0
    for name, places in _PLACES.items():
        found = [(key, value) for key, value in one.members.items() if places.match(key)]
        if found and all(_says_nothing(name, key, value) for key, value in found):
            said.append(f"{_short(found[0][0])}: {_SAID[name]}")
            line = line or found[0][1].line or one.line
    if said:
        yield Kind.UNOWNED, line, ", ".join(said)


def _says_nothing(name: str, key: str, value: Node) -> bool:
    if isinstance(value.value, list):
        return all(_says_nothing(name, key, one) for one in value.value)
    if isinstance(value.value, dict):
        return not value.value
    if value.value is None:
        return True
    if name == "end":
        text = str(value.value).strip().lower()
        return text in _NOTHING or text in _NEVER or bool(_FAR.match(text)) or value.value is False
    if not isinstance(value.value, str):
        return False
    bare = value.value.strip().lower().strip("<>[](){}")
    return bare in _NOTHING or bool(_LEFT.match(bare))


def _labelled(root: Node) -> Iterator[Told]:
    """The labels and annotations of a workload, and the owner that a catalogue's entry names."""
    tags = {}
    for part in (root["metadata"]["annotations"], root["metadata"]["labels"]):
        tags.update(_bare(part.members))
    spec = {
        name: value for name, value in root["spec"].members.items() if any(one.match(name) for one in _PLACES.values())
    }
    yield from empty(Node(root.line, {**spec, **tags}))


def _bare(labels: dict[str, Node]) -> dict[str, Node]:
    """Labels by the last word of their names: `acme.example/owner` is `owner`."""
    return {name.rpartition("/")[2].rpartition(".")[2] or name: value for name, value in labels.items()}


def of_unit(path: str, text: str) -> Iterator[Told]:
    """A unit of an agent whose description is left empty."""
    if unit.wants(path):
        for line, key, value in unit.settings(text):
            if key == "Description" and _says_nothing("purpose", key, Node(line, value)):
                yield Kind.UNOWNED, line, "Description: nothing says what it is for"


_STACKED: Final = re.compile(r"^AWS::(?:IAM::(?:Role|User)|Bedrock\w*::\w+|SecretsManager::Secret)$")
"""Resources of CloudFormation that are identities, and have a place for what they are for."""


def _tagged(root: Node) -> Iterator[Told]:
    """The labels of a service, and the tags of a resource of CloudFormation."""
    for one in root["services"].members.values():
        labels = one["labels"]
        listed = {
            given.text.partition("=")[0]: Node(given.line, given.text.partition("=")[2])
            for given in labels.items
            if given.text
        }
        yield from empty(Node(one.line, _bare({**labels.members, **listed})))
    for one in root["Resources"].members.values():
        if one["Type"].text.startswith("AWS::"):
            tags = one["Properties"]["Tags"].items
            said = {tag["Key"].text: tag["Value"] for tag in tags if tag["Key"].text}
            if _STACKED.match(one["Type"].text) and one["Properties"]["Description"].value is not None:
                said["Description"] = one["Properties"]["Description"]
            yield from empty(Node(one.line, said))


_AGENT: Final = re.compile(r"Agent$|AgentCard$|^AgentDefinition$|^create_agent$|^create_react_agent$|^Swarm$")


def in_code(tree: ast.AST) -> Iterator[Told]:
    """Agents that are built with a purpose that says nothing."""
    for node in syntax.every(tree, ast.Call):
        if _AGENT.search(syntax.last(node.func)):
            given = {
                one.arg: Node(one.value.lineno, one.value.value)
                for one in node.keywords
                if one.arg and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
            }
            yield from empty(Node(node.lineno, given))


def _terraform(root: Node) -> Iterator[Told]:
    for one in root["resource"].items:
        kind = one["$labels"].items[0].text if one["$labels"].items else ""
        called = " ".join(
            [*(label.text for label in one["$labels"].items[1:]), one["name"].text, one["function_name"].text]
        )
        if not _KIND.search(kind) and not _AGENTIC.search(called):
            continue
        tags = {**one["tags"].members, **one["labels"].members}
        yield from empty(Node(one.line, {**one.members, **tags}))


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:60]
