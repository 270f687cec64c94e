"""What TypeScript of agents asks for of a service, and what it calls of it: the two sides of AG110. Pure.

Read are texts and chains of calls. A call that is not followed touches anything, so that nothing is said for it.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import family, ready, tier
from remit.scan.node import line_at
from remit.scan.sight import Granted, Sight, Used

_SCOPE: Final = re.compile(r"https://(?:www\.googleapis\.com/auth/\S+|mail\.google\.com/)$")
_GRAPH_SCOPE: Final = re.compile(
    r"(?:https://graph\.microsoft\.com/)?[A-Z]\w+(?:-\w+)?\.(?:ReadWrite|Send|FullControl|Read)(?:\.\w+)*$"
)
_MICROSOFT: Final = re.compile(r"@azure/|@microsoft/|graph\.microsoft\.com|login\.microsoftonline\.com")
_TEXT: Final = re.compile(r"\"((?:[^\"\\\n]|\\.){3,2000})\"|'((?:[^'\\\n]|\\.){3,2000})'|`((?:[^`\\]|\\.){3,2000})`")
_API: Final = re.compile(
    r"(?<![.\w])(?:(?:const|let|var|readonly|private|public)\s+|this\.)(\w+)\s*(?::[^=\n]{1,80})?=\s*(?:await\s+)?google\.(\w+)\s*\("
)
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
_FETCHED: Final = re.compile(
    r"\bfetch\(\s*([\"'`])(https://(?:graph\.microsoft\.com|api\.github\.com)/(?:(?!\1)[^\n]){0,400})\1"
)
_METHOD: Final = re.compile(r"\bmethod\s*:\s*[\"'](\w+)[\"']")
_LOGIN: Final = re.compile(r"github\.com/login/oauth|@octokit/(?:oauth|auth-oauth)|providers/github|GitHubProvider")
_ASKED: Final = re.compile(r"\bscopes?[\"']?\s*[:=]\s*(?:\[([^\[\]]{1,400})\]|([\"'`])([\w:,\s+-]{1,200})\2)")


def sights(path: str, text: str) -> Iterator[Sight]:
    """Scopes that the code asks for, and what it calls of the services that they open."""
    mine = f"code:{path}"
    for word, line in _scopes(text):
        yield Granted(path, line, mine, word, tier.writes(word))
    for word, line in _github(text):
        yield Granted(path, line, mine, f"github {word}", writes=True)
    calls = (*_google(text), *_graph(text), *_fetched(text), *ready.used(text))
    if calls:
        modules = [re.sub(r"(?:/index)?(?:\.m?[jt]s)?$", "", one[2]) for one in _IMPORTED.finditer(text)]
        apps = [mine, *(f"module:{one.rpartition('/')[2]}" for one in modules)]
        apps += [f"env:{one}" for one in re.findall(r"process\.env\.([A-Z][A-Z0-9_]*SCOPES?)\b", text)]
        yield from (Used(path, app, part, writes) for part, writes in calls for app in dict.fromkeys(apps))
    yield from _slack(path, text)
    yield from _aws(path, text)


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
    for one in _ASKED.finditer(text):
        for word in re.split(r"[\s,+\"'`]+", one[1] or one[3] or ""):
            if family.github_scope(word):
                yield word, line_at(text, one.start())


def _google(text: str) -> Iterator[tuple[str, bool]]:
    apis = {one[1]: one[2] for one in _API.finditer(text)}
    for one in _IMPORTED.finditer(text):
        apis |= {name: name for name in re.findall(r"\w+", one[1] or "") if name in _GOOGLE}
    for one in _MADE.finditer(text):
        writes = family.google_writes(one[2].rpartition(".")[2])
        if writes is not None:
            yield one[1], writes
    for one in _CALL.finditer(text) if apis else ():
        writes = family.google_writes(one[2].rpartition(".")[2])
        if one[1] in apis and writes is not None:
            yield apis[one[1]], writes


def _graph(text: str) -> Iterator[tuple[str, bool]]:
    """Calls of Graph's client: a path, and behind it, after its options, what is done."""
    if not _MICROSOFT.search(text):
        return
    for one in _GRAPH_CALL.finditer(text):
        act = _ACT.search(text, one.end(), one.end() + 600)
        if act and act[1] != "api":
            yield family.of_graph(one[2] or ""), act[1] not in ("get", "getStream")


def _fetched(text: str) -> Iterator[tuple[str, bool]]:
    for one in _FETCHED.finditer(text):
        method = _METHOD.search(text[one.end() : one.end() + 300].partition(");")[0])
        writes = method is not None and method[1].upper() not in ("GET", "HEAD")
        if "api.github.com" in one[2]:
            yield "github:" + re.sub(r"^https://api\.github\.com", "", one[2]).partition("?")[0], writes
        else:
            yield family.of_graph(family.path_of(one[2])), writes


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
    if "@slack/bolt" in text and _ANSWERS.search(text):
        yield Used(path, "code:slack", "chat:write", None)


def _aws(path: str, text: str) -> Iterator[Used]:
    """The actions of AWS that the third SDK's commands stand for: `GetObjectCommand` needs `s3:GetObject`."""
    for one in _AWS.finditer(text):
        service = "dynamodb" if one[2] == "dynamodb" else _SERVICES.get(one[2], one[2])
        for name in re.findall(r"(\w+)Command\b(?!\w)", one[1]):
            if re.search(rf"\bnew\s+{name}Command\s*\(", text):
                yield Used(path, "code:aws", f"{service}:{_DOCUMENTS.get(name, name)}", None)
