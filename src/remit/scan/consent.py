"""What runs with nobody asked: tools that write and are approved beforehand, and hooks that fail open. Pure.

A tool whose name says that it only reads may be approved. Sources are the clients' own pages about their settings.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, flags, hooked, jsonc, others, server, switched, verbs, wrapped
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.said import named, short
from remit.scan.wrapped import Word

LISTS: Final = (
    "alwaysAllow",
    "autoApprove",
    "autoApproved",
    "always_allow",
    "auto_approve",
    "autoApprovedTools",
    "trustedTools",
)
_READ_TOOLS: Final = frozenset(
    {
        "read", "glob", "grep", "ls", "websearch", "webfetch", "notebookread", "todoread", "todowrite", "task", "agent",
        "skill", "slashcommand", "askuserquestion", "bashoutput", "toolsearch", "lsp", "enterplanmode",
        "listmcpresourcestool", "readmcpresourcetool", "taskcreate", "taskupdate", "taskget", "tasklist", "taskoutput",
        "structuredoutput",
    }
)  # fmt: skip
"""Tools of Claude Code that write nothing and run no command themselves: a skill or an agent asks for what it uses."""
MODES: Final = ("bypassPermissions", "acceptEdits")
"""Modes of Claude Code in which nobody is asked. In `dontAsk` what is not allowed beforehand is refused."""
_YOLO: Final = (
    "--dangerously-skip-permissions", "--yolo", "--dangerously-bypass-approvals-and-sandbox", "--allow-all-tools",
    "--auto-approve-everything", "--dangerously-allow-all", "--trust-all-tools", "--yes-always",
    "--approval-mode=yolo", "--approval-mode yolo", "--permission-mode bypassPermissions",
    "--permission-mode=bypassPermissions", "--always-approve", "--dangerously-auto-approve",
    "--permission-mode acceptEdits", "--permission-mode=acceptEdits",
    "--skip-permissions-unsafe", "--auto-approve-all",
)  # fmt: skip
_LOOSE: Final = re.compile(
    r"(?:--sandbox|(?:^|\s)-s|sandbox_mode)(?:[ =:]+)[\"']?danger-full-access\b|--allow-all-paths\b"
    r"|--dangerously-bypass-approvals-and-sandbox\b|\bcodex\b[^|;&]*\s--yolo\b"
    r"|--(?:add-dir|include-directories)[ =][\"']?(?:/|~/?|\$HOME/?|\$\{HOME\}/?)[\"']?(?=\s|$|,)"
)


def of_server(entry: Node) -> Iterator[Told]:
    """What a server's own entry approves beforehand. One that is switched off approves nothing."""
    if entry["disabled"].value is True or entry["enabled"].value is False:
        return
    yield from _listed(entry)
    if only_reads(entry):
        return
    if entry["trust"].value is True:
        yield Kind.UNASKED, entry["trust"].line, "trust approves every tool with nobody asked"
    for key in ("require_approval", "default_tools_approval_mode", "approval_mode"):
        if entry[key].text in ("never", "approve", "auto"):
            yield Kind.UNASKED, entry[key].line, f"{key} is {entry[key].text}: every tool runs with nobody asked"
    for word, line in server.words(entry):
        if word in _YOLO:
            yield Kind.UNASKED, line, f"{word} lets everything run with nobody asked"


_OFFERED: Final = (
    "allowed_tools", "allowedTools", "includeTools", "include_tools", "enabled_tools", "enabledTools", "tool_filter",
    "toolFilter",
)  # fmt: skip
"""Lists of the only tools that a client takes of a server."""


def only_reads(entry: Node) -> bool:
    """Say whether the tools that a client takes of a server are listed, and only read."""
    offered = [one for key in _OFFERED for one in (*entry[key].items, *entry[key]["tool_names"].items) if one.text]
    return bool(offered) and not any(one.text == "*" or verbs.writes(one.text) for one in offered)


def _listed(entry: Node) -> Iterator[Told]:
    for key in LISTS:
        loud = [one for one in entry[key].items if one.text and verbs.writes(one.text)]
        for one in loud:
            yield Kind.UNASKED, one.line, f"{key} approves {named([one])} with nobody asked"
        if not loud and entry[key].value is True:
            yield Kind.UNASKED, entry[key].line, f"{key} approves every tool with nobody asked"
    for name, tool in entry["tools"].members.items():
        if tool["approval_mode"].text in ("approve", "never", "auto") and verbs.writes(name):
            yield Kind.UNASKED, tool["approval_mode"].line, f"{name} runs with nobody asked"


def of_client(path: str, root: Node) -> Iterator[Told]:
    """What a client's settings approve beforehand, and hooks that let a call pass when they fail."""
    yield from _claude(root)
    yield from switched.told(path, root)
    yield from hooked.told(path, root)


def of_document(path: str, root: Node) -> Iterator[Told]:
    """What a file that is no client's settings approves: an agent's or a command's head, an editor's folders."""
    mode = root["permissionMode"]
    if document.is_agent(path):
        if mode.text in MODES:
            yield Kind.UNASKED, mode.line, f"permissionMode is {mode.text}"
        for one in root["allowed-tools"].items:
            for rule in re.split(r",\s*(?![^(]*\))", one.text):
                if rule and rule_writes(rule.strip()):
                    yield Kind.UNASKED, one.line, f"{short(rule.strip())} is allowed with nobody asked"
                    break
        yield from switched.opencode(root)
    for part in (root["settings"], root["customizations"]["vscode"]["settings"]):
        yield from switched.told(path, part)
    yield from others.told(path, root)
    for name, text in root["data"].members.items() if root["kind"].text == "ConfigMap" else ():
        if text.text.lstrip().startswith("{") and (inner := jsonc.read(text.text)) is not None:
            client = f".{'gemini' if 'gemini' in path else 'claude'}/{name}"
            yield from of_client(client, inner.below(text.line - ("\n" not in text.text)))
    yield from _scripts(root)
    if re.search(r"(?:^|/)\.github/hooks/[^/]+\.json$", path):
        yield from hooked.told(path, root)
    yield from _hosted(root)


_LINES: Final = frozenset(
    {"user_data", "UserData", "metadata_startup_script", "startup-script", "startup_script", "custom_data", "script",
     "before_script", "after_script", "run", "cmds", "inline", "Fn::Sub", "postCreateCommand"}
)  # fmt: skip
"""Members that hold the lines of a script: of a machine's first start, a pipeline, a package."""


def _scripts(root: Node) -> Iterator[Told]:
    """What the scripts in a document start with nobody asked."""
    for part in root.inside():
        for name, one in part.members.items():
            lines = one.members.values() if name == "scripts" else one.items if name in _LINES else ()
            for given in lines:
                for number, line in enumerate(given.text.split("\n")) if given.text else ():
                    yield from shell(line, given.line + number + ("\n" in given.text))


_CALLS: Final = ("post", "put", "patch", "delete")


def _hosted(root: Node) -> Iterator[Told]:
    """What a definition of an agent, or of what it may call, lets run unasked: OpenAI's, Foundry's, Bedrock's."""
    for part in root.inside():
        members = part.members
        for key in ("require_approval", "requireApproval"):
            if key in members and ("server_url" in members or "server_label" in members):
                if members[key].text == "never" and not only_reads(part):
                    yield Kind.UNASKED, members[key].line, f"{key} is never: every tool runs with nobody asked"
                loud = [one for one in members[key]["never"]["tool_names"].items if one.text and verbs.writes(one.text)]
                if loud:
                    yield Kind.UNASKED, loud[0].line, f"{named(loud)} may run with nobody asked"
        for key in _CALLS:
            flag, called = part[key]["x-openai-isConsequential"], part[key]["operationId"].text
            if flag.value is False and not (called and not verbs.writes(called)):
                yield Kind.UNASKED, flag.line, f"{short(called or key)} runs with nobody asked"
        for key in ("requireConfirmation", "RequireConfirmation", "require_confirmation"):
            name = next((part[at].text for at in ("name", "Name") if part[at].text), "")
            if part[key].text == "DISABLED" and name and verbs.writes(name):
                yield Kind.UNASKED, part[key].line, f"{short(name)} runs with nobody asked"


def shell(line: str, number: int) -> Iterator[Told]:
    """What a line of a profile, a unit or a workflow lets run with nobody asked."""
    if _LET.search(bare := _prosaic(line[:_LONGEST])):
        yield Kind.UNASKED, number, _STARTED
    elif bare and (tool := flags.approved(line[:_LONGEST], rule_writes)):
        yield Kind.UNASKED, number, f"an agent is started so that {short(tool)} runs with nobody asked"


def started(words: list[Word]) -> Iterator[Told]:
    """The same of a command's words, each with its line. A word with spaces is a prompt, or another shell's line."""
    words = wrapped.bare(words)
    bare = [word if " " not in word else "·" for word, _ in words]
    if found := _LET.search(" ".join(bare)[:_LONGEST]):
        past, whole = len(found[0].rstrip("\"'; ")) + found.start(), 0
        for word, (_, line) in zip(bare, words, strict=True):
            whole += len(word) + 1
            if whole > past:
                yield Kind.UNASKED, line, _STARTED
                return
    quoted = [f'"{word}"' if " " in word or "(" in word else word for word, _ in words]
    tool = flags.approved(" ".join(quoted)[:_LONGEST], rule_writes)
    if tool:
        held = [line for word, line in words if tool in word or (tool == "everything" and word.startswith("-"))]
        line = held[-1] if held else words[0][1]
        yield Kind.UNASKED, line, f"an agent is started so that {short(tool)} runs with nobody asked"


def _prosaic(line: str) -> str:
    """A line without its comment and its prompts: texts in quotes that start no program and begin with no flag."""
    if line.lstrip().startswith("#") or re.search(r"\b(?:echo|printf)\b", line):
        return ""
    bare = re.sub(r"(?:(?<=\s)|^)#.*", "", line)
    kept = re.match(r"\s*alias\b", bare)
    return bare if kept else _QUOTED.sub(lambda one: one[0] if _COMMAND.match(one[0][1:]) else '""', bare)


_LONGEST: Final = 4_000
"""Characters of one command that are looked at."""
_STARTED: Final = "an agent is started so that everything runs with nobody asked"
_QUOTED: Final = re.compile(r"\"[^\"]*\s[^\"]*\"|'[^']*\s[^']*'")
_COMMAND: Final = re.compile(
    r"\s*(?:-|\S+\s+-|(?:\w+=\S*\s+)*(?:[\w./~$-]*/)?(?:claude|codex|gemini|qwen|copilot|cursor-agent|aider"
    r"|opencode|goose|amp|droid"
    r"|crush|q|kiro(?:-cli)?"
    r"|npx|bunx|uvx|pnpm|docker|podman|env|exec|sudo|cd|tmux|nohup|timeout|bash|sh|git|cat|set|export)\b)"
)
_UNASKED: Final = re.compile(
    r"\bcursor-agent\b.*\s(?:--force|-f)(?=\s|$)|\baider\b.*\s--yes(?=\s|$)|\b(?:gemini|qwen)\b.*\s-y(?=\s|$)"
    r"|\b(?:copilot|amp|crush|codex|claude|gemini|qwen)\b.*\s(?:--allow-all|--dangerously-allow-all|--yolo)(?=\s|$)"
    r"|\bcrush\b.*\s-y(?=\s|$)"
)


def loose(line: str, number: int) -> Iterator[Told]:
    """What a line lets an agent's commands reach: everything, or a whole home."""
    bare = "" if line.lstrip().startswith("#") else line.split(" #", 1)[0]
    if _LOOSE.search(bare):
        yield Kind.BROAD_TOOL, number, "an agent is started with no sandbox, or on the root or a whole home"


def _claude(root: Node) -> Iterator[Told]:
    rules = root["permissions"]
    for one in rules["allow"].items:
        if one.text and rule_writes(one.text):
            yield Kind.UNASKED, one.line, f"{short(one.text)} is allowed with nobody asked"
    mode = rules["defaultMode"] if rules["defaultMode"].text else root["defaultMode"]
    if mode.text in MODES:
        yield Kind.UNASKED, mode.line, f"defaultMode is {mode.text}"
    for one in root["projects"].members.values():
        loud = [rule for rule in one["allowedTools"].items if rule.text and rule_writes(rule.text)]
        if loud:
            yield Kind.UNASKED, loud[0].line, f"{short(loud[0].text)} is allowed with nobody asked"
    if root["enableAllProjectMcpServers"].value is True:
        yield Kind.UNASKED, root["enableAllProjectMcpServers"].line, "every server of a project is approved unseen"


_ENDS: Final = re.compile(r"(?:[A-Za-z_]\w*=(?:\$\?|[\w.:-]*)|exit(?: (?:\$\?|\$?\w+))?|true|false|:)$")
"""A whole command that starts nothing: it keeps a value for its own shell, or ends it."""


def rule_writes(rule: str) -> bool:
    """Say whether a rule that Claude Code allows beforehand lets more be done than read."""
    tool, _, inner = rule.partition("(")
    inner = inner.rstrip(")").strip()
    if tool.startswith("mcp__"):
        return rule.count("__") < 2 or rule.endswith("*") or verbs.writes(tool)
    if tool.lower() in _READ_TOOLS:
        return False
    if tool == "Bash":
        if _ENDS.match(inner):
            return False
        return not verbs.rule_reads(inner)
    if tool in ("Edit", "Write", "MultiEdit", "NotebookEdit"):
        return inner in ("", "*", "**", "/**", "//**", "~/**")
    return tool == "*" or verbs.writes(tool)


_LET: Final = re.compile(rf"(?:^|[\s\"'=])(?:{'|'.join(map(re.escape, _YOLO))})(?:[\s\"';,]|$)|{_UNASKED.pattern}")
