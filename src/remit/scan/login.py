"""Logins in Python with a credential that does not end by itself, where the service lends one that does (AG104). Pure.

The code is parsed, never run. Sources: the libraries' own pages of AWS, Google Cloud, Azure, Snowflake and Vault.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import azure, code, secret, standing, syntax
from remit.scan.launch import Told
from remit.scan.sight import Holder, Pair

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
    "AzureKeyCredential": "a key of an Azure service",
    "service_account_from_dict": "a key of a Google service account",
    "CfnAccessKey": "an access key of an AWS user, which it makes",
    "ApplicationPassword": "a client secret of an Entra app, which it makes",
    "ServicePrincipalPassword": "a client secret of an Entra app, which it makes",
}  # fmt: skip
_AZURE: Final = re.compile(
    r"(?:Blob|Queue|Table|Share|DataLake|Container|ServiceBus|EventHub|Cosmos|WebPubSub|Service)\w*Client\."
)
_MADE: Final = re.compile(r"(?:^|\.)(?:iam\.AccessKey|serviceaccount\.Key|service_account\.Key)$")
_MODELS: Final = frozenset({"AzureOpenAI", "AsyncAzureOpenAI", "AzureChatOpenAI", "AzureOpenAIEmbeddings"})
_CONNECTS: Final = frozenset({"connect", "create_pool", "connect_async"})
_KEYED: Final = _MODELS | _CONNECTS | {"ConfidentialClientApplication", "CosmosClient", "Client"}
"""Calls that may be given a key, a secret or a password as an argument."""


def told(tree: ast.AST) -> Iterator[Told]:
    """Where code logs in with one, or makes one."""
    yield from standing.told((Holder("code", "the environment", 1, "", tuple(_set(tree))),))
    words = syntax.words(tree)
    read = bool(_PATS.search(words))
    for node in syntax.every(tree, ast.Call):
        given = {one.arg: one.value for one in node.keywords if one.arg}
        said = _named(node) or _shaped(node, read=read) or _aws(node, given) or _keyed(node, given) or azure.login(node)
        if said:
            yield Kind.STANDING, said[0], said[1]
    yield from _tables(tree, words)
    if standing.MARKS.search(words):
        for one in syntax.every(tree, ast.Constant):
            if isinstance(one.value, str) and (kind := standing.shaped(one.value)):
                yield Kind.STANDING, one.lineno, f"the code holds {kind}"


def _tables(tree: ast.AST, words: str) -> Iterator[Told]:
    """Tables of arguments that hold a pair of keys, and what is posted to Entra for a token."""
    entra = "login.microsoftonline.com" in words
    if "aws_secret_access_key" not in words and not entra:
        return
    lent = any(
        isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value in _LENT
        for one in syntax.every(tree, ast.Assign)
        for target in one.targets
    )
    for node in syntax.every(tree, ast.Dict):
        given = {
            str(key.value): one
            for key, one in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
        if not lent and _is_given(given, "aws_secret_access_key") and not _LENT & given.keys():
            yield Kind.STANDING, given["aws_secret_access_key"].lineno, "a table holds an access key of an AWS user"
        granted = given.get("grant_type")
        asked = isinstance(granted, ast.Constant) and granted.value == "client_credentials"
        if entra and asked and _is_given(given, "client_secret"):
            yield (
                Kind.STANDING,
                given["client_secret"].lineno,
                "a token is asked for with a client secret of an Entra app",
            )


def _set(tree: ast.AST) -> Iterator[Pair]:
    """The variables that code sets to a text: one at a time, or several by `update`."""
    if "environ" not in syntax.words(tree):
        return
    for node in syntax.every(tree, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and syntax.said(target.value) in _ENVIRON:
            yield from _pair(target.slice, node.value)
    for call in syntax.every(tree, ast.Call):
        said = syntax.said(call.func) if isinstance(call.func, ast.Attribute) else ""
        if said in ("os.environ.setdefault", "environ.setdefault", "os.putenv") and len(call.args) == 2:
            yield from _pair(call.args[0], call.args[1])
        elif said in ("os.environ.update", "environ.update"):
            dicts = [one for one in call.args if isinstance(one, ast.Dict)]
            given = [pair for one in dicts for pair in zip(one.keys, one.values, strict=True)]
            for key, value in [*given, *((ast.Constant(word.arg), word.value) for word in call.keywords)]:
                yield from _pair(key, value)


_ENVIRON: Final = frozenset({"os.environ", "environ"})


def _pair(key: ast.expr | None, value: ast.expr) -> Iterator[Pair]:
    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield Pair(str(key.value), value.value, value.lineno)


def _shaped(node: ast.Call, *, read: bool) -> tuple[int, str] | None:
    """A call that is given a token of a kind that does not end, in full or by the name of its variable."""
    for one in (*node.args, *(word.value for word in node.keywords)):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and standing.shaped(one.value):
            return one.lineno, f"{code.called(node)} is given {standing.shaped(one.value)}"
        found = _PAT.match(syntax.said(one)) if read and isinstance(one, ast.Subscript | ast.Call) else None
        if found:
            return one.lineno, f"{code.called(node)} is given {found[1]}, a personal access token"
    return None


_PATS: Final = re.compile(r"_PAT\b|PERSONAL_ACCESS_TOKEN")
"""What is nowhere in a file that `_PAT` finds nothing in."""
_PAT: Final = re.compile(r"(?:os\.)?(?:environ\[|environ\.get\(|getenv\()['\"](\w*(?:_PAT|PERSONAL_ACCESS_TOKEN))['\"]")


def _named(node: ast.Call) -> tuple[int, str] | None:
    """A call whose name says it all."""
    name = code.called(node)
    if name in _LOGINS:
        return node.lineno, f"{name} logs in with {_LOGINS[name]}"
    if name == "from_connection_string" and _AZURE.search(syntax.said(node.func)):
        return node.lineno, f"{syntax.said(node.func)} logs in with an account key of Azure"
    if name in ("AccessKey", "Key") and _MADE.search(syntax.said(node.func)):
        return node.lineno, f"{syntax.said(node.func)} makes a standing key"
    if name == "Certificate" and re.search(r"(?:^|\.)credentials\.Certificate$", syntax.said(node.func)):
        return node.lineno, "credentials.Certificate logs in with a key of a Google service account"
    if name == "service_account" and syntax.said(node.func) == "gspread.service_account":
        return node.lineno, "gspread.service_account logs in with a key of a Google service account"
    if name == "acquire_token_by_username_password":
        return node.lineno, f"{name} logs in with a password where the service federates logins"
    return None


def _aws(node: ast.Call, given: dict[str, ast.expr]) -> tuple[int, str] | None:
    """A client or a session of AWS that is given a pair of keys; with a session's token they are short-lived."""
    name = code.called(node)
    said = f"{name} logs in with an access key of an AWS user"
    full = syntax.said(node.func) if name == "Session" and len(node.args) == 2 else ""
    if full.endswith(("boto3.Session", "boto3.session.Session")):
        return node.lineno, said
    for key in ("aws_secret_access_key", "aws_secret_key"):
        if _is_given(given, key) and not _LENT & given.keys():
            return given[key].lineno, said
    if name in ("S3FileSystem", "S3FileSystemAsync") and _is_given(given, "secret") and not _LENT & given.keys():
        return given["secret"].lineno, said
    options = given.get("storage_options")
    if isinstance(options, ast.Dict):
        told = {
            str(key.value): one
            for key, one in zip(options.keys, options.values, strict=True)
            if isinstance(key, ast.Constant)
        }
        for key, kind in (("secret", "an access key of an AWS user"), ("account_key", "an account key of Azure")):
            if _is_given(told, key) and not _LENT & told.keys():
                return told[key].lineno, f"{name} logs in with {kind}"
    return None


_LENT: Final = frozenset({"aws_session_token", "endpoint_url", "token", "session_token", "client_kwargs"})
"""Arguments beside a pair of keys that make it a lent one, or another's."""


def _keyed(node: ast.Call, given: dict[str, ast.expr]) -> tuple[int, str] | None:
    """A client that is given a key, a secret or a password as an argument."""
    name = code.called(node)
    if name not in _KEYED:
        return None
    full, lent = syntax.said(node.func), not _ENTRA.isdisjoint(given)
    wanted = (
        (name == "ConfidentialClientApplication" and not _is_signed(given.get("client_credential")),
         "client_credential", "a client secret of an Entra app"),
        (name == "CosmosClient" and not isinstance(given.get("credential"), ast.Call),
         "credential", "an account key of Azure"),
        (name in _MODELS and not lent, "api_key", "a key of an Azure service"),
        (name in _MODELS and not lent, "openai_api_key", "a key of an Azure service"),
        (full == "hvac.Client", "token", "a token that does not end by itself"),
        (name in _CONNECTS and "snowflake" in full and "authenticator" not in given,
         "password", "a password where the service federates logins"),
        (name in _CONNECTS and bool(standing.HOSTED.search(syntax.said(node))),
         "password", "a password where the service federates logins"),
    )  # fmt: skip
    for so, key, said in wanted:
        if so and _is_given(given, key):
            return given[key].lineno, f"{name} logs in with {said}"
    return None


_ENTRA: Final = frozenset({"azure_ad_token", "azure_ad_token_provider", "credential"})
"""Arguments of a model's client by which it takes Entra's own token too."""


def _is_signed(value: ast.expr | None) -> bool:
    """Say whether an app shows a certificate and no secret."""
    return isinstance(value, ast.Dict) or (value is not None and "cert" in syntax.said(value).lower())


def _is_given(given: dict[str, ast.expr], name: str) -> bool:
    one = given.get(name)
    if one is None or (isinstance(one, ast.Constant) and not one.value):
        return False
    return not (isinstance(one, ast.Name | ast.Attribute) and secret.is_made_up(syntax.last(one)))
