"""Who holds what, in Python of agents: servers and clients that are built with an environment, keys and logins. Pure.

The code is parsed, never run. What a name stands for is followed only to its plain assignment in the same file.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remit.scan import code, holder, secret, server, spelled, syntax
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair, is_credential


@dataclass(frozen=True, slots=True)
class Names:
    """What names of a file are assigned: one read of the environment or one text, or a table of them."""

    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, ast.Dict] = field(default_factory=dict)
    made: dict[str, ast.Dict] = field(default_factory=dict)
    """What a function gives back, where that is one table."""


_NONE: Final = Names()


def holders(tree: ast.AST) -> tuple[Holder, ...]:
    """The servers that the code starts or calls, with what each is given; and the file with the rest."""
    found, names = [], _names(tree)
    inside: set[ast.AST] = set()
    for node in syntax.walk(tree):
        if not isinstance(node, ast.Call | ast.Dict | ast.List | ast.Tuple) or node in inside:
            continue
        if isinstance(node, ast.Call) and _CLIENT.search(code.called(node)) and not _many(node):
            inside.update(syntax.walk(node))
            found += _client(node, names)
        elif isinstance(node, ast.List | ast.Tuple):
            for one in node.elts:
                if isinstance(one, ast.Dict) and _is_entry(one) and one not in inside:
                    found.append(_server("", one, names))
        elif isinstance(node, ast.Dict):
            entries = {
                key.value: one
                for key, one in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
            found += [
                _server(name, one, names)
                for name, one in entries.items()
                if isinstance(one, ast.Dict) and _is_entry(one)
            ]
        elif isinstance(node, ast.Call):
            given = {one.arg: one.value for one in node.keywords if one.arg}
            if "env" in given and "command" in given:
                found.append(_call(node, given, names))
    return tuple(found)


_CLIENT: Final = re.compile(
    r"(?i)mcp\w*(?:server|toolset|tools?|adapter|params?|client)|server\w*mcp|^(?:stdio|sse|streamable_?http)\w*(?:params?"
    r"|parameters|connection|transport|client)$"
)
_KEPT: Final = (
    "authorization", "auth", "bearer_token", "token", "api_key", "auth_token", "authorization_token",
)  # fmt: skip


def _many(node: ast.Call) -> bool:
    """Say whether a call is given several servers, each with an entry of its own."""
    given = [*node.args, *(word.value for word in node.keywords)]
    if any(
        isinstance(one, ast.Dict) and _is_entry(one)
        for part in given
        if isinstance(part, ast.List)
        for one in part.elts
    ):
        return True
    dicts = [one for one in given if isinstance(one, ast.Dict)]
    return any(isinstance(value, ast.Dict) and _is_entry(value) for one in dicts for value in one.values) or any(
        key is not None and isinstance(key, ast.Constant) and key.value == "mcpServers"
        for one in dicts
        for key in one.keys
    )


def _client(node: ast.Call, names: Names) -> list[Holder]:
    """A server that code builds a client of: what stands anywhere in the call is the server's."""
    pairs: list[Pair] = []
    told: dict[str, str] = {}
    words: list[str] = []
    for one in syntax.walk(node):
        for key, value in _members(one):
            if key in ("env", "headers", "http_headers", "environment"):
                pairs += _pairs(value, names)
            elif key in _KEPT and _text(value, names):
                pairs.append(Pair(key, _text(value, names), value.lineno))
            elif isinstance(value, ast.Constant | ast.Name | ast.JoinedStr):
                told.setdefault(key, _text(value, names))
            elif key == "args" and isinstance(value, ast.List):
                words = [part.text for part in spelled.read(value).items if part.text]
    texts = [_text(one, names) for one in node.args]
    address = next((told[key] for key in ("url", "server_url", "base_url", "uri") if told.get(key)), "")
    address = address or next((one for one in texts if one.startswith("http")), "")
    started = told.get("command", "") or next((one for one in texts if one), "")
    entry = {"command": Node(1, started), "args": Node(1, [Node(1, word) for word in words])}
    like = re.sub(r"^\w+://|[?#].*$|/$", "", address) or holder.like(Node(1, entry)) or started
    name = next((told[key] for key in ("name", "server_label", "server_name") if told.get(key)), "") or like
    return [Holder("server", name, node.lineno, like, tuple(pairs))] if pairs else []


def _members(node: ast.AST) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.Call):
        return [(one.arg, one.value) for one in node.keywords if one.arg]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(str(key.value), one) for key, one in pairs if isinstance(key, ast.Constant)]
    return []


def _names(tree: ast.AST) -> Names:
    names = Names()
    given = [(one.targets[0], one.value) for one in syntax.every(tree, ast.Assign) if len(one.targets) == 1]
    given += [(one.target, one.value) for one in syntax.every(tree, ast.AnnAssign) if one.value is not None]
    for target, value in given:
        if isinstance(target, ast.Name):
            names.texts[target.id] = _text(value, _NONE)
            if isinstance(value, ast.Dict):
                names.tables[target.id] = value
    for function in syntax.functions(tree):
        last = function.body[-1] if function.body else None
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Dict):
            names.made[function.name] = last.value
    for part in syntax.every(tree, ast.ImportFrom):
        for one in part.names:
            called = one.asname or one.name
            if is_credential(called) and called.isupper():
                names.texts.setdefault(called, "${" + one.name + "}")
    return names


def _text(node: ast.expr, names: Names) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.texts.get(node.id, "")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, names) + _text(node.right, names)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part.value if isinstance(part, ast.FormattedValue) else part, names) for part in node.values
        )
    if isinstance(node, ast.Subscript | ast.Call) and syntax.first(node) in ("os", "environ", "getenv"):
        read = syntax.READ.match(syntax.said(node))
        return "${" + next(one for one in read.groups() if one) + "}" if read else ""
    if isinstance(node, ast.Subscript | ast.Call | ast.Attribute):
        return _setting(node)
    return ""


_STORES: Final = re.compile(
    r"(?:^|\.)(?:get_secret|get_password|get_secret_value|access_secret_version|read_secret_version|get_parameter|fetch_secret|load_secret)\("
)
_SETTINGS: Final = frozenset({"settings", "config", "cfg", "conf", "env", "secrets", "Settings", "Config"})


def _setting(node: ast.expr) -> str:
    """A member of what a program read its settings into, or what it asks a store for, as such a reference."""
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get_secret_value"
        and not node.args
    ):
        node = node.func.value
    if isinstance(node, ast.Attribute) and syntax.first(node) in _SETTINGS and is_credential(node.attr):
        return "${" + node.attr + "}"
    said = (
        syntax.said(node)
        if isinstance(node, ast.Call | ast.Subscript) and "secret" in syntax.words(node).lower()
        else ""
    )
    named = (
        [one.value for one in syntax.every(node, ast.Constant) if isinstance(one.value, str)]
        if _STORES.search(said)
        else []
    )
    return "${secret:" + "/".join(named) + "}" if named else ""


def _is_entry(node: ast.Dict) -> bool:
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    return bool(keys & {"command", "url", "server_url"}) and bool(keys & {"env", "headers", "args", *_KEPT})


def _server(name: str, node: ast.Dict, names: Names) -> Holder:
    members = {
        str(key.value): one for key, one in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }
    pairs = [pair for part in ("env", "headers") if part in members for pair in _pairs(members[part], names)]
    pairs += [Pair(key, _text(members[key], names), members[key].lineno) for key in _KEPT if key in members]
    entry = spelled.read(node)
    pairs += [one for one in holder.flags(server.words(entry)) if secret.is_held(one.name, one.text)]
    like = holder.like(entry)
    name = next((entry[key].text for key in ("name", "server_label") if not name and entry[key].text), name)
    return Holder("server", name or like or f"line {node.lineno}", node.lineno, like, tuple(pairs))


def _call(node: ast.Call, given: dict[str, ast.expr], names: Names) -> Holder:
    entry = Node(node.lineno, {name: spelled.read(one) for name, one in given.items()})
    name = _text(given["name"], names) if "name" in given else holder.like(entry)
    return Holder("server", name, node.lineno, holder.like(entry), tuple(_pairs(given["env"], names)))


def _pairs(node: ast.expr, names: Names, line: int = 0) -> Iterator[Pair]:
    """The variables or headers of a table; one that a name stands for is told where the name is."""
    if isinstance(node, ast.Name) and not line and node.id in names.tables:
        yield from _pairs(names.tables[node.id], names, node.lineno)
    elif isinstance(node, ast.Call) and not line and isinstance(node.func, ast.Name) and node.func.id in names.made:
        given = [_text(one, names) for one in (*node.args, *(word.value for word in node.keywords))]
        yield from (Pair("authorization", text, node.lineno) for text in given if text)
        if not node.args and not node.keywords:
            yield from _pairs(names.made[node.func.id], names, node.lineno)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Pair(key.value, _text(value, names), line or value.lineno)
            elif key is None and not line:
                yield from _pairs(value, names)
