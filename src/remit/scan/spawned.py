"""Agents that Python starts as programs, with nobody asked (AG131). Pure.

Read are lists of words that begin with such a program, wherever they stand, and lines of a shell.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import consent, spelled, syntax
from remit.scan.launch import Told

_PROCESS: Final = re.compile(
    r"^(?:subprocess\.)?(?:run|Popen|call|check_call|check_output)$|^(?:asyncio\.)?create_subprocess_shell$"
    r"|^os\.(?:system|popen)$|^subprocess\.getoutput$"
)
_PROGRAMS: Final = frozenset(
    {"claude", "codex", "gemini", "qwen", "copilot", "cursor-agent", "aider", "goose", "amp", "droid", "npx", "uvx"}
)


def told(tree: ast.AST) -> Iterator[Told]:
    """Lists of words that start an agent, wherever they stand, and lines of a shell that do."""
    lists = [one.elts for one in syntax.every(tree, ast.List)] + [one.elts for one in syntax.every(tree, ast.Tuple)]
    for items in lists:
        first = items[0] if items else None
        if isinstance(first, ast.Constant) and first.value in _PROGRAMS:
            yield from consent.started([(part.text or "·", part.line) for part in map(spelled.read, items)])
    for call in syntax.every(tree, ast.Call):
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Constant | ast.JoinedStr) and _PROCESS.match(syntax.said(call.func)):
            line = spelled.read(given).text
            yield from consent.shell(line, given.lineno)
