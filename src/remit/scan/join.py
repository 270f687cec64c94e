"""What many files show together: one credential in several hands, a file of secrets handed on, more granted than used.

Pure: sights of many files to findings. Nothing here knows a secret, only what stands for it.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan.holder import issues
from remit.scan.sight import Envelope, Granted, Handed, Held, Sight, Used

MANY: Final = 3
"""So many servers of one file that refer to one secret use it as what they all inherit."""
_SLACK_SCOPE: Final = re.compile(
    r"^(?:channels|groups|im|mpim|chat|users|files|reactions|pins|bookmarks|reminders|usergroups|team)"
    r":(?:read|history|write|manage|join|read\.email)$"
)
_TOGETHER: Final = {
    "server": "a",
    "service": "a",
    "workload": "a",
    "unit": "a",
    "task": "a",
    "job": "job",
    "env": "env",
}


def join(sights: Iterable[Sight]) -> Iterator[Finding]:
    """Every finding that takes more than one place."""
    sorts: dict[type[Sight], list[Sight]] = defaultdict(list)
    for one in sights:
        sorts[type(one)].append(one)
    held = [one for one in sorts[Held] if isinstance(one, Held)]
    envelopes = {one.file: one.secrets for one in sorts[Envelope] if isinstance(one, Envelope)}
    yield from _shared(held)
    yield from _many(held)
    for handed in sorts[Handed]:
        if isinstance(handed, Handed) and envelopes.get(_place(handed), 1):
            sure = Confidence.HIGH if handed.sure else Confidence.MEDIUM
            yield _found(Kind.INHERITED, handed.file, handed.line, f"{handed.holder}: {handed.said}", sure)
    granted = [one for one in sorts[Granted] if isinstance(one, Granted)]
    used = [one for one in sorts[Used] if isinstance(one, Used)]
    yield from _idle(granted, used)


def _found(kind: Kind, file: str, line: int, said: str, confidence: Confidence = Confidence.HIGH) -> Finding:
    return Finding(kind, confidence, Evidence(file, line, said))


def _place(handed: Handed) -> str:
    source = handed.source.removeprefix("${workspaceFolder}/").removeprefix("./")
    folder = posixpath.dirname(handed.file)
    if "${workspaceFolder}" in handed.source or folder.endswith(".vscode"):
        folder = posixpath.dirname(folder)
    return posixpath.normpath(posixpath.join(folder, source))


def _shared(held: list[Held]) -> Iterator[Finding]:
    """One credential that several holders are given: told at each of its places, with another of them."""
    by: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for one in held:
        if one.sort in _TOGETHER and not issues(one.like):
            by[_TOGETHER[one.sort], one.what].append(one)
    for each in by.values():
        groups = _holders(each)
        if len(groups) < 2:
            continue
        for number, group in enumerate(groups):
            other = groups[number - 1][0]
            for one in group:
                also = f"{one.name} is also held by {other.holder} ({other.file})"
                said = f"{one.holder}: {also}, and by {len(groups)} in all"
                yield _found(Kind.SHARED, one.file, one.line, said)


def _holders(each: list[Held]) -> list[list[Held]]:
    """The places of one credential, a holder's together: by its name, and across files also by what it starts."""
    groups: list[list[Held]] = []
    for one in each:
        mine = [group for group in groups if any(_same(one, other) for other in group)]
        merged = [one, *(other for group in mine for other in group)]
        groups = [group for group in groups if not any(group is other for other in mine)]
        groups.append(sorted(merged, key=lambda held: (held.file, held.line)))
    return groups


def _same(one: Held, other: Held) -> bool:
    if one.file == other.file:
        return one.holder == other.holder
    return one.holder == other.holder or (bool(one.like) and one.like == other.like)


def _many(held: list[Held]) -> Iterator[Finding]:
    by: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for one in held:
        if one.stored and one.sort in ("server", "service", "workload") and not issues(one.like):
            by[one.file, one.what].append(one)
    for each in by.values():
        holders = {one.holder for one in each}
        if len(holders) >= MANY:
            for one in each:
                said = f"{one.holder}: {one.name} refers to a secret that {len(holders)} of this file are given"
                yield _found(Kind.INHERITED, one.file, one.line, said)


def _near(one: str, other: str) -> bool:
    """Say whether two files are of one project: their folders meet at most one level above each."""
    mine, others = posixpath.dirname(one).split("/"), posixpath.dirname(other).split("/")
    same = 0
    while same < min(len(mine), len(others)) and mine[same] == others[same]:
        same += 1
    return len(mine) - same <= 2 and len(others) - same <= 2


def _idle(granted: list[Granted], used: list[Used]) -> Iterator[Finding]:
    uses: dict[str, list[Used]] = defaultdict(list)
    for use in used:
        uses[use.app].append(use)
    told: set[tuple[str, int, str]] = set()
    for one in granted:
        if (one.file, one.line, one.scope) in told:
            continue
        said = _cloud(one, uses) if one.app == "aws" else _app(one, uses.get(one.app, [])) or _slack(one, uses)
        if said:
            told.add((one.file, one.line, one.scope))
            yield _found(
                Kind.UNUSED, one.file, one.line, f"{one.scope[:100]} is granted, and {said}", Confidence.MEDIUM
            )


def _app(one: Granted, seen: list[Used]) -> str:
    scopes = {use.scope for use in seen if use.writes is None}
    if scopes and one.scope not in scopes:
        return "was not used"
    acts = [use.writes for use in seen if use.writes is not None]
    return "only reads were seen" if acts and not scopes and not any(acts) and one.writes else ""


def _slack(one: Granted, uses: dict[str, list[Used]]) -> str:
    """Of an app of Slack code says by its methods what it needs: `conversations.history` needs a `:history` scope."""
    family, _, sort = one.scope.partition(":")
    seen = {use.scope for use in uses.get("code:slack", []) if _near(one.file, use.file)}
    if not seen or not _SLACK_SCOPE.match(one.scope):
        return ""
    family = "conversations" if family in ("channels", "groups", "im", "mpim") else family
    need = one.scope if sort == "read.email" else f"{family}:{'read' if sort in ('read', 'history') else 'write'}"
    return "" if need in seen else "nothing in the code calls for it"


def _cloud(one: Granted, uses: dict[str, list[Used]]) -> str:
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
    called = [
        use.scope
        for use in uses.get("code:aws", [])
        if _near(one.file, use.file) and use.scope.startswith(f"{service}:")
    ]
    from remit.scan.cloud import writes

    return "only reads are called for" if called and one.writes and not any(writes(scope) for scope in called) else ""
