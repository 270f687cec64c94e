"""Workflows that act with a person's token and with a service's own credential, and keep nothing apart (AG151). Pure.

What keeps them apart is the holder: a server, a job or a service of its own for each.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import document, secret, workflow
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair, is_credential, references

_PERSON: Final = re.compile(
    r"(?i)(?:^|[_-])(?:user|personal|person|delegated|obo|on[-_]behalf\w*|member|employee|human|customer|caller|xoxp"
    r"|my)[-_](?:\w+[-_])?(?:access[-_])?(?:token|pat|key|credentials?|jwt|assertion|secret|auth|authorization"
    r"|password)$"
    r"|(?:^|_)(?:pat|refresh_token|xoxp)$|^x-(?:user|forwarded|remote)-(?:\w+-)*(?:token|authorization|access-token)$"
    r"|^(?:user|personal)[-_]?token$"
)
_TECHNICAL: Final = re.compile(
    r"(?i)(?:^|[_-])(?:bot|service|svc|system|machine|technical|tech|robot|integration|admin)[-_]?user[-_]"
)
"""Names of a user that is a service."""
_ROBOT: Final = re.compile(r"(?i)(?:^|_)(?:automation|bot|robot|machine|service|svc|ci)_(?:gh_|github_)?pat$")
"""A token of the personal kind that an account of a service has: neither a person's nor made for a service."""
_NOBODY: Final = re.compile(
    r"(?i)(?:^|[_-])(?:user|member|customer|employee)[-_](?:pool|agent|service|management|db|database|data"
    r"|events?|import)[-_]"
    r"|(?:^|[_-])(?:db|database|postgres\w*|pg|mysql|mariadb|mongo\w*|redis|rabbitmq|amqp|smtp|sql|root|basic"
    r"|http|proxy)"
    r"[-_]user[-_]"
)
"""Names with such a word that are no person's: of a service about users, of a store's login."""
_SERVICE: Final = re.compile(
    r"(?i)(?:^|[_-])(?:bot|service(?![-_](?:desk|bus))|svc|system|machine|app(?![-_](?:store|insights))|application"
    r"|m2m|backend|server|robot|daemon|workload|xoxb"
    r"|platform|installation|integration|automation|admin|technical|worker)[-_](?:\w+[-_])?(?:token|key|private[-_]key"
    r"|secret|credentials?"
    r"|password"
    r"|pat|jwt|auth|pem)$"
    r"|service[-_]account(?![-_]?(?:e?mail|name|id|user)$)|^google_application_credentials$|^(?:azure"
    r"|arm)_client_secret$|(?:^"
    r"|_)aws_secret_access_key$|^aws-secret-access-key$"
    r"|private[-_]key(?:[-_]pem)?$|(?:^|_)(?:sa_key|xoxb)$|^github_token$"
)
_PROOF: Final = re.compile(
    r"(?i)(?:app|application|server|platform|integration|oauth\d?|google|github|slack|linear"
    r"|notion)[-_]client[-_]secret$"
    r"|(?:^|_)(?:webhook|signing|session|cookie|csrf|jwt|auth|nextauth|encryption)[-_](?:secret|key)$|^app_key$"
)
"""What an app proves itself with while a person logs in, and what signs or seals: no credential for a call."""
_SHAPES: Final = (
    (re.compile(r"^(?:xoxp-|ghp_|gho_|ghu_)"), "person"),
    (re.compile(r"^(?:xoxb-|ghs_|xapp-)"), "service"),
)
_PUBLISHES: Final = re.compile(
    r"(?i)^(?:vsce|ovsx|open_?vsx|npm|node_auth|pypi|test_?pypi|twine|uv_publish|poetry_pypi|cargo_registry|crates_io|nuget|rubygems|gem_host"
    r"|maven|ossrh|sonatype|gradle_publish|docker_?hub|dockerhub|cachix|codecov|coveralls|chromatic)_|telemetry"
)
"""What a registry takes a package by, and a collector its counts: it is for no data of a person or of a service."""
_STORE: Final = re.compile(
    r"(?i)client[-_]secret$|(?:^|_)(?:database|db|pg|postgres\w*|mysql|mongo\w*|redis|amqp)_?(?:\w+_)?(?:url|uri"
    r"|dsn|password)$"
)
"""An app's proof, where no login of its own is seen, and the login of its own store."""
_MODEL: Final = re.compile(
    r"(?i)openai|anthropic|gemini|google_api|mistral|groq|cohere|openrouter|langsmith|langfuse|hf_|xai|(?:^"
    r"|_)(?:anon|public|publishable)_"
)


def told(holders: tuple[Holder, ...]) -> Iterator[Told]:
    """The holders that are given both."""
    for one in holders:
        if one.sort in ("dev", "secret"):
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
    job = "secrets.GITHUB_TOKEN" in text or "github.token" in text
    if job:
        given.append("GITHUB_TOKEN")
    if not given and not (is_credential(pair.name) and secret.is_literal(text)) and not _SERVICE.search(pair.name):
        return ""
    for name in (*given, pair.name, re.sub(r"[-_]secret$", "", pair.name)):
        if _PROOF.search(name) or _MODEL.search(name) or _PUBLISHES.search(name) or _ROBOT.search(name):
            return ""
        technical = _TECHNICAL.search(name)
        if _PERSON.search(name) and not technical and not _NOBODY.search(name):
            return "person"
        if (_SERVICE.search(name) or technical) and (job or name.upper() != "GITHUB_TOKEN"):
            return "service"
    return ""


def may_be_own(name: str) -> bool:
    """Say whether a service may call with a secret of this name: it is no model's key, no proof, no store's login."""
    return not (_PERSON.search(name) or _MODEL.search(name) or _PROOF.search(name) or _STORE.search(name))


_ENVIRONMENTS: Final = (
    "env", "environment", "Environment", "envVars", "env_vars", "environmentVariables", "environment_variables",
    "variables", "Variables", "RuntimeEnvironmentSecrets", "RuntimeEnvironmentVariables", "secrets", "Secrets",
    "runtime_environment_secrets", "runtime_environment_variables", "app_settings", "appSettings",
    "secret_environment_variables", "secretEnvironmentVariables", "vars",
)  # fmt: skip
_STORED: Final = ("Ref", "valueFrom", "value_from", "secret", "secretRef", "fromSecret", "from_secret", "Fn::GetAtt")
_ELSEWHERE: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"})
"""Kinds of a cluster whose containers are holders of their own."""


def in_document(path: str, text: str) -> Iterator[Told]:
    """Whatever a document gives an environment with both: a client's whole session, a service of a cloud."""
    if workflow.wants(path) or not ("env" in text or "Env" in text or "ariables" in text or "ecrets" in text):
        return
    if not re.search(r"(?i)user|person|customer|delegated|_pat\b|refresh", text):
        return
    for root in document.read(path, text):
        if root["services"].members or root["kind"].text in _ELSEWHERE:
            continue
        for part in root.inside():
            pairs = tuple(pair for key in _ENVIRONMENTS if key in part.members for pair in _variables(part[key]))
            name = part["name"].text or part["Name"].text or "an environment"
            yield from told((Holder("environment", name, part.line, "", pairs),))


def _variables(given: Node) -> Iterator[Pair]:
    """Variables, as members, as a list of names with their values, or as `NAME=value`."""
    for name, one in given.members.items():
        if one.text or any(key in one.members for key in _STORED):
            yield Pair(name, one.text or "${" + name + "}", one.line)
    for one in given.items if not given.members else ():
        named = one["name"] if one["name"].text else one["Name"] if one["Name"].text else one["key"]
        name, mark, text = one.text.partition("=")
        if named.text:
            value = one["value"].text or one["Value"].text
            yield Pair(named.text, value or "${" + named.text + "}", named.line)
        elif mark:
            yield Pair(name, text, one.line)
