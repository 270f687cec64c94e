"""Logins in TypeScript with a credential that does not end by itself, where the service lends one that does (AG104).

Pure: texts and object literals, never run. Sources: the libraries' own pages of AWS (SDK, CDK), the AI SDK's providers,
Google's and Firebase's clients, Azure's and MSAL's, Pulumi and CDK for Terraform.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import standing, tsenv, tsobject, tssecret
from remit.scan.launch import Told
from remit.scan.node import Node, line_at
from remit.scan.sight import Holder, Pair

_LOGIN: Final = re.compile(
    r"\bnew\s+(?:\w+\.)*(ClientSecretCredential|UsernamePasswordCredential|StorageSharedKeyCredential|AzureKeyCredential"
    r"|AzureNamedKeyCredential)\s*\("
    r"|\.(acquireTokenByUsernamePassword)\s*\("
    r"|\b\w+Client\.(fromConnectionString)\s*\(|\b(keyFile(?:name)?)\s*:(?!\s*(?:z|Joi|t|Type|v|Schema)\.|\s*string\b)"
)
_GOOGLE: Final = re.compile(
    r"\bnew\s+(?:\w+\.)*(JWT)\(\s*(?!\{)\w|\b(cert)\(\s*(?![{)])|\b(credentials)\s*:\s*JSON\.parse\("
    r"|\.(fromJSON)\(\s*JSON\.parse\("
)
_IS_GOOGLE: Final = re.compile(
    r"[\"'](?:@?googleapis|google-auth-library|@google-cloud/|firebase-admin|@ai-sdk/google-vertex|@langchain/google-|@google/genai)"
)
_MADE: Final = re.compile(
    r"\bnew\s+(?:\w+\.)*(CfnAccessKey|IamAccessKey|AccessKey|service[aA]ccount\.Key|(?:Google)?ServiceAccountKey"
    r"|(?:AzureadA|A)pplicationPassword|(?:AzureadS|S)ervicePrincipalPassword)\s*\("
)
_PLANS: Final = re.compile(r"[\"'](?:aws-cdk-lib|@aws-cdk/|@pulumi/|cdktf|@cdktf/)")
_SET: Final = re.compile(r"\bprocess\.env(?:\.(\w+)|\[[\"'](\w+)[\"']\])\s*=\s*([\"'`])((?:(?!\3)[^\\\n])*)\3")
_TYPES: Final = re.compile(r"\$\{(?:z\.|Joi\.|t\.|Type\.|v\.|string\b|Schema\.)")
_AZURE: Final = re.compile(r"(?:^|\.)(?:AzureOpenAI|AzureChatOpenAI|AzureOpenAIEmbeddings|createAzure)$")
_LENT: Final = frozenset({"sessionToken", "SessionToken", "endpoint", "awsSessionToken"})
_SECRETS: Final = ("secretAccessKey", "awsSecretKey", "awsSecretAccessKey")
_STANDING: Final = "logs in with a key that does not end by itself"


def told(text: str) -> Iterator[Told]:
    """Where code logs in with one, or makes one."""
    shapes = [_LOGIN, *([_GOOGLE] if _IS_GOOGLE.search(text) else [])]
    for shape in shapes:
        for one in shape.finditer(text):
            yield (
                Kind.STANDING,
                line_at(text, one.start()),
                f"{next(name for name in one.groups() if name)} {_STANDING}",
            )
    if _PLANS.search(text):
        for one in _MADE.finditer(text):
            yield Kind.STANDING, line_at(text, one.start()), f"{one[1]} makes a standing key"
    set_ = tuple(Pair(one[1] or one[2], one[4], line_at(text, one.start())) for one in _SET.finditer(text))
    yield from standing.told((Holder("code", "the code", 1, "", set_),))
    yield from _objects(text)
    if standing.MARKS.search(text):
        for one in tssecret.TEXT.finditer(text):
            if kind := standing.shaped(one[0][1:-1]):
                yield Kind.STANDING, line_at(text, one.start()), f"the code holds {kind}"


def _objects(text: str) -> Iterator[Told]:
    lent: set[int] = set()
    keyed: dict[int, None] = {}
    entra = "login.microsoftonline.com" in text
    for root in tsobject.objects(text):
        for part in root.inside():
            yield from _client(part, entra=entra)
            keys = part["credentials"]["secretAccessKey"]
            bare = next((part[key] for key in _SECRETS if part[key].text), part[_SECRETS[0]])
            if keys.text and (part["endpoint"].text or part["baseURL"].text):
                lent.add(keys.line)
            if bare.text and (_LENT & part.members.keys() or _TYPES.match(bare.text)):
                lent.add(bare.line)
            for one in (keys, bare):
                if one.text and not (one is bare and one.text == "${secretAccessKey}"):
                    keyed[one.line] = None
    for line in keyed:
        if line not in lent:
            yield Kind.STANDING, line, "a client logs in with an access key of an AWS user"
    for name, one in tsobject.built(text):
        yield from _built(name, one)


def _client(part: Node, *, entra: bool) -> Iterator[Told]:
    """An object that holds a standing credential, by its members or by the variables that they read."""
    for email, key in (("client_email", "private_key"), ("clientEmail", "privateKey")):
        if part[email].text and part[key].text and not _TYPES.match(part[key].text):
            yield Kind.STANDING, part[key].line, "a client logs in with a key of a Google service account"
    pairs = [
        Pair(name, tsenv.value(one.text, {}), one.line)
        for name, one in part.members.items()
        if one.text.startswith(("${process.env", "ghp_", "glpat-")) or (one.text and "${process.env" in one.text)
    ]
    for kind, line, said in standing.told((Holder("code", "a client", part.line, "", tuple(pairs)),)):
        if "AWS" not in said:
            yield kind, line, said
    if part["grant_type"].text == "client_credentials" and part["client_secret"].text and entra:
        yield Kind.STANDING, part["client_secret"].line, "a token is asked for with a client secret of an Entra app"
    secret = part["auth"]["clientSecret"]
    if secret.text and part["auth"]["clientId"].text:
        yield Kind.STANDING, secret.line, "a client logs in with a client secret of an Entra app"
    if part["password"].text and standing.HOSTED.search(part["host"].text or part["server"].text):
        yield Kind.STANDING, part["password"].line, "a password where the service federates logins"


def _built(name: str, one: Node) -> Iterator[Told]:
    last = name.rpartition(".")[2]
    if last == "JWT" and (one["key"].text or one["keyFile"].text) and one["email"].text:
        yield Kind.STANDING, (one["key"] if one["key"].text else one["keyFile"]).line, f"{last} {_STANDING}"
    key = one["apiKey"] if one["apiKey"].text else one["azureOpenAIApiKey"]
    if _AZURE.search(name) and key.text:
        yield Kind.STANDING, key.line, f"{last} logs in with a key of an Azure service"
    if last == "CosmosClient" and one["key"].text:
        yield Kind.STANDING, one["key"].line, f"{last} logs in with an account key of Azure"
    if name.endswith("snowflake.createConnection") and one["password"].text and not one["authenticator"].text:
        yield Kind.STANDING, one["password"].line, "a password where the service federates logins"
