"""Identities that nobody answers for (AG140): a place for owner, purpose or end is there, and it says nothing. Pure.

Read are exports of apps, tokens and service accounts, registers of agents, labels of workloads and Terraform. A format
that has no such place is not judged.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import blank, client, document, grant, spelled, syntax, unit
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_PLACES: Final[Mapping[str, re.Pattern[str]]] = {
    "owner": re.compile(
        r"(?i)^(?:(?:app|agent|business|technical|service|data|code|product)[-_ ]?)?(?:owners?|owned[-_ ]?by"
        r"|sponsors?|maintainers?|responsible(?:[-_ ]?(?:person|team|party))?|accountable|custodian|besitzer"
        r"|eigent\u00fcmer"
        r"|verantwortliche?r?|propri\u00e9taire|responsable|propietario|due\u00f1o|proprietario|eigenaar)"
        r"(?:[-_ ]?(?:e-?mails?|names?|ids?|teams?|groups?|contacts?))?$|^(?:contact|managed[-_ ]?by|steward"
        r"|point[-_ ]?of[-_ ]?contact)$"
    ),
    "end": re.compile(
        r"(?i)^(?:token[-_ ]?|key[-_ ]?|credential[-_ ]?|secret[-_ ]?|authorized[-_ ]?credential[-_ ]?"
        r"|access[-_ ]?)?(?:expir(?:e|y|es|ation|ies)?(?:[-_ ]?(?:s|at|on|date|time|date[-_ ]?time|s[-_ ]?at))?"
        r"|expired[-_ ]?(?:at|on)|end[-_ ]?date(?:[-_ ]?(?:time|relative))?|valid[-_ ]?(?:before|until|till|through"
        r"|to)(?:[-_ ]?(?:time|date))?|not[-_ ]?after"
        r"|sunset(?:[-_ ]?(?:date|on|at))?|(?:retire|retirement"
        r"|decommission|renewal|termination)[-_ ]?(?:date|on|by|at|due)"
        r"|delete[-_ ]?after|ablauf(?:datum)?|g\u00fcltig[-_ ]?bis|l\u00e4uft[-_ ]?ab|scadenza|vencimiento"
        r"|caducidad|(?:never|no|does[-_]?not)[-_]?expir\w{0,3})$"
    ),
    "review": re.compile(r"(?i)^(?:review[-_ ]?(?:due|by|date)|next[-_ ]?review)$"),
    "purpose": re.compile(
        r"(?i)^(?:(?:business|app|agent|bot|service)[-_ ]?)?(?:purpose|justification|description|reason|notes?|goal"
        r"|objective"
        r"|mission|use[-_ ]?case|zweck|beschreibung|finalit\u00e9|prop\u00f3sito|descripci\u00f3n|descrizione|scopo"
        r"|doel|handoff[-_ ]?description)$"
    ),
}
_SAID: Final = {
    "owner": "nobody is named as its owner",
    "purpose": "nothing says what it is for",
    "end": "it never ends",
    "review": "nobody looks at it again",
}
_IDENTITY: Final = re.compile(
    r"(?i)^(?:app|client|oauth|application|service|principal|agent|token|key|credential|installation|bot"
    r"|integration|identity)[-_ ]?(?:id|ids|slug|name|type|account|principal|last[-_ ]?eight|principal[-_ ]?type"
    r"|alias|prefix)$"
    r"|^(?:scopes?|permissions|granted[-_ ]?scopes|oauth[-_ ]?scopes|required[-_ ]?resource[-_ ]?access"
    r"|password[-_ ]?credentials|key[-_ ]?credentials|display[-_ ]?text|oauth2[-_ ]?client[-_ ]?id"
    r"|unique[-_ ]?id|hashed[-_ ]?token|service[-_ ]?accounts?|agent|token|secret"
    r"|skills|capabilities|protocol[-_]?version|instructions|system[-_]?prompt|backstory|allow[-_]?delegation|llm"
    r"|is[-_]?internal|access[-_]?level|api[-_]?key|expected[-_]?output|sub[-_]?agents"
    r"|key[-_ ]?origin|key[-_ ]?algorithm|valid[-_ ]?after[-_ ]?time|token[-_ ]?infos?"
    r"|last[-_ ]?used(?:[-_ ]?(?:at|on|date|time|ip))?|bots|copilot[-_]?agents|declarative[-_]?agents|handoffs?"
    r"|allowed[-_]?tools"
    r"|default[-_ ]?permissions|default[-_ ]?events|hook[-_ ]?attributes|role[-_]?definition|token[-_ ]?hint"
    r"|accessor|robot|system[-_]?message|model[-_]?id|foundation[-_]?model|tool[-_]?choice"
    r"|app[-_ ]?owner[-_ ]?organization[-_ ]?id|sign[-_ ]?in[-_ ]?audience|model|tools|user[-_ ]?key)$"
)
_KIND: Final = re.compile(
    r"(?i)application|service_principal|service_account|iam_(?:user|role)|access_key|access_token|api_?key"
    r"|personal_access|deploy_token|oauth|secret|credential|agent|bot"
)
_AGENTIC: Final = re.compile(r"(?i)(?:^|[-_\s])(?:agent|bot|mcp|assistant|copilot)s?(?:[-_\s]|$)")
_FILE: Final = re.compile(
    r"(?i)agents?|identit|credential|token|service-?account|apps?\b|oauth|principals?|nhi|bots?\b|installations?"
    r"|integrations?|register|registry"
)
_FOLDER: Final = re.compile(r"(?i)(?:^|/)\.?[\w-]*agents?/(?:[\w.-]+/){0,2}[^/]+$")
"""A folder of agents, each with a file of its own."""
REMARK: Final = re.compile(r"(?i)^(?:notes?|reason)$")
"""What is no purpose where it is one tag among others."""
_MERGED: Final = re.compile(r"[\"']?([A-Za-z][\w:./-]{1,60})[\"']?\s*[=:]\s*\"([^\"\n$]{0,100})\"")
_LISTS: Final = re.compile(
    r"(?i)^(?:app|agent|bot|client|token|password[-_]?credentials|key[-_]?credentials|agents?|bots|identities"
    r"|service_?accounts?|api_?keys?|tokens?|credentials|apps|applications"
    r"|oauth_?apps|installations|integrations|clients|keys|robots?|service_?principals|personal_?access_?tokens"
    r"|access_?tokens|deploy_?tokens|secrets|assistants|sub_?agents|custom_?modes)$"
)
HINT: Final = re.compile(
    r"(?i)owner|owned.?by|sponsor|maintainer|responsible|purpose|descr|justif|expir|end_?date|valid_?(?:before"
    r"|until|till|through|to)|not_?after|notes|contact|review|custodian|accountable|sunset|steward|goal|objective"
    r"|mission|tags"
    r"|use.?case|besitzer|eigent\u00fcmer|verantwortlich|propri|responsable|due\u00f1o|eigenaar|zweck|beschreibung"
    r"|finalit|prop\u00f3s"
    r"|scopo|doel|ablauf|g\u00fcltig|scadenza|vencim|caducid|retire|decommission|renewal|terminat|delete.?after"
)


def told(path: str, text: str) -> Iterator[Told]:
    """The empty places of a document."""
    if not HINT.search(text):
        return
    for root in document.read(path, text):
        if client.wants(path) and not client.is_agent(path):
            for key in ("agent", "agents", "customModes"):
                yield from listed(root[key], named=True, inside=True)
        elif path.endswith((".tf", ".tf.json")):
            yield from _terraform(document.blocks(root))
        elif root["apiVersion"].text and root["kind"].text:
            yield from _labelled(root)
        else:
            yield from _tagged(root)
            yield from empty(root["display_information"])
            yield from listed(
                root,
                named=document.is_agent(path) or bool(_FILE.search(path.rpartition("/")[2]) or _FOLDER.search(path)),
                inside=False,
            )


def listed(node: Node, *, named: bool, inside: bool) -> Iterator[Told]:
    """Every identity below: an object that has an identity's members, or stands in a list of identities."""
    left: list[tuple[Node, bool]] = [(node, inside)]
    while left:
        one, held = left.pop()
        if isinstance(one.value, list):
            left += [(item, held) for item in reversed(one.value)]
        elif isinstance(one.value, dict) and not grant.over(one):
            known = sum(bool(_IDENTITY.match(name)) and not _mode(value) for name, value in one.value.items())
            known += _is_register(one)
            yield from _endless(one)
            known += held and any(name.lower() in ("name", "id", "title") for name in one.value)
            if known >= (1 if named or held else 2):
                yield from empty(one)
            left += [
                (value, bool(_LISTS.match(name)) or (held and bool(value.members) and not known))
                for name, value in reversed(one.value.items())
            ]


def _is_register(one: Node) -> bool:
    """Say whether an object is an entry of a register: it has a name, an owner, and a purpose or an end."""
    names = {name.lower() for name in one.members}
    places = {
        place
        for place in _PLACES
        for name in names
        if _PLACES[place].match(name) and name not in ("description", "notes")
    }
    return not names.isdisjoint(("name", "id", "agent")) and "owner" in places and len(places) > 1


def _endless(one: Node) -> Iterator[Told]:
    """An assignment of a directory's role by a schedule that has no end."""
    end = one["scheduleInfo"]["expiration"]
    if end["type"].text == "noExpiration" and one["principalId"].text:
        yield Kind.UNOWNED, end.line, "expiration: it never ends"


def _mode(value: Node) -> bool:
    """Say whether permissions are a file's: a number for its owner, its group and the others."""
    return isinstance(value["owner"].value, int) and isinstance(value["group"].value, int)


def empty(one: Node) -> Iterator[Told]:
    """Which of owner, end and purpose have a place in an object, and say nothing in any of them: one finding."""
    said, line = [], 0
    for name, places in _PLACES.items():
        found = [(key, value) for key, value in one.members.items() if places.match(key)]
        if found and all(blank.says_nothing(name, key, value) for key, value in found):
            said.append(f"{_short(found[0][0])}: {_SAID[name]}")
            line = line or found[0][1].line or one.line
    if said:
        yield Kind.UNOWNED, line, ", ".join(said)


def _labelled(root: Node) -> Iterator[Told]:
    """The labels and annotations of a workload, and the owner that a catalogue's entry names."""
    tags = {}
    for part in (root["metadata"]["annotations"], root["metadata"]["labels"]):
        tags.update(_bare(part.members))
    about = root["metadata"]["description"]
    named = f"{root['metadata']['name'].text} {root['spec']['type'].text}"
    told = {
        **root["spec"].members,
        **({"description": about} if about.line and _AGENTIC.search(named) else {}),
    }
    spec = {name: value for name, value in told.items() if any(one.match(name) for one in _PLACES.values())}
    yield from empty(Node(root.line, {**spec, **tags}))


def _bare(labels: dict[str, Node]) -> dict[str, Node]:
    """Labels by the last word of their names: `acme.example/owner` is `owner`."""
    return {name.rpartition("/")[2].rpartition(".")[2] or name: value for name, value in labels.items()}


def of_unit(path: str, text: str) -> Iterator[Told]:
    """A unit of an agent whose description is left empty."""
    if unit.wants(path):
        for line, key, value in unit.settings(text):
            if key == "Description" and blank.says_nothing("purpose", key, Node(line, value)):
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
            given = one["Properties"]["Tags"]
            said = {tag["Key"].text: tag["Value"] for tag in given.items if tag["Key"].text} or dict(given.members)
            if _STACKED.match(one["Type"].text) and one["Properties"]["Description"].value is not None:
                said["Description"] = one["Properties"]["Description"]
            yield from empty(Node(one.line, said))


_AGENT: Final = re.compile(
    r"Agent$|Agent(?:Card|Record|Entry|Spec|Profile|Registration|Identity|Info|Definition)$"
    r"|^create_(?:\w+_)?agent$|^create_supervisor$|^create_swarm$|^Swarm$"
    r"|^create_assistant$"
)
REGISTERS: Final = re.compile(
    r"\bAgent(?:Record|Entry|Spec|Profile|Registration|Identity|Card|Info|Definition)\b|\bAGENTS\b|\bagents\s*:\s*Agent"
)
"""Code that keeps what is known of agents."""
_REGISTER: Final = re.compile(r"(?i)(?:^|_)(?:agents?|bots?|identities|registry|register|cards?|subagents|assistants)$")
"""Names under which code keeps agents, or what is known of them."""


def in_code(tree: ast.AST) -> Iterator[Told]:
    """Agents that are built, or listed, with a place that says nothing."""
    names = {
        node.targets[0].id: node.value.value
        for node in syntax.every(tree, ast.Assign)
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
    }
    kept = [(one.targets[0], one.value) for one in syntax.every(tree, ast.Assign)]
    kept += [(one.target, one.value) for one in syntax.every(tree, ast.AnnAssign) if one.value]
    for target, value in kept:
        name = target.id if isinstance(target, ast.Name) else ""
        if _REGISTER.search(name) and isinstance(value, ast.Dict | ast.List):
            yield from listed(spelled.read(value), named=True, inside=True)
    for node in syntax.every(tree, ast.Call):
        if _AGENT.search(syntax.last(node.func)):
            given = {one.arg: Node(one.value.lineno, _text(one.value, names)) for one in node.keywords if one.arg}
            yield from empty(
                Node(node.lineno, {name: value for name, value in given.items() if value.value is not None})
            )


def _text(value: ast.expr, names: Mapping[str, object]) -> str | None:
    """The text that an argument is, or that a name of the file stands for."""
    found = (
        names.get(value.id) if isinstance(value, ast.Name) else value.value if isinstance(value, ast.Constant) else None
    )
    return found if isinstance(found, str) else None


def _terraform(root: Node) -> Iterator[Told]:
    for one in root["resource"].items:
        kind = one["$labels"].items[0].text if one["$labels"].items else ""
        called = " ".join(
            [*(label.text for label in one["$labels"].items[1:]), one["name"].text, one["function_name"].text]
        )
        if not _KIND.search(kind) and not _AGENTIC.search(called):
            continue
        yield from empty(Node(one.line, {**one.members, **tags(one)}))


def tags(made: Node) -> dict[str, Node]:
    """The tags and labels of a resource; of those that are merged the ones that are written there."""
    found: dict[str, Node] = {}
    for name in ("tags", "labels", "user_labels", "Tags"):
        value = made[name]
        found.update(value.members)
        if value.text.startswith("${") and "merge" in value.text[:20]:
            for one in _MERGED.finditer(value.text):
                found[one[1]] = Node(line_at(value.text, one.start()) + value.line - 1, one[2])
    return {name: value for name, value in found.items() if not REMARK.match(name)}


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:60]
