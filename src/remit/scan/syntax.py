"""Python code as a tree that is made and walked once, however many readers look at it. Pure.

The code is parsed, never run. What is kept is one file's, and is dropped by `forget`. A node is in memory as long as
what is kept of it, so that no two are taken for each other.
"""

import ast
import re
from functools import lru_cache
from operator import attrgetter
from typing import Final, TypeVar

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Kind = TypeVar("_Kind", bound=ast.AST)
_MOST: Final = 1 << 16
"""Answers that are kept of one file; the oldest is dropped for the next."""
_LOOKED: Final = 100_000
"""Characters of one file's code that are looked through for a word."""
READ: Final = re.compile(
    r"^(?:os\.)?(?:environ\[['\"](\w+)['\"]\]|environ\.get\(['\"](\w+)['\"]|getenv\(['\"](\w+)['\"])"
)
"""One read of the environment, as code is written out: the variable's name is in one of its groups."""
_PLAIN: Final = frozenset({"ctx", "op", "ops", "id", "attr", "level", "module", "kind", "type_comment", "type_ignores"})
"""Fields that hold no code of their own."""
_NAMED: Final[dict[type, tuple[str, ...]]] = {
    ast.FunctionDef: ("name",), ast.AsyncFunctionDef: ("name",), ast.ClassDef: ("name",), ast.ExceptHandler: ("name",),
    ast.arg: ("arg",), ast.keyword: ("arg",), ast.alias: ("name", "asname"), ast.ImportFrom: ("module",),
    ast.Global: ("names",), ast.Nonlocal: ("names",), ast.MatchAs: ("name",), ast.MatchStar: ("name",),
    ast.MatchMapping: ("rest",), ast.MatchClass: ("kwd_attrs",),
}  # fmt: skip
"""Where names stand, besides in names."""
_parts: Final[dict[type, tuple[str, ...]]] = {ast.Constant: (), ast.alias: ()}


@lru_cache(maxsize=1)
def parse(text: str) -> ast.Module | None:
    """The tree of a text; None when it is no Python, or nested too deep."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=_MOST)
def walk(root: ast.AST) -> tuple[ast.AST, ...]:
    """The node and all below it, from the outside in, as `ast.walk`; less operators and contexts, which say nothing."""
    found = [root]
    for node in found:
        kind = type(node)
        names = _parts.get(kind)
        if names is None:
            names = _parts[kind] = tuple(one for one in kind._fields if one not in _PLAIN)
        for name in names:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found.extend([one for one in value if isinstance(one, ast.AST)])
            elif isinstance(value, ast.AST):
                found.append(value)
    return tuple(found)


@lru_cache(maxsize=_MOST)
def _sorted(root: ast.AST) -> dict[type, list[ast.AST]]:
    found: dict[type, list[ast.AST]] = {}
    for node in walk(root):
        found.setdefault(type(node), []).append(node)
    return found


def every(root: ast.AST, kind: type[_Kind]) -> list[_Kind]:
    """The nodes of one type, in the order of `walk`."""
    return _sorted(root).get(kind, [])  # type: ignore[return-value]  # they are sorted by this very type


@lru_cache(maxsize=_MOST)
def functions(root: ast.AST) -> tuple[Function, ...]:
    """The functions, in the order of `walk`."""
    if every(root, ast.AsyncFunctionDef):
        return tuple(one for one in walk(root) if isinstance(one, Function))
    return tuple(every(root, ast.FunctionDef))


def said(node: ast.AST) -> str:
    """The code of a node, written anew: `ast.unparse`, and at once for a dotted name."""
    if isinstance(node, ast.Name):
        return node.id
    names = []
    one = node
    while isinstance(one, ast.Attribute):
        names.append(one.attr)
        one = one.value
    if isinstance(one, ast.Name):
        names.append(one.id)
        return ".".join(reversed(names))
    return _written(node)


@lru_cache(maxsize=_MOST)
def _written(node: ast.AST) -> str:
    return ast.unparse(node)


def last(node: ast.expr) -> str:
    """What follows the last dot of the code of a node: the name of a function that is called, however it is reached."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else _written(node).rpartition(".")[2]


def first(node: ast.AST) -> str:
    """The name that the code of a node begins with, after any parentheses; empty when that is none."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.BinOp | ast.Compare):
            node = node.left
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        elif isinstance(node, ast.IfExp):
            node = node.body
        else:
            return node.id if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=_MOST)
def words(root: ast.AST) -> str:
    """Every name and text of the code, each on lines of its own. A word that is not here is not in `said` either."""
    found = {one.id for one in every(root, ast.Name)} | {one.attr for one in every(root, ast.Attribute)}
    texts = [one.value for one in every(root, ast.Constant)]
    found.update(one for one in texts if isinstance(one, str))
    found.update(map(repr, texts))
    for kind, nodes in _sorted(root).items():
        for name in _NAMED.get(kind, ()):
            for given in map(attrgetter(name), nodes):
                found.update(given if isinstance(given, list) else [given or ""])
    return "\n".join(found)


def mentions(tree: ast.AST, word: str) -> bool:
    """Say whether the code, without its comments and as far as it is looked through, has a word."""
    return word in words(tree) and word in _written(tree)[:_LOOKED]


def calls(tree: ast.AST, name: str) -> bool:
    """Say whether such code calls, or has in a text, a method with nothing given."""
    plain = any(
        isinstance(one.func, ast.Attribute) and one.func.attr == name and not one.args and not one.keywords
        for one in every(tree, ast.Call)
    )
    text = f".{name}()"
    return (plain or text in words(tree)) and text in _written(tree)[:_LOOKED]


def forget() -> None:
    """Keep nothing of the last file."""
    for kept in (parse, walk, _sorted, functions, _written, words):
        kept.cache_clear()
