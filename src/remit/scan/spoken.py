"""Who holds what, in Python of agents: servers and clients that are built with an environment, keys and logins. Pure.

The code is parsed, never run. What a name stands for is followed only to its plain assignment in the same file.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import code, holder, tier
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Granted, Holder, Pair, Used

_ENVIRONS: Final = frozenset(
    {"os.environ", "dict(os.environ)", "os.environ.copy()", "environ", "environ.copy()", "dict(environ)",
     "copy.copy(os.environ)", "copy.deepcopy(os.environ)",
     "dict(**os.environ)", "{**os.environ}", "{**environ}", "os.environb"}
)  # fmt: skip
_READ: Final = re.compile(
    r"^(?:os\.)?(?:environ\[['\"](\w+)['\"]\]|environ\.get\(['\"](\w+)['\"]|getenv\(['\"](\w+)['\"])"
)
_LOGINS: Final = {
    "from_service_account_file": "a key of a Google service account",
    "from_service_account_info": "a key of a Google service account",
    "from_service_account_json": "a key of a Google service account",
    "from_json_keyfile_name": "a key of a Google service account",
    "from_json_keyfile_dict": "a key of a Google service account",
    "ClientSecretCredential": "a client secret of an Entra app",
    "UsernamePasswordCredential": "a password where the service federates logins",
    "StorageSharedKeyCredential": "an account key of Azure",
    "AzureNamedKeyCredential": "an account key of Azure",
}  # fmt: skip
_SCOPE: Final = re.compile(
    r"https://(?:www\.googleapis\.com/auth/\S+|mail\.google\.com/)$"
    r"|(?:https://graph\.microsoft\.com/)?[A-Z]\w+(?:-\w+)?\.ReadWrite(?:\.\w+)*$"
)
_SCOPES: Final = re.compile(r"https://\S+$|[\w-]+(?:[.:][\w.-]+)*$")
_SETTINGS: Final = re.compile(r"[\w.-]+\.(?:json|ya?ml|toml)$")
_SLACK: Final = frozenset(
    {"conversations", "chat", "users", "files", "reactions", "pins", "bookmarks", "reminders", "usergroups", "team"}
)
"""Families of Slack's methods, named as their scopes are."""
_SLACK_READS: Final = re.compile(r"history|list|info|replies|members|get|lookup|open$|conversations|profile_get")
_BROAD_READS: Final = frozenset(
    {
        "list",
        "get",
        "search",
        "export",
        "get_media",
        "download",
        "query",
        "batchGet",
        "list_next",
        "getProfile",
    }
)
_BROAD_WRITES: Final = frozenset(
    {"insert", "create", "update", "patch", "delete", "send", "modify", "batchUpdate", "trash", "untrash", "copy",
     "append", "clear", "batchModify",
     "batchDelete", "move", "import_", "watch", "emptyTrash", "quickAdd", "batchClear", "batchUpdateByDataFilter",
     "makeAdmin", "signOut", "undelete"}
)  # fmt: skip


def holders(tree: ast.AST) -> tuple[Holder, ...]:
    """The servers that the code starts or calls, with what each is given; and the file with the rest."""
    found, names = [], _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
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


def _names(tree: ast.AST) -> dict[str, str]:
    """What a name is assigned, where that is one read of the environment or one text."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = _text(node.value, {})
    return names


def _text(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part.value if isinstance(part, ast.FormattedValue) else part, names) for part in node.values
        )
    if isinstance(node, ast.Subscript | ast.Call):
        read = _READ.match(ast.unparse(node))
        return "${" + next(one for one in read.groups() if one) + "}" if read else ""
    return ""


def _is_entry(node: ast.Dict) -> bool:
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    return bool(keys & {"command", "url"}) and bool(keys & {"env", "headers"})


def _server(name: str, node: ast.Dict, names: dict[str, str]) -> Holder:
    members = {
        str(key.value): one for key, one in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }
    pairs = [pair for part in ("env", "headers") if part in members for pair in _pairs(members[part], names)]
    return Holder("server", name, node.lineno, holder.like(code.node(node)), tuple(pairs))


def _call(node: ast.Call, given: dict[str, ast.expr], names: dict[str, str]) -> Holder:
    entry = Node(node.lineno, {name: code.node(one) for name, one in given.items()})
    name = _text(given["name"], names) if "name" in given else holder.like(entry)
    return Holder("server", name, node.lineno, holder.like(entry), tuple(_pairs(given["env"], names)))


def _pairs(node: ast.expr, names: dict[str, str]) -> Iterator[Pair]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Pair(key.value, _text(value, names), value.lineno)


def told(tree: ast.AST) -> Iterator[Told]:
    """Environments that are handed on whole, and standing credentials that are logged in with."""
    whole = {
        node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and _whole(node.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for one in node.keywords:
                if one.arg in ("env", "environment") and (
                    _whole(one.value) or (isinstance(one.value, ast.Name) and one.value.id in whole)
                ):
                    yield Kind.INHERITED, one.value.lineno, "the whole environment is handed on"
            yield from _login(node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if (
                    isinstance(key, ast.Constant)
                    and key.value in ("env", "environment")
                    and (_whole(value) or (isinstance(value, ast.Name) and value.id in whole))
                ):
                    yield Kind.INHERITED, value.lineno, "the whole environment is handed on"


def _whole(node: ast.expr) -> bool:
    if isinstance(node, ast.Dict):
        return any(key is None and _whole(value) for key, value in zip(node.keys, node.values, strict=True))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _whole(node.left) or _whole(node.right)
    if isinstance(node, ast.DictComp):
        plain = not any(one.ifs for one in node.generators)
        return (
            plain
            and len(node.generators) == 1
            and ast.unparse(node.generators[0].iter) in ("os.environ.items()", "environ.items()")
        )
    text = ast.unparse(node)
    return text in _ENVIRONS or bool(re.match(r"dict\((?:os\.)?environ, ", text))


def _login(node: ast.Call) -> Iterator[Told]:
    name = code.called(node)
    given = {one.arg: one.value for one in node.keywords if one.arg}
    if name in _LOGINS:
        yield Kind.STANDING, node.lineno, f"{name} logs in with {_LOGINS[name]}"
    elif "aws_secret_access_key" in given and "aws_session_token" not in given and "endpoint_url" not in given:
        if not (
            isinstance(given["aws_secret_access_key"], ast.Constant) and given["aws_secret_access_key"].value is None
        ):
            yield (
                Kind.STANDING,
                given["aws_secret_access_key"].lineno,
                f"{name} logs in with an access key of an AWS user",
            )
    elif name == "acquire_token_by_username_password":
        yield Kind.STANDING, node.lineno, f"{name} logs in with a password where the service federates logins"
    elif (
        "client_credential" in given
        and name == "ConfidentialClientApplication"
        and not isinstance(given["client_credential"], ast.Dict)
    ):
        yield Kind.STANDING, given["client_credential"].lineno, f"{name} logs in with a client secret of an Entra app"


def sights(path: str, tree: ast.AST) -> Iterator[Granted | Used]:
    """Scopes that the code asks for, and whether what it calls of an API ever writes.

    A file that names a file of settings uses what stands there.
    """
    calls = [
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    apps = [f"code:{path}", *("config:" + str(one.value) for one in texts if _SETTINGS.match(str(one.value)))]
    for one in texts:
        words = str(one.value).split()
        for word in words:
            if _SCOPE.match(word) and all(_SCOPES.match(other) for other in words):
                yield Granted(path, one.lineno, apps[0], word, tier.writes(word))
    for call, writes in _acts(calls, " ".join(str(one.value) for one in texts), ast.unparse(tree)[:100_000]):
        yield from (Used(path, app, call, writes) for app in apps)
    for call in calls:
        family, mark, verb = call.partition("_")
        if mark and family in _SLACK:
            yield Used(path, "code:slack", f"{family}:{'read' if _SLACK_READS.match(verb) else 'write'}", None)
            if call == "users_lookupByEmail":
                yield Used(path, "code:slack", "users:read.email", None)
    yield from _boto(path, tree)


def _acts(calls: list[str], texts: str, code: str) -> Iterator[tuple[str, bool]]:
    """The calls that tell whether an API is written to, of the one API that the code uses."""
    if "googleapis" in texts or "googleapiclient" in code or "execute" in calls:
        yield from ((call, call in _BROAD_WRITES) for call in calls if call in _BROAD_READS | _BROAD_WRITES)
    elif "graph.microsoft.com" in texts or "msgraph" in code:
        acts = ("get", "post", "put", "patch", "delete")
        yield from ((call, call != "get") for call in calls if call in acts)


def _boto(path: str, tree: ast.AST) -> Iterator[Used]:
    """The actions of AWS that clients of boto3 are called for: `s3.get_object` needs `s3:GetObject`."""
    clients: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            made = node.value
            if ast.unparse(made.func).endswith(".client") and made.args and isinstance(made.args[0], ast.Constant):
                clients[node.targets[0].id] = str(made.args[0].value)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            service = clients.get(node.func.value.id)
            if service:
                verb = "".join(part.capitalize() for part in node.func.attr.split("_"))
                yield Used(path, "code:aws", f"{service}:{verb}", None)
