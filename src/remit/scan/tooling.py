"""A project's own tooling, which is started with the environment of whoever works on it: no hand-over (AG102). Pure.

What it starts is what that person starts by hand. An agent's tool that runs the same commands is another matter.
"""

import ast
import re
from typing import Final

from remit.scan import syntax

_PLACE: Final = re.compile(
    r"(?:^|/)(?:[\w-]+[-_])?(?:e2e(?:[-_]tests?)?|evals?|bench(?:marks?)?|ci|\.github|\.circleci|scripts|tests?(?:[-_]e2e)?)/"
)
_OWN: Final = frozenset({"git", "make", "pytest", "tsc", "vitest", "jest", "playwright", "wrangler", "ruff", "mypy"})
_MANAGERS: Final = frozenset({"npm", "pnpm", "yarn", "bun", "pip", "uv", "poetry", "cargo", "go"})
_DOES: Final = frozenset({"run", "install", "ci", "build", "test", "dev", "start", "sync", "lock", "add", "pip"})
_TOOLS: Final = re.compile(
    r"\b(?:registerTool|addTool|createTool|tool|setRequestHandler|defineTool|DynamicTool|DynamicStructuredTool)\s*(?:<[^<>]{0,80}>)?\("
)
_STARTS: Final = re.compile(
    r"\b(?:spawn|spawnSync|execFile|execFileSync|execa|execaSync|createProcess)\(\s*(?:[\"'](\w+)[\"']|(process\.execPath))"
    r"\s*,\s*(?:\[\s*[\"']([\w:-]+)[\"']|(\[?\s*process\.argv\[1\]))?"
    r"|\b(?:exec|execSync)\(\s*[\"'`](\w+) ([\w:-]+)"
)
_BEFORE: Final = 600
"""Characters before an environment within which what is started with it begins."""


def is_place(path: str) -> bool:
    """Say whether a file lies where a project's own checks and scripts do."""
    return bool(_PLACE.search(path))


def tries(text: str) -> bool:
    """Say whether the commands of a step try or build what the repository holds."""
    return bool(_TRIES.search(text))


_TRIES: Final = re.compile(r"\b(?:vitest|jest|pytest|playwright test|(?:next|vite|turbo|tsc|npm run|pnpm) build)\b")


def in_typescript(text: str, line: int) -> bool:
    """Say whether what is given an environment on this line is the project's own command, and no tool's."""
    if _TOOLS.search(text):
        return False
    end = 0
    for _ in range(line):
        end = text.find("\n", end) + 1 or len(text)
    begun = [*_STARTS.finditer(text, max(0, end - _BEFORE), end)]
    if not begun or not _is_open(text[begun[-1].start() : text.rfind("\n", 0, end - 1) + 1]):
        return False
    program, again, first, own, typed, does = begun[-1].groups()
    return bool(again and own) or _is_own(program or typed or "", first or does or "")


def _is_open(text: str) -> bool:
    """Say whether a call that begins a text is not yet over where it ends."""
    depth = 0
    for one in re.finditer(r"[()]", text):
        depth += 1 if one[0] == "(" else -1
        if depth == 0:
            return False
    return True


def _is_own(program: str, first: str) -> bool:
    return program in _OWN or (program in _MANAGERS and first in _DOES)


def in_python(call: ast.Call) -> bool:
    """Say whether a call starts the project's own command, or the very program that it stands in."""
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.List) or not syntax.said(call.func).startswith(("subprocess.", "asyncio.create_")):
        return False
    words = [one.value if isinstance(one, ast.Constant) else syntax.said(one) for one in first.elts]
    if words[:2] == ["sys.executable", "__file__"] or words[:1] == ["git"]:
        return True
    plain = all(isinstance(one, ast.Constant) for one in first.elts)
    return plain and len(words) > 1 and _is_own(str(words[0]), str(words[1]))
