"""What many files show together: one credential in several hands, a file of secrets handed on, more granted than used.

Pure: sights of many files to findings. Nothing here knows a secret, only what stands for it.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan.holder import is_agent
from remit.scan.idle import idle
from remit.scan.packaged import issues
from remit.scan.project import of_agent, of_file, project
from remit.scan.sight import Envelope, Granted, Handed, Held, Sight, Used

MANY: Final = 3
"""So many servers of one file that refer to one secret use it as what they all inherit."""
_NAMED: Final = 5
"""So many of a credential's other places are named."""
_TOGETHER: Final = {
    "server": "a",
    "off": "a",
    "service": "a",
    "workload": "a",
    "unit": "a",
    "task": "a",
    "job": "job",
    "env": "env",
    "code": "env",
    "secret": "secret",
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
        if isinstance(handed, Handed) and _holds(handed, envelopes):
            sure = Confidence.HIGH if handed.sure else Confidence.MEDIUM
            yield _found(Kind.INHERITED, handed.file, handed.line, f"{handed.holder}: {handed.said}", sure)
    granted = [one for one in sorts[Granted] if isinstance(one, Granted)]
    used = [one for one in sorts[Used] if isinstance(one, Used)]
    for one, said in idle(granted, used):
        told = f"{one.scope[:100]} is granted, and {said}"
        yield _found(Kind.UNUSED, one.file, one.line, told, Confidence.MEDIUM)


def _found(kind: Kind, file: str, line: int, said: str, confidence: Confidence = Confidence.HIGH) -> Finding:
    return Finding(kind, confidence, Evidence(file, line, said))


_ROOTED: Final = re.compile(r"^(?:\$\{(?:workspace(?:Folder|Root)|PWD|CLAUDE_PROJECT_DIR)(?::-\.)?\}|\$PWD|\$\(pwd\))/")
"""How a path begins that is below the project's folder."""


def _place(handed: Handed) -> str:
    source = re.sub(r"^\$\{\w+:?-(.+)\}$", r"\1", handed.source)
    rooted = _ROOTED.match(source)
    source = _ROOTED.sub("", source).removeprefix("./")
    folder = posixpath.dirname(handed.file)
    if (rooted and re.search(r"(?:^|/)\.[\w-]+$", folder)) or folder.endswith(".vscode"):
        folder = posixpath.dirname(folder)
    return posixpath.normpath(posixpath.join(folder, source))


def _holds(handed: Handed, envelopes: dict[str, int]) -> bool:
    """Say whether a file that is handed on holds secrets. One that was not seen may."""
    place = _place(handed)
    place = next((one for one in (place, *_beside(handed)) if one in envelopes), place)
    found = re.match(r"(?:~|%h|\$HOME|\$\{HOME\})?(/[^/]+/.+)$", handed.source)
    if place not in envelopes and found:
        place = next((one for one in envelopes if f"/{one}".endswith(found[1])), place)
    return bool(envelopes.get(place, 1))


def _beside(handed: Handed) -> Iterator[str]:
    """Where else a file may be: in the folder around a client's own, or beside what names it by the home."""
    source = re.sub(r"^(?:~|%h|\$HOME|\$\{HOME\}|\.)/", "", handed.source)
    folder = posixpath.dirname(handed.file)
    yield posixpath.normpath(posixpath.join(folder, source))
    parts = folder.split("/")
    hidden = next((at for at, part in enumerate(parts) if part.startswith(".") and len(part) > 1), None)
    if hidden is not None:
        yield posixpath.normpath(posixpath.join("/".join(parts[:hidden]), source))


def _shared(held: list[Held]) -> Iterator[Finding]:
    """One credential that several holders are given: told once, at the first of its places, with the others."""
    by: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for one in held:
        if one.sort in _TOGETHER and not issues(one.like):
            by[_TOGETHER[one.sort], one.what].append(one)
    sure = {one.what for one in held if one.sure}
    every = {key: _holders(each) for key, each in by.items()}
    for (sort, what), alone in every.items():
        groups = alone
        mates = every.get(("env" if sort == "a" else "a", what), [])
        if len(alone) == len(mates) == 1 and sort == "a" and _apart(alone[0], mates[0]):
            groups = [*alone, *mates]
        if (
            len(groups) < 2
            or what not in sure
            or (sort == "job" and not any(_acts(one) for group in groups for one in group))
        ):
            continue
        first, *others = sorted((group[0] for group in groups), key=lambda held: (held.file, held.line))
        also = ", ".join(f"{one.holder} ({one.file}:{one.line})" for one in others[:_NAMED])
        more = f", {len(groups)} in all" if len(others) > _NAMED else ""
        said = f"{first.holder}: {first.name} is also held by {also}{more}"
        places = tuple((one.file, one.line) for one in others[:_NAMED])
        yield Finding(Kind.SHARED, Confidence.HIGH, Evidence(first.file, first.line, said, places))


def _acts(job: Held) -> bool:
    """Say whether a job is an agent's, as its name and what it starts tell: what builds, tries or publishes is none."""
    runner = False
    for word in job.like.split():
        acts = bool(_ACTOR.search(word)) and not _TRIES.search(word)
        if acts and (_ACTION.match(word) or _PROGRAM.fullmatch(word) or (runner and not _FOLDER.search(word))):
            return True
        runner = word in _RUNNERS or (runner and word.startswith("-"))
    return bool(_ACTOR.search(job.holder)) and not _TRIES.search(job.holder)


_ACTOR: Final = re.compile(
    r"(?i)(?:^|[/@_-])(?:claude|codex|gemini|aider|goose|copilot|cursor|opencode|qwen|openhands|crewai|agents?|bot)(?:[/@_.-]|$)"
)
"""What acts by itself; what is only called by a model's maker or a protocol need not."""
_ACTION: Final = re.compile(r"[\w.-]+/[\w./-]+@|\./\.github/")
"""An action or workflow that is used: with its version, or of the repository itself."""
_PROGRAM: Final = re.compile(
    r"(?:claude|codex|gemini|aider|goose|copilot|cursor-agent|opencode|qwen|openhands)(?:@[\w.-]+)?"
)
_RUNNERS: Final = frozenset({"npx", "uvx", "bunx", "pipx", "dlx", "exec", "x", "-y", "--yes"})
_FOLDER: Final = re.compile(r"(?:^|/)agents?/")
"""A path into a folder of agents: what is built there need not be one that acts."""
_TRIES: Final = re.compile(
    r"(?i)(?:^|[/_-])(?:tests?|checks?|lint|build|release|changes|e2e|unit|gate|integration|publish|deploy|create|ci)(?:[_.-]|$)"
)
"""What is called so tries, builds, publishes or looks at agents, and is none: `openai-test`, `check-llm-changes`."""


_DEPLOYED: Final = frozenset({"deploy", "deployment", "k8s", "kubernetes", "infra", "ops", "docker", "manifests"})
"""Folders that hold how something of another folder is run."""


def _apart(one: list[Held], other: list[Held]) -> bool:
    """Say whether a holder, and a folder's file of variables with the same value, are of two projects."""
    places = [(posixpath.dirname(a.file), project(posixpath.dirname(b.file))) for a in one for b in other]
    names = {posixpath.basename(place) for _, place in places}
    deployed = {posixpath.basename(place) for place, _ in places} & _DEPLOYED
    if any(held.stored for held in (*one, *other)) or names & {held.holder for held in one}:
        return False
    if deployed and _named(*names) <= _named(*(f"{held.holder} {held.like}" for held in one)):
        return False
    return all(
        not (_holds_folder(a, b) or _holds_folder(b, a))
        or (of_agent(b) and a != b and not f"{a}/".startswith(f"{b}/") and not _related(b, one))
        for a, b in places
    )


def _holds_folder(one: str, other: str) -> bool:
    """Say whether a folder is another one, or holds it; the folder that a scan began in has no name."""
    return not one or f"{other}/".startswith(f"{one}/")


def _related(folder: str, held: list[Held]) -> bool:
    """Say whether an agent's folder and a holder have a word of their names in common."""
    names = _named(posixpath.basename(folder))
    return not names or bool(names & _named(*(f"{one.holder} {one.like}" for one in held)))


def _named(*names: str) -> set[str]:
    """The words of names, less those that say only what all of them are."""
    return {word for name in names for word in re.findall(r"[a-z0-9]+", name.lower())} - _COMMON


_COMMON: Final = frozenset({"agent", "agents", "bot", "bots", "app", "apps", "mcp", "server", "service", "api"})


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
        parts = one.sort == other.sort == "service" and (_is_one_block(one, other) or _is_one_image(one, other))
        return one.holder == other.holder or parts
    if _TOGETHER[one.sort] == "env":
        return project(one.like) == project(other.like)
    if one.sort == other.sort == "job":
        return False
    if one.like and one.like == other.like:
        return True
    places = (of_file(one.file), of_file(other.file))
    apart = bool(places[0] and places[1] and places[0] != places[1] and one.like and other.like)
    return one.holder == other.holder and not apart


def _is_one_block(one: Held, other: Held) -> bool:
    """Say whether two services have it by one line that a block for all of a program's parts holds; no two agents."""
    agents = (is_agent(held.holder) or any(map(is_agent, held.like.split())) for held in (one, other))
    return one.line == other.line and not all(agents)


def _is_one_image(one: Held, other: Held) -> bool:
    """Say whether two services start one program's image, in several parts: its server, its worker, its setup."""
    images = {held.like.partition(" ")[0] for held in (one, other)}
    return len(images) == 1 and "" not in images and not _BASE.search(images.pop())


_BASE: Final = re.compile(
    r"(?:^|/)(?:node|python|alpine|ubuntu|debian|bun|deno|golang|busybox|uv|openjdk|ruby|php)(?:[:@]|$)"
)
"""Images in which anything may run."""


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
