"""Python that acts with a person's token and with a service's own credential, and keeps none apart (AG151). Pure.

The code is parsed, never run. What keeps them apart is a function of its own; what a module or an object keeps under a
name counts where the name is used. The nodes of one graph are one workflow.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from remit.core.finding import Kind
from remit.scan import mixed, syntax
from remit.scan.launch import Told
from remit.scan.sight import Holder, Pair, is_credential

_PERSON_CODE: Final = re.compile(
    r"acquire_token_on_behalf_of|OnBehalfOfCredential|from_authorized_user_(?:file|info)|acquire_token_interactive"
    r"|acquire_token_by_(?:device_flow|auth\w*code)|DeviceCodeCredential|InteractiveBrowserCredential|InstalledAppFlow"
    r"|(?<![a-z])(?<!bot_)(?<!service_)(?<!system_)(?<!machine_)(?:user|person|caller|delegated|customer|member"
    r"|employee)s?_"
    r"(?:(?:access|oauth2?|auth|id|session|bearer|graph|slack|refresh|api)_){0,2}(?:token|credentials?|jwt|pat)\b"
    r"|headers(?:\(\))?(?:\.get\(|\[)['\"]authorization|\bgspread\.oauth\("
    r"|\b\w*(?:session|state|user)(?:\[|\.get\()['\"](?:user:)?(?:access_token|user_token|token|id_token)['\"]"
    r"|['\"]\w*USER_(?:\w{1,12}_)?TOKEN['\"]|['\"]x-(?:user|forwarded)-(?:access-)?token['\"]"
    r"|['\"]\w*_PAT['\"]|\bsubject_token\b"
    r"|\bget_access_token\(\)(?!\.(?:scopes|claims|client_id|subject|resource|expires_at))|\bget_http_(?:headers"
    r"|request)\(",
    re.IGNORECASE,
)
_SERVICE_CODE: Final = re.compile(
    r"acquire_token_for_client|ClientSecretCredential|DefaultAzureCredential|ManagedIdentityCredential"
    r"|WorkloadIdentityCredential|service_account\.Credentials|from_service_account_(?:file|info)"
    r"|(?<![a-z])(?:service|bot|app|system|machine|svc|backend|m2m)_(?:account_)?(?:access_|api_|role_)?(?:token"
    r"|credentials?|key|jwt)\b"
    r"|['\"]\w*(?:BOT|SERVICE|SVC|SYSTEM|MACHINE|APP|ADMIN|M2M|BACKEND)_(?:\w+_)?(?:TOKEN|KEY|SECRET|CREDENTIALS?)['\"]"
    r"|client_credentials|AppAuth\b|GithubIntegration|CertificateCredential|\bgspread\.service_account\(",
    re.IGNORECASE,
)


def may(text: str) -> bool:
    """Say whether code that has nothing to do with agents may act with both, before it is parsed."""
    if "BaseSettings" in text and _OF_SETTINGS.search(text):
        return True
    small = text.lower()
    if not any(word in small for word in _OPENS) or not any(word in small for word in _SERVES):
        return False
    return bool(_SERVICE_CODE.search(text)) and bool(_PERSON_CODE.search(text) or "Header(" in text)


_OPENS: Final = (
    "token", "credential", "jwt", "_pat", "authorization", "installedappflow", "authorized_user", "gspread.oauth",
    "get_http_", "header(",
)  # fmt: skip
"""What `_PERSON_CODE` or a header cannot be met without, in small letters."""
_SERVES: Final = (
    "acquire_token_for_client", "secretcredential", "azurecredential", "identitycredential", "certificatecredential",
    "client_credentials", "appauth", "githubintegration", "service_", "bot_", "app_", "system_", "machine_", "svc_",
    "backend_", "m2m_", "admin_",
)  # fmt: skip
"""What `_SERVICE_CODE` cannot be met without."""
_OF_SETTINGS: Final = re.compile(r"(?m)^\s+\w*(?:user|person|customer)_\w*token\s*:")


def _settings(tree: ast.AST) -> Iterator[Told]:
    """Settings that are read of the environment: whoever reads by them holds them all."""
    for one in syntax.every(tree, ast.ClassDef):
        if any(syntax.last(base) == "BaseSettings" for base in one.bases):
            fields = [
                field for field in one.body if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            ]
            names = [(syntax.said(field.target), field.lineno) for field in fields]
            pairs = tuple(Pair(name.upper(), "${" + name.upper() + "}", line) for name, line in names)
            yield from mixed.told((Holder("code", one.name, one.lineno, "", pairs),))


def in_code(tree: ast.AST) -> Iterator[Told]:
    """Functions that use both; and a module whose own lines do."""
    if "BaseSettings" in syntax.words(tree):
        yield from _settings(tree)
    words = syntax.words(tree)
    bearer = bool(_BEARER.search(words))
    heads = {one: _header(one, bearer=bearer) for one in syntax.functions(tree)}
    if not any(heads.values()) and not _MAY_PERSON.search(words.lower()):
        return
    apart = _apart(tree)
    own = [one for one in getattr(tree, "body", []) if not isinstance(one, _DEFINED)]
    told = [*_used("the module", own, apart)]
    told += [one for given in _given(tree) for one in _used("a server", [given], set())]
    kept = {} if told else _kept(own, apart)
    for one in syntax.every(tree, ast.ClassDef):
        lines = [part for part in one.body if not isinstance(part, _DEFINED)]
        lines += [
            part for made in one.body if isinstance(made, syntax.Function) and made.name in _MADE for part in made.body
        ]
        kept |= _kept(lines, apart)
    for node, header in heads.items():
        told += _used(node.name, node.body, apart, header, kept)
    for _, name, body in _graphs(tree):
        told += _used(name, body, apart, "", kept)
    yield from told


_DEFINED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_MADE: Final = frozenset({"__init__", "__post_init__", "setup", "__aenter__"})
"""Methods in which an object is given what it keeps."""


def _given(tree: ast.AST) -> Iterator[ast.expr]:
    """What servers are given as their variables and headers: each is a holder of its own."""
    for call in syntax.every(tree, ast.Call):
        given = {one.arg: one.value for one in call.keywords if one.arg}
        if _SERVER.search(syntax.last(call.func)) or "command" in given:
            yield from (given[key] for key in _HANDED if key in given)
    for node in syntax.every(tree, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        entry = {str(key.value): one for key, one in pairs if isinstance(key, ast.Constant)}
        if not {"url", "server_url", "command", "transport"}.isdisjoint(entry):
            yield from (entry[key] for key in _HANDED if key in entry)


def _apart(tree: ast.AST) -> set[ast.AST]:
    """What servers are given, and whatever holds it: it is told of the server alone."""
    found = {part for one in _given(tree) for part in syntax.walk(one)}
    if found:
        found.update(one for one in syntax.every(tree, ast.Dict) if not found.isdisjoint(syntax.walk(one)))
        found.update(
            one for one in syntax.walk(tree) if isinstance(one, ast.Call) and not found.isdisjoint(syntax.walk(one))
        )
    return found


_HANDED: Final = ("env", "headers")


_SERVER: Final = re.compile(
    r"(?i)mcp|^(?:stdio|sse|streamable_?http)\w*(?:params?|parameters|connection|transport|client)$"
)


def _kept(body: Sequence[ast.AST], apart: set[ast.AST]) -> dict[str, str]:
    """The names under which these lines keep what is a person's, and what is a service's: a client, a token."""
    found = {}
    for one in body:
        if isinstance(one, ast.Assign | ast.AnnAssign) and isinstance(one.value, ast.Call | ast.Subscript | ast.Await):
            text = " ".join(said for node, said in _written([one]) if node not in apart)
            person, service = bool(_PERSON_CODE.search(text)), bool(_SERVICE_CODE.search(text))
            if person != service:
                for target in one.targets if isinstance(one, ast.Assign) else [one.target]:
                    found[syntax.said(target)] = "person" if person else "service"
    return found


_TOKEN: Final = re.compile(r"(?:^|_)(?:token|jwt|bearer)$")
_BEARER: Final = re.compile(r"HTTPAuthorizationCredentials|OAuth2\w*Bearer|HTTPBearer")
_MAY_PERSON: Final = re.compile(
    r"acquire_token_(?:on_behalf_of|interactive|by_)|onbehalfofcredential|from_authorized_user_|devicecodecredential"
    r"|interactivebrowsercredential|installedappflow"
    r"|(?:user|person|caller|delegated|customer|member|employee)s?_(?:\w{1,12}_){0,2}(?:token|credential|jwt|pat)"
    r"|authorization|access_token|^(?:user:)?(?:id_)?token$|_pat\b|^oauth$|subject_token|get_http_|x-(?:user"
    r"|forwarded)-",
    re.MULTILINE,
)
"""What stands, in small letters, in all code in which `_PERSON_CODE` finds something, and is found sooner."""
_MAY_SERVE: Final = re.compile(
    r"acquire_token_for_client|clientsecretcredential|defaultazurecredential|managedidentitycredential"
    r"|workloadidentity|(?:service|bot|app|system|machine|svc|backend|m2m|admin)_|client_credentials|appauth"
    r"|githubintegration|certificatecredential"
    r"|environ|getenv|^service_account$"
)
"""The same for `_SERVICE_CODE`, and for a variable that is read."""


def _graphs(tree: ast.AST) -> Iterator[tuple[int, str, list[ast.stmt]]]:
    """The functions that are nodes of one graph: one workflow, whose state hands on what each has."""
    functions = {one.name: one for one in syntax.functions(tree)}
    nodes: dict[str, list[str]] = {}
    for call in syntax.every(tree, ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_node":
            names = [one.id for one in call.args if isinstance(one, ast.Name) and one.id in functions]
            nodes.setdefault(syntax.said(call.func.value), []).extend(names)
    for graph, names in nodes.items():
        if len(names) > 1:
            yield len(names), f"the graph {graph}", [one for name in names for one in functions[name].body]


def _header(node: syntax.Function, *, bearer: bool) -> str:
    """The parameter that brings the caller's own token, as web frameworks give it; "" when none does.

    `bearer` says whether the file has a word of such a framework's.
    """
    every = [*node.args.posonlyargs, *node.args.args]
    given = dict(zip([one.arg for one in every][::-1], node.args.defaults[::-1], strict=False))
    for one in (*every, *node.args.kwonlyargs):
        if one.arg == "authorization":
            return one.arg
        if not bearer and not _TOKEN.search(one.arg):
            continue
        asked = f"{syntax.said(one.annotation) if one.annotation else ''} "
        asked += syntax.said(given[one.arg]) if one.arg in given else ""
        if _BEARER.search(asked):
            return one.arg
        if _TOKEN.search(one.arg) and re.search(r"\b(?:Depends|Security)\(", asked):
            return one.arg
    return ""


def _proofs(body: Sequence[ast.AST]) -> set[ast.AST]:
    """What a service proves itself with where it asks for a person's token: the two are one grant."""
    found: set[ast.AST] = set()
    for one in body:
        for node in syntax.walk(one):
            pairs: list[tuple[str, ast.expr]] = []
            if isinstance(node, ast.Call):
                pairs = [(word.arg, word.value) for word in node.keywords if word.arg]
            elif isinstance(node, ast.Dict):
                pairs = [
                    (str(key.value), value)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                ]
            names = {name for name, _ in pairs}
            if names & {"subject_token", "assertion", "refresh_token", "code", "user_assertion"}:
                found |= {
                    part
                    for name, value in pairs
                    if name in ("client_secret", "client_credential", "client_assertion", "actor_token", "auth")
                    for part in syntax.walk(value)
                }
    return found


def _own(text: str) -> bool:
    """Say whether an expression reads a secret of the program's own: none of a person's, and not the model's key."""
    read = syntax.READ.match(text)
    name = next((one for one in read.groups() if one), "") if read else ""
    return is_credential(name) and mixed.may_be_own(name)


_CLAIMS: Final = frozenset({"scopes", "claims", "client_id", "subject", "resource", "expires_at"})
"""What is only looked at of a caller's token."""


def _used(
    name: str, body: Sequence[ast.AST], apart: set[ast.AST], header: str = "", kept: dict[str, str] | None = None
) -> Iterator[Told]:
    """Lines that use both themselves, or one and what is kept of the other under a name."""
    kept = kept or {}
    words = [(one, syntax.words(one).lower()) for one in body]
    mine = [one for one, said in words if header or _MAY_PERSON.search(said)]
    apart = apart | {one.value for part in mine for one in syntax.every(part, ast.Attribute) if one.attr in _CLAIMS}
    looked = [one for part in mine for one in syntax.every(part, ast.Call) if syntax.first(one.func) == "re"]
    apart |= {part for one in looked for part in syntax.walk(one)}
    person = next(
        (one for one, text in _written(mine) if (_PERSON_CODE.search(text) or text == header) and one not in apart),
        None,
    )
    if person is None and "person" not in kept.values():
        return
    proofs = _proofs(body) | apart
    own = [one for one, said in words if _MAY_SERVE.search(said)]
    service = next(
        (one for one, text in _written(own) if one not in proofs and (_SERVICE_CODE.search(text) or _own(text))), None
    )
    if kept and (person is None) != (service is None):
        other = "person" if person is None else "service"
        used = next((one for one, text in _written(body) if kept.get(text) == other), None)
        person, service = (used, service) if person is None else (person, used)
    if person is not None and service is not None:
        yield Kind.MIXED, person.lineno, f"{name} acts with a person's token and with the service's own credential"


def _written(body: Sequence[ast.AST]) -> Iterator[tuple[ast.expr, str]]:
    """The expressions in which a credential may be read, each with the beginning of its code."""
    for one in body:
        for node in syntax.walk(one):
            if isinstance(node, ast.Call | ast.Name | ast.Constant | ast.Subscript | ast.Attribute) and not (
                isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
            ):
                yield node, syntax.said(node)[:300]
