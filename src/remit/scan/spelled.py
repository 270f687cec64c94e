"""Literals of Python as nodes with their lines, and the home as code spells it. Pure."""

import ast
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.scan import secret, syntax
from remit.scan.node import Node

_ROOT: Final = re.compile(
    r"(?:str\()?(?:(?:pathlib\.)?Path\('(?:/|~/?)'\)(?:\.expanduser\(\))?|os\.path\.expanduser\('~/?'\)|os\.sep)\)?$"
)


def home(value: ast.expr) -> bool:
    """Say whether an expression is the root or the home of whoever runs it."""
    if syntax.first(value) not in ("str", "pathlib", "Path", "os", "environ", "expanduser"):
        return False
    text = syntax.said(value)
    return bool(_ROOT.match(text)) or text in (
        "Path.home()",
        "str(Path.home())",
        "os.path.expanduser('~')",
        "os.environ['HOME']",
        "environ['HOME']",
        "os.environ.get('HOME')",
        "os.path.expandvars('$HOME')",
        "expanduser('~')",
        "pathlib.Path.home()",
        "str(pathlib.Path.home())",
        "os.getenv('HOME')",
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What a file's names stand for, where each is given once, and the classes that the file has itself."""

    kept: Mapping[str, ast.expr]
    own: frozenset[str] = frozenset()


NONE: Final = Names({})
_DEEPEST: Final = 8
_MOST: Final = 2_000
"""Names of one file that are followed."""


def names(tree: ast.AST) -> Names:
    """The names of a file that are given one text, list or dictionary; a list that grows is what it has grown to."""
    given = syntax.every(tree, ast.Assign)[:_MOST]
    pairs = [(one.targets[0], one.value) for one in given if len(one.targets) == 1]
    pairs += [(one.target, one.value) for one in syntax.every(tree, ast.AnnAssign) if one.value is not None]
    count = Counter(one.id for one, _ in pairs if isinstance(one, ast.Name))
    taken = {one.arg for one in syntax.every(tree, ast.arg)}
    kept = {
        one.id: value
        for one, value in pairs
        if isinstance(one, ast.Name) and count[one.id] == 1 and one.id not in taken and _is_plain(one.id, value)
    }
    for more in syntax.every(tree, ast.AugAssign)[:_MOST]:
        if isinstance(more.target, ast.Name) and isinstance(kept.get(more.target.id), ast.List):
            kept[more.target.id] = _grown(kept[more.target.id], more.value)
    for call in syntax.every(tree, ast.Call) if kept else ():
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in ("extend", "append") and len(call.args) == 1:
            of = func.value
            if isinstance(of, ast.Name) and isinstance(kept.get(of.id), ast.List):
                item = call.args[0]
                kept[of.id] = _grown(kept[of.id], item if func.attr == "extend" else _one(item))
    return Names(kept, frozenset(one.name for one in syntax.every(tree, ast.ClassDef)))


def _is_plain(name: str, value: ast.expr) -> bool:
    """Say whether a name is followed to this value. A secret is told where it stands, not again where it is used."""
    if isinstance(value, ast.Constant):
        text = value.value if isinstance(value.value, str) else ""
        return bool(text) and not secret.is_held(name, text) and not (text.isalnum() and secret.is_random(text))
    return isinstance(value, ast.List | ast.Tuple | ast.Dict | ast.JoinedStr | ast.BinOp | ast.Call | ast.Subscript)


def _one(item: ast.expr) -> ast.List:
    return ast.copy_location(ast.List(elts=[item], ctx=ast.Load()), item)


def _grown(before: ast.expr, more: ast.expr) -> ast.expr:
    """A list with what it grows by; as it was, where that is no list."""
    if isinstance(before, ast.List) and isinstance(more, ast.List | ast.Tuple):
        return ast.copy_location(ast.List(elts=[*before.elts, *more.elts], ctx=ast.Load()), before)
    return before


def read(node: ast.expr, depth: int = 0, known: Names = NONE) -> Node:
    """A literal of the code as a node; a place in a home as that; what is neither is a reference."""
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Name) and node.id in known.kept and depth < _DEEPEST:
        found = read(known.kept[node.id], depth + 1, known)
        return found if isinstance(found.value, list | dict) else Node(line, found.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
        return Node(line, node.value)
    if isinstance(node, ast.Dict) and depth < _DEEPEST:
        return Node(line, _members(node, depth, known))
    if isinstance(node, ast.List | ast.Tuple) and depth < _DEEPEST:
        return Node(line, _items(node.elts, depth, known))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < _DEEPEST:
        left, right = read(node.left, depth + 1, known), read(node.right, depth + 1, known)
        if isinstance(left.value, list) and isinstance(right.value, list):
            return Node(line, [*left.value, *right.value])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
        text = read(node.func.value, depth + 1, known).text if depth < _DEEPEST and not node.args else ""
        if text and not text.startswith("${"):
            return Node(line, [Node(line, word) for word in text.split()])
    return Node(line, _spoken(node, depth, known))


def _members(node: ast.Dict, depth: int, known: Names) -> dict[str, Node]:
    members: dict[str, Node] = {}
    for key, one in zip(node.keys, node.values, strict=True):
        if key is None:
            found = read(one, depth + 1, known)
            members |= found.members or {f"...{syntax.said(one)[:60]}": found}
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            members[key.value] = read(one, depth + 1, known)
    return members


def _items(items: list[ast.expr], depth: int, known: Names) -> list[Node]:
    found: list[Node] = []
    for one in items:
        if isinstance(one, ast.Starred):
            more = read(one.value, depth + 1, known)
            found += more.value if isinstance(more.value, list) else []
        else:
            found.append(read(one, depth + 1, known))
    return found


def _spoken(node: ast.expr, depth: int, known: Names) -> str:
    """What an expression stands for, as far as it is a text or begins with a home: else a reference."""
    if home(node):
        return "~"
    rest = "${" + type(node).__name__ + "}"
    if depth >= _DEEPEST:
        return rest
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else _put(read(one, depth + 1, known).text, one)
            for one in parts
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        left, right = read(node.left, depth + 1, known).text, read(node.right, depth + 1, known).text
        if left.startswith(("~", "/")) and right and not right.startswith("${"):
            return f"{left}{'/' if isinstance(node.op, ast.Div) else ''}{right}"
    if isinstance(node, ast.Call) and node.args:
        name, first = syntax.said(node.func), node.args[0]
        if name in ("str", "os.path.expanduser", "os.path.expandvars", "os.path.abspath", "Path", "pathlib.Path"):
            return read(first, depth + 1, known).text
        left = read(first, depth + 1, known).text if name in ("os.path.join", "join", "path.join") else ""
        if left.startswith(("~", "/")):
            return "/".join([left, *(read(one, depth + 1, known).text for one in node.args[1:])])
    if isinstance(node, ast.Call | ast.Subscript) and (read_of := _READ.search(syntax.said(node))):
        return "${" + read_of[1] + "}"
    return rest


_READ: Final = re.compile(r"(?:environ(?:\.get\(|\[)|getenv\()'(\w+)'")
"""A variable that is read, where that is all."""


def _put(text: str, node: ast.expr) -> str:
    """What stands in a text for an expression: what it is, else a reference by its last name."""
    if text and not text.startswith("${"):
        return text
    found = _READ.search(syntax.said(node)) if isinstance(node, ast.Call | ast.Subscript) else None
    return "${" + (found[1] if found else re.sub(r"\W.*", "", syntax.last(node))) + "}"
