"""What hands a whole environment on (AG102); whether a file of variables holds secrets is joined. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, document, hcl, packaged
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Handed, Holder

AGENTIC: Final = re.compile(
    r"(?i)agent|codex|cursor|goose|opencode|windsurf|\bmcp|mcp\b|\bllm|openai|anthropic|claude|gemini|\bbot\b"
    r"|-bot\b|assistant|copilot|langchain|langgraph|crewai|autogen|\bai\b"
)
"""Whether a file has to do with agents at all: a service of any other kind may share its environment."""


def is_agentic(path: str, text: str) -> bool:
    """Say whether a file has to do with agents, as far as its words tell."""
    return bool(AGENTIC.search(text) or AGENTIC.search(path))


def told(path: str, text: str, holders: tuple[Holder, ...]) -> Iterator[Told | Handed]:
    """What is handed on whole. What comes from a named file is judged when that file was seen."""
    for one in holders:
        if packaged.issues(one.like):
            continue
        for whole in one.wholes:
            yield (
                Handed(path, whole.line, one.name, whole.said, whole.source, is_agentic(path, text))
                if whole.source and not whole.source.startswith("${secret:")
                else (Kind.INHERITED, whole.line, f"{one.name}: {whole.said}")
            )
    if path.endswith(".toml") and client.wants(path):
        yield from (one for root in document.read(path, text) for one in _codex(root))
    if path.endswith(".tf"):
        root = hcl.read(text)
        yield from _terraform(root) if root else ()


def _codex(root: Node) -> Iterator[Told]:
    """Codex leaves variables that are named as keys out of its commands' environment, unless it is told not to."""
    for part in (root, *root["profiles"].members.values()):
        rules = part["shell_environment_policy"]
        limited = rules["include_only"].items or rules["exclude"].items
        if rules["ignore_default_excludes"].value is True and rules["inherit"].text in ("", "all") and not limited:
            at = rules["ignore_default_excludes"]
            yield Kind.INHERITED, at.line, "the agent's commands inherit the whole environment, its secrets too"


_STORED: Final = re.compile(
    r"^\$\{(?:merge\(.{0,400}?)?(?:nonsensitive\(|tomap\(|sensitive\()*jsondecode\((?:nonsensitive\()?(?:data|local|var)\.\w*secret",
    re.DOTALL,
)
"""Every key of a stored secret, in Terraform's words."""
_GIVEN: Final = ("variables", "environment_variables", "environment", "app_settings", "env")


def _terraform(root: Node) -> Iterator[Told]:
    for part in root.inside():
        for key in _GIVEN:
            if _STORED.match(part[key].text):
                yield Kind.INHERITED, part[key].line, f"{key} hands on every key of a secret"
        for one in part["env_from"].items:
            for stored in one["secret_ref"].items:
                yield Kind.INHERITED, stored.line, "env_from hands on every key of a secret"
        for one in part["envFrom"].items:
            if one["secretRef"].members:
                yield Kind.INHERITED, one["secretRef"].line, "envFrom hands on every key of a secret"
        for one in part.members.values():
            if "envFrom:" in one.text and "secretRef" in one.text:
                at = one.text.count("\n", 0, one.text.index("secretRef"))
                yield Kind.INHERITED, one.line + 1 + at, "envFrom hands on every key of a secret"
