"""Functions that code gives an agent as tools, and what an agent is let do with nobody asked (AG121, AG131). Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import consent, mounted, opened, running, spawned, syntax, verbs
from remit.scan.launch import Told

_LIMITS: Final = re.compile(r"(?i)allow|whitelist|approv|confirm|human|callback|sandbox|permitted")
_TOOL: Final = re.compile(
    r"(?:^|[._])(?:tool(?:_plain)?|ai_function|kernel_function|beta_tool|register_function)(?:$|\()"
)
_STRANDS: Final = frozenset({"shell", "python_repl"})
_GIVEN: Final = frozenset({"tools", "functions", "function_map"})


def told(tree: ast.AST) -> Iterator[Told]:
    """What the tools of a file give away, and what its agents do unasked."""
    given = {*_given(tree), *_methods(tree)}
    functions = {one.name: one for one in syntax.functions(tree)}
    strands = syntax.mentions(tree, "strands_tools")
    helpers = frozenset(name for name, one in functions.items() if any(True for _ in running.calls(one)))
    obeys = bool(_BASH.search(syntax.words(tree)))
    for function in syntax.functions(tree):
        yield from _function(function, given | ({function.name} if obeys else set()), helpers)
        yield from _unasked(function)
    names = {
        one.targets[0].id: one.value for one in syntax.every(tree, ast.Assign) if isinstance(one.targets[0], ast.Name)
    }
    yield from _faults(tree)
    yield from spawned.told(tree)
    for call in syntax.every(tree, ast.Call):
        if call.keywords or call.args:
            yield from _let(call, functions)
        if call.keywords:
            yield from _options(call, names)
            yield from _reach(call)
        for name, line in _names(call) if strands else ():
            if name in _STRANDS:
                yield Kind.BROAD_TOOL, line, f"{name} runs any command"


def _given(tree: ast.AST) -> Iterator[str]:
    """The names of functions that are given to an agent as they are."""
    wrapped = re.search(r"FunctionTool|StructuredTool|^Tool$", syntax.words(tree), re.MULTILINE)
    for node in syntax.every(tree, ast.Call):
        yield from (name for name, _ in _names(node))
        if wrapped and re.search(r"FunctionTool|StructuredTool|^Tool$", syntax.said(node.func)):
            every = (*node.args, *(one.value for one in node.keywords))
            yield from (one.id for one in every if isinstance(one, ast.Name))


_METHODS: Final = frozenset({"_run", "_arun", "run", "forward", "execute", "invoke", "__call__", "run_async"})


def _methods(tree: ast.AST) -> Iterator[str]:
    """The methods by which an agent calls a class that is a tool."""
    for node in syntax.every(tree, ast.ClassDef):
        if any(re.search(r"Tool$", syntax.said(one)) for one in node.bases):
            yield from (one.name for one in node.body if isinstance(one, syntax.Function) and one.name in _METHODS)


def _names(node: ast.Call) -> Iterator[tuple[str, int]]:
    for one in node.keywords:
        if one.arg in _GIVEN and isinstance(one.value, ast.List | ast.Tuple):
            yield from ((item.id, item.lineno) for item in one.value.elts if isinstance(item, ast.Name))


_BASH: Final = re.compile(r"^(?:bash|code_execution|local_shell|shell)_20\d{6}$", re.MULTILINE)
"""A model's own tool of a shell, which the code that names it has to run."""


def _function(node: syntax.Function, given: set[str], helpers: frozenset[str]) -> Iterator[Told]:
    """A function that agents may call as a tool, and that gives what they say to a shell or runs it as it stands."""
    decorated = any(_TOOL.search(syntax.said(one)) for one in node.decorator_list)
    if not (decorated or node.name in given) or _LIMITS.search(syntax.words(node)):
        return
    for call, what in running.calls(node, helpers):
        yield Kind.BROAD_TOOL, call.lineno, f"the tool {node.name} runs {what}"


_ASKED: Final = frozenset(
    {
        "ask_human_input",
        "needs_approval",
        "requires_confirmation",
        "require_confirmation",
        "requires_approval",
        "require_approval",
    }
)
"""Arguments of a tool that say whether a person is asked before it runs."""


def _writes(node: syntax.Function) -> bool:
    """Say whether a tool does more than read: by its name; by what it says of itself where its name has no verb."""
    said = (ast.get_docstring(node) or "").split(" ", 1)[0].rstrip("s.").lower()
    return verbs.writes(node.name) and not (verbs.is_plain(node.name) and said in _LOOKS)


_LOOKS: Final = frozenset(
    {"read", "return", "get", "list", "show", "find", "look", "search", "fetche", "fetch", "count", "tell"}
)


def _unasked(node: syntax.Function) -> Iterator[Told]:
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and _writes(node):
            for word in one.keywords:
                if word.arg == "approval_mode" and re.search(r"never_?require", syntax.said(word.value), re.IGNORECASE):
                    yield Kind.UNASKED, one.lineno, f"{node.name} runs with nobody asked"
                if word.arg in _ASKED and isinstance(word.value, ast.Constant) and word.value.value is False:
                    yield Kind.UNASKED, word.value.lineno, f"{node.name} runs with nobody asked"


_CALLBACKS: Final = frozenset(
    {"can_use_tool", "on_permission_request", "on_approval_request", "approval_func", "approval_callback",
     "approval_handler", "permission_handler", "confirm_callback", "request_permission"}
)  # fmt: skip
"""Arguments that a person's answer is asked of."""
_YES: Final = re.compile(
    r"PermissionResultAllow|['\"]approve[d]?['\"]: True|\bapproved?=True|['\"]behavior['\"]: ['\"]allow"
    r"|['\"]kind['\"]: ['\"]approve"
    r"|['\"]permissionDecision['\"]: ['\"]allow|['\"]decision['\"]: ['\"]approve|^True$"
)
_EVERY: Final = re.compile(r"(?:^|\.)(?:approve_all|allow_all|always_allow|auto_approve)$")


def _let(node: ast.Call, functions: dict[str, syntax.Function]) -> Iterator[Told]:
    """A tool that is made of a function and asks nobody, and a callback that allows every tool."""
    for one in node.keywords:
        if one.arg in _ASKED and isinstance(one.value, ast.Constant) and one.value.value is False:
            given = (*node.args[:1], *(word.value for word in node.keywords if word.arg in _MADE_OF))
            names = [name.id for name in given if isinstance(name, ast.Name)]
            names += [str(name.value) for name in given if isinstance(name, ast.Constant)]
            names += [str(name) for name in _taken(node)] or [
                found[1] for found in [_KIND.match(syntax.last(node.func))] if found
            ]
            loud = [name for name in names if verbs.writes(name)]
            if loud:
                yield Kind.UNASKED, one.value.lineno, f"{loud[0][:60]} runs with nobody asked"
        if one.arg in _CALLBACKS and _allows(one.value, functions):
            yield Kind.UNASKED, one.value.lineno, "every tool is allowed with nobody asked"
        if one.arg == "hooks" and isinstance(one.value, ast.Dict):
            yield from _hooks(one.value, functions)
        if one.arg == "extra_args" and "'dangerously-skip-permissions'" in syntax.said(one.value):
            yield Kind.UNASKED, one.value.lineno, "an agent is started so that everything runs with nobody asked"
        if one.arg == "approval_required_func" and _says(one.value, False):
            yield Kind.UNASKED, one.value.lineno, "every tool runs with nobody asked"
        if one.arg == "require_approval" and isinstance(one.value, ast.Dict):
            yield from _never(one.value)
    if syntax.last(node.func) == "approval_required" and node.args and _says(node.args[0], False):
        yield Kind.UNASKED, node.args[0].lineno, "every tool runs with nobody asked"


_KIND: Final = re.compile(r"^(Shell|Bash|ApplyPatch|LocalShell|Computer|CodeInterpreter)Tool$")
"""Tools that are ready made, and do more than read."""


def _taken(node: ast.Call) -> list[object]:
    """The tools that a client takes of a server, as a call lists them."""
    return [
        item.value
        for one in node.keywords
        if one.arg in ("tool_filter", "allowed_tools") and isinstance(one.value, ast.List | ast.Tuple)
        for item in one.value.elts
        if isinstance(item, ast.Constant)
    ]


_MADE_OF: Final = frozenset({"func", "function", "fn", "name", "tool_name", "handler", "coroutine"})
"""Arguments that say which function or tool a call is about."""


def _hooks(node: ast.Dict, functions: dict[str, syntax.Function]) -> Iterator[Told]:
    """Hooks of Claude's SDK that judge a call before it is made, and allow all."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value in ("PreToolUse", "PermissionRequest"):
            for name in syntax.every(value, ast.Name):
                if name.id in functions and _allows(name, functions):
                    yield Kind.UNASKED, name.lineno, "every tool is allowed with nobody asked"


def _says(node: ast.expr, answer: object) -> bool:
    """Say whether a lambda answers so to everything."""
    return isinstance(node, ast.Lambda) and isinstance(node.body, ast.Constant) and node.body.value is answer


def _never(node: ast.Dict) -> Iterator[Told]:
    """Tools of a server that run unasked, by name."""
    texts = [
        item
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "never"
        for item in syntax.every(value, ast.Constant)
        if isinstance(item.value, str) and item.value != "tool_names"
    ]
    for item in texts:
        if verbs.writes(str(item.value)):
            yield Kind.UNASKED, item.lineno, f"{str(item.value)[:60]} runs with nobody asked"
            return


def _allows(node: ast.expr, functions: dict[str, syntax.Function]) -> bool:
    """Say whether a callback allows whatever it is asked about: it returns nothing else, and chooses nothing."""
    if isinstance(node, ast.Lambda):
        return bool(_YES.search(syntax.said(node.body))) and not isinstance(node.body, ast.IfExp)
    if _EVERY.search(syntax.said(node)):
        return True
    function = functions.get(node.id) if isinstance(node, ast.Name) else None
    if function is None or any(
        isinstance(one, ast.If | ast.IfExp | ast.Match | ast.Raise | ast.Await | ast.BoolOp)
        for one in syntax.walk(function)
    ):
        return False
    given = [one.value for one in syntax.every(function, ast.Return)]
    return bool(given) and all(one is not None and _YES.search(syntax.said(one)) for one in given)


def _faults(node: ast.AST) -> Iterator[Told]:
    """Where what asks a person is caught in a fault, and allows the call."""
    for one in syntax.every(node, ast.ExceptHandler):
        for back in one.body:
            if isinstance(back, ast.Return) and back.value is not None and _PASSES.search(syntax.said(back.value)):
                yield Kind.UNASKED, back.lineno, "what asks a person lets the call pass when it fails"


_PASSES: Final = re.compile(
    r"PermissionResultAllow|['\"]behavior['\"]: ['\"]allow|['\"]permissionDecision['\"]: ['\"]allow"
    r"|['\"]decision['\"]: ['\"]approve"
)


def _options(node: ast.Call, names: dict[str, ast.expr]) -> Iterator[Told]:
    """What an agent is let do: tools that are allowed beforehand, and tools that a person is not asked about."""
    for one in node.keywords:
        if (
            one.arg == "allowed_tools"
            and isinstance(one.value, ast.List)
            and syntax.last(node.func).startswith("Claude")
        ):
            for item in one.value.elts:
                if isinstance(item, ast.Constant) and consent.rule_writes(str(item.value)):
                    yield Kind.UNASKED, item.lineno, f"{str(item.value)[:60]} is allowed with nobody asked"
        given = names.get(one.value.id, one.value) if isinstance(one.value, ast.Name) else one.value
        if one.arg == "interrupt_on" and isinstance(given, ast.Dict):
            for key, value in zip(given.keys, given.values, strict=True):
                off = isinstance(value, ast.Constant) and value.value is False
                if off and isinstance(key, ast.Constant) and verbs.writes(str(key.value)):
                    yield Kind.UNASKED, value.lineno, f"{str(key.value)[:60]} runs with nobody asked"


def _reach(node: ast.Call) -> Iterator[Told]:
    """Folders that an agent may use."""
    if re.search(r"Sandbox|Container|Docker|Workspace(?:Spec|Image)", syntax.said(node.func)[:200]):
        return  # a machine of its own
    for one in node.keywords if not opened.of_store(one.arg for one in node.keywords if one.arg) else ():
        if one.arg and (opened.folder(one.arg) or one.arg == "add_dirs"):
            for item in one.value.elts if isinstance(one.value, ast.List) else [one.value]:
                if isinstance(item, ast.Constant) and isinstance(item.value, str) and mounted.broad(item.value):
                    yield Kind.BROAD_TOOL, item.lineno, f"{one.arg} is the root or a whole home"
