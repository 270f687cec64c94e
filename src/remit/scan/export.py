"""Exports of apps, of what they are granted and of what they did: Google Workspace, Entra, Slack, GitHub, AWS. Pure.

Shapes are those of the vendors' own pages: Admin SDK tokens and token activity, Graph's permission grants and activity
logs, Slack's approved apps and audit entries, GitHub's installations, tokens and audit log, AWS's last accessed details
and CloudTrail. An app is known by every name and id that its object has.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import acts, advised, cloud, document, family, grant, managed, tier
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.sight import Granted, Holder, Used

_NAMES: Final = re.compile(
    r"(?i)^(?:(?:app|client|oauth|application|service[-_ ]?principal|integration|agent|bot|resource)[-_ ]?(?:id"
    r"|slug|name|display[-_ ]?name)?|display[-_ ]?(?:text|name)|name|slug|oauth2client[-_ ]?id|actor|login"
    r"|principal[-_ ]?display[-_ ]?name|principal[-_ ]?id|token[-_ ]?name|identity)$"
)
_GRANTS: Final = re.compile(
    r"(?i)^(?:default[-_ ]?|oauth[-_ ]?|granted[-_ ]?|approved[-_ ]?|consented[-_ ]?|delegated[-_ ]?|application[-_ ]?"
    r"|token[-_ ]?|bot[-_ ]?|user[-_ ]?)?(?:scopes?|permissions?|grants?)(?:[-_ ]?granted)?$|^granted$"
)
_USES: Final = re.compile(
    r"(?i)^(?:used|observed|exercised|active|seen)[-_ ]?(?:scopes?|permissions?|actions?)?$|^(?:scopes?"
    r"|permissions?|actions?)[-_ ]?(?:used|observed|exercised|seen)$"
)
_ONE: Final = re.compile(
    r"(?i)^(?:(?:oauth[-_ ]?|granted[-_ ]?)?scope|permission|action|privilege|right)(?:[-_ ]?name)?$|^value$|^name$"
)
_LAST: Final = re.compile(
    r"(?i)^last[-_ ]?(?:used|seen|accessed|exercised|activity|authenticated|called|use)(?:[-_ ]?(?:at|on|date|time"
    r"|date[-_ ]?time|days?))?$"
    r"|^(?:used|in[-_ ]?use|uses|usage|usage[-_ ]?count|calls|call[-_ ]?count|count|hits|requests?"
    r"|request[-_ ]?count|times[-_ ]?used|events)(?:[-_ ]?\d+[-_ ]?d(?:ays)?|[-_ ]?last[-_ ]?\d+[-_ ]?days)?$"
)
_METHOD: Final = re.compile(
    r"(?i)^(?:http[-_ ]?|request[-_ ]?|api[-_ ]?)?(?:method|verb)(?:[-_ ]?name)?$|^operation[-_ ]?type$|^operation$"
)
_READS: Final = re.compile(
    r"(?i)^(?:get|head|options|read|access|list|search|download|query|view|export|fetch|find|count|lookup"
    r"|conversations\.(?:history|list|info|replies|members)|users\.(?:list|info|lookup\w*)|files\.(?:list|info))$"
    r"|\.(?:get|list|search|export|download|view|query|history|info|replies|batchget|getprofile|get_media|watch"
    r"|aggregatedlist|members|lookupbyemail)$|^(?:get|list|search|read|download|describe|query|fetch|view"
    r"|export)[._A-Z]"
)
_NONE: Final = frozenset({"", "0", "never", "none", "null", "false", "no", "n/a", "-", "not used", "unused"})


def read(path: str, text: str) -> Iterator[Told | Granted | Used]:
    """What a document says that was granted, was used, and was granted and never used."""
    if path.endswith((".tf", ".py")):
        return
    for root in document.read(path, text):
        for part in grant.live(root):
            if part.members:
                yield from advised.told(part)
                yield from _granted(path, part)
                yield from _used(path, part)
                yield from _aws(path, part)
                yield from _google(path, part)
            elif isinstance(part.value, list):
                yield from _column(part)


def names(part: Node) -> list[str]:
    """Every name and id that an object gives its app."""
    found = [value for name, value in part.members.items() if _NAMES.match(name)]
    found += [one for value in found for one in value.members.values()]
    return list(
        dict.fromkeys(one.text.lower().removesuffix("[bot]") for one in found if one.text and len(one.text) < 200)
    )


def _granted(path: str, part: Node) -> Iterator[Granted]:
    """What an object grants: its scopes, whatever sorts they stand in, and its permissions, each with its level."""
    if any(_METHOD.match(key) and value.text for key, value in part.members.items()):
        for key, value in part.members.items():
            if _GRANTS.match(key) or key.lower() == "roles":
                for word, line in _each(value):
                    yield from (Granted(path, line, f"log:{app}", word, tier.writes(word)) for app in names(part)[:1])
        return
    called = [*names(part), f"config:{path.rpartition('/')[2]}"]
    for key, value in part.members.items():
        if _GRANTS.match(key):
            for word, line in _each(value):
                yield from (Granted(path, line, app, word, tier.writes(word)) for app in called)


def _each(value: Node) -> Iterator[tuple[str, int]]:
    yield from grant.words(value)
    for name, one in value.members.items():
        if isinstance(one.value, list):
            yield from grant.words(one)
        elif one.text:
            yield f"{name}={one.text}", one.line


def _used(path: str, part: Node) -> Iterator[Told | Used]:
    called = names(part)
    granted = [
        (word, line) for key, value in part.members.items() if _GRANTS.match(key) for word, line in grant.words(value)
    ]
    lists = [
        (key, value)
        for key, value in part.members.items()
        if _USES.match(key) and (isinstance(value.value, list) or value.text)
    ]
    used = {word for _, value in lists for word, _ in grant.words(value)}
    if lists and granted and used:
        for word, line in dict.fromkeys(granted):
            if word not in used and not _covered(word, used):
                yield Kind.UNUSED, line, f"{_short(word)} is granted and was not used"
    elif lists:
        for word in used:
            yield from (Used(path, app, word, None) for app in called)
    fetched = re.match(r"^git\.(clone|fetch|push)$", part["action"].text)
    if fetched:
        for app in called:
            yield Used(path, app, "contents", fetched[1] == "push")
    method = next((value for key, value in part.members.items() if _METHOD.match(key) and value.text), None)
    if method is not None:
        for app in called:
            yield Used(path, app, _touched(part, method.text), not _READS.search(method.text))


_PATH: Final = re.compile(r"(?i)^(?:url[-_]?path|request[-_]?(?:uri|url|path)|uri|path|url|route|endpoint)$")
_SLACK_METHOD: Final = re.compile(
    r"^(conversations|chat|users|files|reactions|pins|bookmarks|reminders|usergroups|team)\.([\w.]+)$"
)
_GOOGLE_APIS: Final = frozenset(
    {"drive", "gmail", "calendar", "sheets", "docs", "slides", "people", "tasks", "admin", "forms", "chat", "youtube",
     "bigquery", "storage", "classroom"}
)  # fmt: skip


def _touched(part: Node, method: str) -> str:
    """Which part of its service a call touched; "" when that is not known."""
    slack = _SLACK_METHOD.match(method)
    if slack:
        return f"slack:{slack[1]}:{'read' if _READS.search(method) else 'write'}"
    api = next((value.text for key, value in part.members.items() if key.lower().replace("_", "") == "apiname"), "")
    for one in (api.lower(), method.partition(".")[0].lower()):
        if one in _GOOGLE_APIS:
            return acts.of_gmail(method, writes=not _READS.search(method)) if one == "gmail" else one
    url = next((value.text for key, value in part.members.items() if _PATH.match(key) and value.text), "")
    if "graph.microsoft.com" in url or re.match(r"/(?:v1\.0|beta)/", url):
        path = family.path_of(url)
        return acts.of_graph(family.of_graph(path), path, writes=not _READS.search(method))
    return "|".join(family.of_github(family.path_of(url)))


def _covered(word: str, used: set[str]) -> bool:
    return (
        word in ("openid", "email", "profile", "offline_access", "User.Read")
        or word.endswith(("userinfo.email", "userinfo.profile"))
        or word in used
    )


def _column(part: Node) -> Iterator[Told]:
    """A list of scopes with when or how often each was used: those that never were, beside some that were."""
    rows = []
    for one in part.items:
        named = next((value for key, value in one.members.items() if _ONE.match(key) and value.text), None)
        uses = [
            value for key, value in one.members.items() if _LAST.match(key) and not isinstance(value.value, dict | list)
        ]
        if named is not None and uses:
            rows.append(
                (
                    named,
                    names(one),
                    all(str(u.value if u.value is not None else "").strip().lower() in _NONE for u in uses),
                )
            )
    if not any(not idle for _, _, idle in rows):
        return
    for named, _, idle in rows:
        if idle and not _covered(named.text, set()):
            yield Kind.UNUSED, named.line, f"{_short(named.text)} is granted and was not used"


def _google(path: str, part: Node) -> Iterator[Granted | Used]:
    """Token activity of Google Workspace: an event has parameters, each a name and a value."""
    told = {one["name"].text: one for one in part["parameters"].items if one["name"].text}
    if not told:
        return
    called = [
        told[key]["value"].text.lower() for key in ("client_id", "app_name") if key in told and told[key]["value"].text
    ]
    for app in called:
        for one in told["scope"]["multiValue"].items if "scope" in told else ():
            if one.text:
                yield Granted(path, one.line, app, one.text, tier.writes(one.text))
        if "method_name" in told and told["method_name"]["value"].text:
            method, api = told["method_name"]["value"].text, told.get("api_name", Node(0, None))["value"].text
            named = Node(part.line, {"api_name": Node(part.line, api)})
            yield Used(path, app, _touched(named, method), not _READS.search(method))


def _aws(path: str, part: Node) -> Iterator[Used]:
    event, source = part["eventName"].text, part["eventSource"].text
    if event and source.endswith(".amazonaws.com"):
        yield Used(path, "aws", f"{source.partition('.')[0]}:{event}", None)
    for service in part["ServicesLastAccessed"].items:
        name = service["ServiceNamespace"].text
        tracked = service["TrackedActionsLastAccessed"].items
        for one in tracked:
            if one["LastAccessedTime"].value is not None or one["LastAccessedEntity"].text:
                yield Used(path, "aws", f"{name}:{one['ActionName'].text}", None)
            else:
                yield Used(path, "aws", f"!{name}:{one['ActionName'].text}", None)
        if name and not tracked:
            seen = service["LastAuthenticated"].value is not None
            yield Used(path, "aws", f"{'' if seen else '!'}{name}:*", None)


def policies(path: str, text: str) -> Iterator[Granted]:
    """The actions that AWS's policies of a document allow, each by its own name or by wildcard."""
    if managed.HINT.search(text):
        for root in document.read(path, text) if document.wants(path) else ():
            yield from managed.attached(path, root)
    if path.endswith((".py", ".ts")) and re.search(r"FullAccess|ReadWrite|\.grant", text):
        yield from managed.in_code(path, text)
    for root in cloud.roots(path, text):
        for part in root.inside():
            effect = part["Effect"].text or part["effect"].text
            actions = part["Action"].items or part["actions"].items
            if part["Principal"].value is not None or part["principals"].items:
                continue  # who may come, and no right of whoever has the policy
            if (effect == "Allow" or (not effect and path.endswith(".tf") and part["resources"].items)) and actions:
                for one in actions:
                    if re.match(r"^[\w-]+:[\w*]+$", one.text):
                        yield Granted(path, one.line, "aws", one.text, cloud.writes(one.text))


def _short(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:80]


_SCOPES_OF: Final = re.compile(r"^[A-Z][A-Z0-9_]*SCOPES?$")


def asked(path: str, holders: tuple[Holder, ...]) -> Iterator[Granted]:
    """The scopes that a variable of a holder names: code that reads the variable uses them."""
    for one in holders:
        for pair in one.pairs:
            if _SCOPES_OF.match(pair.name):
                for word in re.split(r"[,;\s]+", pair.text):
                    if family.of_scope(word):
                        yield Granted(path, pair.line, f"env:{pair.name}", word, tier.writes(word))
