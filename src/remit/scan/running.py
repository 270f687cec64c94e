"""Calls in Python that run what a function is told: a shell's line, a program with its words, code. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import syntax

_LINES: Final = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
     "create_subprocess_shell", "pexpect.run", "pexpect.spawn", "exec", "eval"}
)  # fmt: skip
_AFAR: Final = re.compile(
    r"\.exec_command$|(?:^|[._])(?:conn|connection|ssh|host|remote)\w*\.(?:run|sudo|execute)$|\.send_command(?:_timing)?$"
)
"""Calls that run a line on another machine."""
_RUNS: Final = re.compile(
    r"^(?:subprocess\.\w+|asyncio\.create_subprocess_exec|create_subprocess_exec|Popen|run|check_output|check_call)$"
)
_SHELLS: Final = frozenset(
    {"sh", "bash", "zsh", "/bin/sh", "/bin/bash", "/usr/bin/bash", "python", "python3", "cmd", "powershell", "pwsh"}
)
_COMMAND: Final = re.compile(
    r"(?i)^(?:commands?|cmds?|code|script|line|input|shell|source|expr(?:ession)?|program|bash|args|command_?line)$"
)
_BEFORE: Final = frozenset({"sudo", "env", "nice", "nohup", "timeout", "setsid", "-n", "-E", "--"})
"""Words in front of a program that only start it."""
_OPENS: Final = re.compile(r"(?:(?:&&|;|-l?c)\s*[\"']?)$")


def calls(node: syntax.Function, helpers: frozenset[str] = frozenset()) -> Iterator[tuple[ast.Call, str]]:
    """The calls of a function that run anything that it is told, and what they run; by a helper of the file too."""
    said = {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    for kept in syntax.every(node, ast.Assign):
        if isinstance(kept.targets[0], ast.Name) and _told(kept.value, said):
            said.add(kept.targets[0].id)
    for call in syntax.every(node, ast.Call):
        helped = isinstance(call.func, ast.Name) and call.func.id in helpers
        if call.args and (_any(call, said) or (helped and _told(call.args[0], said))):
            yield call, "anything that it is told"


def _any(call: ast.Call, said: set[str]) -> bool:
    """Say whether a call runs what a parameter says: a line of a shell, a program with its words, or code."""
    name, first = syntax.said(call.func), call.args[0]
    shell = any(one.arg == "shell" and syntax.said(one.value) == "True" for one in call.keywords)
    if name in _LINES or _AFAR.search(name) or (shell and _RUNS.match(name)):
        return _told(first, said)
    if not _RUNS.match(name):
        return False
    words = first.elts if isinstance(first, ast.List) else call.args
    while len(words) > 1 and isinstance(words[0], ast.Constant) and words[0].value in _BEFORE:
        words = words[1:]
    texts = [one.value if isinstance(one, ast.Constant) else syntax.said(one) for one in words]
    if texts[:1] and texts[0] in (*_SHELLS, "sys.executable"):
        if len(texts) == 1 and any(one.arg == "input" and _told(one.value, said) for one in call.keywords):
            return True
        through = any(isinstance(one, str) and re.fullmatch(r"-\w*[cC]\w*|/[cC]", one) for one in texts)
        return through and _told(words[-1], said)
    if texts[:1] == ["ssh"]:
        return _told(words[-1], said)
    if isinstance(first, ast.Call) and first.args and syntax.said(first.func) == "shlex.split":
        return _told(first.args[0], said)
    if isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute) and first.func.attr == "split":
        return _told(first.func.value, said)
    return False


def _told(node: ast.expr, said: set[str]) -> bool:
    """Say whether an expression is what a parameter says, from its beginning or from where a line begins anew."""
    if isinstance(node, ast.Name):
        return node.id in said
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return syntax.first(node.value) in said and bool(_COMMAND.match(str(node.slice.value)))
    if isinstance(node, ast.Attribute):
        return syntax.first(node.value) in said and bool(_COMMAND.match(node.attr))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        key = node.args[0]
        of = node.func.value
        named = isinstance(key, ast.Constant) and bool(_COMMAND.match(str(key.value)))
        return node.func.attr in ("get", "pop") and named and isinstance(of, ast.Name) and of.id in said
    if isinstance(node, ast.JoinedStr):
        before = ""
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and (not before or _OPENS.search(before)):
                return _told(part.value, said)
            before = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "·"
    return False
