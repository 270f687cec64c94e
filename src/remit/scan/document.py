"""A file as documents, whatever its format: JSON, lines of JSON, YAML, TOML, HCL and tables with commas. Pure."""

import csv
import io
import re
from functools import lru_cache
from typing import Final

from remit.scan import hcl, jsonc, tomldoc, yamldoc
from remit.scan.node import MOST, Node

_AGENT: Final = re.compile(
    r"(?:^|/)\.[\w-]+/(?:agents?|chatmodes|subagents|droids|commands?|skills|modes?)/.*\.md$"
    r"|(?:^|/)(?:skills/.*/SKILL|[\w.-]+\.(?:agent|chatmode))\.md$"
    r"|(?:^|/)plugins?/(?:[\w.-]+/)?(?:agents|commands)/[\w.-]+\.md$"
)
_ENDS: Final = (
    ".json",
    ".jsonl",
    ".ndjson",
    ".yaml",
    ".yml",
    ".toml",
    ".tf",
    ".csv",
    ".template",
    ".jsonc",
    ".tfvars",
    ".code-workspace",
    ".roomodes",
)


def wants(path: str) -> bool:
    """Say by its path whether a file is of such a format."""
    return path.endswith(_ENDS) or bool(_AGENT.search(path))


def is_agent(path: str) -> bool:
    """Say whether a file of words is an agent's, or a command's, of a client."""
    return bool(_AGENT.search(path))


@lru_cache(maxsize=1)
def read(path: str, text: str) -> tuple[Node, ...]:
    """The documents of a file; none when it is of no such format. The last file read is kept, for its next reader."""
    if path.endswith(".csv"):
        return _table(text)
    if path.endswith(".md"):
        return _head(text)
    if path.endswith((".jsonl", ".ndjson")):
        return _lines(text)
    if path.endswith(".toml"):
        return _one(tomldoc.read(text))
    if path.endswith((".tf", ".tfvars")):
        return _one(hcl.read(text))
    if text.lstrip()[:1] in ("{", "["):
        found = _one(jsonc.read(text))
        return listed(found) or _lines(text)
    return listed(yamldoc.read(text) or ()) if path.endswith((".yaml", ".yml", ".template", ".roomodes")) else ()


def listed(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    """The documents; of a cluster's list each item is one."""
    return tuple(
        item
        for one in roots
        for item in (one["items"].items if one["kind"].text == "List" and one["apiVersion"].text else [one])
    )


def embedded(root: Node) -> tuple[Node, ...]:
    """Documents of settings that stand as a text in another: in a map of a cluster, in a file that Compose writes."""
    texts = [*root["data"].members.values()] if root["kind"].text == "ConfigMap" else []
    texts += [one["content"] for one in root["configs"].members.values()]
    found = []
    for one in texts:
        bare = one.text.lstrip()
        inner = jsonc.read(one.text) if bare[:1] in ("{", "[") else None
        if inner is None and "\n" in bare and ":" in bare:
            inner = next(iter(yamldoc.read(one.text) or ()), None)
        if inner is not None:
            found.append(inner.below(one.line if "\n" in one.text else one.line - 1))
    return tuple(found)


def blocks(root: Node) -> Node:
    """A file of Terraform's JSON with its blocks as HCL has them: lists, each block with its labels."""
    if isinstance(root["resource"].value, list):
        return root
    members = dict(root.members)
    for kind, depth in (("resource", 2), ("data", 2), ("module", 1)):
        found: list[tuple[list[Node], Node]] = [([], root[kind])]
        for _ in range(depth):
            found = [
                ([*labels, Node(one.line, name)], one)
                for labels, node in found
                for name, held in node.members.items()
                for one in held.items
            ]
        if found and root[kind].members:
            members[kind] = Node(
                root[kind].line,
                [
                    Node(one.line, {**one.members, "$labels": Node(one.line, labels)})
                    for labels, one in found
                    if one.members
                ],
            )
    return Node(root.line, members)


def _one(found: Node | None) -> tuple[Node, ...]:
    return (found,) if found else ()


def _head(text: str) -> tuple[Node, ...]:
    """What stands at the head of a file of words, between two lines of dashes."""
    found = re.match(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", text, re.DOTALL)
    return tuple(one.below(1) for one in yamldoc.read(found[1]) or ()) if found else ()


def _lines(text: str) -> tuple[Node, ...]:
    """One document a line, as logs are exported."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        one = jsonc.read(line) if line.lstrip().startswith("{") else None
        if one is None:
            return ()
        found.append(one.below(number - 1))
    return tuple(found)


def _table(text: str) -> tuple[Node, ...]:
    """A table as one list of objects: a row's members are called as its columns."""
    rows: list[Node] = []
    names: list[str] = []
    reader = csv.reader(io.StringIO(text))
    try:
        line = 1
        for row in reader:
            if not names:
                names = [one.strip() for one in row] if any(row) else []
            elif any(row):
                cells = {name: Node(line, cell.strip()) for name, cell in zip(names, row, strict=False)}
                rows.append(Node(line, cells))
            if len(rows) * len(names) > MOST:
                return ()
            line = reader.line_num + 1
    except csv.Error:
        return ()
    return (Node(1, list(rows)),) if rows else ()
