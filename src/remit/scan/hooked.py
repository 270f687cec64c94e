"""Hooks that let a call pass when they fail, or never run. Pure.

A hook judges a call before it is made. Sources are the clients' own pages about their hooks: Cursor's let pass when
they fail unless `failClosed` is set; one of Claude Code that is called over http does unless `onFailure` is `block`.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan.launch import Told
from remit.scan.node import Node

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
_OPEN: Final = re.compile(r"\|\|\s*(?:true|:|exit 0)\b|;\s*(?:true|exit 0)\s*$|2>\s*/dev/null\s*\|\|")
_KEYS: Final = ("onFailure", "on_failure", "onError", "on_error", "failOpen", "fail_open", "onTimeout", "on_timeout")


def told(path: str, root: Node) -> Iterator[Told]:
    """What the hooks of a client's settings let pass."""
    cursor = path.endswith(".cursor/hooks.json")
    for name in ("hooks", "hook"):
        for event, entries in root[name].members.items():
            if re.search(r"(?i)^(?:pre|before)_?(?!compact|compress)", event):
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
    command = one["command"] if one["command"].text else one["bash"]
    if command.text and _OPEN.search(command.text):
        yield command.line, _PASSES
    for key in _KEYS:
        if one[key].text in ("allow", "continue", "ignore", "approve", "pass") or one[key].value is True:
            yield one[key].line, _PASSES
    if one["failClosed"].value is False:
        yield one["failClosed"].line, _PASSES
    if one["type"].text == "http" and one["url"].text and all(one[key].value is None for key in _KEYS):
        yield one["url"].line, _PASSES


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:60]
