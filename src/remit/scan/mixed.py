"""Workflows that act with a person's token and with a service's own credential, and keep nothing apart (AG151). Pure.

What keeps them apart is the holder: a server, a job or a service of its own for each.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import secret, syntax
from remit.scan.launch import Told
from remit.scan.sight import Holder, Pair, is_credential, references

_PERSON: Final = re.compile(
    r"(?i)(?:^|[_-])(?:user|personal|person|delegated|obo|on[-_]behalf\w*|member|employee|human"
    r"|my)[-_](?:\w+[-_])?(?:access[-_])?(?:token|pat|key|credentials?|jwt|assertion|secret|auth|authorization"
    r"|password)$"
    r"|(?:^|_)(?:pat|refresh_token)$|^x-(?:user|forwarded|remote)-(?:\w+-)*(?:token|authorization|access-token)$"
    r"|^(?:user|personal)[-_]?token$"
)
_SERVICE: Final = re.compile(
    r"(?i)(?:^|[_-])(?:bot|service|svc|system|machine|app|application|m2m|backend|server|robot|daemon|workload"
    r"|platform|installation|integration|automation)[-_](?:\w+[-_])?(?:token|key|private[-_]key|secret|credentials?"
    r"|password"
    r"|pat|jwt|auth|pem)$"
    r"|service[-_]account|^google_application_credentials$|^(?:azure|arm)_client_secret$|(?:^"
    r"|_)aws_secret_access_key$|^aws-secret-access-key$"
    r"|private[-_]key(?:[-_]pem)?$|(?:^|_)sa_key$|^github_token$"
)
_SHAPES: Final = (
    (re.compile(r"^(?:xoxp-|ghp_|gho_|ghu_)"), "person"),
    (re.compile(r"^(?:xoxb-|ghs_|xapp-)"), "service"),
)
_PERSON_CODE: Final = re.compile(
    r"acquire_token_on_behalf_of|OnBehalfOfCredential|from_authorized_user_(?:file|info)|acquire_token_interactive"
    r"|InteractiveBrowserCredential|InstalledAppFlow"
    r"|\b(?:user|person|caller|delegated)_(?:access_)?(?:token|credentials?|jwt)\b|(?:request|req|ctx"
    r"|context)\.headers(?:\.get\(|\[)['\"]authorization"
    r"|\b(?:session|state|user)\[['\"](?:access_token|user_token|token)['\"]\]|['\"]\w*USER_(?:ACCESS_)?TOKEN['\"]"
    r"|['\"]\w*_PAT['\"]|\bsubject_token\b|\bget_access_token\(\)|\bget_http_(?:headers|request)\(",
    re.IGNORECASE,
)
_SERVICE_CODE: Final = re.compile(
    r"acquire_token_for_client|ClientSecretCredential|DefaultAzureCredential|ManagedIdentityCredential"
    r"|service_account\.Credentials|from_service_account_(?:file|info)"
    r"|\b(?:service|bot|app|system|machine|svc)_(?:account_)?(?:access_)?(?:token|credentials?|key|jwt)\b"
    r"|['\"]\w*(?:BOT|SERVICE|SVC|SYSTEM|MACHINE|APP)_(?:\w+_)?(?:TOKEN|KEY|SECRET|CREDENTIALS?)['\"]"
    r"|client_credentials|AppAuth\b|GithubIntegration|CertificateCredential",
    re.IGNORECASE,
)


_READ: Final = re.compile(
    r"^(?:os\.)?(?:environ\[['\"](\w+)['\"]\]|environ\.get\(['\"](\w+)['\"]|getenv\(['\"](\w+)['\"])"
)
_MODEL: Final = re.compile(
    r"(?i)openai|anthropic|gemini|google_api|mistral|groq|cohere|openrouter|langsmith|langfuse|hf_|xai|(?:^"
    r"|_)(?:anon|public|publishable)_"
)


def told(holders: tuple[Holder, ...]) -> Iterator[Told]:
    """The holders that are given both."""
    for one in holders:
        if one.sort in ("profile", "dev"):
            continue
        sorts = [(sort_of(pair), pair) for pair in one.pairs]
        person = next((pair for sort, pair in sorts if sort == "person"), None)
        service = next((pair for sort, pair in sorts if sort == "service"), None)
        if person and service:
            yield (
                Kind.MIXED,
                person.line,
                f"{one.name} is given {person.name}, a person's, and {service.name}, a service's own",
            )


def sort_of(pair: Pair) -> str:
    """Whose credential a variable carries, as far as its name and shape tell."""
    text = re.sub(r"(?i)^(?:bearer|token) ", "", pair.text.strip())
    if not text:
        return ""
    for shape, sort in _SHAPES:
        if shape.match(text) and secret.is_literal(text):
            return sort
    given = [
        re.sub(r"^secrets\.|^\$\{?(?:secret:|input:)?(?:[^/}]*/)*|\}$|^\$", "", one)
        for one in references(pair.name, text)
    ]
    if "secrets.GITHUB_TOKEN" in text or "github.token" in text:
        given.append("GITHUB_TOKEN")
    if not given and not (is_credential(pair.name) and secret.is_literal(text)) and not _SERVICE.search(pair.name):
        return ""
    for name in (*given, pair.name):
        if _PERSON.search(name):
            return "person"
        if _SERVICE.search(name) and not (name.upper() == "GITHUB_TOKEN" and name not in given):
            return "service"
    return ""


def in_code(tree: ast.AST) -> Iterator[Told]:
    """Functions that use both; and a module whose own lines do."""
    words = syntax.words(tree)
    bearer = bool(_BEARER.search(words))
    heads = {one: _header(one, bearer=bearer) for one in syntax.functions(tree)}
    if not any(heads.values()) and not _MAY_PERSON.search(words.lower()):
        return
    for node in (tree, *heads):
        if isinstance(node, syntax.Function):
            yield from _used(node.name, node.body, heads[node])
        elif isinstance(node, ast.Module):
            yield from (told for _, name, body in _graphs(node) for told in _used(name, body))
            own = [
                one
                for one in node.body
                if not isinstance(one, syntax.Function | ast.ClassDef | ast.Import | ast.ImportFrom)
            ]
            yield from _used("the module", own)


_TOKEN: Final = re.compile(r"(?:^|_)(?:token|jwt|bearer)$")
_BEARER: Final = re.compile(r"HTTPAuthorizationCredentials|OAuth2\w*Bearer|HTTPBearer")
_MAY_PERSON: Final = re.compile(
    r"acquire_token_on_behalf_of|onbehalfofcredential|from_authorized_user_|acquire_token_interactive"
    r"|interactivebrowsercredential|installedappflow|(?:user|person|caller|delegated)_(?:access_)?(?:token|credential|jwt)"
    r"|authorization|access_token|^token$|_pat\b|subject_token|get_http_",
    re.MULTILINE,
)
"""What stands, in small letters, in all code in which `_PERSON_CODE` finds something, and is found sooner."""
_MAY_SERVE: Final = re.compile(
    r"acquire_token_for_client|clientsecretcredential|defaultazurecredential|managedidentitycredential"
    r"|(?:service|bot|app|system|machine|svc)_|client_credentials|appauth|githubintegration|certificatecredential"
    r"|environ|getenv"
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


def _proofs(body: list[ast.stmt]) -> set[ast.AST]:
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
    read = _READ.match(text)
    name = next((one for one in read.groups() if one), "") if read else ""
    return is_credential(name) and not _PERSON.search(name) and not _MODEL.search(name)


def _used(name: str, body: list[ast.stmt], header: str = "") -> Iterator[Told]:
    words = [(one, syntax.words(one).lower()) for one in body]
    mine = [one for one, said in words if header or _MAY_PERSON.search(said)]
    person = next((node for node, text in _written(mine) if _PERSON_CODE.search(text) or text == header), None)
    if person is None:
        return
    proofs = _proofs(body)
    own = [one for one, said in words if _MAY_SERVE.search(said)]
    if any(node not in proofs and (_SERVICE_CODE.search(text) or _own(text)) for node, text in _written(own)):
        said = f"{name} acts with a person's token and with the service's own credential"
        yield Kind.MIXED, person.lineno, said


def _written(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, str]]:
    """The expressions in which a credential may be read, each with the beginning of its code."""
    for one in body:
        for node in syntax.walk(one):
            if isinstance(node, ast.Call | ast.Name | ast.Constant | ast.Subscript | ast.Attribute):
                yield node, syntax.said(node)[:300]
