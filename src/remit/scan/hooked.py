"""Hooks that let a call pass when they fail, or never run. Pure.

A hook judges a call before it is made. Sources are the clients' own pages about their hooks: Cursor's let pass when
they fail unless `failClosed` is set; one of Claude Code that is called over http does unless `onFailure` is `block`.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import syntax
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_CURSOR: Final = frozenset(
    {
        "sessionStart", "sessionEnd", "preToolUse", "postToolUse", "postToolUseFailure", "subagentStart",
        "subagentStop", "beforeShellExecution", "afterShellExecution", "beforeMCPExecution", "afterMCPExecution",
        "beforeReadFile", "afterFileEdit", "beforeSubmitPrompt", "preCompact", "stop", "afterAgentResponse",
        "afterAgentThought", "beforeTabFileRead", "afterTabFileEdit", "workspaceOpen",
    }
)  # fmt: skip
_GUARDS: Final = frozenset({"beforeShellExecution", "beforeMCPExecution", "preToolUse"})
"""Events of Cursor in which a hook may refuse what writes or runs."""
_OPEN: Final = re.compile(
    r"\|\|\s*(?:true\b|:(?=\s|$)|exit 0\b|/bin/true\b)|;\s*(?:true|exit 0|:)\s*['\"]?\s*$"
    r"|2>\s*/dev/null\s*\|\|(?!\s*(?:exit [1-9]|\{|false))"
    r"|\|\|\s*(?:echo|printf|logger)\b(?!.*(?:deny|block|exit [1-9]))|(?<!&)&\s*$"
)
"""The end of a command that lets the call pass however its guard ends: an end that is always well, or none awaited."""
_KEYS: Final = (
    "onFailure", "on_failure", "onError", "on_error", "failOpen", "fail_open", "onTimeout", "on_timeout",
    "failurePolicy", "failure_policy", "allowOnError", "allow_on_error", "allowOnFailure", "continueOnError",
    "continue_on_error", "ignoreFailure", "ignore_failure", "ignoreErrors", "onCrash",
)  # fmt: skip
_PASS: Final = frozenset(
    {"allow", "continue", "ignore", "approve", "pass", "open", "warn", "log", "permit", "fail-open", "fail_open",
     "failopen", "proceed", "skip"}
)  # fmt: skip
_ALLOWS: Final = re.compile(
    r"^\s*(?:echo|printf|cat\s*<<).*(?:behavior|permissionDecision|decision"
    r"|permission)\\*[\"']\s*:\s*\\*[\"'](?:allow|approve)\b"
)
"""A hook that is no judge: it says yes to whatever it is asked."""


def told(path: str, root: Node) -> Iterator[Told]:
    """What the hooks of a client's settings let pass."""
    cursor = bool(re.search(r"(?:^|/)\.?[cC]ursor/hooks\.json$", path))
    for name in ("hooks", "hook"):
        for event, entries in root[name].members.items():
            if re.search(r"(?i)^(?:pre|before)_?(?!compact|compress)|^permission_?request$", event):
                for one in entries.inside():
                    yield from ((Kind.UNASKED, line, f"a hook of {_short(event)} {said}") for line, said in _open(one))
            if cursor and event in _GUARDS:
                for one in entries.items:
                    if (
                        one["command"].text
                        and one["failClosed"].value is None
                        and not _OPEN.search(one["command"].text)
                    ):
                        line = one["command"].line
                        yield Kind.UNASKED, line, f"a hook of {event} lets the call pass when it fails"
            if cursor and event not in _CURSOR:
                yield Kind.UNASKED, entries.line, f"no event is called {_short(event)}, so its hook never runs"


_PASSES: Final = "lets the call pass when it fails"


def _open(one: Node) -> Iterator[tuple[int, str]]:
    """Where one hook says, or leaves, that a call passes when the hook fails."""
    command = next((one[key] for key in ("command", "bash", "run", "script") if one[key].text), one["command"])
    if command.text and _ALLOWS.search(command.text):
        yield command.line, "allows every call with nobody asked"
    if command.text and _OPEN.search(command.text):
        yield command.line, _PASSES
    for key in _KEYS:
        if one[key].text.lower() in _PASS or one[key].value is True:
            yield one[key].line, _PASSES
    for key in ("failClosed", "fail_closed", "blocking"):
        if one[key].value is False:
            yield one[key].line, _PASSES
    for key in ("async", "background", "detached"):
        if one[key].value is True and command.text:
            yield one[key].line, "is not waited for, so that the call passes"
    if one["type"].text == "http" and one["url"].text and all(one[key].value is None for key in _KEYS):
        yield one["url"].line, _PASSES


_JUDGES: Final = re.compile(r"tool_input|hook_event_name|hookSpecificOutput|permissionDecision")
_READS: Final = re.compile(r"stdin|readFileSync\(\s*0\b|\binput\(\)")
_REFUSES: Final = re.compile(r"exit\(2\)|exitCode = 2|[\"'](?:deny|block)[\"']")
_BROAD: Final = re.compile(r"^(?:Base)?Exception$")
_CAUGHT: Final = re.compile(
    r"\bcatch\s*(?:\(\w*(?::\s*\w+)?\)\s*)?\{([^{}]{0,400})\}"
    r"|\.catch\(\s*(?:\(\w*(?::\s*\w+)?\)|\w+)\s*=>\s*(?:\{([^{}]{0,400})\}|([^{};\n]{1,200}))"
)
_LEFT: Final = re.compile(r"process\.exit\(\s*[01]?\s*\)|process\.exitCode = [01]\b|[\"'](?:allow|approve)[\"']")


def is_script(text: str) -> bool:
    """Say whether code is a guard itself: it reads the call that a client asks about, and refuses some."""
    return bool(_READS.search(text)) and bool(_JUDGES.search(text) and _REFUSES.search(text))


def in_typescript(text: str) -> Iterator[Told]:
    """Where a guard's own fault lets the call pass: it is caught, and no refusal follows."""
    for one in _CAUGHT.finditer(text):
        left = _LEFT.search(one[1] or one[2] or one[3] or "")
        if left:
            at = max(one.start(group) for group in (1, 2, 3)) + left.start()
            yield Kind.UNASKED, line_at(text, at), f"the hook {_PASSES}"


def in_python(tree: ast.AST) -> Iterator[Told]:
    """The same of Python: a fault of any kind is caught, and the hook ends as if it had looked."""
    bodies = [
        *getattr(tree, "body", []),
        *(one for made in syntax.functions(tree) if made.name == "main" for one in made.body),
    ]
    asks = bool(_ASKS.search(syntax.words(tree)))
    mains = {id(part) for one in bodies for part in (one, *(one.body if isinstance(one, ast.If) else ()))}
    for node in syntax.every(tree, ast.Try):
        for one in node.handlers:
            broad = one.type is None or bool(_BROAD.match(syntax.said(one.type)))
            said = syntax.said(one.body[-1])
            ends = bool(re.match(r"(?:sys\.)?exit\((?:0|None)?\)$|os\._exit\(0\)$", said))
            ends = ends or (broad and bool(re.match(r"(?:sys\.)?exit\(1\)$", said)))
            ends = ends or (broad and id(node) in mains and bool(re.match(r"(?:pass|return(?: 0| None)?)$", said)))
            allows = any(_SAYS_YES.search(syntax.said(part)) for part in one.body)
            if ((ends and not asks) or allows) and not any(_REFUSES.search(syntax.said(part)) for part in one.body):
                yield Kind.UNASKED, one.body[-1].lineno, f"the hook {_PASSES}"


_ASKS: Final = re.compile(r"^(?=[\s\S]*PermissionRequest)(?![\s\S]*PreToolUse)")
"""A guard that answers for a person alone: where it says nothing, the person is asked."""
_SAYS_YES: Final = re.compile(r"['\"](?:permissionDecision|decision|behavior)['\"]: ['\"](?:allow|approve)['\"]")


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:60]
