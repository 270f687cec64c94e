"""What is granted beside what was seen of its use: broader than observed (AG110), over many files. Pure."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from remit.scan import acts, cloud, family, sdk
from remit.scan.sight import Granted, Used

_SLACK_SCOPE: Final = re.compile(
    r"^(?:channels|groups|im|mpim|chat|users|files|reactions|pins|bookmarks|reminders|usergroups|team)"
    r":(?:read|history|write|manage|join|read\.email)$"
)
Uses = Mapping[str, list[Used]]


def idle(granted: Iterable[Granted], used: Iterable[Used]) -> Iterator[tuple[Granted, str]]:
    """Every grant that is broader than what was seen, with what was seen. With no use in sight nothing is said."""
    uses: dict[str, list[Used]] = defaultdict(list)
    for use in used:
        uses[use.app].append(use)
    told: set[tuple[str, int, str]] = set()
    every = list(granted)
    beside: dict[str, set[str]] = defaultdict(set)
    for one in every:
        beside[one.app].add(one.scope)
    for one in every:
        others = frozenset(beside[one.app] - {one.scope})
        if one.app.startswith("log:") and one.app.removeprefix("log:") in beside:
            continue  # what is granted is told where it is granted
        said = "" if (one.file, one.line, one.scope) in told else _said(one, others, uses)
        if said:
            told.add((one.file, one.line, one.scope))
            yield one, said


def _said(one: Granted, others: frozenset[str], uses: Uses) -> str:
    if one.app == "aws":
        return _cloud(one, uses)
    if one.app.startswith("log:"):
        name = one.app.removeprefix("log:")
        return _app(one, others, uses.get(name, []))
    if one.app == "project:graph":
        mine = [use for use in uses.get("project", []) if _near(one.file, use.file) and not use.scope[:1].islower()]
        return _app(one, others, mine)
    if one.app.startswith("run:"):
        return _script(one, uses)
    if one.app.startswith("sdk:"):
        return _library(one, [use for use in uses.get(one.app, []) if _near(one.file, use.file)])
    seen = uses.get(one.app, [])
    if one.app.startswith("code:"):
        module = re.sub(r"(?:/(?:index|__init__))?\.(?:py|m?ts)$", "", one.file).rpartition("/")[2]
        seen = [*seen, *(use for use in uses.get(f"module:{module}", []) if _near(one.file, use.file))]
    elif one.app.startswith("login:"):
        seen = [use for use in uses.get("project", []) if _below(one.file, use.file)]
    elif one.app.startswith(("config:", "env:")):
        seen = [use for use in seen if _near(one.file, use.file)]
    return _app(one, others, seen) or _slack(one, uses)


_INNER: Final = frozenset(
    {"src", "lib", "app", "api", "auth", "[...nextauth]", "utils", "server", "config", "core", "web", "actions",
     "services", "routes", "login", "common", "shared", "helpers", "backend"}
)  # fmt: skip
"""Folders of a project that hold its parts."""


def _below(one: str, other: str) -> bool:
    """Say whether a file is of the project that another one signs people in to."""
    folders = posixpath.dirname(one).split("/")
    while folders and folders[-1] in _INNER:
        folders.pop()
    root = "/".join(folders)
    return not root or other.startswith(f"{root}/")


def _script(one: Granted, uses: Uses) -> str:
    """Of a workflow that starts scripts of the tree with its token: what they call, where all of it is known."""
    needs: set[str] = set()
    for path in one.app.removeprefix("run:").split("\n"):
        seen = [use for use in uses.get("project", []) if use.file == path or use.file.endswith(f"/{path}")]
        seen = seen or uses.get(f"code:{path}", [])
        calls = {(use.scope.removeprefix("github:"), use.writes) for use in seen if use.scope.startswith("github:")}
        if not calls or any(writes and not family.of_github(path) for path, writes in calls):
            return ""
        needs |= {need for path, writes in calls if writes for need in family.of_github(path)}
    part = one.scope.partition("=")[0].replace("-", "_")
    return "" if part in needs else "the script that is started with the token does not write it"


def _near(one: str, other: str) -> bool:
    """Say whether two files are of one project: their folders meet at most one level above each."""
    mine, others = posixpath.dirname(one).split("/"), posixpath.dirname(other).split("/")
    same = 0
    while same < min(len(mine), len(others)) and mine[same] == others[same]:
        same += 1
    if len(mine) > same < len(others) and (_BESIDE.match(mine[same]) or _BESIDE.match(others[same])):
        return False
    if 0 < same < min(len(mine), len(others)) and mine[same - 1] in _COLLECTIONS:
        return False
    return len(mine) - same <= 2 and len(others) - same <= 2


_BESIDE: Final = re.compile(r"\.\w")
"""A folder of what builds and checks a project (`.github`), which runs under none of its roles."""
_COLLECTIONS: Final = frozenset(
    {"examples", "patterns", "samples", "blueprints", "cookbook", "cookbooks", "tutorials", "templates", "demos",
     "recipes", "labs", "quickstarts", "starters", "showcase", "playground"}
)  # fmt: skip
"""Folders of which each holds a project of its own."""


def _app(one: Granted, others: frozenset[str], seen: list[Used]) -> str:
    methods = {use.scope.removeprefix("slack:") for use in seen if use.scope.startswith("slack:")}
    if methods:
        return _slack_said(one.scope, methods)
    service, mark, _ = one.scope.partition(": ")
    if mark:
        called = [use.writes for use in seen if use.scope == f"api:{service}"]
        return _READS if called and not any(called) else ""
    if one.scope.startswith("github "):
        return _github(one.scope.removeprefix("github "), seen)
    scopes = {use.scope for use in seen if use.writes is None}
    if scopes and one.scope not in scopes:
        return "was not used"
    calls = [use for use in seen if use.writes is not None and not use.scope.startswith(("github:", "api:"))]
    return "" if not calls or scopes else _held(one, others, calls)


_READS: Final = "only reads were seen"


def _github(scope: str, seen: list[Used]) -> str:
    paths: dict[str, bool] = {}
    for use in seen:
        if use.scope.startswith("github:"):
            path = use.scope.removeprefix("github:")
            paths[path] = paths.get(path, False) or bool(use.writes)
    if paths.get("?") or paths.get("/graphql"):
        return ""  # something is written, and what is not known
    return family.github_idle(scope, paths) if paths else ""


def _held(one: Granted, others: frozenset[str], calls: list[Used]) -> str:
    """A scope held to the calls of its service."""
    part = family.of_scope(one.scope)
    if part and part != "metadata" and all(use.scope for use in calls):
        touched = [use for use in calls if family.opens(part) & set(use.scope.split("|"))]
        if not touched and _is_known(part, calls):
            return "nothing of it was called"
        if one.writes and touched and not any(use.writes for use in touched):
            return _READS
        return acts.more(one.scope, others, [use.scope for use in touched])
    return _READS if one.writes and not any(use.writes for use in calls) else ""


def _is_known(part: str, calls: list[Used]) -> bool:
    """Say whether the part is of the service that the calls are of, so that a call of it would have been known."""
    google = part.islower() and "_" not in part and part not in ("contents", "issues", "actions", "checks")
    return any(use.scope.islower() == part.islower() for use in calls) and (google or part != "User")


def _library(one: Granted, seen: list[Used]) -> str:
    if not seen:
        return ""
    need = sdk.needs(one.scope) if one.app == "sdk:cluster" else ""
    if need:
        return "" if any(use.scope == need for use in seen) else "nothing in the code calls for it"
    return "only reads are called for" if not any(use.writes for use in seen) else ""


def _slack(one: Granted, uses: Uses) -> str:
    """Of an app of Slack code says by its methods what it needs: `conversations.history` needs a `:history` scope."""
    seen = {use.scope for use in uses.get("code:slack", []) if _near(one.file, use.file)}
    return _slack_said(one.scope, seen) if seen else ""


def _slack_said(scope: str, seen: set[str]) -> str:
    part, _, sort = scope.partition(":")
    if not _SLACK_SCOPE.match(scope):
        return ""
    part = "conversations" if part in ("channels", "groups", "im", "mpim") else part
    need = scope if sort == "read.email" else f"{part}:{'read' if sort in ('read', 'history') else 'write'}"
    return "" if need in seen else "nothing that is called asks for it"


def _cloud(one: Granted, uses: Uses) -> str:
    """Exports say what was used at all; code says only that a service is read, for more of it may stand elsewhere."""
    service, _, verb = one.scope.partition(":")
    exported = {use.scope.lower() for use in uses.get("aws", []) if _near(one.file, use.file)}
    seen = {scope for scope in exported if not scope.startswith("!")}
    if seen:
        if "*" in verb:
            of = {scope for scope in seen if scope.startswith(f"{service.lower()}:{verb.rstrip('*').lower()}")}
            return "" if f"{service.lower()}:*" in seen else f"{len(of)} of its actions were used"
        if one.scope.lower() not in seen and f"{service.lower()}:*" not in seen:
            return "was not used"
        return ""
    if verb.startswith(("Receive", "Peek")):
        return ""
    called = [
        use.scope
        for use in uses.get("code:aws", [])
        if _near(one.file, use.file) and use.scope.startswith(f"{service}:")
    ]
    return (
        "only reads are called for"
        if called and one.writes and not any(cloud.writes(scope) and ":Receive" not in scope for scope in called)
        else ""
    )
