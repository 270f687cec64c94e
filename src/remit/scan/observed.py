"""What Python of agents asks for of a service, and what it calls of it: the two sides of AG110. Pure.

The code is parsed, never run. What a call touches is told by what its first name was built with, in the same file; a
call that is not followed touches anything, so that nothing is said for it.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.scan import acts, apis, events, family, pycalls, ready, sdk, slacked, syntax, tier
from remit.scan.sight import Granted, Sight, Used

_SCOPE: Final = re.compile(
    r"https://(?:www\.googleapis\.com/auth/\S+|mail\.google\.com/)$"
    r"|(?:https://graph\.microsoft\.com/)?[A-Z]\w+(?:-\w+)?\.(?:ReadWrite|Send|FullControl|Manage|Read)(?:\.\w+)*$"
)
_MAY_SCOPE: Final = re.compile(
    r"www\.googleapis\.com/auth/|mail\.google\.com/|\.(?:ReadWrite|Send|FullControl|Manage|Read)"
)
"""What stands in every text with a scope."""
_SCOPES: Final = re.compile(r"https://\S+$|[\w-]+(?:[.:][\w.-]+)*$")
_SETTINGS: Final = re.compile(r"[\w.-]+\.(?:json|ya?ml|toml)$")
_SLACK: Final = frozenset(
    {"conversations", "chat", "users", "files", "reactions", "pins", "bookmarks", "reminders", "usergroups", "team"}
)
"""Families of Slack's methods, named as their scopes are."""
_SLACK_READS: Final = re.compile(r"history|list|info|replies|members|get|lookup|open$|conversations|profile_get")
_SHEET_READS: Final = frozenset(
    {"get_all_records", "get_all_values", "get_values", "row_values", "col_values", "cell", "acell", "find", "findall",
     "range", "worksheets", "batch_get"}
)  # fmt: skip
_SHEET_WRITES: Final = frozenset(
    {"update", "update_cell", "update_acell", "update_cells", "append_row", "append_rows", "insert_row", "insert_rows",
     "delete_rows", "delete_columns", "clear", "batch_update", "batch_clear", "add_worksheet", "del_worksheet", "share",
     "format", "create", "values_update", "values_append", "update_title", "add_rows", "add_cols", "sort", "copy"}
)  # fmt: skip
_ACTS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_AUTHORIZE: Final = re.compile(r"github\.com/login/oauth/authorize\?\S*?\bscope=([\w:,%+ -]+)")
HINT: Final = re.compile(
    r"googleapis|google\.(?:oauth2|auth|apps|cloud)|graph\.microsoft\.com|\bmsgraph\b|\bmsal\b|\bO365\b|api\.github\.com"
    r"|from github import|slack_sdk|slack_bolt|\bboto3\b|\bkubernetes\b|azure\.(?:storage|keyvault|cosmos|identity)"
    r"|/api/v[34]\b|api\.(?:spotify|linear|dropboxapi|hubapi|atlassian|notion|bitbucket|miro)\b|spotipy|\bdropbox\b|authlib"
    rf"|{apis.HINT.pattern}"
)
"""Code that asks for, or calls, a service whose scopes are known."""
_SIGNS_IN: Final = re.compile(
    r"\b(?:authlib|flask_dance|httpx_oauth|fastapi_sso|allauth|social_core|oauth_callback|from_client_secrets_file"
    r"|from_client_config|initiate_auth_code_flow|acquire_token_by_auth_code_flow|get_authorization_request_url"
    r"|requests_oauthlib|OAuth2Session|WebApplicationFlow)\b|/authorize\b"
)
"""A file that signs people in: who uses the token stands anywhere in its project."""
_SCOPE_NAMES: Final = re.compile(r"(?i)scopes?$")
_FOUND: Final = re.compile(
    r"(?i)^_?(?:token|granted|actual|current|present|returned|missing|supported|known|all|valid|available|parsed)_"
)
"""Names of scopes that a token was found to have, or that there are: none that a person is asked for."""
_ASKED_MOST: Final = 16
"""A file that names more scopes than this lists them; nobody signs in for so many."""
_BUILDS: Final = frozenset({"build", "build_from_document"})


def sights(path: str, tree: ast.AST) -> Iterator[Sight]:
    """Scopes that the code asks for, and what it calls of the services that they open.

    A file that names a file of settings, or a variable, uses what stands there; one that imports another uses what
    that asks for.
    """
    aside = {one.value for one in syntax.every(tree, ast.Expr)}
    texts = [one for one in syntax.every(tree, ast.Constant) if isinstance(one.value, str) and one not in aside]
    mine = f"code:{path}"
    asked: list[tuple[str, int, bool]] = []
    for one in texts:
        words = str(one.value).split() if _MAY_SCOPE.search(str(one.value)) else []
        if all(_SCOPES.match(other) for other in words):
            asked += [(word, one.lineno, tier.writes(word)) for word in words if _SCOPE.match(word)]
    asked += [(f"github {word}", line, True) for word, line in _github_scopes(tree)]
    whole = syntax.words(tree)
    services = apis.asked(whole)
    for one in texts if services else ():
        asked += [(word, one.lineno, True) for word in apis.granted(services, apis.WORDS.split(str(one.value)))]
    if len({word for word, _, _ in asked}) > _ASKED_MOST:
        asked = []
    app = f"login:{path}" if asked and _SIGNS_IN.search(syntax.words(tree)) else mine
    yield from (Granted(path, line, app, word, writes) for word, line, writes in asked)
    made = [one for one in syntax.every(tree, ast.Call) if isinstance(one.func, ast.Name | ast.Attribute)]
    tools = ready.used("\n".join(f"{syntax.said(one.func)}(" for one in made))
    parts = {family.of_scope(word) for word, _, _ in asked}
    calls = [*_google(tree), *_graph(tree), *pycalls.of(tree), *tools, *pycalls.by_library(tree, parts)]
    if calls:
        said = [str(one.value) for one in texts]
        apps = [mine, *("config:" + one for one in said if _SETTINGS.match(one))]
        apps += [f"env:{one}" for one in said if re.fullmatch(r"[A-Z][A-Z0-9_]*SCOPES?", one)]
        apps += [f"module:{name}" for name in _imports(tree)]
        apps += [] if asked and app == mine else ["project"]
        yield from (Used(path, app, part, writes) for part, writes in calls for app in dict.fromkeys(apps))
    for word, line in slacked.asked(ast.unparse(tree)) if "slack" in whole and "scopes" in whole else ():
        at = next((one.lineno for one in texts if word in str(one.value)), line)
        yield Granted(path, at, "slack:code", word, tier.writes(word))
    yield from _slack(path, tree)
    yield from _boto(path, tree)
    yield from sdk.used(path, tree)


def _imports(tree: ast.AST) -> Iterator[str]:
    """The last names of the modules that a file imports, or imports from."""
    for node in syntax.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.module.rpartition(".")[2]
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name.rpartition(".")[2] for one in node.names)


def _root(node: ast.expr) -> ast.expr:
    """What a chain of calls and members begins with: a name, `self.x`, or the call of a function."""
    while True:
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                return node
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func
        elif isinstance(node, ast.Await | ast.Subscript):
            node = node.value
        else:
            return node


def _key(node: ast.expr) -> str:
    """A name under which what is built is kept: a variable, a member of `self`, or the function that builds it."""
    if isinstance(node, ast.Call):
        return _key(node.func) + "()"
    if isinstance(node, ast.Name):
        return node.id
    return syntax.said(node) if isinstance(node, ast.Attribute) else ""


def _built(tree: ast.AST) -> dict[str, str]:
    """Which of Google's APIs the names of a file stand for."""
    found: dict[str, str] = {}
    if not any(_api(one) for one in syntax.every(tree, ast.Call)):
        return found
    for node in syntax.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            api = _api(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if api:
                    found[_key(target)] = api
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            apis = {api for one in syntax.every(node, ast.Call) if (api := _api(one))}
            if len(apis) == 1:
                api = apis.pop()
                found[f"{node.name}()"] = found[f"self.{node.name}()"] = api
        elif isinstance(node, ast.withitem) and node.optional_vars is not None and (api := _api(node.context_expr)):
            found[_key(node.optional_vars)] = api
    return found


def _api(node: ast.expr) -> str:
    """The name of the API that a call of `build` names."""
    if not isinstance(node, ast.Call) or syntax.last(node.func) not in _BUILDS:
        return ""
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "serviceName")]
    first = given[0] if given else None
    return str(first.value) if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _google(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """What is called of Google's APIs: each API's name, and whether it is written to."""
    if syntax.mentions(tree, "gspread"):
        yield from _sheets(tree)
        return
    built = _built(tree)
    if not built and not syntax.mentions(tree, "googleapi") and not syntax.calls(tree, "execute"):
        return
    apis = set(built.values()) | {api for one in syntax.every(tree, ast.Call) if (api := _api(one))}
    alone = next(iter(apis)) if len(apis) == 1 else ""
    for node in syntax.every(tree, ast.Call):
        if isinstance(node.func, ast.Attribute) and (writes := family.google_writes(node.func.attr)) is not None:
            root = _root(node.func)
            if _is_plain(root) and _key(root) not in built:
                continue
            api = built.get(_key(root)) or (_api(root) if isinstance(root, ast.Call) else "") or alone
            yield (acts.of_gmail(_chain(node.func), writes=writes) if api == "gmail" else api), writes
        elif isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield "", True


def _chain(node: ast.expr) -> str:
    """The names of a chain of calls and members, with dots between."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            node = node.func
    return ".".join(reversed(names))


def _sheets(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    for node in syntax.every(tree, ast.Call):
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _SHEET_READS | _SHEET_WRITES:
                yield "sheets", node.func.attr in _SHEET_WRITES
            elif node.func.attr in ("open", "open_by_key", "open_by_url"):
                yield "drive", False
                if node.func.attr != "open":
                    yield "sheets", False


_PLAIN: Final = frozenset(
    {"os", "requests", "httpx", "json", "settings", "config", "state", "found", "event", "dict", "re"}
)


def _is_plain(root: ast.expr) -> bool:
    """Say whether a chain begins with something that is surely no API: a literal, the environment, a settings' dict."""
    return not isinstance(root, ast.Name | ast.Attribute | ast.Call) or (
        isinstance(root, ast.Name) and root.id in _PLAIN
    )


def _graph(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """What is called of Microsoft Graph, by its address or by its SDK."""
    if not syntax.mentions(tree, "graph.microsoft.com") and not syntax.mentions(tree, "msgraph"):
        return
    names = {
        node.targets[0].id: syntax.said(node.value)
        for node in syntax.every(tree, ast.Assign)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }
    for node in syntax.every(tree, ast.Call):
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in _ACTS:
            continue
        if _is_plain(_root(node.func)) and syntax.said(_root(node.func)) not in ("requests", "httpx"):
            continue
        if any(syntax.said(node.func.value).startswith(one) for one in ("os.environ", "state", "settings")):
            continue
        given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "url")]
        text = syntax.said(given[0]) if given else ""
        text = re.sub(r"\b[A-Za-z_]\w*\b", lambda found: names.get(found[0], found[0])[:300], text)
        members = "/" + syntax.said(node.func.value).replace(".", "/")
        part, writes = family.of_graph(text) or family.of_graph(members), node.func.attr != "get"
        path = text.strip("f'\"") if "/" in text else members
        yield acts.of_graph(part, path.partition("?")[0], writes=writes), writes


def _github_scopes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The scopes of GitHub that code asks a person for."""
    if not re.search(r"github\.com/login|make_github_blueprint|GitHubOAuth2|GithubSSO", syntax.words(tree)):
        return
    for node in syntax.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _AUTHORIZE.search(node.value)
            if found:
                yield from _words(found[1], node.lineno)
        for name, value in _named(node):
            if _SCOPE_NAMES.search(name) and not _FOUND.match(name):
                for one in syntax.walk(value):
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield from _words(one.value, one.lineno)


def _named(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """What a call, a dictionary or an assignment gives by name."""
    if isinstance(node, ast.Call):
        return [(one.arg, one.value) for one in node.keywords if one.arg]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(str(key.value), one) for key, one in pairs if isinstance(key, ast.Constant)]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return [(node.targets[0].id, node.value)]
    return []


def _words(text: str, line: int) -> Iterator[tuple[str, int]]:
    for word in re.split(r"[\s,+]+|%20|%2C", text):
        if family.github_scope(word):
            yield word, line


def _slack(path: str, tree: ast.AST) -> Iterator[Used]:
    """The families of Slack's methods that are called; what an app of Bolt answers, it writes."""
    bolt = syntax.mentions(tree, "slack_bolt")
    for need in events.needs("\n".join(f"{one}(" for one in _handlers(tree)) if bolt else ""):
        yield Used(path, "code:slack", need, None)
    for node in syntax.every(tree, ast.Call):
        call = (
            node.func.attr
            if isinstance(node.func, ast.Attribute)
            else node.func.id
            if isinstance(node.func, ast.Name)
            else ""
        )
        if bolt and call in ("say", "respond"):
            yield Used(path, "code:slack", "chat:write", None)
        if not isinstance(node.func, ast.Attribute):
            continue
        name, mark, verb = call.partition("_")
        if mark and name in _SLACK:
            yield Used(path, "code:slack", f"{name}:{'read' if _SLACK_READS.match(verb) else 'write'}", None)
            if call == "users_lookupByEmail":
                yield Used(path, "code:slack", "users:read.email", None)


def _handlers(tree: ast.AST) -> Iterator[str]:
    """What an app of Bolt listens to, as its code says it."""
    for node in syntax.every(tree, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("event", "message", "reaction"):
            texts = (repr(one.value) for one in node.args if isinstance(one, ast.Constant))
            yield f".{node.func.attr}({', '.join(texts)}"


_OBJECTS: Final = {
    "download_file": "GetObject", "download_fileobj": "GetObject", "upload_file": "PutObject", "all": "ListAll",
    "upload_fileobj": "PutObject", "get_paginator": "GetPaginator", "get_waiter": "GetWaiter", "filter": "ListFilter",
}  # fmt: skip


_MAKERS: Final = frozenset({"client", "resource", "Table", "Bucket", "Object", "Queue", "Topic", "Session", "objects"})


def _boto(path: str, tree: ast.AST) -> Iterator[Used]:
    """The actions of AWS that clients of boto3 are called for: `s3.get_object` needs `s3:GetObject`."""
    if all(_made(one) is None for one in syntax.every(tree, ast.Call)):
        return
    clients = _clients(tree)
    for node in syntax.every(tree, ast.Call):
        if isinstance(node.func, ast.Attribute):
            verb = node.func.attr
            if verb in _MAKERS or any(
                isinstance(one.func, ast.Attribute) and one.func.attr not in _MAKERS
                for one in syntax.every(node.func.value, ast.Call)
            ):
                continue
            service = clients.get(_key(_root(node.func))) or _service(node.func.value, {})
            if service:
                action = _OBJECTS.get(verb) or "".join(part.capitalize() for part in verb.split("_"))
                yield Used(path, "code:aws", f"{service}:{action}", None)


def _clients(tree: ast.AST) -> dict[str, str]:
    """Which services of AWS the names of a file stand for."""
    found: dict[str, str] = {}
    for node in syntax.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            service = _service(node.value, found)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if service:
                    found[_key(target)] = service
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            made = {_service(one.value, {}) for one in syntax.every(node, ast.Return) if one.value}
            if len(made) == 1 and "" not in made:
                found[f"{node.name}()"] = made.pop()
    return found


def _service(node: ast.expr, known: dict[str, str]) -> str:
    """The service of AWS that an expression builds a client or a resource of."""
    kept = known.get(_key(_root(node)), "")
    if kept:
        return kept
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call):
            made = _made(node)
            if made is not None:
                return made
            node = node.func
        else:
            node = node.value
    return ""


def _made(node: ast.Call) -> str | None:
    """The service of AWS that a call by itself builds a client or a resource of; None when it builds none."""
    func, first = node.func, node.args[0] if node.args else None
    if (
        isinstance(func, ast.Attribute)
        and func.attr in ("client", "resource")
        and isinstance(first, ast.Constant)
        and re.search(r"(?i)boto3|session|aws", syntax.said(func.value))
    ):
        return str(first.value)
    return None
