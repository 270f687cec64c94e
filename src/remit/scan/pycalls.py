"""What Python calls over HTTP of services that are known by their addresses, and by PyGithub (AG110). Pure.

The code is parsed, never run. Read are requests, httpx, aiohttp and their like, with an address in full, one that
begins with a constant's, or one below the base that a client was made with.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import apis, reached, syntax

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


_READ_BY: Final = re.compile(r"^(?:list|get|search|download|query|exists|find)_?\w*$")
_WRITTEN_BY: Final = re.compile(
    r"^(?:create|update|delete|send|upload|insert|set|patch|add|remove|compose|copy|move|save)_?\w*$"
)
_OUTLOOK: Final = re.compile(
    r"^(?:send|reply|forward|delete|move|copy|mark_as_\w+|save_\w+|new_message|create_\w+|flag)$"
)


def by_library(tree: ast.AST, parts: set[str]) -> Iterator[tuple[str, bool]]:
    """What is called by libraries: of Google's storage, tables and chat where such a scope is asked for; of Outlook."""
    words = syntax.words(tree)
    names = [one.func.attr for one in syntax.every(tree, ast.Call) if isinstance(one.func, ast.Attribute)]
    for part, hint in (("storage", "storage"), ("bigquery", "bigquery"), ("chat", "chat_v1")):
        if part in parts and any(
            hint in f"{one.module}.{name.name}"
            for one in syntax.every(tree, ast.ImportFrom)
            for name in one.names
            if (one.module or "").startswith("google")
        ):
            yield from (
                (part, bool(_WRITTEN_BY.match(name)))
                for name in names
                if _READ_BY.match(name) or _WRITTEN_BY.match(name)
            )
    if any(one.module == "O365" for one in syntax.every(tree, ast.ImportFrom)):
        for name in names:
            if name.startswith("get_m") or _OUTLOOK.match(name):
                act = "send" if name in ("send", "reply", "forward") else "modify"
                yield (f"Mail|Mail.{act}", True) if _OUTLOOK.match(name) else ("Mail|Mail.read", False)
    yield from apis.used("\n".join([words, *(f".{name}(" for name in names), *_imports(tree)]))
    for node in syntax.every(tree, ast.Call):
        if syntax.last(node.func) == "Request" and node.args:
            url = spelled(node.args[0], {}, 0)
            method = next(
                (
                    str(one.value.value)
                    for one in node.keywords
                    if one.arg == "method" and isinstance(one.value, ast.Constant)
                ),
                "",
            )
            sent = len(node.args) > 1 or any(one.arg == "data" for one in node.keywords)
            called = reached.of(url, method or ("POST" if sent else "GET"))
            if called is not None:
                yield called


def _imports(tree: ast.AST) -> Iterator[str]:
    yield from (f"import {one.name}" for node in syntax.every(tree, ast.Import) for one in node.names)
    yield from (f"from {node.module} import x" for node in syntax.every(tree, ast.ImportFrom))


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
