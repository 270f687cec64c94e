"""Agents that code builds, and what the tools and servers that each is given do. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import defined, spelled, syntax, toxic, verbs
from remit.scan.launch import Told

Part = tuple[str, int, frozenset[str]]
_BUILT: Final = re.compile(
    r"(?:^|_)(?:agent|react_agent|tool_calling_agent|agent_executor)$|Agent$|^AgentExecutor$|^ChatAgent$"
)
_BOUND: Final = re.compile(r"^(?:bind_tools|ToolNode|ToolExecutor|with_tools|from_tools(?:_or_functions)?)$")
"""What is given the tools in its first place."""
_GIVEN: Final = frozenset(
    {"tools", "toolsets", "mcp_servers", "mcps", "allowed_tools", "functions", "plugins", "builtin_tools", "workbench"}
)
_SETS: Final = re.compile(r"MCPClient$|^MCPConfig$|^MCPTools$|^MultiMCPTools$|^MCPClientGroup$|^MultiServerMCPClient$")
_SERVER: Final = re.compile(
    r"MCP\w*(?:Server|Toolset|Tools?|Adapter|Workbench)|(?:Server|Toolset|Tools?)MCP|MCPServer|Mcp\w+"
    r"|mcp_server_tools|Stdio\w*Param\w*|StreamableHttp\w*Param\w*|Sse\w*Param\w*"
)
_TRANSPORTS: Final = re.compile(r"^(?:streamable[-_]?https?|https?|sse|stdio|websocket|mcp|npx|uvx)$")
_CALLS: Final = (
    (toxic.OUT, re.compile(r"\.(?:sendmail|send_message|post|put|chat_postMessage|send_email|publish|send)$")),
    (toxic.STRANGERS, re.compile(r"^(?:requests|httpx|urllib\.request|aiohttp)\.(?:get|urlopen)$|\.goto$")),
    (toxic.PRIVATE, re.compile(r"\.(?:execute|fetchone|fetchall|fetchrow|find_one|find|query|read_text|aggregate)$")),
)


def told(tree: ast.AST) -> Iterator[Told]:
    """The agents of a file that hold all three."""
    functions = {one.name: one for one in syntax.functions(tree)}
    decorated = [one for one in functions.values() if any(".tool" in syntax.said(by) for by in one.decorator_list)]
    names = _names(tree)
    yield from _scoped(tree)
    yield from _added(tree, functions, names)
    for node in syntax.walk(tree):
        if isinstance(node, ast.Call):
            parts = [part for one in _given(node, names) for part in _parts(one, functions, names)]
            if parts:
                yield from _told(node.lineno, parts)
        elif (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call)
        ):
            mine = [one for one in decorated if _decorated(one, node.targets[0].id)]
            given = (
                [part for one in _given(node.value, names) for part in _parts(one, functions, names)] if mine else []
            )
            yield from _told(node.lineno, [*given, *((one.name, one.lineno, _legs(one)) for one in mine)])


def _names(tree: ast.AST) -> dict[str, ast.expr]:
    """What each name stands for: as it is assigned, opened by `with`, or grown by `append` and its like."""
    names: dict[str, ast.expr] = {}
    for one in syntax.every(tree, ast.Assign):
        if isinstance(one.targets[0], ast.Name):
            names[one.targets[0].id] = _awaited(one.value)
    opened = [item for one in syntax.every(tree, ast.With) for item in one.items]
    opened += [item for one in syntax.every(tree, ast.AsyncWith) for item in one.items]
    names |= {
        one.optional_vars.id: _awaited(one.context_expr) for one in opened if isinstance(one.optional_vars, ast.Name)
    }
    _grow(tree, names)
    return names


def _grow(tree: ast.AST, names: dict[str, ast.expr]) -> None:
    """Put into the lists that names stand for what is added to them afterwards."""
    for call in syntax.every(tree, ast.Call):
        grown = call.func.value if isinstance(call.func, ast.Attribute) and call.args else None
        if isinstance(grown, ast.Name) and isinstance(names.get(grown.id), ast.List):
            more = call.args[0] if call.func.attr == "append" else None  # type: ignore[attr-defined]  # it is one
            if call.func.attr == "extend":  # type: ignore[attr-defined]  # it is one
                more = ast.copy_location(ast.Starred(call.args[0], ast.Load()), call)
            if more is not None:
                names[grown.id] = _longer(names[grown.id], [more])
    for add in syntax.every(tree, ast.AugAssign):
        if isinstance(add.target, ast.Name) and isinstance(add.value, ast.List) and add.target.id in names:
            names[add.target.id] = _longer(names[add.target.id], add.value.elts)


def _longer(known: ast.expr, more: list[ast.expr]) -> ast.expr:
    if not isinstance(known, ast.List):
        return known
    return ast.copy_location(ast.List([*known.elts, *more], ast.Load()), known)


def _awaited(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


def _scoped(tree: ast.AST) -> Iterator[Told]:
    """Scopes that stand in one list, and are asked for together."""
    lists = [one.elts for one in syntax.every(tree, ast.List)] + [one.elts for one in syntax.every(tree, ast.Tuple)]
    for items in lists:
        texts = [
            (one.value, one.lineno) for one in items if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if len(texts) > 1 and any("." in text for text, _ in texts):
            yield from defined.of_scopes(texts)


_ADDS: Final = re.compile(r"^(?:add_plugin|add_tool|add_function|register_tool|add_mcp_server|register_function)$")


def _added(tree: ast.AST, functions: dict[str, syntax.Function], names: dict[str, ast.expr]) -> Iterator[Told]:
    """What is added to one agent, or kernel, call by call; by `register_function` to whom it is told by `caller`."""
    given: dict[str, list[tuple[int, Part]]] = {}
    for call in syntax.every(tree, ast.Call):
        if not call.args or not _ADDS.match(syntax.last(call.func)):
            continue
        to = next((syntax.said(one.value) for one in call.keywords if one.arg == "caller"), "")
        if not to and isinstance(call.func, ast.Attribute):
            to = syntax.said(call.func.value)
        if to:
            given.setdefault(to, []).extend((call.lineno, part) for part in _parts(call.args[0], functions, names))
    for made in functions.values():
        for by in made.decorator_list:
            found = re.match(r"(\w+)\.register_for_llm\(", syntax.said(by))
            if found:
                given.setdefault(found[1], []).append((by.lineno, (made.name, by.lineno, _legs(made))))
    for parts in given.values():
        yield from _told(parts[0][0], [part for _, part in parts])


def _told(line: int, parts: list[Part]) -> Iterator[Told]:
    for kind, _, said in toxic.judged(parts):
        yield kind, line, said


def _given(node: ast.Call, names: dict[str, ast.expr]) -> list[ast.expr]:
    """What a call gives an agent: its tools, its servers; by name, or in the place where what builds one has them."""
    name = syntax.last(node.func)
    given = [one.value for one in node.keywords if one.arg in _GIVEN]
    if _BOUND.match(name) or _SETS.search(name):
        given += node.args[:1]
        given += [one.value for one in node.keywords if one.arg in ("connections", "servers", "config")]
    elif not given and _BUILT.search(name):
        given += node.args[1:2]
    return [part for one in given for part in _flat(one, names, 0)]


def _flat(node: ast.expr, names: dict[str, ast.expr], depth: int) -> list[ast.expr]:
    """The items of a list, or of lists put together; a dictionary of servers is one item."""
    node = _awaited(node)
    if isinstance(node, ast.Name) and depth < 4:
        known = names.get(node.id)
        if isinstance(known, ast.Call):
            return _flat(known.args[0], names, depth + 1) if _opens(known) else [node]
        return _flat(known, names, depth + 1) if isinstance(known, _LISTS) else []
    if isinstance(node, ast.ListComp) and isinstance(node.generators[0].iter, ast.List | ast.Tuple):
        return list(node.generators[0].iter.elts)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [
            part
            for one in node.elts
            for part in (_flat(one.value, names, depth + 1) or [one] if isinstance(one, ast.Starred) else [one])
        ]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_flat(node.left, names, depth + 1), *_flat(node.right, names, depth + 1)]
    kit = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KITS
    return [node] if kit or isinstance(node, ast.Dict) or (depth and isinstance(node, ast.Call)) else []


def _opens(node: ast.Call) -> bool:
    """Say whether a call opens a client of the servers that it is given as a list."""
    return bool(node.args) and bool(_SETS.search(syntax.last(node.func)))


_KITS: Final = frozenset({"get_tools", "to_tool_list", "load_tools", "list_tools"})
"""Methods by which a toolkit or a client of servers gives its tools."""
_LISTS: Final = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp, ast.ListComp)


def _parts(one: ast.expr, functions: dict[str, syntax.Function], names: dict[str, ast.expr]) -> Iterator[Part]:
    """One item that an agent is given: a tool, a server, or a dictionary of servers."""
    if isinstance(one, ast.Dict):
        keys = {key.value for key in one.keys if isinstance(key, ast.Constant)}
        if keys & {"url", "command"} and not keys & {"name", "type", "server_label"}:
            yield "a server", one.lineno, toxic.legs_of(_words(one), by_verb=False)
            return
        described = list(_described(one))
        yield from described or _servers(one)
        return
    line = one.lineno
    kit = one.value if isinstance(one, ast.Starred) else one
    kit = names.get(kit.id, kit) if isinstance(one, ast.Starred) and isinstance(kit, ast.Name) else kit
    one = kit if isinstance(one, ast.Starred) else one
    one = _kit(names[one.id], names) if isinstance(one, ast.Name) and _is_kit(names.get(one.id)) else _kit(one, names)
    if isinstance(one, ast.Name) and isinstance(names.get(one.id), ast.Call):
        if not _SERVER.search(syntax.said(names[one.id])) and not _wraps(names[one.id]):
            made = names[one.id]
            yield one.id, line, _tool(made, functions) or toxic.legs_of(one.id, by_verb=True)
            return
        one = names[one.id]
    text = syntax.said(one)[:2000]
    if _SERVER.search(text.partition("(")[0]):
        yield text[:60], line, toxic.legs_of(_words(one), by_verb=False)
    elif isinstance(one, ast.Constant) and str(one.value).startswith(("http://", "https://")):
        yield str(one.value), line, toxic.legs_of(str(one.value), by_verb=False)
    else:
        yield text[:60], line, _tool(one, functions)


def _is_kit(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KITS


def _kit(node: ast.expr, names: dict[str, ast.expr]) -> ast.expr:
    """What the tools that an expression gives come from: a toolkit, a client of servers; else the expression."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KITS:
        of = node.func.value
        return names.get(of.id, node) if isinstance(of, ast.Name) else of
    return node


def _described(node: ast.Dict) -> Iterator[Part]:
    """A tool that is told to a model as it stands: by its name, its function's, its server's label, or its type."""
    entry = spelled.read(node)
    label = entry["server_label"].text
    if label:
        yield label, node.lineno, toxic.legs_of(f"{label} {entry['server_url'].text}", by_verb=False)
        return
    name = entry["name"].text or entry["function"]["name"].text
    if name or entry["type"].text:
        said = next(
            (
                text
                for text in (name, entry["type"].text, entry["description"].text)
                if toxic.legs_of(text, by_verb=True)
            ),
            "",
        )
        yield name or entry["type"].text, node.lineno, toxic.legs_of(said, by_verb=True)


def _wraps(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and bool(re.search(r"(?i)tool", syntax.said(node.func)))


def _tool(one: ast.expr, functions: dict[str, syntax.Function]) -> frozenset[str]:
    """What a tool does: by the function that it is or wraps, else by its words."""
    if isinstance(one, ast.Name) and one.id in functions:
        return _legs(functions[one.id])
    if isinstance(one, ast.Call):
        wrapped = [
            word.id for word in (*one.args, *(given.value for given in one.keywords))
            if isinstance(word, ast.Name) and word.id in functions
        ]  # fmt: skip
        if wrapped:
            return _legs(functions[wrapped[0]])
    text = syntax.said(one)[:200]
    kit = re.match(r"(?:\w+\.)*(\w*?)Tool(?:kit|s)\b", text)
    if kit:
        return toxic.legs_of(kit[1], by_verb=False) - ({toxic.OUT} if _looks(one) else set())
    return toxic.legs_of(text.partition("(")[0], by_verb=True) or toxic.legs_of(text, by_verb=True)


_ONLY: Final = frozenset({"include_tools", "included_tools", "allowed_tools", "selected_tools", "tool_names", "tools"})
"""Arguments of a kit of tools that name the only ones that it gives."""


def _looks(kit: ast.expr) -> bool:
    """Say whether a kit is told by name which of its tools it gives, and those only read."""
    given = [one.value for one in kit.keywords if one.arg in _ONLY] if isinstance(kit, ast.Call) else []
    texts = [item for one in given for item in spelled.read(one).items]
    return bool(texts) and all(one.text and not verbs.writes(one.text) for one in texts)


def _legs(function: syntax.Function) -> frozenset[str]:
    """What a tool of this file does: by its name, else by the first line of what it says of itself, or its calls."""
    said = (ast.get_docstring(function) or "").partition("\n")[0]
    named = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    if named & _TO and named & _WHAT:
        return frozenset({toxic.OUT})
    if re.search(
        r"(?i)\b(?:sends?|posts?|publish\w*)\b(?!\s+(?:of|from|that|in|by"
        r"|on)\b)",
        f"{function.name.replace('_', ' ')} {said}",
    ):
        return frozenset({toxic.OUT})
    if legs := toxic.legs_told(function.name, said):
        return legs
    calls = [syntax.said(one.func) for one in syntax.every(function, ast.Call)]
    return next((frozenset({leg}) for leg, shape in _CALLS if any(shape.search(one) for one in calls)), frozenset())


_TO: Final = frozenset(
    {
        "to",
        "recipient",
        "recipients",
        "to_address",
        "phone",
        "phone_number",
        "number",
        "channel",
        "chat",
        "url",
        "webhook_url",
        "address",
    }
)
_WHAT: Final = frozenset({"text", "body", "message", "content", "subject", "msg", "html"})
"""Parameters of a tool that tells somebody something."""


def _decorated(function: syntax.Function, agent: str) -> bool:
    return any(syntax.said(one).startswith(f"{agent}.tool") for one in function.decorator_list)


def _words(node: ast.expr) -> str:
    """The texts of an expression, less those that only say how something is run."""
    texts = [one.value for one in syntax.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return " ".join(re.sub(r"^https?://", "", one) for one in texts if not _TRANSPORTS.match(one))


def _servers(node: ast.Dict) -> Iterator[Part]:
    """The servers that a client of several is given, by name and address."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(value, ast.Dict) and key.value in ("mcpServers", "servers"):
            yield from _servers(value)
        elif isinstance(key, ast.Constant) and isinstance(value, ast.Dict | ast.Call):
            name = str(key.value)
            yield name, key.lineno, toxic.legs_of(f"{name} {_words(value)}", by_verb=False)
