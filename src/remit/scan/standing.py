"""Credentials that do not end by themselves, of services that issue ones that do (AG104). Pure.

Each service's own pages say so: AWS (roles, OIDC), Google Cloud (workload identity federation), Microsoft Entra
(federated credentials, managed identities), GitHub (apps, OIDC), GitLab (OIDC), npm and PyPI (trusted publishing),
Vault (JWT login), Kubernetes (TokenRequest), Snowflake and Databricks (federation).
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, grant, secret, typed
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair, references

_ROTATED: Final = re.compile(r"(?i)^(?:AWS_SESSION_TOKEN|aws[-_]session[-_]token)$")
_OTHER_CLOUD: Final = re.compile(r"(?i)(?:^|_)(?:endpoint(?:_url)?|aws_endpoint\w*|s3_endpoint\w*)$")
_NAMES: Final = (
    (re.compile(r"(?i)^(?:\w*_)?aws[-_]secret[-_]access[-_]key$"), "an access key of an AWS user"),
    (
        re.compile(
            r"(?i)(?:^|_)(?:gcp|gcloud|google|gke|firebase|vertex)\w*_(?:sa_key|key_json|json_key"
            r"|(?:\w+_)?private_key|service_account(?:_key|_json)*|credentials(?:_json)?)$"
            r"|^(?:gcp|google)_(?:sa|credentials?|key)$|^credentials_json$|(?:^|_)service_account_(?:key|json|file)\w*$"
        ),
        "a key of a Google service account",
    ),
    (
        re.compile(r"(?i)^(?:\w+_)?(?:azure|arm|entra|aad|msal|graph|ms|m365)_(?:\w+_)?client_secret$|^azure_credentials$"),
        "a client secret of an Entra app",
    ),
    (
        re.compile(r"(?i)azure_storage_(?:account_)?(?:key|connection_string)$|azurewebjobsstorage$|cosmos\w*_key$"),
        "an account key of Azure",
    ),
    (
        re.compile(r"(?i)(?<!ovsx)(?<!vsx)(?:^|_)(?:pat|personal_access_token|classic_token)$|^(?:gh|github|gitlab)_(?:classic_?)?pat\b"),
        "a personal access token",
    ),
    (re.compile(r"(?i)^vault_token$|^databricks_token$"), "a token that does not end by itself"),
    (
        re.compile(
            r"(?i)^(?:snowflake|salesforce|sf|sfdc|azure|o365|m365|entra|servicenow|snow|databricks|jira|confluence"
            r"|okta)_(?:\w+_)?password$"
            r"|^bitbucket_app_password$|^gmail_app_password$"
        ),
        "a password where the service federates logins",
    ),
    (re.compile(r"(?i)^(?:kube|k8s|kubernetes)_?(?:config|token)\w*$"), "a standing login of a cluster"),
)  # fmt: skip
_SHAPES: Final = (
    (re.compile(r"^AKIA[A-Z2-7]{16}$"), "an access key of an AWS user"),
    (re.compile(r"(?<![\w-])ghp_[A-Za-z0-9]{36}(?!\w)"), "a classic token of GitHub"),
    (re.compile(r"(?<![\w-])glpat-[\w-]{20,}"), "a personal access token"),
    (re.compile(r"AccountKey=[A-Za-z0-9+/=]{40,}"), "an account key of Azure"),
    (re.compile(r"SharedAccessKey=[A-Za-z0-9+/=]{20,}"), "an access key of Azure"),
)
_KEY_FILE: Final = re.compile(
    r"(?i)(?:service[-_]?account|[-_/]sa|key|credentials?|gcp|gcloud|google)[\w.-]*\.json$"
    r"|-[0-9a-f]{6,12}\.json$|(?:^|/)\.?(?:\w+[-_])?(?:keys?|secrets?|credentials?|creds|service[-_]?accounts?)/[^\s\"]{1,99}\.json$"
)
"""How key files are called: as what they are, as Google names a download, or by the folder that keeps keys."""
_NO_KEY: Final = re.compile(
    r"(?i)external|(?<![a-z])wif(?![a-z])|workload|federat|impersonat|application_default|(?<![a-z])adc(?![a-z])|oidc"
    r"|clientLibraryConfig|credential[-_]?config"
)
_MANAGED: Final = re.compile(
    r"://[^:@/\s]+:([^@/\s]+)@[\w.-]+\.(?:rds\.amazonaws\.com|(?:postgres|mysql"
    r"|database)\.(?:database\.)?(?:azure\.com|windows\.net))"
)
_HOSTS: Final = re.compile(r"\.rds\.amazonaws\.com|\.(?:postgres|mysql)\.database\.azure\.com|\.database\.windows\.net")
HOSTED: Final = re.compile(r"\.rds\.amazonaws\.com|\.database\.azure\.com|\.database\.windows\.net")
"""Hosts of databases of any kind that take short-lived logins."""
MARKS: Final = re.compile(r"ghp_|glpat-|AccountKey=|SharedAccessKey=")
"""One of these stands in whatever holds a credential of a known shape that does not end."""
_HOST: Final = re.compile(r"(?i)^(?:pg|db|database|postgres|mysql)_?host\w*$")
_PASSWORD: Final = re.compile(r"(?i)^(?:pg|db|database|postgres|mysql)_?password$")
_RESOURCES: Final = {
    "aws_iam_access_key": "an access key of an AWS user",
    "aws_iam_service_specific_credential": "a credential of an AWS user",
    "google_service_account_key": "a key of a Google service account",
    "azuread_application_password": "a client secret of an Entra app",
    "azuread_service_principal_password": "a client secret of an Entra app",
    "aws_iam_user_login_profile": "a password where the service federates logins",
    "google_storage_hmac_key": "a key of a Google service account",
    "gitlab_personal_access_token": "a personal access token",
    "databricks_token": "a token that does not end by itself",
    "alicloud_ram_access_key": "an access key of a user of a cloud",
    "AWS::IAM::AccessKey": "an access key of an AWS user",
    "aws:iam/accessKey:AccessKey": "an access key of an AWS user",
    "aws:iam:AccessKey": "an access key of an AWS user",
    "gcp:serviceaccount:Key": "a key of a Google service account",
    "gcp:serviceaccount/key:Key": "a key of a Google service account",
    "azuread:ApplicationPassword": "a client secret of an Entra app",
    "azuread:ServicePrincipalPassword": "a client secret of an Entra app",
}
_KINDS: Final = {
    ("AccessKey", "iam."): "an access key of an AWS user",
    ("ServiceAccountKey", "cloudplatform.gcp."): "a key of a Google service account",
    ("IAMServiceAccountKey", "iam.cnrm."): "a key of a Google service account",
}
"""What a cluster's controllers make in a cloud: the kind, and how its API's group begins."""
_ENDING: Final = {"databricks_token": "lifetime_seconds", "gitlab_personal_access_token": "expires_at"}
"""Which of them end where they say so."""
_PROVIDERS: Final = {
    "aws": "secret_key",
    "azurerm": "client_secret",
    "azuread": "client_secret",
    "google": "credentials",
    "github": "token",
    "snowflake": "password",
    "databricks": "token",
    "vault": "token",
    "azuredevops": "personal_access_token",
}


def told(holders: tuple[Holder, ...]) -> Iterator[Told]:
    """The standing credentials that holders are given, one finding each."""
    for one in holders:
        rotated = any(_ROTATED.match(pair.name) for pair in one.pairs)
        elsewhere = any(_OTHER_CLOUD.search(pair.name) for pair in one.pairs)
        managed = any(_HOST.match(pair.name) and _HOSTS.search(pair.text) for pair in one.pairs)
        federated = any(pair.name == "workload_identity_provider" for pair in one.pairs)
        for pair in one.pairs:
            said = "" if federated and pair.name == "service_account" else _pair(pair, managed=managed)
            if said and not ("AWS" in said and (rotated or elsewhere)):
                yield Kind.STANDING, pair.line, f"{one.name}: {pair.name} is {said}"


def _key(pair: Pair, text: str) -> str | None:
    """Which key, or key's file, of a Google service account it is; None where its name says nothing of that."""
    if _SERVICE.search(text) and "private_key" in text:
        return "a key of a Google service account"
    place = text[-400:].replace("\\", "/")
    keyed = bool(_KEY_FILE.search(f"/{place}")) and not _NO_KEY.search(place)
    if pair.name.upper() in _GOOGLE_FILES:
        return "a key file of a Google service account" if keyed or _SERVICE.search(text) else ""
    return "a key file of a Google service account" if keyed and _KEY_PLACE.search(pair.name) else None


_GOOGLE_FILES: Final = frozenset(
    {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"}
)


def _pair(pair: Pair, *, managed: bool) -> str:
    text = pair.text.strip()
    if not text or _LOCAL.search(text):
        return ""
    if (key := _key(pair, text)) is not None:
        return key
    for shape, said in _SHAPES:
        if shape.search(text) and secret.is_known(text) and pair.name.upper() != "AWS_ACCESS_KEY_ID":
            return said
    if _MANAGED.search(text) and not secret.is_made_up(text):
        return "a password where the service federates logins"
    if managed and _PASSWORD.match(pair.name) and (secret.is_literal(text) or secret.is_reference(text)):
        return "a password where the service federates logins"
    stored = list(references(pair.name, text))
    named = next((said for name, said in _NAMES if name.search(pair.name)), "")
    if (
        named
        and (stored or secret.is_reference(text) or secret.is_literal(text) or _FULL.search(text))
        and not text.startswith("github_pat_")
    ):
        return named
    for reference in stored:
        bare = re.sub(r"^secrets\.|^\$\{?(?:secret:|input:)?(?:[^/}]*/)*|\}$|^\$", "", reference).replace("-", "_")
        told = next((said for name, said in _NAMES if name.search(bare)), "")
        if told:
            return told
    return ""


_LOCAL: Final = re.compile(r"UseDevelopmentStorage=true|AccountName=devstoreaccount1\b", re.IGNORECASE)
"""Azure's emulator of its storage, whose key everybody knows."""
_KEY_PLACE: Final = re.compile(
    r"(?i)(?:^|[_-])(?:key|credentials?|creds|service[_-]?account(?:[_-]key)?)[_-]?(?:file|path|json|file[_-]path)?$"
)


def shaped(text: str) -> str:
    """Which credential that does not end by itself a text is, by its shape alone; "" when it is none."""
    found = next((said for shape, said in _SHAPES if shape.search(text)), "")
    return found if found and not text.startswith("AKIA") and secret.is_known(text) else ""


_FULL: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\"private_key\":\s*\"-----BEGIN")
"""A key that stands there with its lines or around it what it is."""
_SERVICE: Final = re.compile(r"\"type\":\s*\"service_account\"")


def in_document(path: str, text: str) -> Iterator[Told]:
    """Standing credentials that documents make or are: key files, secrets of a cluster, resources of a cloud."""
    for root in document.read(path, text):
        if root["type"].text == "service_account" and root["private_key"].text:
            yield Kind.STANDING, root["private_key"].line, "this is a key of a Google service account"
        yield from _manifest(root)
        if path.endswith((".tf", ".tf.json")):
            yield from _terraform(root)
        for (kind, group), said in _KINDS.items():
            if root["kind"].text == kind and root["apiVersion"].text.startswith(group):
                yield Kind.STANDING, root["kind"].line, f"{root['metadata']['name'].text} is {said}"
        for name, one in (*root["Resources"].members.items(), *root["resources"].members.items()):
            made = one["Type"] if one["Type"].text else one["type"]
            if made.text in _RESOURCES:
                yield Kind.STANDING, made.line, f"{name} is {_RESOURCES[made.text]}"
        yield from _login(root)
        yield from _exported(root)
        if root["jobs"].members:
            yield from (one for part in root.inside() for one in typed.told(part["run"]))


def _manifest(root: Node) -> Iterator[Told]:
    """What a cluster's map holds, and a token of an account that a Secret asks for."""
    if root["kind"].text == "ConfigMap" and root["apiVersion"].text:
        pairs = tuple(Pair(name, one.text, one.line) for name, one in root["data"].members.items())
        yield from told((Holder("map", root["metadata"]["name"].text, 1, "", pairs),))
    if root["kind"].text == "Secret" and root["type"].text == "kubernetes.io/service-account-token":
        yield Kind.STANDING, root["type"].line, "a token of a service account that does not end"


_SECRETS: Final = ("passwordCredentials", "password_credentials")
_YEAR: Final = re.compile(r"^(\d{4})-")


def _endless(part: Node) -> Iterator[Told]:
    """A token of GitHub, GitLab or Databricks that says of itself that it has no end."""
    ends = part["token_expires_at"] if "token_expires_at" in part.members else part["expires_at"]
    fine = "token_expires_at" in part.members and "token_id" in part.members
    plain = "expires_at" in part.members and part["revoked"].value is False and "scopes" in part.members
    if (fine or plain) and ends.text in ("", "never") and ends.line:
        yield Kind.STANDING, ends.line, "a personal access token that does not end"
    if part["expiry_time"].value == -1 and part["token_id"].text:
        yield Kind.STANDING, part["expiry_time"].line, "a token that does not end by itself"


def _exported(root: Node) -> Iterator[Told]:
    """Standing credentials that an export lists: tokens, keys of accounts, secrets of apps."""
    for part in grant.live(root):
        kind = part["credential_type"].text.lower()
        if kind.startswith("personal access token") and part["authorized_credential_expires_at"].value is None:
            yield Kind.STANDING, part["credential_type"].line, "a personal access token that does not end is authorised"
        yield from _endless(part)
        if part["keyType"].text == "USER_MANAGED":
            yield Kind.STANDING, part["keyType"].line, "a key of a Google service account"
        if part["AccessKeyId"].text.startswith("AKIA") and part["Status"].text == "Active":
            yield Kind.STANDING, part["AccessKeyId"].line, "an access key of an AWS user"
        for key in ("access_key_1_active", "access_key_2_active"):
            if part[key].text.lower() == "true":
                yield Kind.STANDING, part[key].line, "an access key of an AWS user"
        for key in _SECRETS:
            for one in part[key].items:
                start, end = (_YEAR.match(one[name].text) for name in ("startDateTime", "endDateTime"))
                if not end or (start and int(end[1]) - int(start[1]) > 2):
                    yield (
                        Kind.STANDING,
                        one["endDateTime"].line or one.line,
                        "a client secret of an Entra app that lasts for years",
                    )


def _terraform(root: Node) -> Iterator[Told]:
    for one in root["resource"].items:
        labels = [label.text for label in one["$labels"].items]
        if labels and labels[0] in _RESOURCES and not one[_ENDING.get(labels[0], "$")].line:
            yield Kind.STANDING, one["$labels"].line, f"{labels[-1]} is {_RESOURCES[labels[0]]}"
        if labels and labels[0].startswith("kubernetes_secret"):
            pairs = tuple(Pair(name, given.text, given.line) for name, given in one["data"].members.items())
            yield from told((Holder("secret", labels[-1], 1, "", pairs),))
        if labels and labels[0].startswith("kubernetes_secret") and "service-account-token" in one["type"].text:
            yield Kind.STANDING, one["type"].line, "a token of a service account that does not end"
    for one in root["provider"].items:
        labels = [label.text for label in one["$labels"].items]
        key = _PROVIDERS.get(labels[0] if labels else "", "")
        given = one[key].text
        works = secret.is_reference(given) or secret.is_literal(given) or _FULL.search(given)
        if key and works and not one["endpoints"].items and (key == "token" or not one["token"].text):
            yield Kind.STANDING, one[key].line, f"the provider {labels[0]} is given a standing {key}"


_LOGINS: Final = {
    "aws-actions/configure-aws-credentials": ("aws-secret-access-key", "aws-session-token", "an AWS user's key"),
    "google-github-actions/auth": ("credentials_json", "", "a service account's key"),
    "azure/login": ("creds", "", "a client secret"),
    "hashicorp/vault-action": ("token", "", "a token of Vault"),
    "azure/functions-action": ("publish-profile", "", "a standing profile to publish with"),
    "azure/webapps-deploy": ("publish-profile", "", "a standing profile to publish with"),
    "google-github-actions/setup-gcloud": ("service_account_key", "", "a service account's key"),
    "js-devtools/npm-publish": ("token", "", "a standing token of the index"),
    "pypa/gh-action-pypi-publish": ("password", "", "a standing token of the index"),
}
"""Steps that can log in without a key: the input that is one, another that makes it short-lived, and its words."""
_REGISTRY: Final = re.compile(r"\.amazonaws\.com|\.azurecr\.io|(?:^|\.)gcr\.io|\.pkg\.dev")
_LENT: Final = re.compile(r"steps\.|github\.token|GITHUB_TOKEN")
_PUBLISH: Final = re.compile(
    r"\b(?:(?:npm|pnpm|yarn(?: npm)?|uv|poetry|hatch|flit|cargo) publish|twine upload|gem push|nuget push)\b"
)
_PUBLISHES: Final = re.compile(r"(?i)token|password|auth|api_key")


def _login(root: Node) -> Iterator[Told]:
    """Steps that log in with a key although they could without one."""
    for part in root.inside():
        uses, given = part["uses"].text.partition("@")[0].lower(), part["with"]
        key, other, said = _LOGINS.get(uses, ("", "", ""))
        if key and given[key].text and not (other and given[other].text):
            yield Kind.STANDING, given[key].line, f"the step logs in with {said}"
        password = given["password"]
        clouds = uses == "docker/login-action" and bool(_REGISTRY.search(given["registry"].text))
        if clouds and password.text and not _LENT.search(password.text):
            yield Kind.STANDING, password.line, "the step logs in to a cloud's registry with a standing password"
    for job in root["jobs"].members.values():
        for step in job["steps"].items:
            if _PUBLISH.search(step["run"].text):
                envs = (*step["env"].members.items(), *job["env"].members.items(), *root["env"].members.items())
                held = [
                    one
                    for name, one in envs
                    if _PUBLISHES.search(name) and "secrets." in one.text and not _LENT.search(one.text)
                ]
                if not held and re.search(r"(?:-p|--token|--password)[ =]\S*\$\{\{\s*secrets\.", step["run"].text):
                    held = [step["run"]]
                if held:
                    yield Kind.STANDING, held[0].line, "the step publishes with a standing token"
