"""What runs with nobody asked: tools that write and are approved beforehand, and hooks that fail open. Pure.

A tool whose name says that it only reads may be approved. Sources are the clients' own pages about their settings.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import secret, server
from remit.scan.launch import Told
from remit.scan.node import Node

LISTS: Final = (
    "alwaysAllow",
    "autoApprove",
    "autoApproved",
    "always_allow",
    "auto_approve",
    "autoApprovedTools",
    "trustedTools",
)
_READS: Final = frozenset(
    {
        "get", "list", "read", "search", "fetch", "find", "describe", "view", "show", "query", "lookup",
        "count", "check", "status", "glob", "grep", "ls", "cat", "websearch", "webfetch", "notebookread",
        "todoread", "head", "tail", "diff", "log", "explain", "resolve", "browse", "retrieve", "info", "ping",
        "health", "select", "inspect", "download",
    }
)  # fmt: skip
_WRITES: Final = frozenset(
    {
        "create", "write", "delete", "update", "push", "send", "post", "put", "add", "remove", "set", "edit",
        "merge", "commit", "run", "execute", "exec", "bash", "shell", "command", "deploy", "move", "rename",
        "insert", "drop", "apply", "install", "publish", "pay", "refund", "transfer", "invite", "upload",
        "close", "reset", "approve", "cancel", "start", "stop", "kill", "patch", "modify", "replace", "save",
        "import", "restart", "grant", "revoke",
    }
)  # fmt: skip
_READ_TOOLS: Final = frozenset(
    {"read", "glob", "grep", "ls", "websearch", "webfetch", "notebookread", "todoread", "todowrite", "task"}
)
_READ_COMMANDS: Final = re.compile(
    r"^(?:ls|cat|head|tail|grep|rg|find|pwd|echo|which|wc|tree|stat|du|df|date|whoami|jq|diff"
    r"|git (?:status|log|diff|show|branch|blame|ls-files|rev-parse|remote)"
    r"|(?:npm|pnpm|yarn|bun) (?:run )?(?:test|lint|build|typecheck|check|ci)|npx (?:tsc|eslint|prettier|vitest|jest)"
    r"|make (?:test|check|lint|build)"
    r"|pytest|python -m pytest|uv run pytest|ruff|mypy|cargo (?:test|check|build|clippy|fmt)|go (?:test|vet|build)"
    r"|gh (?:pr|issue|run) (?:view|list|diff|checks|status))\b"
)
_YOLO: Final = (
    "--dangerously-skip-permissions", "--yolo", "--dangerously-bypass-approvals-and-sandbox", "--allow-all-tools",
    "--auto-approve-everything", "--dangerously-allow-all", "--trust-all-tools", "--yes-always",
    "--approval-mode=yolo", "--approval-mode yolo", "--permission-mode bypassPermissions",
    "--permission-mode=bypassPermissions", "--always-approve", "--dangerously-auto-approve",
    "--ask-for-approval never", "-a never", "--permission-mode acceptEdits", "--permission-mode=acceptEdits",
    "--permission-mode dontAsk", "--skip-permissions-unsafe", "--trust-all-tools", "--auto-approve-all",
)  # fmt: skip
_CURSOR: Final = frozenset(
    {
        "sessionStart", "sessionEnd", "preToolUse", "postToolUse", "postToolUseFailure", "subagentStart",
        "subagentStop", "beforeShellExecution", "afterShellExecution", "beforeMCPExecution", "afterMCPExecution",
        "beforeReadFile",
        "afterFileEdit", "beforeSubmitPrompt", "preCompact", "stop", "afterAgentResponse", "afterAgentThought",
        "beforeTabFileRead", "afterTabFileEdit", "workspaceOpen",
    }
)  # fmt: skip
_LOOSE: Final = re.compile(
    r"(?:--sandbox|(?:^|\s)-s|sandbox_mode)(?:[ =:]+)[\"']?danger-full-access\b|--allow-all-paths\b"
    r"|--(?:add-dir|include-directories)[ =][\"']?(?:/|~/?|\$HOME/?|\$\{HOME\}/?)[\"']?(?=\s|$|,)"
)
_OPEN_HOOK: Final = re.compile(r"\|\|\s*(?:true|:|exit 0)\b|;\s*(?:true|exit 0)\s*$|2>\s*/dev/null\s*\|\|")


def writes(tool: str) -> bool:
    """Say whether a tool of this name does more than read, as far as the words of its name tell."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", tool.rsplit("__", 1)[-1].rsplit("/", 1)[-1].rsplit(".", 1)[-1])
    words = set(re.findall(r"[a-z]+", name.lower()))
    return bool(words & _WRITES) or not words & _READS


def of_server(entry: Node) -> Iterator[Told]:
    """What a server's own entry approves beforehand."""
    yield from _listed(entry)
    if entry["trust"].value is True:
        yield Kind.UNASKED, entry["trust"].line, "trust approves every tool with nobody asked"
    for key in ("require_approval", "default_tools_approval_mode", "approval_mode"):
        if entry[key].text in ("never", "approve", "auto"):
            yield Kind.UNASKED, entry[key].line, f"{key} is {entry[key].text}: every tool runs with nobody asked"
    for word, line in server.words(entry):
        if word in _YOLO:
            yield Kind.UNASKED, line, f"{word} lets everything run with nobody asked"


def _listed(entry: Node) -> Iterator[Told]:
    for key in LISTS:
        loud = [one for one in entry[key].items if one.text and writes(one.text)]
        if loud:
            yield Kind.UNASKED, loud[0].line, f"{key} approves {_named(loud)} with nobody asked"
        elif entry[key].value is True:
            yield Kind.UNASKED, entry[key].line, f"{key} approves every tool with nobody asked"
    for name, tool in entry["tools"].members.items():
        if tool["approval_mode"].text in ("approve", "never", "auto") and writes(name):
            yield Kind.UNASKED, tool["approval_mode"].line, f"{name} runs with nobody asked"


def of_client(path: str, root: Node) -> Iterator[Told]:
    """What a client's settings approve beforehand, and hooks that let a call pass when they fail."""
    yield from _claude(root)
    yield from _switches(root)
    yield from _codex(root)
    yield from _allowed(root)
    yield from _opencode(root)
    for name in ("hooks", "hook"):
        yield from _hooks(root[name])
    if path.endswith(".cursor/hooks.json"):
        yield from (
            (Kind.UNASKED, entries.line, f"no event is called {_short(event)}, so its hook never runs")
            for event, entries in root["hooks"].members.items()
            if event not in _CURSOR
        )


def shell(line: str, number: int) -> Iterator[Told]:
    """What a line of a profile, a unit or a workflow lets run with nobody asked."""
    bare = "" if line.lstrip().startswith("#") or re.search(r"\b(?:echo|printf)\b", line) else line.split("#", 1)[0]
    if any(re.search(rf"(?:^|[\s\"'=]){re.escape(flag)}(?:[\s\"';]|$)", bare) for flag in _YOLO) or _UNASKED.search(
        bare
    ):
        yield Kind.UNASKED, number, "an agent is started so that everything runs with nobody asked"


_UNASKED: Final = re.compile(
    r"\bcursor-agent\b.*\s(?:--force|-f)(?=\s|$)|\baider\b.*\s--yes(?=\s|$)|\b(?:gemini|qwen)\b.*\s-y(?=\s|$)"
    r"|\bdroid exec\b.*--auto[ =]high|\bcopilot\b.*--allow-tool[ =][\"']?(?:shell|write)[\"']?(?=\s|$)"
    r"|\bq chat\b.*--trust-tools=\S*(?:fs_write|execute_bash)"
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
            yield Kind.UNASKED, one.line, f"{_short(one.text)} is allowed with nobody asked"
    mode = rules["defaultMode"] if rules["defaultMode"].text else root["defaultMode"]
    if mode.text in ("bypassPermissions", "acceptEdits", "dontAsk"):
        yield Kind.UNASKED, mode.line, f"defaultMode is {mode.text}"
    if root["enableAllProjectMcpServers"].value is True:
        yield Kind.UNASKED, root["enableAllProjectMcpServers"].line, "every server of a project is approved unseen"


_ENDS: Final = re.compile(r"(?:[A-Za-z_]\w*=(?:\$\?|[\w.:-]*)|exit(?: (?:\$\?|\$?\w+))?|true|false|:)$")
"""A whole command that starts nothing: it keeps a value for its own shell, or ends it."""


def rule_writes(rule: str) -> bool:
    """Say whether a rule that Claude Code allows beforehand lets more be done than read."""
    tool, _, inner = rule.partition("(")
    inner = inner.rstrip(")").strip()
    if tool.startswith("mcp__"):
        return rule.count("__") < 2 or rule.endswith("*") or writes(tool)
    if tool.lower() in _READ_TOOLS:
        return False
    if tool == "Bash":
        if _ENDS.match(inner):
            return False
        command = inner.removesuffix(":*").removesuffix("*").strip()
        return not command or not _READ_COMMANDS.match(command)
    if tool in ("Edit", "Write", "MultiEdit", "NotebookEdit"):
        return inner in ("", "*", "**", "/**", "//**", "~/**")
    return tool == "*" or writes(tool)


def _switches(root: Node) -> Iterator[Told]:
    known = {
        "chat.tools.autoApprove": True, "chat.tools.global.autoApprove": True, "chat.agent.autoApprove": True,
        "autoAccept": True, "yolo": True, "autoApproveAll": True, "yoloMode": True, "GOOSE_MODE": "auto",
        "approvalMode": "yolo", "defaultApprovalMode": "yolo", "cursor.agent.autoRun": True, "autoRun": True,
        "alwaysAllowExecute": True, "alwaysAllowWrite": True, "cline.autoApproval": True,
        "always_allow_tool_actions": True,
    }  # fmt: skip
    for part in (root, root["tools"], root["general"], root["agent"], root["security"], root["chat"]):
        for name, node in part.members.items():
            want = known.get(name)
            if want is not None and (node.value == want if want is not True else node.value is True):
                yield Kind.UNASKED, node.line, f"{name} lets everything run with nobody asked"
    for name in ("chat.tools.terminal.autoApprove", "chat.tools.edits.autoApprove"):
        for rule, node in root[name].members.items():
            if node.value is True and (rule in ("*", "**/*", "/.*/", "/.+/") or not _only_reads(rule)):
                yield Kind.UNASKED, node.line, f"{_short(rule)} runs with nobody asked"


def _only_reads(rule: str) -> bool:
    """Say whether every command that a rule of the terminal names only reads; a group of choices is each of them."""
    bare = rule.strip("/").lstrip("^")
    group = re.search(r"\((?:\?:)?([\w| -]+)\)", bare)
    each = [f"{bare[: group.start()]}{one}{bare[group.end() :]}" for one in group[1].split("|")] if group else [bare]
    return all(_READ_COMMANDS.match(one.strip().lstrip("^")) for whole in each for one in whole.split("|"))


_LOUD: Final = frozenset(
    {"fs_write", "execute_bash", "execute_cmd", "use_aws", "write", "shell", "aws", "*", "@*", "@builtin"}
)


def _allowed(root: Node) -> Iterator[Told]:
    """What an agent of Amazon Q or Kiro may use unasked: `@server` is every tool of it."""
    loud = [
        one
        for one in root["allowedTools"].items
        if one.text in _LOUD or (one.text.startswith("@") and ("/" not in one.text or writes(one.text)))
    ]
    if loud and root["tools"].value is not None:
        yield Kind.UNASKED, loud[0].line, f"allowedTools lets {_named(loud)} run with nobody asked"


def _codex(root: Node) -> Iterator[Told]:
    for part in (root, *root["profiles"].members.values()):
        sandbox, policy = part["sandbox_mode"].text or root["sandbox_mode"].text, part["approval_policy"]
        if policy.text == "never" and sandbox != "read-only":
            yield Kind.UNASKED, policy.line, "approval_policy is never, and the sandbox lets it write"


def _opencode(root: Node) -> Iterator[Told]:
    for part in (root, *root["agent"].members.values()):
        rules = part["permission"]
        if rules.text == "allow":
            yield Kind.UNASKED, rules.line, "permission is allow for everything"
        for name, node in rules.members.items():
            yield from _opencode_rule(name, name, node)
            for rule, one in node.members.items():
                if not (name == "bash" and _READ_COMMANDS.match(rule)):
                    yield from _opencode_rule(name, rule, one)


def _opencode_rule(tool: str, rule: str, node: Node) -> Iterator[Told]:
    if node.text == "allow" and writes(tool):
        yield Kind.UNASKED, node.line, f"{_short(rule)} is allowed with nobody asked"


def _hooks(hooks: Node) -> Iterator[Told]:
    for event, entries in hooks.members.items():
        if not re.search(r"(?i)^(?:pre|before)", event):
            continue
        for one in entries.inside():
            command = one["command"] if one["command"].text else one["bash"]
            if command.text and _OPEN_HOOK.search(command.text):
                yield Kind.UNASKED, command.line, f"a hook of {_short(event)} lets the call pass when it fails"
            for key in ("onFailure", "on_failure", "onError", "failOpen", "fail_open"):
                if one[key].text in ("allow", "continue", "ignore") or one[key].value is True:
                    yield Kind.UNASKED, one[key].line, f"a hook of {_short(event)} lets the call pass when it fails"
            if one["failClosed"].value is False:
                yield (
                    Kind.UNASKED,
                    one["failClosed"].line,
                    f"a hook of {_short(event)} lets the call pass when it fails",
                )


def _named(nodes: list[Node]) -> str:
    return ", ".join(_short(one.text) for one in nodes[:3]) + (" and more" if len(nodes) > 3 else "")


def secretive(text: str) -> bool:
    """Say whether a secret may stand in a rule or a tool's name."""
    words = re.split(r"[\s=:,;\"'()]+", text)
    return secret.is_known(text) or any(secret.is_literal(one) and re.search(r"\d", one) for one in words)


def _short(text: str) -> str:
    """A rule or a tool's name in few characters; of a rule that a secret may stand in, only its head."""
    if secretive(text):
        text = f"{text.partition('(')[0]}(…)" if "(" in text else "a rule with a secret in it"
    return "".join(c for c in text if c.isprintable())[:60]
