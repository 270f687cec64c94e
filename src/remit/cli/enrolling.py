"""`remit scan --enroll`: what a scan met beside what is registered, and what is missing put forward as `proposed`.

Nothing that is proposed can be used until a person approves it: `remit review`. Who may own it and what it is given are
shown beside it; what is right of that is for a person to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.met import Place, Seen, met, plain, unseen, upstream
from remit.cli.output import columns, emit, many, say
from remit.cli.values import due
from remit.control import credential
from remit.control import review as reviews
from remit.control.review import Acting, Server
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.moment import Instant
from remit.core.resource import Resource, action
from remit.core.review import Review, reached_by
from remit.core.shown import shown
from remit.core.trust import TrustPath
from remit.scan.enrolled import Proposed, draft
from remit.scan.walk import Scan
from remit.store import payload


@dataclass(frozen=True, slots=True)
class _Register:
    """What is registered, by name."""

    agents: Mapping[str, Agent]
    resources: Mapping[str, Resource]
    briefs: Mapping[str, Brief]


def enroll(
    ctx: click.Context,
    found: Scan,
    places: Sequence[str],
    *,
    owner: str,
    review: str,
    write: bool,
    briefs: str | None,
    form: str,
) -> None:
    """Show what was met and what is registered; with `write`, put forward what is not registered, for one review."""
    with at_desk(ctx) as desk:
        known = _register(desk)
        seen = met(found, places, known.resources, credential.audience(desk.authority.issuer, ""))
        missing = _missing(seen, known)
        made = _put_forward(desk, seen, known, owner, review, missing) if write else []
        known = _register(desk)
        rows = _rows(desk, seen, known, owner)
    emit(
        form, rows, lambda: columns(("what", "name", "state", "seen", "owner", "where"), [_cells(one) for one in rows])
    )
    _drafts(seen.agents, briefs, owner)
    _say(missing, made, write=write)


def _register(desk: Desk) -> _Register:
    desk.reader.clear()
    read = desk.reader.where
    return _Register(
        {one.name: one for one in read(Agent)}, {one.name: one for one in read(Resource)},
        {one.name: one for one in read(Brief)},
    )  # fmt: skip


def _missing(seen: Seen, known: _Register) -> dict[str, int]:
    """How many of each noun were met and are not registered."""
    briefs = [one for one in seen.agents if one.resources and one.name not in known.briefs]
    return {
        "agent": sum(one.name not in known.agents for one in seen.agents),
        "resource": sum(one.name not in known.resources for one in seen.places),
        "brief": sum(getattr(known.agents.get(one.name), "state", "") != "retired" for one in briefs),
    }


def _put_forward(
    desk: Desk, seen: Seen, known: _Register, owner: str, review: str, missing: Mapping[str, int]
) -> list[Review]:
    """Record it as proposed, each under who its files name where that is a person here, else under `owner`."""
    at = due(review, desk.authority.clock.now())
    person = desk.principal(owner) if owner else ""
    owners = {one.name: _owner(desk, one, known, person) for one in seen.agents}
    if not all(owners.values()) and any(missing.values()):
        raise click.UsageError("Name who answers for what is proposed: --owner PERSON.")
    given = {name: one.name for one in reversed(seen.agents) for name in one.resources}
    servers = [_server(one, owners[given[one.name]]) for one in seen.places if owners[given[one.name]]]
    acting = [_acting(one, owners[one.name], seen.credentials[one.name]) for one in seen.agents if owners[one.name]]
    made: list[Review] = []
    while (one := _once(desk, servers, acting, at)) is not None:
        made.append(one)
    return made


def _once(desk: Desk, servers: Sequence[Server], acting: Sequence[Acting], at: Instant) -> Review | None:
    return desk.act(lambda c: reviews.open_review(c, servers, acting, at, desk.by))


def _owner(desk: Desk, one: Proposed, known: _Register, person: str) -> str:
    there = known.agents.get(one.name)
    return there.owner if there is not None else _person(desk, one.owner) or person


def _server(one: Place, owner: str) -> Server:
    target = one.target
    said: dict[str, Json] = {"file": plain(one.file), "line": target.line, "credentials": list(one.credentials)}
    said |= {"environment": list(target.variables)} if target.variables else {}
    return Server(one.name, upstream(target), owner, said, target.lacks)


def _acting(one: Proposed, owner: str, credentials: Sequence[Json]) -> Acting:
    steps = tuple(
        Step.from_json({"action": action(name, tool), "path": TrustPath.DELEGATED.value, "allow_unknown": True})
        for name, tool in one.tools
    )
    said: dict[str, Json] = {"file": plain(one.file), "line": one.line, "credentials": list(credentials)}
    said |= {"owner": one.owner} if one.owner else {}
    return Acting(one.name, one.purpose, owner, one.resources, steps, said)


def _person(desk: Desk, said: str) -> str:
    """The person here whom a file's word means, if there is exactly one."""
    try:
        found = desk.principal(said.lstrip("@")) if said else ""
    except RemitError:
        return ""
    return found if found.startswith("per_") else ""


def _drafts(agents: Sequence[Proposed], folder: str | None, owner: str) -> None:
    """Write a draft of a brief for each agent; a file that is there already is left as it is."""
    if folder is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for one in agents:
        file = Path(folder) / f"{one.name}.toml"
        try:
            with file.open("x", encoding="utf-8") as made:
                made.write(draft(one, owner))
        except FileExistsError:
            say(f"{shown(str(file))} is there already and was left as it is.")


def _say(missing: Mapping[str, int], made: Sequence[Review], *, write: bool) -> None:
    told = _counted(missing)
    if not write and told:
        say(f"{told} would be proposed (--write does it).")
    elif not made:
        say("All that was met is registered.")
    for one in made:
        several = {noun: sum(item.noun == noun for item in one.items) for noun in missing}
        were = "was" if len(one.items) == 1 else "were"
        say(f"{_counted(several)} {were} proposed. Nothing can use what is proposed.")
        say(f"  One review approves or refuses it: remit review show {one.id}, then remit review approve {one.id}")


def _counted(several: Mapping[str, int]) -> str:
    """So many of each noun, in words."""
    *first, last = [many(count, noun) for noun, count in several.items() if count] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _rows(desk: Desk, seen: Seen, known: _Register, owner: str) -> list[dict[str, Any]]:
    rows = []
    for one in seen.agents:
        who = _called(desk, known.agents.get(one.name)) or (
            one.owner if _person(desk, one.owner) else owner or one.owner
        )
        acts = [f"mcp:{name}/{tool}" for name, tool in one.tools]
        said = {"resources": list(one.resources), "tools": acts, "credentials": list(seen.credentials[one.name])}
        rows.append(_row("agent", one.name, known.agents, f"{one.file}:{one.line}", who) | said)
        if one.resources:
            rows.append(_row("brief", one.name, known.briefs, f"{one.file}:{one.line}", who) | {"tools": acts})
    for place in seen.places:
        there, target = known.resources.get(place.name), place.target
        who = _called(desk, there) or owner
        reached: dict[str, Json] = {"reached": reached_by(upstream(target)), "lacks": target.lacks}
        reached |= {"environment": list(target.variables)}
        row = _row("resource", place.name, known.resources, f"{place.file}:{target.line}", who)
        rows.append(row | reached | {"credentials": list(place.credentials)})
    names = {one.name for one in seen.agents}
    left = [one for one in known.agents.values() if one.name not in names and one.state != "retired"]
    rows += [_row("agent", one.name, known.agents, "", _called(desk, one)) for one in left]
    rows += [
        _row("resource", one.name, known.resources, "", _called(desk, one)) for one in unseen(known.resources, seen)
    ]
    return rows


def _row(noun: str, name: str, known: Mapping[str, Agent | Resource | Brief], where: str, owner: str) -> dict[str, Any]:
    """One thing: whether it is registered, and whether it was met here."""
    there = known.get(name)
    state = there.state if there is not None else "not registered"
    seen = "here" if where else "never here"
    return {"noun": noun, "name": name, "state": state, "seen": seen, "where": plain(where), "owner": owner}


def _called(desk: Desk, one: Agent | Resource | None) -> str:
    """How the owner of what is registered is known here: by a subject, else by their id."""
    if one is None:
        return ""
    names = payload.names(desk.authority.view, one.owner)
    return names[0][1] if names else one.owner


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[key]) or "-" for key in ("noun", "name", "state", "seen", "owner", "where"))
