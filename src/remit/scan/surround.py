"""Python that hands a whole environment on: to a server, to a process, to the model (AG102). Pure.

The code is parsed, never run. What a name stands for is followed only within its file.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import syntax, tooling
from remit.scan.launch import Told

_HANDED: Final = ("env", "environment", "envs", "env_vars", "environment_variables")


def told(tree: ast.AST) -> Iterator[Told]:
    """Environments that are handed on whole; the same one in several calls of a function is told once."""
    if "environ" not in syntax.words(tree) and "dotenv_values" not in syntax.words(tree):
        return
    yield from _shown(tree)
    made = _makers(tree)
    tools = _has_tools(tree)
    handed: set[tuple[int, str]] = set()
    own = {
        id(word.value)
        for call in ([] if tools else syntax.every(tree, ast.Call))
        if tooling.in_python(call)
        for word in call.keywords
    }
    for scopes, value in _handed(tree, ({},), _idle(tree)):
        if id(value) in own:
            continue
        name = value.id if isinstance(value, ast.Name) else ""
        at = next((one for one in reversed(scopes) if name in one), None)
        if _whole(value, made) or (at is not None and at[name] and (id(at), name) not in handed):
            handed.add((id(at), name))
            yield Kind.INHERITED, value.lineno, "the whole environment is handed on"


def _handed(
    root: ast.AST, above: tuple[dict[str, bool], ...], idle: frozenset[str]
) -> Iterator[tuple[tuple[dict[str, bool], ...], ast.expr]]:
    """Every environment that is given to something, with the names that it sees: of its function, and of those around.

    A name is True when it stands for the whole environment.
    """
    scopes = (*above, _named(root))
    for node in _inside(root):
        if isinstance(node, ast.Call):
            looks = _LOOKS.search(syntax.last(node.func)) or (isinstance(node.func, ast.Name) and node.func.id in idle)
            yield from ((scopes, one.value) for one in node.keywords if one.arg in _HANDED and not looks)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _HANDED:
                    yield scopes, value
        elif isinstance(node, syntax.Function):
            yield from _handed(node, scopes, idle)


def _inside(root: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, or in a file, and in no function of it; the functions themselves stand there."""
    left = [root]
    while left:
        node = left.pop()
        if node is not root:
            yield node
            if isinstance(node, syntax.Function):
                continue
        left.extend(reversed(list(ast.iter_child_nodes(node))))


def _named(root: ast.AST) -> dict[str, bool]:
    names = {}
    if isinstance(root, syntax.Function):
        given = root.args
        names = {one.arg: False for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    for node in _inside(root):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for one in targets:
                if isinstance(one, ast.Name):
                    names[one.id] = names.get(one.id, False) or _whole(node.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "update"
            and isinstance(node.func.value, ast.Name)
            and len(node.args) == 1
            and _whole(node.args[0])
        ):
            names[node.func.value.id] = True
        elif isinstance(node, ast.For) and (name := _copied(node)):
            names[name] = True
    return names


def _copied(loop: ast.For) -> str:
    """The name of a table to which a loop copies the whole environment; empty when it does not, or chooses."""
    if syntax.first(loop.iter) not in ("os", "environ") or len(loop.body) != 1:
        return ""
    one = loop.body[0]
    target = one.targets[0] if isinstance(one, ast.Assign) else None
    if syntax.said(loop.iter) not in ("os.environ.items()", "environ.items()", "os.environ", "environ"):
        return ""
    return target.value.id if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) else ""


_LOOKS: Final = re.compile(r"(?:^|_)from_env$")
"""Functions that are configured by an environment, and hand it to nobody."""


def _idle(tree: ast.AST) -> frozenset[str]:
    """The functions of a file that are given an environment by name, and give it to nothing."""
    found = set()
    for one in syntax.functions(tree):
        names = {arg.arg for arg in (*one.args.args, *one.args.kwonlyargs) if arg.arg in _HANDED}
        calls = syntax.every(one, ast.Call)
        given = {syntax.said(part) for call in calls for part in (*call.args, *(word.value for word in call.keywords))}
        spread = {syntax.said(part) for table in syntax.every(one, ast.Dict) for part in table.values}
        kept = {syntax.said(part.value) for part in syntax.every(one, ast.Assign)}
        back = {syntax.said(part.value) for part in syntax.every(one, ast.Return) if part.value}
        if names and names.isdisjoint(given | spread | kept | back):
            found.add(one.name)
    return frozenset(found)


_COPIES: Final = frozenset({"dict", "copy", "deepcopy", "OrderedDict", "MappingProxyType", "SecretStr"})


def _whole(node: ast.expr, made: frozenset[str] = frozenset()) -> bool:
    """Say whether an expression is the whole environment, or a copy of it; `made` are functions that give it back."""
    if isinstance(node, ast.Name | ast.Attribute):
        return syntax.said(node) in ("os.environ", "environ", "os.environb")
    if isinstance(node, ast.Dict):
        return any(key is None and _whole(one, made) for key, one in zip(node.keys, node.values, strict=True))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _whole(node.left, made) or _whole(node.right, made)
    if isinstance(node, ast.IfExp):
        return _whole(node.body, made) or _whole(node.orelse, made)
    if isinstance(node, ast.DictComp):
        return len(node.generators) == 1 and _copies(node.generators[0])
    return isinstance(node, ast.Call) and _given_whole(node, made)


def _given_whole(call: ast.Call, made: frozenset[str]) -> bool:
    name = syntax.last(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if name == "dotenv_values" or (isinstance(call.func, ast.Name) and name in made):
        return True
    if isinstance(call.func, ast.Attribute) and name in ("copy", "items") and not call.args:
        return _whole(call.func.value, made)
    if name not in _COPIES:
        return False
    spread = [one.value for one in call.keywords if one.arg is None]
    return any(_whole(one, made) for one in (*call.args[:1], *spread))


def _copies(part: ast.comprehension) -> bool:
    """Say whether a comprehension takes every variable, or every one that is set."""
    plain = all(
        isinstance(one, ast.Name)
        or (
            isinstance(one, ast.Compare)
            and isinstance(one.left, ast.Name)
            and isinstance(one.comparators[0], ast.Constant)
            and one.comparators[0].value in (None, "")
            and not isinstance(one.ops[0], ast.Eq | ast.Is)
        )
        for one in part.ifs
    )
    return plain and syntax.said(part.iter) in ("os.environ.items()", "environ.items()", "os.environ", "environ")


def _makers(tree: ast.AST) -> frozenset[str]:
    """The functions of a file that give the whole environment back."""
    found = set()
    for function in syntax.functions(tree):
        names = _named(function)
        for one in _inside(function):
            if isinstance(one, ast.Return) and one.value is not None:
                given = one.value
                if _whole(given) or (isinstance(given, ast.Name) and names.get(given.id, False)):
                    found.add(function.name)
    return frozenset(found)


_SHOWN: Final = re.compile(r"(?:^|\.)(?:tool|function_tool|resource|kernel_function|ai_function)$")


def _has_tools(tree: ast.AST) -> bool:
    """Say whether a file makes tools of its functions."""
    marks = (one for function in syntax.functions(tree) for one in function.decorator_list)
    return any(_SHOWN.search(syntax.said(one.func if isinstance(one, ast.Call) else one)) for one in marks)


def _shown(tree: ast.AST) -> Iterator[Told]:
    """Tools that tell the model the whole environment."""
    for function in syntax.functions(tree):
        marks = [one.func if isinstance(one, ast.Call) else one for one in function.decorator_list]
        if not any(_SHOWN.search(syntax.said(one)) for one in marks):
            continue
        for one in _inside(function):
            if isinstance(one, ast.Return) and one.value is not None:
                given = one.value
                while (
                    isinstance(given, ast.Call)
                    and syntax.last(given.func) in ("dumps", "str", "repr", "pformat")
                    and given.args
                ):
                    given = given.args[0]
                if _whole(given):
                    yield Kind.INHERITED, one.lineno, "a tool tells the model the whole environment"
