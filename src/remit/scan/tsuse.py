"""What TypeScript of agents asks for of a service, and what it calls of it: the two sides of AG110. Pure.

Read are texts and chains of calls. A call that is not followed touches anything, so that nothing is said for it.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import acts, apis, events, family, reached, ready, sdkts, slacked, tier, tscalls
from remit.scan.node import line_at
from remit.scan.sight import Granted, Sight, Used

_SCOPE: Final = re.compile(r"https://(?:www\.googleapis\.com/auth/\S+|mail\.google\.com/)$")
_GRAPH_SCOPE: Final = re.compile(
    r"(?:https://graph\.microsoft\.com/)?[A-Z]\w+(?:-\w+)?\.(?:ReadWrite|Send|FullControl|Manage|Read)(?:\.\w+)*$"
)
_MICROSOFT: Final = re.compile(
    r"@azure/|@microsoft/|graph\.microsoft\.com|login\.microsoftonline\.com|passport-(?:microsoft|azure)"
)
_TEXT: Final = re.compile(r"\"((?:[^\"\\\n]|\\.){0,2000})\"|'((?:[^'\\\n]|\\.){0,2000})'|`((?:[^`\\]|\\.){0,2000})`")
HINT: Final = re.compile(
    r"googleapis\.com|googleapis|graph\.microsoft\.com|login\.microsoftonline|passport|api\.github\.com"
    r"|github\.com/login"
    r"|octokit|@slack/|slack\.com/oauth|@aws-sdk/|/api/v[34]\b|@linear/|dropbox|api\.(?:spotify|linear|hubapi"
    r"|atlassian)\b"
    rf"|{apis.HINT.pattern}|new GitHub\(|arctic"
)
"""Code that asks for, or calls, a service whose scopes are known."""
_SIGNS_IN: Final = re.compile(
    r"[\"'](?:next-auth|@auth/|better-auth|passport-|arctic|@supabase/(?:ssr|supabase-js|auth)|@clerk/|iron-session"
    r"|remix-auth|@workos|firebase/auth|lucia|@nuxt/auth|nuxt-auth|openid-client|simple-oauth2|oauth4webapi"
    r"|expo-auth-session)"
    r"|\bdefineOAuth\w+\(|accounts\.google\.com/o/oauth2|/authorize\b"
)
"""A file that signs people in: who uses the token stands anywhere in its project."""
_API: Final = re.compile(
    r"(?<![.\w])(?:(?:const|let|var|readonly|private|public)\s+"
    r"|this\.)(\w+)\s*(?::[^=\n]{1,80})?=\s*(?:await\s+)?google\.(\w+)\s*\("
)
_BUILT: Final = re.compile(
    r"(?<![.\w])(?:(?:const|let|var|readonly|private|public)\s+|this\.)(\w+)\s*(?::[^=\n]{1,80})?=\s*(?:await\s+)?"
    r"(?:new\s+)?(drive|gmail|calendar|sheets|docs|slides|people|tasks|youtube|forms|chat|admin|searchconsole)"
    r"(?:_v\d\w*\.\w+)?\("
)
_TYPED: Final = re.compile(r"(?<![.\w])(\w+)\??\s*:\s*(\w+?)_v\d\w*\.[A-Z]\w+")
_MADE_BY: Final = re.compile(r"(?<![.\w])\w+\([^()\n]{0,100}\)\)?((?:\.\w+){2,5})\s{0,9}\(")
_MADE: Final = re.compile(r"(?<![.\w])google\.(\w+)\(\s*(?:\{[^{}]{0,300}\}|[\"'\w]{1,40})\s*\)((?:\.\w+)+)\s{0,9}\(")
_CALL: Final = re.compile(r"(?<![.\w])(?:this\.)?(\w+)((?:\.\w+)+)\s{0,9}\(")
_IMPORTED: Final = re.compile(
    r"\bimport\s+(?:type\s+)?(?:\{([^{}]{1,600})\}|[\w*\s]{1,60})\s*from\s*[\"'](\.{1,2}/[^\"'\n]{1,200})[\"']"
)
_GOOGLE: Final = frozenset({"drive", "gmail", "calendar", "sheets", "docs", "slides", "people", "tasks", "youtube"})
_GRAPH_CALL: Final = re.compile(r"\.api\(\s*(?:([\"'`])((?:(?!\1)[^\n]){0,400})\1|([^()\n]{1,200}))\s*\)")
_ACT: Final = re.compile(r"\.(get|getStream|post|put|putStream|patch|delete|del|update|create|api)\s*\(")
_SLACK: Final = re.compile(
    r"\.(conversations|chat|users|files|reactions|pins|bookmarks|reminders|usergroups|team)((?:\.\w+){1,2})\s*\("
)
_UPLOAD: Final = re.compile(r"\.filesUploadV2\s*\(")
_ANSWERS: Final = re.compile(r"(?<![.\w])(?:say|respond)\s*\(")
_SLACK_READS: Final = re.compile(r"(?i)history|list|info|replies|members|get|lookup|open$|conversations|profile\.get")
_AWS: Final = re.compile(r"\bimport\s+\{([^{}]{1,2000})\}\s*from\s*[\"']@aws-sdk/(?:client|lib)-([\w-]+)[\"']")
_SERVICES: Final = {
    "secrets-manager": "secretsmanager", "cloudwatch-logs": "logs", "bedrock-runtime": "bedrock", "sesv2": "ses",
    "eventbridge": "events", "sfn": "states", "cost-explorer": "ce", "api-gateway": "apigateway",
}  # fmt: skip
_DOCUMENTS: Final = {
    "Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "BatchGet": "BatchGetItem",
    "BatchWrite": "BatchWriteItem", "TransactGet": "GetItem", "TransactWrite": "PutItem",
}  # fmt: skip
_LOGIN: Final = re.compile(
    r"\bnew GitHub\(|passport-github|@octokit/app|github\.com/login/oauth|@octokit/(?:oauth|auth-oauth)"
    r"|providers/github|GitHubProvider"
)
_AUTHORIZED: Final = re.compile(r"\bcreateAuthorizationURL\([^()\[\]]{0,80}\[([^\[\]]{1,400})\](?:()())?")
_ASKED: Final = re.compile(r"\bscopes?[\"']?\s*[:=]\s*(?:\[([^\[\]]{1,400})\]|([\"'`])([\w:,\s+-]{1,200})\2)")


def sights(path: str, text: str) -> Iterator[Sight]:
    """Scopes that the code asks for, and what it calls of the services that they open."""
    mine = f"code:{path}"
    asked = [(word, line, tier.writes(word)) for word, line in _scopes(text)]
    asked += [(f"github {word}", line, True) for word, line in _github(text)]
    services = apis.asked(text)
    for one in _TEXT.finditer(text) if services else ():
        words = apis.WORDS.split(one[1] or one[2] or one[3] or "")
        asked += [(word, line_at(text, one.start()), True) for word in apis.granted(services, words)]
    app = f"login:{path}" if asked and _SIGNS_IN.search(text) else mine
    yield from (Granted(path, line, app, word, writes) for word, line, writes in asked)
    calls = [
        *_google(text),
        *_graph(text),
        *tscalls.of(text),
        *reached.octokit(text),
        *ready.used(text),
        *apis.used(text),
    ]
    parts = {family.of_scope(word) for word, _, _ in asked}
    library = {"Google storage": "storage", "BigQuery": "bigquery"}
    calls += [
        (library[use.app[4:]], bool(use.writes)) for use in sdkts.used(path, text) if library.get(use.app[4:]) in parts
    ]
    if calls:
        modules = [re.sub(r"(?:/index)?(?:\.m?[jt]s)?$", "", one[2]) for one in _IMPORTED.finditer(text)]
        apps = [mine, *(f"module:{one.rpartition('/')[2]}" for one in modules)]
        apps += [f"env:{one}" for one in re.findall(r"process\.env\.([A-Z][A-Z0-9_]*SCOPES?)\b", text)]
        apps += [] if asked and app == mine else ["project"]
        apps += ["config:app.yml", "config:app.yaml", "config:app-manifest.json"] if "octokit" in text else []
        hub = [(part.removeprefix("github:"), writes) for part, writes in calls if part.startswith("github:")]
        apps_of_hub = [one for one in apps if one.startswith("config:app")]
        yield from (
            Used(path, one, "|".join(family.of_github(part)), writes) for part, writes in hub for one in apps_of_hub
        )
        yield from (Used(path, app, part, writes) for part, writes in calls for app in dict.fromkeys(apps))
    for word, line in slacked.asked(text):
        yield Granted(path, line, "slack:code", word, tier.writes(word))
    yield from _slack(path, text)
    yield from _aws(path, text)
    yield from sdkts.used(path, text)


def _scopes(text: str) -> Iterator[tuple[str, int]]:
    microsoft = bool(_MICROSOFT.search(text))
    if not microsoft and "google" not in text:
        return
    for one in _TEXT.finditer(text):
        words = (one[1] or one[2] or one[3] or "").split()
        for word in words if len(words) < 40 else ():
            if _SCOPE.match(word) or (microsoft and _GRAPH_SCOPE.match(word)):
                yield word, line_at(text, one.start())


def _github(text: str) -> Iterator[tuple[str, int]]:
    if not _LOGIN.search(text):
        return
    for one in (*_ASKED.finditer(text), *_AUTHORIZED.finditer(text)):
        for word in re.split(r"[\s,+\"'`]+", one[1] or one[3] or ""):
            if family.github_scope(word):
                yield word, line_at(text, one.start())


def _google(text: str) -> Iterator[tuple[str, bool]]:
    if "google" not in text:
        return
    apis = {one[1]: one[2] for shape in (_API, _BUILT, _TYPED) for one in shape.finditer(text)}
    for one in _IMPORTED.finditer(text):
        apis |= {name: name for name in re.findall(r"\w+", one[1] or "") if name in _GOOGLE}
    for one in _MADE.finditer(text):
        yield from _method(one[1], one[2])
    for one in _CALL.finditer(text) if apis else ():
        if one[1] in apis:
            yield from _method(apis[one[1]], one[2])
    alone = {*apis.values(), *re.findall(r"\bgoogle\.(\w+)\(\s*\{", text)} - {"auth", "options"}
    if len(alone) == 1:
        api = alone.pop()
        for one in _MADE_BY.finditer(text):
            yield from _method(api, one[1])


def _method(api: str, chain: str) -> Iterator[tuple[str, bool]]:
    writes = family.google_writes(chain.rpartition(".")[2])
    if writes is not None:
        yield (acts.of_gmail(chain, writes=writes) if api == "gmail" else api), writes


def _graph(text: str) -> Iterator[tuple[str, bool]]:
    """Calls of Graph's client: a path, and behind it, after its options, what is done."""
    if not _MICROSOFT.search(text):
        return
    for one in _GRAPH_CALL.finditer(text):
        act = _ACT.search(text, one.end(), one.end() + 600)
        if act and act[1] != "api":
            writes, path = act[1] not in ("get", "getStream"), one[2] or ""
            yield acts.of_graph(family.of_graph(path), path.partition("?")[0], writes=writes), writes


def _slack(path: str, text: str) -> Iterator[Used]:
    if "@slack/" not in text:
        return
    for one in _SLACK.finditer(text):
        sort = "read" if _SLACK_READS.match(one[2][1:]) else "write"
        yield Used(path, "code:slack", f"{one[1]}:{sort}", None)
        if one[2] == ".lookupByEmail":
            yield Used(path, "code:slack", "users:read.email", None)
    if _UPLOAD.search(text):
        yield Used(path, "code:slack", "files:write", None)
    for need in events.needs(text):
        yield Used(path, "code:slack", need, None)
    if "@slack/bolt" in text and _ANSWERS.search(text):
        yield Used(path, "code:slack", "chat:write", None)


def _aws(path: str, text: str) -> Iterator[Used]:
    """The actions of AWS that the third SDK's commands stand for: `GetObjectCommand` needs `s3:GetObject`."""
    for one in _AWS.finditer(text):
        service = "dynamodb" if one[2] == "dynamodb" else _SERVICES.get(one[2], one[2])
        for name in re.findall(r"(\w+)Command\b(?!\w)", one[1]):
            if re.search(rf"\bnew\s+{name}Command\s*\(", text):
                yield Used(path, "code:aws", f"{service}:{_DOCUMENTS.get(name, name)}", None)
