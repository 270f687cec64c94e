"""What TypeScript of agents lets be done with nobody asked (AG131): modes, callbacks that always allow, tools. Pure.

A tool that only reads may run unasked. Sources: the pages of the Claude Agent SDK, the OpenAI Agents SDK, Codex's SDK,
the AI SDK, Mastra and LangChain.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.core.finding import Kind
from remit.scan import launch, verbs
from remit.scan.launch import Told
from remit.scan.node import Node, line_at

_OPEN: Final = re.compile(
    r"\b(?:permissionMode|approvalMode)\s*:\s*[\"'](bypassPermissions|acceptEdits|yolo|auto[-_]edit)[\"']"
    r"|\b(allowDangerouslySkipPermissions|dangerouslyAllowAll|autoApproveAll|yolo)\s*:\s*true\b"
    r"|\b(?:requireApproval|require_approval)[\"']?\s*:\s*[\"'](never)[\"']|\bApprovalMode\.(YOLO|AUTO_EDIT)\b"
    r"|\b(?:onPermissionRequest|canUseTool)\s*:\s*(approveAll|allowAll)\b"
    r"|[\"'](dangerously-skip-permissions)[\"']\s*:\s*(?:null|true)\b"
)
_ASKS_NOT: Final = re.compile(
    r"\b(?:needsApproval|requireApproval|requiresApproval|requireConfirmation|requiresConfirmation"
    r"|needsConfirmation|requireToolApproval)\s*:\s*"
    r"(?:false\b|(?:async\s*)?\(\w*\)\s*=>\s*false\b)"
)
_MADE: Final = re.compile(
    r"(?:(\w+)\s*[=:]\s*(?:await\s+)?(?:new\s+)?)?(?:\w+\.)?(\w*[tT]ool\w*)\s*(?:<[^<>]{0,80}>)?\(\s*\{"
)
_NAMED: Final = re.compile(r"\b(?:id|name)\s*:\s*[\"'`]([\w.-]+)[\"'`]")
_ALWAYS: Final = re.compile(
    r"\b(?:(?:canUseTool|onPermissionRequest|requestPermission|permissionHandler|onPreToolUse|onApprovalRequest"
    r"|onApproval)\s*[:=(]"
    r"|PreToolUse\s*:\s*\[\s*\{\s*(?:matcher\s*:[^,\n]{0,80},\s*)?hooks\s*:\s*\[)\s*(?:async\s*)?"
    r"(?:function\s*\w*\s*)?(?:\([^()]{0,300}\)|\w+)\s*(?::\s*[\w<>]+\s*)?(?:=>)?\s*"
)
_ALLOWS: Final = re.compile(
    r"behavior\s*:\s*[\"']allow[\"']|kind\s*:\s*[\"']approved?[\"']|permissionDecision\s*:\s*[\"']allow[\"']"
    r"|decision\s*:\s*[\"']approve[\"']"
    r"|outcome\s*:\s*[\"']selected[\"']|approved?\s*:\s*true\b"
)
_CAUGHT: Final = re.compile(r"\bcatch\s*(?:\(\w*(?::\s*\w+)?\)\s*)?\{((?:[^{}]|\{[^{}]{0,300}\}){0,400})\}")
_CHOOSES: Final = re.compile(r"\bif\b|\bswitch\b|\?(?![.:])|[\"'](?:deny|ask|denied)[\"']|\bawait\b|&&|\|\|")
_MOST: Final = 200
"""Places of one file that are looked at."""
_NAME: Final = re.compile(r"\b(?:canUseTool|onPermissionRequest|onApprovalRequest)\s*:\s*(\w+)\s*[,}\n]")


def told(text: str) -> Iterator[Told]:
    """What stands in the text of such a file, its comments made blank."""
    for one in _OPEN.finditer(text):
        said = next(word for word in one.groups() if word)
        yield Kind.UNASKED, line_at(text, one.start()), f"{said} lets the agent act with nobody asked"
    for one in islice(_ASKS_NOT.finditer(text), _MOST):
        name = _tool(text, one.start())
        if name and verbs.writes(name):
            yield Kind.UNASKED, line_at(text, one.start()), f"{name[:60]} runs with nobody asked"
    for one in islice((*_ALWAYS.finditer(text), *_handlers(text)), _MOST):
        if _always(text, one.end()):
            yield Kind.UNASKED, line_at(text, one.start()), "every tool is allowed with nobody asked"
    for one in islice(_CAUGHT.finditer(text), _MOST):
        found = _ALLOWS.search(one[1])
        if found and not re.search(r"[\"'](?:deny|ask)[\"']", one[1]):
            line = line_at(text, one.start(1) + found.start())
            yield Kind.UNASKED, line, "what asks a person lets the call pass when it fails"
    for one in re.finditer(r"\bprocess\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])\s*=(?!=)\s*[\"'](\w+)[\"']", text):
        if launch.unasked(one[1] or one[2], one[3]):
            yield Kind.UNASKED, line_at(text, one.start()), f"{one[1] or one[2]} lets everything run with nobody asked"


def of_object(part: Node) -> Iterator[Told]:
    """What an object literal says: Codex's policy and sandbox, tools that a person is not asked about."""
    policy = part["approvalPolicy"]
    if policy.text == "never" and part["sandboxMode"].text != "read-only":
        yield Kind.UNASKED, policy.line, "approvalPolicy is never, and the sandbox lets it write"
    for name, one in part["interruptOn"].members.items():
        if one.text == "${false}" and verbs.writes(name):
            yield Kind.UNASKED, one.line, f"{name[:60]} runs with nobody asked"
    loud = [
        one
        for key in ("toolNames", "tool_names")
        for approval in ("requireApproval", "require_approval")
        for one in part[approval]["never"][key].items
        if one.text and verbs.writes(one.text)
    ]
    if loud:
        yield Kind.UNASKED, loud[0].line, f"{loud[0].text[:60]} runs with nobody asked"


def _tool(text: str, at: int) -> str:
    """The name of the tool that an option stands in: the one that it says, else the one that it is kept under."""
    made = [*_MADE.finditer(text, max(0, at - 3000), at)]
    if not made:
        return ""
    named = _NAMED.search(text, made[-1].end(), at)
    built = re.sub(r"(?:^(?:create|define|dynamic|function|client|server))?[tT]ool$", "", made[-1][2])
    return named[1] if named else made[-1][1] or built


def _handlers(text: str) -> Iterator[re.Match[str]]:
    """Callbacks that are kept under a name and given by it."""
    for name in {one[1] for one in islice(_NAME.finditer(text), 10)}:
        yield from re.finditer(
            rf"\b(?:const|let)\s+{re.escape(name)}\s*(?::[^=]{{0,80}})?=\s*(?:async\s*)?\([^()]{{0,300}}\)\s*(?::[^=]{{0,80}})?=>\s*"
            rf"|\bfunction\s+{re.escape(name)}\s*\([^()]{{0,300}}\)[^{{]{{0,80}}",
            text,
        )


def _always(text: str, at: int) -> bool:
    """Say whether a callback whose body begins here allows, and chooses nothing."""
    left, past = 0, min(len(text), at + 2000)
    for one in re.compile(r"[{}()]").finditer(text, at, past):
        left += 1 if one[0] in "{(" else -1
        if left <= 0:
            past = one.end()
            break
    body = text[at:past]
    return bool(_ALLOWS.search(body)) and not _CHOOSES.search(body)
