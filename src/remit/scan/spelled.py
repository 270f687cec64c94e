"""Literals of Python as nodes with their lines, and the home as code spells it. Pure."""

import ast
import re
from typing import Final

from remit.scan import syntax
from remit.scan.node import Node, Value

_ROOT: Final = re.compile(
    r"(?:str\()?(?:(?:pathlib\.)?Path\('(?:/|~/?)'\)(?:\.expanduser\(\))?|os\.path\.expanduser\('~/?'\)|os\.sep)\)?$"
)


def home(value: ast.expr) -> bool:
    """Say whether an expression is the root or the home of whoever runs it."""
    if syntax.first(value) not in ("str", "pathlib", "Path", "os"):
        return False
    text = syntax.said(value)
    return bool(_ROOT.match(text)) or text in (
        "Path.home()",
        "str(Path.home())",
        "os.path.expanduser('~')",
        "os.environ['HOME']",
        "pathlib.Path.home()",
        "str(pathlib.Path.home())",
        "os.getenv('HOME')",
    )


def read(node: ast.expr, depth: int = 0) -> Node:
    """A literal of the code as a node; a place in a home as that; what is neither is a reference."""
    value: Value = None
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        value = node.value
    elif isinstance(node, ast.Dict) and depth < 8:
        value = {
            key.value: read(one, depth + 1)
            for key, one in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
    elif isinstance(node, ast.List | ast.Tuple) and depth < 8:
        value = [read(one, depth + 1) for one in node.elts]
    else:
        value = _spoken(node)
    return Node(getattr(node, "lineno", 0), value)


def _spoken(node: ast.expr) -> str:
    """What an expression stands for, as far as it begins with a home: else a reference."""
    if home(node):
        return "~"
    rest = "${" + type(node).__name__ + "}"
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
        texts = [one.value if isinstance(one, ast.Constant) else "~" if home(one) else "${}" for one in parts]
        return "".join(str(one) for one in texts) if "~" in texts else rest
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        left, right = _spoken(node.left), node.right
        if left.startswith("~") and isinstance(right, ast.Constant):
            return f"{left}{'/' if isinstance(node.op, ast.Div) else ''}{right.value!s}"
    if isinstance(node, ast.Call) and node.args:
        name, first = syntax.said(node.func), node.args[0]
        if name in ("str", "os.path.expanduser", "os.path.expandvars", "os.path.abspath", "Path"):
            return str(first.value) if isinstance(first, ast.Constant) else _spoken(first)
        left = _spoken(first) if name in ("os.path.join", "join") else ""
        if left.startswith(("~", "/")):
            return "/".join([left, *(str(one.value) for one in node.args[1:] if isinstance(one, ast.Constant))])
    return rest
