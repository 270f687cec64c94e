"""What a scan met, put beside what is registered: agents with the resources, tools and credentials of each."""

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from remit.core.canonical import Json
from remit.core.lifecycle import UNUSED
from remit.core.resource import Resource, Upstream
from remit.scan import hide
from remit.scan import owner as owners
from remit.scan.enrolled import Proposed, proposed, slug
from remit.scan.rewrite import below
from remit.scan.sight import Held
from remit.scan.target import HIDDEN, Target, same, targets
from remit.scan.trusted import tools
from remit.scan.walk import Scan, contents

MOST_NAMED = 5
"""So many others who hold a credential are named."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server that was met, under the name that it has or would have as a resource."""

    name: str
    file: str
    target: Target
    credentials: tuple[dict[str, Json], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was met: agents by name, each with the names of its resources; resources; credentials of each agent."""

    agents: tuple[Proposed, ...]
    places: tuple[Place, ...]
    credentials: Mapping[str, tuple[dict[str, Json], ...]]


def met(found: Scan, places: Sequence[str], registered: Mapping[str, Resource], gates: str) -> Seen:
    """What a scan met, with what its files say. What begins with `gates` is a gate here, and no target."""
    agents = [_known(one, places) for one in proposed(replace(one, file=_whole(one.file)) for one in found.seen)]
    held = [replace(one, file=_whole(one.file)) for one in found.held]
    holders: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for each in held:
        holders[each.file, each.holder].append(each)
    also = _others(held)
    names: dict[tuple[str, str], str] = {}
    made: dict[str, Place] = {}
    for file in dict.fromkeys(one.file for one in agents if not one.called):
        for target in targets(file, _text(file)):
            here = slug(target.server)
            if target.url.startswith(gates) and (name := target.url.removeprefix(gates)) in registered:
                names[file, here] = name
                continue
            name = _name(target, registered, made)
            names[file, here] = name
            given = tuple(_told(one, also) for one in holders[file, target.server])
            made.setdefault(name, Place(name, file, target, given))
    whole = [_named(one, names) for one in agents]
    theirs = {
        one.name: tuple(
            _told(each, also)
            for key, several in holders.items()
            if key[0] == one.file and (not one.called or key[1].rpartition("/")[2] == one.called)
            for each in several
        )
        for one in whole
    }
    return Seen(tuple(whole), tuple(made.values()), theirs)


def _name(target: Target, registered: Mapping[str, Resource], made: Mapping[str, Place]) -> str:
    """The name under which this server is registered, was met before, or would be put forward.

    What nobody put in force is known by all of its command and its folder: no other tree's takes its place.
    """
    plain, way = slug(target.server), upstream(target)
    names = [plain, *(f"{plain[: 62 - most].strip('-')}-{target.mark[:most]}" for most in (8, 16, 24, 32, 40, 48))]
    for name in names:
        known = registered.get(name)
        there = known.upstream if known is not None else upstream(made[name].target) if name in made else None
        if there is not None and (there.url, there.argv, there.directory) == (way.url, way.argv, way.directory):
            return name
    found = (shutil.which(target.argv[0]) or "") if target.argv and "/" not in target.argv[0] else ""
    for name in names:
        known = registered.get(name)
        if known is not None and known.state not in ("proposed", "refused"):
            there = known.upstream
            if same(target, there.url, there.argv, there.directory, found=found):
                return name
    return next((name for name in names if name not in registered and name not in made), names[-1])


def upstream(target: Target) -> Upstream:
    """How a server that was met is reached, as it would be registered."""
    return Upstream(url=target.url, argv=target.argv, directory=target.folder)


def _named(one: Proposed, names: Mapping[tuple[str, str], str]) -> Proposed:
    """The same with the names of resources in the place of those that its file calls its servers by."""
    resources = tuple(sorted({names[one.file, here] for here in one.resources if (one.file, here) in names}))
    used = tuple((names[one.file, slug(s)], tool) for s, tool in one.tools if (one.file, slug(s)) in names)
    return replace(one, resources=resources, tools=used)


def _others(held: Iterable[Held]) -> dict[str, list[Held]]:
    by: dict[str, list[Held]] = defaultdict(list)
    for one in held:
        by[one.what].append(one)
    return by


def _told(one: Held, also: Mapping[str, list[Held]]) -> dict[str, Json]:
    """What is told of a credential: nothing of it but a reference, where it is one."""
    others = [each for each in also[one.what] if (each.file, each.holder) != (one.file, one.holder)]
    named: list[Json] = [f"{each.holder} ({plain(each.file)}:{each.line})" for each in others[:MOST_NAMED]]
    told: dict[str, Json] = {"name": one.name, "file": plain(one.file), "line": one.line}
    refers = HIDDEN if hide.may(one.what) else one.what
    return told | ({"refers": refers} if one.stored else {}) | ({"also": named} if named else {})


def _known(one: Proposed, places: Sequence[str]) -> Proposed:
    """The same with what its files say of its owner and of tools."""
    text = _text(one.file)
    said = owners.labelled(one.file, text, one.called) if one.called else ""
    for folder in () if said else Path(one.file).parents:
        if not any(below(str(folder / "x"), place) for place in places):
            break
        path = Path(one.file).relative_to(folder).as_posix()
        said = next((who for at in owners.PLACES if (who := owners.listed(_text(str(folder / at)), path))), "")
        said = said or owners.user(_text(str(folder / ".git" / "config")))
        if said:
            break
    given = () if one.called else (*tools(one.file, text), *_ruled(one.file))
    given = tuple(dict.fromkeys(given))
    return replace(one, owner=said, tools=tuple(each for each in given if slug(each[0]) in one.resources))


def _ruled(file: str) -> tuple[tuple[str, str], ...]:
    """The tools that Claude Code's settings beside a project's servers name."""
    if Path(file).name != ".mcp.json":
        return ()
    beside = [str(Path(file).parent / ".claude" / name) for name in ("settings.json", "settings.local.json")]
    return tuple(one for each in beside for one in tools(each, _text(each)))


def unseen(registered: Mapping[str, Resource], seen: Seen) -> list[Resource]:
    """The resources that are registered and were not met."""
    names = {one.name for one in seen.places} | {name for one in seen.agents for name in one.resources}
    gone = UNUSED - {"proposed"} | {"removed"}
    return [one for name, one in registered.items() if name not in names and one.state not in gone]


def plain(path: str) -> str:
    """A path as it can be written down: what is no text in it is replaced."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _whole(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay


def _text(path: str) -> str:
    read = contents(path)
    return "" if isinstance(read, str) else read[0].decode("utf-8-sig", "replace")
