"""Functions that code gives an agent as tools, and what an agent is let do with nobody asked (AG121, AG131). Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import consent, launch, syntax
from remit.scan.launch import Told

_LIMITS: Final = re.compile(r"(?i)allow|whitelist|approv|confirm|human|callback|sandbox|permitted")
_TOOL: Final = re.compile(
    r"(?:^|[._])(?:tool(?:_plain)?|ai_function|kernel_function|beta_tool|register_function)(?:$|\()"
)
_LINES: Final = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"}
)
_RUNS: Final = re.compile(r"^(?:subprocess\.\w+|asyncio\.create_subprocess_exec|Popen|run|check_output)$")
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "/bin/sh", "/bin/bash", "python", "python3", "cmd", "powershell"})
_STRANDS: Final = frozenset({"shell", "python_repl"})
_GIVEN: Final = frozenset({"tools", "functions", "function_map"})


def told(tree: ast.AST) -> Iterator[Told]:
    """What the tools of a file give away, and what its agents do unasked."""
    given = set(_given(tree))
    strands = syntax.mentions(tree, "strands_tools")
    for function in syntax.functions(tree):
        yield from _function(function, given)
        yield from _unasked(function)
    for call in syntax.every(tree, ast.Call):
        yield from _options(call)
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


def _names(node: ast.Call) -> Iterator[tuple[str, int]]:
    for one in node.keywords:
        if one.arg in _GIVEN and isinstance(one.value, ast.List | ast.Tuple):
            yield from ((item.id, item.lineno) for item in one.value.elts if isinstance(item, ast.Name))


def _function(node: syntax.Function, given: set[str]) -> Iterator[Told]:
    """A function that agents may call as a tool, and that gives what they say to a shell or runs it as it stands."""
    decorated = any(_TOOL.search(syntax.said(one)) for one in node.decorator_list)
    if not (decorated or node.name in given) or _LIMITS.search(syntax.words(node)):
        return
    said = {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    for call in syntax.every(node, ast.Call):
        if call.args and _any(call, said):
            yield Kind.BROAD_TOOL, call.lineno, f"the tool {node.name} runs anything that it is told"


def _any(call: ast.Call, said: set[str]) -> bool:
    """Say whether a call runs what a parameter says: a line of a shell, a program with its words, or code."""
    name, first = syntax.said(call.func), call.args[0]
    shell = name in _LINES or (
        name.startswith("subprocess.")
        and any(one.arg == "shell" and syntax.said(one.value) == "True" for one in call.keywords)
    )
    if shell or name in ("exec", "eval"):
        return isinstance(first, ast.Name) and first.id in said
    if not _RUNS.match(name):
        return False
    words = first.elts if isinstance(first, ast.List) else call.args
    texts = [one.value if isinstance(one, ast.Constant) else syntax.said(one) for one in words]
    through = texts[:1] and texts[0] in (*_SHELLS, "sys.executable") and "-c" in texts
    if through:
        return isinstance(words[-1], ast.Name) and words[-1].id in said
    split = re.match(r"(?:shlex\.split\((\w+)\)|(\w+)\.split\(\))$", syntax.said(first))
    return bool(split) and (split[1] or split[2]) in said  # type: ignore[index]


def _unasked(node: syntax.Function) -> Iterator[Told]:
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and consent.writes(node.name):
            for word in one.keywords:
                if word.arg == "approval_mode" and syntax.said(word.value).strip("'") == "never_require":
                    yield Kind.UNASKED, one.lineno, f"{node.name} runs with nobody asked"


def _options(node: ast.Call) -> Iterator[Told]:
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
                    break
        if one.arg == "interrupt_on" and isinstance(one.value, ast.Dict):
            for key, value in zip(one.value.keys, one.value.values, strict=True):
                off = isinstance(value, ast.Constant) and value.value is False
                if off and isinstance(key, ast.Constant) and consent.writes(str(key.value)):
                    yield Kind.UNASKED, value.lineno, f"{str(key.value)[:60]} runs with nobody asked"


def _reach(node: ast.Call) -> Iterator[Told]:
    """Folders that an agent may use."""
    for one in node.keywords:
        if one.arg and (launch.folder(one.arg) or one.arg == "add_dirs"):
            for item in one.value.elts if isinstance(one.value, ast.List) else [one.value]:
                if isinstance(item, ast.Constant) and isinstance(item.value, str) and launch.broad(item.value):
                    yield Kind.BROAD_TOOL, item.lineno, f"{one.arg} is the root or a whole home"
