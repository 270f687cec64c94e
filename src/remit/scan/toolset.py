"""Agents that code builds, and what the tools that each is given do. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import toxic
from remit.scan.launch import Told

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BUILT: Final = re.compile(
    r"(?:^|_)(?:agent|react_agent|tool_calling_agent|agent_executor)$|Agent$|^AgentExecutor$|^ChatAgent$"
)
_SETS: Final = re.compile(r"MCPClient$|^MCPConfig$|^MCPTools$|^MultiMCPTools$")
_CALLS: Final = (
    (toxic.OUT, re.compile(r"\.(?:sendmail|send_message|post|put|chat_postMessage|send_email|publish|send)$")),
    (toxic.STRANGERS, re.compile(r"^(?:requests|httpx|urllib\.request|aiohttp)\.(?:get|urlopen)$|\.goto$")),
    (toxic.PRIVATE, re.compile(r"\.(?:execute|fetchone|fetchall|find_one|find|query|read_text|aggregate)$")),
)


def told(tree: ast.AST) -> Iterator[Told]:
    """The agents of a file that hold all three."""
    functions = {one.name: one for one in ast.walk(tree) if isinstance(one, Function)}
    lists = {
        one.targets[0].id: one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            tools = _given(node, lists)
            if tools:
                yield from _told(node.lineno, [_tool(one, functions) for one in tools])
            elif _SETS.search(ast.unparse(node.func)):
                yield from _told(node.lineno, [part for one in node.args for part in _servers(one)])
        elif (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call)
        ):
            mine = [one for one in functions.values() if _decorated(one, node.targets[0].id)]
            yield from _told(node.lineno, [(one.name, one.lineno, _legs(one)) for one in mine])


def _told(line: int, parts: list[tuple[str, int, frozenset[str]]]) -> Iterator[Told]:
    for kind, _, said in toxic.judged(parts):
        yield kind, line, said


def _given(node: ast.Call, lists: dict[str, ast.expr]) -> list[ast.expr]:
    """The tools that a call gives an agent: as `tools=`, or in the second place of what builds one."""
    name = ast.unparse(node.func).rpartition(".")[2]
    given = next((one.value for one in node.keywords if one.arg in ("tools", "toolsets")), None)
    if given is None and _BUILT.search(name) and len(node.args) > 1:
        given = node.args[1]
    if isinstance(given, ast.Name):
        given = lists.get(given.id)
    return list(given.elts) if isinstance(given, ast.List | ast.Tuple) else []


def _tool(one: ast.expr, functions: dict[str, Function]) -> tuple[str, int, frozenset[str]]:
    text = ast.unparse(one)[:200]
    if isinstance(one, ast.Name) and one.id in functions:
        return text, one.lineno, _legs(functions[one.id])
    if re.search(r"\w*Toolkit\(", text):
        return text, one.lineno, toxic.legs_of(re.search(r"(\w*)Toolkit\(", text)[1], by_verb=False)  # type: ignore[index]
    return text, one.lineno, toxic.legs_of(text, by_verb=True)


def _legs(function: Function) -> frozenset[str]:
    """What a tool of this file does: by its name, else by the first line of what it says of itself, or its calls."""
    said = (ast.get_docstring(function) or "").partition("\n")[0]
    if re.search(r"(?i)\bsends?\b|\bposts?\b|\bpublish", f"{function.name.replace('_', ' ')} {said}"):
        return frozenset({toxic.OUT})
    for text in (function.name, said):
        legs = toxic.legs_of(text, by_verb=True)
        if legs:
            return legs
    calls = [ast.unparse(one.func) for one in ast.walk(function) if isinstance(one, ast.Call)]
    return next((frozenset({leg}) for leg, shape in _CALLS if any(shape.search(one) for one in calls)), frozenset())


def _decorated(function: Function, agent: str) -> bool:
    return any(ast.unparse(one).startswith(f"{agent}.tool") for one in function.decorator_list)


def _servers(node: ast.expr) -> Iterator[tuple[str, int, frozenset[str]]]:
    """The servers that a client of several is given, by name and address."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(value, ast.Dict):
                words = " ".join(
                    one.value for one in ast.walk(value) if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )
                yield str(key.value), key.lineno, toxic.legs_of(str(key.value) + " " + words, by_verb=False)
