"""What Python calls over HTTP of services that are known by their addresses, and by PyGithub (AG110). Pure.

The code is parsed, never run. Read are requests, httpx, aiohttp and their like, with an address in full, one that
begins with a constant's, or one below the base that a client was made with.
"""

import ast
from collections.abc import Iterator
from typing import Final

from remit.scan import reached, syntax

_ACTS: Final = frozenset({"get", "head", "post", "put", "patch", "delete"})


def of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """The part of each service that is called, and whether it is written to. Graph's is read elsewhere."""
    if any(one.module == "github" for one in syntax.every(tree, ast.ImportFrom)):
        for node in syntax.every(tree, ast.Call):
            if isinstance(node.func, ast.Attribute) and (called := reached.pygithub(node.func.attr)) is not None:
                yield called
    if not reached.KNOWN.search(syntax.words(tree)):
        return
    names = {
        node.targets[0].id: node.value
        for node in syntax.every(tree, ast.Assign)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }
    bases = dict(_bases(tree, names))
    for node in syntax.every(tree, ast.Call):
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in (*_ACTS, "request"):
            continue
        given = [*node.args[:2], *(one.value for one in node.keywords if one.arg == "url")]
        base = bases.get(syntax.said(node.func.value), "")
        for one in given:
            url = spelled(one, names, 0)
            url = f"{base}/{url.lstrip('/')}" if base and not url.startswith("https:") else url
            called = reached.of(url, _verb(node)) if "graph.microsoft" not in url else None
            if called is not None:
                yield called
                break


def _bases(tree: ast.AST, names: dict[str, ast.expr]) -> Iterator[tuple[str, str]]:
    """The addresses that clients were made with, each by the name that the client is kept under."""
    kept = [(node.targets[0], node.value) for node in syntax.every(tree, ast.Assign)]
    kept += [(one.optional_vars, one.context_expr) for one in syntax.every(tree, ast.withitem) if one.optional_vars]
    for target, value in kept:
        for one in value.keywords if isinstance(value, ast.Call) else ():
            if one.arg == "base_url" and (url := spelled(one.value, names, 0)).startswith("https://"):
                yield syntax.said(target), url.rstrip("/")


def spelled(node: ast.expr, names: dict[str, ast.expr], depth: int) -> str:
    """An address as far as the code spells it; `x` for what it does not."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "x"
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
        return "".join(spelled(one, names, depth + 1) for one in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return spelled(node.left, names, depth + 1) + spelled(node.right, names, depth + 1)
    if isinstance(node, ast.Name) and node.id in names and depth < 4:
        return spelled(names[node.id], names, depth + 1)
    return "x"


def _verb(node: ast.Call) -> str:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name != "request":
        return name
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "method")]
    return next((str(one.value) for one in given if isinstance(one, ast.Constant)), "ANY")
