"""Switches and lists of clients and editors that let an agent act with nobody asked, but for Claude Code's. Pure.

Read are the settings of VS Code and of the extensions in it, Cursor, Codex, Gemini CLI and Qwen Code, opencode, Crush,
Amp, Zed, Goose, Amazon Q and Kiro. Sources are their own pages. Gemini's `autoAccept` approves what only reads.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import verbs
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.said import named, short

_SWITCHES: Final = {
    "chat.tools.autoApprove": (True,), "chat.tools.global.autoApprove": (True,), "chat.agent.autoApprove": (True,),
    "chat.permissions.default": ("autoApprove", "bypassApprovals", "autopilot", "bypass"),
    "autoAccept": (True,), "yolo": (True,), "autoApproveAll": (True,), "yoloMode": (True,), "GOOSE_MODE": ("auto",),
    "approvalMode": ("yolo", "auto-edit", "auto_edit", "autoEdit", "unrestricted"),
    "defaultApprovalMode": ("yolo", "auto-edit", "auto_edit", "autoEdit"),
    "cursor.agent.autoRun": (True,), "autoRun": (True,), "alwaysAllowExecute": (True,), "alwaysAllowWrite": (True,),
    "cline.autoApproval": (True,), "always_allow_tool_actions": (True,), "agent.always_allow_tool_actions": (True,),
    "amp.dangerouslyAllowAll": (True,), "dangerouslyAllowAll": (True,), "skipPermissions": (True,),
    "roo-cline.alwaysAllowExecute": (True,), "roo-cline.alwaysAllowWrite": (True,), "cline.yoloModeToggled": (True,),
    "claudeCode.initialPermissionMode": ("bypassPermissions", "acceptEdits"),
    "claudeCode.allowDangerouslySkipPermissions": (True,), "autonomyLevel": ("auto-high", "auto-medium", "auto-low"),
    "autonomyMode": ("auto-high", "auto-medium", "auto-low"), "chat.tools.edits.autoApprove": (True,),
    "windsurf.cascadeCommandsAutoExecution": ("turbo",), "windsurf.autoExecutionPolicy": ("turbo",),
    "yes-always": (True,), "cascadeAutoExecutionPolicy": ("turbo",),
}  # fmt: skip
_LISTS: Final = frozenset(
    {"roo-cline.allowedCommands", "kilo-code.allowedCommands", "commandAllowlist", "terminalAllowlist",
     "kiroAgent.trustedCommands", "allowedCommands",
     "windsurf.cascadeCommandsAllowList", "cline.allowedCommands"}
)  # fmt: skip
"""Lists of the beginnings of commands that run unasked."""
_RULES: Final = (
    "chat.tools.terminal.autoApprove", "chat.tools.edits.autoApprove", "chat.agent.terminal.allowList",
    "chat.agent.terminal.autoApprove", "github.copilot.chat.agent.terminal.allowList",
)  # fmt: skip
"""Rules of VS Code: which commands, or edits of which files, run unasked."""
_ACTIONS: Final = frozenset({"editFiles", "editFilesExternally", "executeAllCommands"})
"""What Cline is let do besides reading and building."""
_EVERYTHING: Final = frozenset({"*", "**", "**/*", "/.*/", "/.+/", "/^.*$/", "/^.+$/", "/^/", "/(.*)/", "//"})
_LOUD: Final = frozenset(
    {"fs_write", "execute_bash", "execute_cmd", "use_aws", "write", "shell", "aws", "*", "@*", "@builtin"}
)


def told(path: str, root: Node) -> Iterator[Told]:
    """What a client's settings switch on or list."""
    gemini = re.search(r"(?:^|/)\.?(?:gemini|qwen)\b", path)
    for part in (root, root["tools"], root["general"], root["agent"], root["security"], root["chat"], root["options"]):
        for name, node in part.members.items():
            if node.value in _SWITCHES.get(name, ()) and not (name == "autoAccept" and gemini):
                yield Kind.UNASKED, node.line, f"{name} lets everything run with nobody asked"
            if name in _LISTS:
                for one in node.items:
                    if one.text and (one.text == "*" or not _reads(one.text)):
                        yield Kind.UNASKED, one.line, f"{name} lets {named([one])} run with nobody asked"
    yield from _ruled(root)
    yield from _cline(root)
    yield from _allowed(root)
    yield from _codex(root)
    yield from opencode(root)
    yield from _listed(root, named_tools=bool(gemini))
    yield from cursor(path, root)
    yield from _zed(root["agent"]["tool_permissions"])


def _ruled(root: Node) -> Iterator[Told]:
    """Rules of VS Code that approve a command, or edits."""
    for name in _RULES:
        for rule, node in root[name].members.items():
            on = node.value is True or node["approve"].value is True
            if on and (rule in _EVERYTHING or not _only_reads(rule)):
                yield Kind.UNASKED, node.line, f"{short(rule)} runs with nobody asked"


def _cline(root: Node) -> Iterator[Told]:
    for name in ("cline.autoApprovalSettings", "autoApprovalSettings"):
        for action, node in root[name]["actions"].members.items():
            if node.value is True and action in _ACTIONS and root[name]["enabled"].value is not False:
                yield Kind.UNASKED, node.line, f"{action} runs with nobody asked"


def _reads(command: str) -> bool:
    return verbs.only_reads(command.strip().removesuffix("*").strip())


def _only_reads(rule: str) -> bool:
    """Say whether every command that a rule of the terminal names only reads; a group of choices is each of them."""
    bare = rule.strip("/").lstrip("^")
    group = re.search(r"\((?:\?:)?([\w| -]+)\)", bare)
    each = [f"{bare[: group.start()]}{one}{bare[group.end() :]}" for one in group[1].split("|")] if group else [bare]
    return all(
        verbs.only_reads(re.sub(r"\\s[+*]?|\\b|\$$", " ", one).strip().lstrip("^"))
        for whole in each
        for one in whole.split("|")
    )


def _allowed(root: Node) -> Iterator[Told]:
    """What an agent of Amazon Q or Kiro may use unasked: `@server` is every tool of it."""
    loud = [
        one
        for one in root["allowedTools"].items
        if one.text in _LOUD or (one.text.startswith("@") and ("/" not in one.text or verbs.writes(one.text)))
    ]
    for one in loud if root["tools"].value is not None else ():
        yield Kind.UNASKED, one.line, f"allowedTools lets {named([one])} run with nobody asked"


def _codex(root: Node) -> Iterator[Told]:
    for part in (root, *root["profiles"].members.values()):
        sandbox, policy = part["sandbox_mode"].text or root["sandbox_mode"].text, part["approval_policy"]
        if policy.text == "never" and sandbox != "read-only":
            yield Kind.UNASKED, policy.line, "approval_policy is never, and the sandbox lets it write"


def opencode(root: Node) -> Iterator[Told]:
    """The rights that opencode's settings, or one agent's head, give."""
    for part in (root, *root["agent"].members.values(), *root["mode"].members.values()):
        rules = part["permission"]
        if rules.text == "allow":
            yield Kind.UNASKED, rules.line, "permission is allow for everything"
        for name, node in rules.members.items():
            yield from _rule(name, name, node)
            for rule, one in node.members.items():
                if not (name == "bash" and verbs.only_reads(rule)):
                    yield from _rule(name, rule, one)


def _rule(tool: str, rule: str, node: Node) -> Iterator[Told]:
    if node.text == "allow" and verbs.writes(tool):
        yield Kind.UNASKED, node.line, f"{short(rule)} is allowed with nobody asked"


_TOOLS: Final = re.compile(r"^(?:run_shell_command|ShellTool|Shell|Bash|bash)(?:\((.*)\))?$")


def _listed(root: Node, *, named_tools: bool) -> Iterator[Told]:
    """Tools that are approved by name: Gemini's and Qwen's `allowed`, Crush's `allowed_tools`, Amp's rules."""
    lists = [root["permissions"]["allowed_tools"]]
    if named_tools:
        lists += [root["tools"]["allowed"], root["allowedTools"], root["permissions"]["allow"]]
    for one in lists:
        for tool in one.items:
            if tool.text and approves(tool.text):
                yield Kind.UNASKED, tool.line, f"{named([tool])} may run with nobody asked"
    for one in root["amp.permissions"].items:
        commands = [held.text for held in one["matches"]["cmd"].items if held.text]
        reads = bool(commands) and all(_reads(command) for command in commands)
        if one["action"].text == "allow" and verbs.writes(one["tool"].text) and not reads:
            yield Kind.UNASKED, one["action"].line, f"{short(one['tool'].text)} is allowed with nobody asked"


def approves(tool: str) -> bool:
    """Say whether an approved tool does more than read; of the shell, by the command that it is held to."""
    command = _TOOLS.match(tool)
    if command:
        return not verbs.rule_reads(command[1] or "")
    return tool == "*" or verbs.writes(tool)


_CURSOR: Final = re.compile(r"^(Shell|Write|Delete|Mcp|MCP)\((.*)\)$")
_ANY: Final = frozenset({"", "*", "**", "**/*", "/**", "*:*"})


def cursor(path: str, root: Node) -> Iterator[Told]:
    """What Cursor's command line may do unasked."""
    if path.rpartition("/")[2] not in ("cli.json", "cli-config.json"):
        return
    for one in root["permissions"]["allow"].items:
        rule = _CURSOR.match(one.text)
        inner = rule[2].strip() if rule else ""
        loud = bool(rule) and (
            inner in _ANY
            or (rule[1] == "Shell" and not _reads(inner.replace(":", " ")))  # type: ignore[index]  # it matched
            or (rule[1].lower() == "mcp" and verbs.writes(inner.rpartition(":")[2]))  # type: ignore[index]
        )
        if loud:
            yield Kind.UNASKED, one.line, f"{short(one.text)} is allowed with nobody asked"
    if root["approvalMode"].text == "unrestricted":
        yield Kind.UNASKED, root["approvalMode"].line, "approvalMode lets everything run with nobody asked"


def _zed(rules: Node) -> Iterator[Told]:
    """Zed's rights of tools: what no rule names is as `default` says."""
    if rules["default"].text == "allow":
        yield Kind.UNASKED, rules["default"].line, "tool_permissions lets every tool run with nobody asked"
    for name, one in rules["tools"].members.items():
        if one["default"].text == "allow" and (name == "terminal" or verbs.writes(name)):
            yield Kind.UNASKED, one["default"].line, f"{short(name)} runs with nobody asked"
        for rule in one["always_allow"].items:
            pattern = rule["pattern"].text
            if name == "terminal" and pattern and not _only_reads(pattern):
                yield Kind.UNASKED, rule["pattern"].line, f"{short(pattern)} runs with nobody asked"
