"""Identities that infrastructure code makes, with a place for owner, purpose or end that says nothing (AG140). Pure.

Read are CDK and Pulumi in TypeScript and in Python, and cards of agents: what an object, a call or a tag says of what
it makes.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import syntax, tsobject, unowned
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_IDENTITY: Final = re.compile(
    r"(?:Application|ServicePrincipal|ServiceAccount|AccessKey|AccessToken|ApiKey|Secret|Credential|Password|OAuthApp|OAuthClient"
    r"|Role|User|UserAssignedIdentity|ManagedIdentity|Agent|AgentCard|Bot|DeployToken|Certificate)(?:Key|Args)?$"
)
_AGENTIC: Final = re.compile(r"(?i)agent|bot\b|assistant|copilot|mcp")
_MADE: Final = re.compile(
    r"(?:\b(?:new\s+|(?=(?:(?:create|define|build|make)\w{0,40}Agent|(?<![\w.])agent)\b))([\w.]+)"
    r"(?:<[^<>(){}]{0,80}>)?\s*\(|\bconst\s+\w+\s*:\s*(\w+)\s*="
    r"|\)\s*:\s*(?:Promise<)?(Agent\w{0,40})>?\s*(?:=>\s*\(?|\{\s*return\b))[^{};]{0,200}?(?=\{)"
)
_TAG: Final = re.compile(r"\bTags\.of\(\s*([\w.]+)\s*\)\.add\(\s*[\"'`]([^\"'`]+)[\"'`]\s*,\s*[\"'`]([^\"'`]*)[\"'`]")
_KEPT: Final = re.compile(r"\b(?:const|let|var)\s+(\w+)\s*=\s*new\s+([\w.]+)\(\s*\w+\s*,\s*[\"'`]([^\"'`]*)[\"'`]")
_LIST: Final = re.compile(
    r"\b(?:const|let|var)\s+\w*(?:[aA]gents?|[bB]ots?|[iI]dentities|[rR]egist(?:ry|er)|[aA]ssistants)\s*(?::[^=\n]{1,120})?=\s*(?=[\[{])"
)
_HELD: Final = re.compile(r"\b(?:sub)?[aA]gents\s*:\s*(?=\{)")
"""Agents that stand by their names in options: each has a prompt."""
_CLASS: Final = re.compile(r"\bclass\s+(\w+)")
_MOST: Final = 300


def told(text: str) -> Iterator[Told]:
    """The identities of a TypeScript text, its comments made blank."""
    if not unowned.HINT.search(text):
        return
    for count, one in enumerate(_MADE.finditer(text)):
        kind = (one[1] or one[2] or one[3]).rpartition(".")[2].replace("agent", "Agent")
        if count >= _MOST or not _IDENTITY.search(kind):
            continue
        made = tsobject.value(text, one.end())
        if made is not None and made.members:
            tags = unowned.tags(made)
            yield from unowned.empty(Node(made.line, {**made.members, **tags}))
    for one in (*_LIST.finditer(text), *_HELD.finditer(text)):
        made = tsobject.value(text, one.end())
        if made is not None:
            yield from unowned.listed(made, named=True, inside=True)
    kept = " ".join(name for one in _KEPT.finditer(text) for name in one.groups())
    if _AGENTIC.search(kept) or any(_AGENTIC.search(one[1]) for one in _CLASS.finditer(text)):
        yield from _tags((one[1], one[2], one[3], line_at(text, one.start())) for one in _TAG.finditer(text))


def _tags(found: Iterator[tuple[str, str, str, int]]) -> Iterator[Told]:
    """What the tags that are put on each thing say of it."""
    by: dict[str, dict[str, Node]] = {}
    for what, key, value, line in found:
        if not unowned.REMARK.match(key):
            by.setdefault(what, {})[key] = Node(line, value)
    for tags in by.values():
        yield from unowned.empty(Node(next(iter(tags.values())).line, dict(tags)))


def in_python(tree: ast.AST) -> Iterator[Told]:
    """The identities that CDK or Pulumi makes in Python, and the tags that are put on them."""
    if not unowned.HINT.search(syntax.words(tree)):
        return
    tags: list[tuple[str, str, str, int]] = []
    for node in syntax.every(tree, ast.Call):
        last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if last == "add" and len(node.args) == 2 and "Tags.of(" in (name := syntax.said(node.func)):
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(texts) == 2:
                tags.append((name, texts[0], texts[1], node.args[1].lineno))
        elif last and node.args and _IDENTITY.search(last):
            yield from unowned.empty(Node(node.lineno, _given(node)))
    if _AGENTIC.search(syntax.words(tree)):
        yield from _tags(iter(tags))


def _given(node: ast.Call) -> dict[str, Node]:
    """The texts that a call is given by name, and those of its tags."""
    given: dict[str, Node] = {}
    for one in node.keywords:
        if one.arg and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
            given[one.arg] = Node(one.value.lineno, one.value.value)
        if one.arg in ("tags", "labels") and isinstance(one.value, ast.Dict):
            for key, value in zip(one.value.keys, one.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    given[str(key.value)] = Node(value.lineno, value.value)
    return given
