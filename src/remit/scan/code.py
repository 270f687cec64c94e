"""Reader of Python code of agents (LangChain, OpenAI Agents, CrewAI, MCP servers): parsed, never run. Pure."""

import ast
import functools
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    acting,
    addressed,
    calls,
    checked,
    consent,
    launch,
    mounted,
    pysecret,
    secret,
    served,
    server,
    spelled,
    started,
    syntax,
    verbs,
)
from remit.scan.launch import Told
from remit.scan.node import Node

_HINT: Final = re.compile(
    r"(?i)[\"'](?:claude|codex|gemini|qwen|copilot|cursor-agent|aider|goose|amp|droid)[\"' ]|\b(?:fast)?(?:mcp"
    r"|langchain|langgraph|openai|anthropic|claude_(?:agent|code)_sdk|crewai|autogen|agents?"
    r"|llama_index|smolagents|pydantic_ai|boto3|slack_sdk|slack_bolt|aws_cdk|docker|googleapiclient|msgraph"
    r"|gspread|strands|semantic_kernel|haystack|adk|a2a|llms?|dspy|agno|letta|browser_use|composio|litellm|genai"
    r"|ollama|msal|google_auth_oauthlib|octokit|hvac|npx|uvx|pulumi\w*|cdktf\w*|cdk8s\w*|firebase_admin|azure\.identity"
    r"|google\.oauth2|e2b|login\.microsoftonline)(?:\b|_)"
)
_NAMED: Final = ("codex", "gemini", "qwen", "copilot", "aider", "goose", "amp", "droid")
_PLAIN: Final = (
    "agent", "mcp", "langchain", "langgraph", "openai", "anthropic", "claude", "crewai", "autogen", "llm", "boto3",
    "llama_index", "pydantic_ai", "slack_", "aws_cdk", "docker", "googleapiclient", "msgraph", "gspread", "strands",
    "semantic_kernel", "haystack", "adk", "a2a", "dspy", "agno", "letta", "browser_use", "composio", "genai", "ollama",
    "msal", "google_auth_oauthlib", "octokit", "hvac", "npx", "uvx", "pulumi", "cdktf", "cdk8s", "firebase_admin",
    "azure.identity", "google.oauth2", "e2b", "login.microsoftonline",
    *(f"{quote}{name}" for quote in "\"'" for name in _NAMED),
)  # fmt: skip
"""What `_HINT` cannot be met without, in small letters: looked for first, for most files of a tree hold none of it."""
_FILES: Final = frozenset(
    {
        "FileManagementToolkit",
        "DirectoryReadTool",
        "FileReadTool",
        "FileWriterTool",
        "DirectorySearchTool",
        "ListDirectoryTool",
        "ReadFileTool",
        "WriteFileTool",
        "FilesystemBackend",
        "FileTools",
        "FileToolkit",
        "LocalFilesystem",
    }
)
_SHELL: Final = frozenset(
    {
        "ShellTool",
        "BashProcess",
        "LocalShellTool",
        "BashTool",
        "TerminalTool",
        "ShellToolMiddleware",
        "LocalShellBackend",
        "LocalCommandLineCodeExecutor",
        "ShellTools",
        "UnsafeLocalCodeExecutor",
        "BashToolkit",
        "ShellToolkit",
        "TerminalToolkit",
    }
)
_LIMITS: Final = re.compile(r"(?i)allow|whitelist|approv|confirm|human|callback")
_CODE: Final = frozenset(
    {"CodeInterpreterToolSpec", "PythonREPLTool", "PythonAstREPLTool", "PythonREPL", "PythonTools"}
)
_LOADED: Final = frozenset({"terminal", "python_repl"})
_TRIAL: Final = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$")


def wants(path: str) -> bool:
    """Say whether this is such a file, or may be one: what it is, its text says."""
    return path.endswith(".py") and not _TRIAL.search(path)


@functools.lru_cache(maxsize=1)
def is_agents(text: str) -> bool:
    """Say whether code has to do with agents, by the names that it knows."""
    small = text.lower()
    return any(word in small for word in _PLAIN) and bool(_HINT.search(text))


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file; nothing in code that does not parse, or has nothing to do with agents."""
    if not is_agents(text):
        return pysecret.alone(path, text)
    try:
        tree = syntax.parse(text)
        if tree is None:
            return ()
        names = spelled.names(tree)
        listed = _listed(tree)
        told = [
            one
            for node in syntax.walk(tree)
            if isinstance(node, _READ_OF)
            for one in _node(node, names)
            if one[0] is not Kind.LITERAL_SECRET or node not in listed
        ]
        told += acting.told(tree)
        told += calls.in_python(tree)
        told = calls.open_still(tree, told)
        told += pysecret.told(text, tree, told)
        if any(one[2] is addressed.NOBODY for one in told) and any(
            served.asks(node) for node in syntax.every(tree, ast.Call)
        ):
            told = [one for one in told if one[2] is not addressed.NOBODY]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in dict.fromkeys(told))


def _listed(tree: ast.AST) -> set[ast.AST]:
    """The members of a file's enumerations: what stands for them is a name."""
    classes = (
        one for one in syntax.every(tree, ast.ClassDef) if any(map(_ENUMERATES.search, map(syntax.last, one.bases)))
    )
    return {part for one in classes for part in one.body}


_ENUMERATES: Final = re.compile(r"(?:Enum|Flag)$")
_READ_OF: Final = (ast.Call, ast.Dict, ast.Assign, ast.AnnAssign)


def _node(node: ast.AST, names: spelled.Names) -> Iterator[Told]:
    if isinstance(node, ast.Call):
        yield from _called(node, names)
    elif isinstance(node, ast.Dict):
        yield from _dict(node, names)
        yield from started.of_dict(node, names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from _assigned(node)


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[Told]:
    if node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        name = _place(target)
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("_create_unverified_context", "CERT_NONE"):
            yield Kind.OPEN_REMOTE, node.value.lineno, "certificates are not checked"
        if name == "host" and ".settings." in syntax.said(target) and _is(node.value, "0.0.0.0"):  # noqa: S104
            yield Kind.OPEN_REMOTE, node.value.lineno, addressed.NOBODY
        value = node.value.value if isinstance(node.value, ast.Constant) else None
        if isinstance(target, ast.Attribute) and server.unchecked(name, value):
            yield Kind.OPEN_REMOTE, node.value.lineno, f"{name} turns certificate checks off"
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            if secret.is_written(name, node.value.value):
                yield Kind.LITERAL_SECRET, node.value.lineno, f"{name} holds a literal value"
            yield from _variable(name, node.value.value, node.value.lineno)
        if isinstance(target, ast.Attribute) and name in _AUTO and _is(node.value, True):
            yield Kind.UNASKED, node.value.lineno, f"{name} lets everything run with nobody asked"


def _variable(name: str, value: str, line: int) -> Iterator[Told]:
    if checked.unchecked(name, value):
        yield Kind.OPEN_REMOTE, line, f"{name} turns certificate checks off"
    if launch.unasked(name, value):
        yield Kind.UNASKED, line, f"{name} lets everything run with nobody asked"


_AUTO: Final = frozenset({"auto_run", "auto_approve", "auto_approve_all", "bypass_tool_consent", "yolo"})
"""Arguments and members that ask nobody when they are true."""


def _place(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def called(node: ast.Call) -> str:
    """The last name of what is called; empty for what has none."""
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _given(given: dict[str, ast.expr], name: str = "") -> Iterator[Told]:
    plain = calls.is_plain(name, given)
    for key, value in given.items():
        if plain and key == "insecure":
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and secret.is_written(key, value.value):
            yield Kind.LITERAL_SECRET, value.lineno, f"{key} holds a literal value"
        if server.unchecked(key, value.value if isinstance(value, ast.Constant) else None) or _unverified(key, value):
            yield Kind.OPEN_REMOTE, value.lineno, f"{key} turns certificate checks off"
        text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
        if key in (*server.ADDRESSES, "agent_card"):
            yield from ((Kind.OPEN_REMOTE, value.lineno, said) for said in addressed.address(text))
        elif addressed.called(key, text):
            yield Kind.OPEN_REMOTE, value.lineno, f"{key} is called over http, without TLS"


def _unverified(key: str, value: ast.expr) -> bool:
    """Say whether an argument says in a word that certificates are not looked at."""
    return (key == "ssl" and _is(value, False)) or (
        key in ("cert_reqs", "verify_mode", "ssl_cert_reqs")
        and (_is(value, "CERT_NONE") or _is(value, "none") or syntax.last(value) == "CERT_NONE")
    )


_CALLS: Final = re.compile(r"(?i)mcp|^sse_client$|^streamable_?http\w*$|^websocket_client$|^Client$|Transport$")
"""What calls a server whose address is the first thing that it is given."""


def _called(node: ast.Call, names: spelled.Names) -> Iterator[Told]:
    name = called(node)
    given = {one.arg: one.value for one in node.keywords if one.arg}
    yield from _given({} if name in names.own else given, name)
    if node.args and isinstance(node.args[0], ast.Constant) and _CALLS.search(name):
        yield from ((Kind.OPEN_REMOTE, node.lineno, said) for said in addressed.address(str(node.args[0].value)))
    if name == "_create_unverified_context":
        yield Kind.OPEN_REMOTE, node.lineno, "certificates are not checked"
    yield from _fallback(node)
    yield from _tools(name, node, given, names)
    yield from served.told(name, given)
    yield from started.told(node, name, given, names)
    yield from _unasked(name, given)


def _fallback(node: ast.Call) -> Iterator[Told]:
    """A variable's value where it is not set."""
    if len(node.args) != 2 or not re.search(r"environ\.(?:get|setdefault)$|(?:getenv|putenv)$", syntax.said(node.func)):
        return
    name, value = (one.value if isinstance(one, ast.Constant) else "" for one in node.args)
    if isinstance(name, str) and isinstance(value, str) and secret.is_written(name, value):
        yield Kind.LITERAL_SECRET, node.lineno, f"{name} has a literal value where it is not set"


_NEVER: Final = ("never", "never_require")
_MCP: Final = re.compile(r"(?i)mcp")


def _unasked(name: str, given: dict[str, ast.expr]) -> Iterator[Told]:
    """Arguments that let an agent write or run with nobody asked."""
    keys = [key for key in ("require_approval", "approval_mode") for said in _NEVER if _is(given.get(key), said)]
    held = Node(0, {key: spelled.read(given[key]) for key in ("allowed_tools", "tool_filter") if key in given})
    if keys and not (_is(given[keys[0]], "never_require") and not _MCP.search(name)) and not consent.only_reads(held):
        at = given[keys[0]]
        yield Kind.UNASKED, at.lineno, "every tool runs with nobody asked"
    mode = given.get("permission_mode")
    if mode and any(_is(mode, one) for one in ("bypassPermissions", "acceptEdits")):
        yield Kind.UNASKED, mode.lineno, "permission_mode lets the agent write with nobody asked"
    yield from (
        (Kind.UNASKED, given[key].lineno, f"{key} lets everything run with nobody asked")
        for key in _AUTO & given.keys()
        if _is(given[key], True)
    )
    yield from _policy(given)
    runs = given.get("code_execution_config")
    if runs and not _is(runs, False) and _is(given.get("human_input_mode"), "NEVER"):
        yield Kind.UNASKED, given["human_input_mode"].lineno, "code that the agent writes runs with nobody asked"


def _policy(given: dict[str, ast.expr]) -> Iterator[Told]:
    """Codex's policy, where its sandbox lets it write."""
    if any(_is(given.get("sandbox_mode"), one) for one in ("workspace-write", "danger-full-access")):
        for value in given.values():
            for one in syntax.every(value, ast.keyword):
                if one.arg == "approval_policy" and _is(one.value, "never"):
                    yield Kind.UNASKED, one.value.lineno, "approval_policy is never, and the sandbox lets it write"
        if _is(given.get("approval_policy"), "never"):
            line = given["approval_policy"].lineno
            yield Kind.UNASKED, line, "approval_policy is never, and the sandbox lets it write"


def _tools(name: str, node: ast.Call, given: dict[str, ast.expr], names: spelled.Names) -> Iterator[Told]:
    limited = any(_LIMITS.search(key) and not _is(value, False) for key, value in given.items())
    held = _contained(given.get("environment")) or any(
        "sandbox" in key.lower() or (isinstance(one, ast.Call) and _BOXED.search(called(one)))
        for key, one in given.items()
    )
    if name in _SHELL and not limited and not held:
        yield Kind.BROAD_TOOL, node.lineno, f"{name} has no list of commands"
    if _is(given.get("code_execution_mode"), "unsafe"):
        yield Kind.BROAD_TOOL, given["code_execution_mode"].lineno, "code that the agent writes runs with no sandbox"
    yield from _unsafe(given)
    if name == "load_tools" and node.args and isinstance(node.args[0], ast.List):
        for one in node.args[0].elts:
            if isinstance(one, ast.Constant) and one.value in _LOADED:
                yield Kind.BROAD_TOOL, one.lineno, f"{one.value} has no list of commands"
    if name in _CODE:
        yield Kind.BROAD_TOOL, node.lineno, f"{name} runs any code"
    if name in _FILES:
        for value in (*given.values(), *node.args):
            if mounted.broad(spelled.read(value, 0, names).text):
                yield Kind.BROAD_TOOL, value.lineno, f"the folder of {name} is the root or a whole home"


_BOXED: Final = re.compile(r"Docker|Container|Sandbox|E2B|Modal|Daytona|Codex")
"""What runs commands elsewhere than on this machine."""


def _contained(environment: ast.expr | None) -> bool:
    """Say whether commands run in a container of the model's provider, which the code names as their environment."""
    kind = _texts(environment).get("type", ("", 0))[0] if isinstance(environment, ast.Dict) else ""
    return kind.startswith("container")


def _unsafe(given: dict[str, ast.expr]) -> Iterator[Told]:
    """Arguments that let the code that an agent writes do anything."""
    for key in ("allow_dangerous_code", "unsafe_mode"):
        if key in given and _is(given[key], True):
            yield Kind.BROAD_TOOL, given[key].lineno, f"{key} lets the agent's code run with no sandbox"
    imports = given.get("additional_authorized_imports")
    if isinstance(imports, ast.List) and any(_is(one, "*") for one in imports.elts):
        yield Kind.BROAD_TOOL, imports.lineno, "the agent's code may import everything"


_ENTRY: Final = frozenset({"command", "args", "work_dir", "require_approval", *server.ADDRESSES})
"""Keys of dictionaries that say more than their texts by themselves."""


def _texts(node: ast.Dict) -> dict[str, tuple[str, int]]:
    """The texts of a dictionary, each with its line; the last of a name counts, as when it runs."""
    return {
        key.value: (one.value, one.lineno) if isinstance(one, ast.Constant) and isinstance(one.value, str) else ("", 0)
        for key, one in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


_LISTED: Final = ("tool_names", "toolNames")
_NONE: Final = Node(0, None)


def _dict(node: ast.Dict, names: spelled.Names) -> Iterator[Told]:
    """An entry of a server, written as a dictionary."""
    keys = {one.value for one in node.keys if isinstance(one, ast.Constant)}
    if keys.isdisjoint(_ENTRY):
        for key, (text, line) in _texts(node).items():
            if text and secret.is_written(key, text):
                yield Kind.LITERAL_SECRET, line, f"{key} holds a literal value"
        return
    entry = spelled.read(node, 0, names)
    members = entry.members
    if {"command", "args"} & members.keys() or (set(server.ADDRESSES) & members.keys() and len(members) < 8):
        yield from server.told(entry)
        yield from consent.of_server(entry)
        return
    for key, value in members.items():
        if value.text and secret.is_written(key, value.text):
            yield Kind.LITERAL_SECRET, value.line, f"{key} holds a literal value"
    if "work_dir" in members and members.get("use_docker", Node(0, None)).value is False:
        yield Kind.BROAD_TOOL, members["use_docker"].line, "code that the agent writes runs with no container"
    loud = [
        one
        for key in _LISTED
        for one in members.get("require_approval", _NONE)["never"][key].items
        if verbs.writes(one.text)
    ]
    if loud:
        yield Kind.UNASKED, loud[0].line, f"{loud[0].text[:60]} runs with nobody asked"
    if members.get("require_approval", Node(0, None)).text == "never" and not consent.only_reads(entry):
        yield Kind.UNASKED, members["require_approval"].line, "every tool runs with nobody asked"


def _is(node: ast.expr | None, value: object) -> bool:
    return (
        isinstance(node, ast.Constant) and node.value is value
        if isinstance(value, bool)
        else isinstance(node, ast.Constant) and node.value == value
    )
