"""Tools that the flags of an agent's command approve beforehand, and modes in which it asks nobody (AG131). Pure.

Sources are the pages of Claude Code, Copilot CLI, Gemini CLI, Qwen Code, Codex, Amazon Q, Kiro, Droid, Continue and
others about their command lines.
"""

import re
from collections.abc import Callable
from typing import Final

from remit.scan import switched, verbs

_CLAUDE: Final = re.compile(r"(?:^|[\s\"'])--allowed-?[tT]ools[ =](.*)")
_GEMINI: Final = re.compile(r"\b(?:gemini(?:-cli)?|qwen(?:-code)?)\b.*?\s--allowed-tools[ =](.*)")
_COPILOT: Final = re.compile(r"\bcopilot\b.*?\s--allow-tool[ =](.*)")
_ONE: Final = re.compile(r"--allow-tool[ =](?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_TRUSTED: Final = re.compile(r"\b(?:q|kiro-cli|kiro|amazon-q) chat\b.*?\s--trust-tools[ =]([\"']?)([^\"'\s]*)")
_CONTINUE: Final = re.compile(r"\bcn\b.*?\s--allow[ =][\"']?(\w+|\*)")
_WORD: Final = re.compile(r"\s*(?:\\?\"([^\"\\]*)\\?\"|'([^']*)'|((?!-)[^\s\"',(]+(?:\([^)]*\))?))")
_SPLIT: Final = re.compile(r"[,\s]+(?![^(]*\))")
_TOOL: Final = re.compile(r"(?:[A-Z]\w*|[a-z]\w*_\w+|mcp__[\w*-]+|\*)(?:\(.*\))?")
"""A tool as a client calls it; a word of a prompt is none."""
_NEVER: Final = re.compile(
    r"(?:^|\s)(?:--ask-for-approval|-a)[ =]never\b|\bcodex\b.*(?:-c"
    r"|--config)[ =][\"']?approval_policy ?= ?\\?[\"']?never"
    r"|\bcodex\b.*\s--full-auto\b"
)
_HELD: Final = re.compile(r"(?:--sandbox|-s)[ =]read-only|sandbox_mode ?= ?\\?[\"']?read-only")
"""Codex's sandbox in which commands only read."""
_MODES: Final = re.compile(
    r"\b(?:gemini(?:-cli)?|qwen(?:-code)?)\b.*\s--approval-mode[ =][\"']?(?:auto_edit|auto-edit)\b"
    r"|\bdroid\b.*\s--auto[ =](?:low|medium|high)\b|\bcursor-agent\b.*\s--approve-mcps\b"
    r"|\binterpreter\b.*\s(?:-y|--auto[-_]run)(?=\s|$)|\bvibe\b.*\s--auto-approve(?=\s|$)|\bcn\b.*\s--auto(?=\s|$)"
    r"|\bcline\b.*\s(?:-y|--yolo)(?=\s|$)|\bkilo(?:code)?\b.*\s--auto(?=\s|$)|\bplandex\b.*\s--full-auto(?=\s|$)"
)
_MAY: Final = re.compile(r"--?(?:allow|trust-tools|approv|auto|ask-for|config|full-auto|yolo|[acy]\b)")


def approved(line: str, writes: Callable[[str], bool]) -> str:
    """What a command's line lets run with nobody asked: a tool, or a mode; empty when nothing.

    `writes` says whether a rule of Claude Code's lets more be done than read.
    """
    if not _MAY.search(line):
        return ""
    for shape, does in ((_GEMINI, switched.approves), (_CLAUDE, writes), (_COPILOT, _copilot)):
        found = shape.search(line)
        if found:
            return next((one for one in _tools(shape, found) if one and does(one)), "")
    trusted = _TRUSTED.search(line)
    for one in trusted[2].split(",") if trusted else ():
        if one and one not in ("fs_read", "read") and verbs.writes(one):
            return one
    cn = _CONTINUE.search(line)
    if cn and (cn[1] == "*" or verbs.writes(cn[1])):
        return cn[1]
    mode = _MODES.search(line) or (None if _HELD.search(line) else _NEVER.search(line))
    return "everything" if mode else ""


def tools(line: str) -> list[str]:
    """The tools that a line's flags name as those that an agent may use with nobody asked."""
    for shape in (_CLAUDE, _GEMINI):
        if found := shape.search(line):
            return [one for one in _tools(shape, found) if one]
    return []


def _tools(shape: re.Pattern[str], found: re.Match[str]) -> list[str]:
    if shape is _COPILOT:
        return [one[1] or one[2] or one[3] for one in _ONE.finditer(found[0])]
    tools: list[str] = []
    at = found.start(1)
    while given := _WORD.match(found.string, at):
        words = _SPLIT.split((given[1] or given[2] or given[3] or "").strip())
        if not all(not word or _TOOL.fullmatch(word) for word in words):
            break
        tools += words
        at = given.end() + (found.string[given.end() : given.end() + 1] == ",")
    return tools


def _copilot(tool: str) -> bool:
    """Say whether a tool of Copilot's command line does more than read: `shell(git push)`, `write`, a server's."""
    name, _, inner = tool.partition("(")
    command = inner.rstrip(")").removesuffix(":*").strip()
    if name == "shell":
        return not verbs.rule_reads(inner.rstrip(")"))
    return name == "write" or (bool(command) and verbs.writes(command))
