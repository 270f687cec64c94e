"""`remit scan --enroll`: what a scan met beside what is registered, and what is missing put forward as `proposed`.

A proposed agent has no ceiling, is in no brief and may do nothing until `remit agent review` gives it one. Who may
own it, what it is given and a draft of a brief are shown beside it: what is right of that is for a person to say.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import columns, emit, many, say
from remit.cli.values import due
from remit.control import agent as agents
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.core.shown import shown
from remit.scan import owner as owners
from remit.scan.enrolled import Proposed, draft, proposed, slug
from remit.scan.rewrite import below
from remit.scan.trusted import tools
from remit.scan.walk import Scan, contents


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
    """Show what was met and what is registered; with `write`, propose the agents that are not registered."""
    met = [
        _known(one, places)
        for one in proposed(replace(one, file=os.path.abspath(one.file)) for one in found.seen)  # noqa: PTH100 - links stay
    ]
    with at_desk(ctx) as desk:
        registered = {one.name: one for one in desk.reader.where(Agent)}
        missing = [one for one in met if one.name not in registered]
        if write and missing:
            _propose(desk, missing, owner, review)
        rows = [_row(one, registered.get(one.name), write=write) for one in met]
        names = {one.name for one in met}
        rows += [_unseen(one) for one in registered.values() if one.name not in names and one.state != "retired"]
        new = sorted({part for one in met for part in one.resources if desk.reader.get(Resource, part) is None})
    emit(form, rows, lambda: columns(("name", "state", "seen", "owner", "where"), [_cells(one) for one in rows]))
    _drafts(met, briefs, owner)
    _say(missing, new, write=write)


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
    given = () if one.called else tools(one.file, text)
    return replace(one, owner=said, tools=tuple(each for each in given if slug(each[0]) in one.resources))


def _propose(desk: Desk, missing: Sequence[Proposed], owner: str, review: str) -> None:
    """Record the agents as proposed, each under who its files name where that is a person here, else under `owner`."""
    at = due(review, desk.authority.clock.now())
    of = {one.name: _person(desk, one.owner) for one in missing}
    if not owner and not all(of.values()):
        raise click.UsageError("Name who answers for what is proposed: --owner PERSON.")
    person = desk.principal(owner) if owner else ""

    def put(change: Change) -> None:
        for one in missing:
            agents.propose(
                change, name=one.name, owner=of[one.name] or person, purpose=one.purpose, review_due=at, by=desk.by
            )

    desk.act(put)


def _person(desk: Desk, said: str) -> str:
    """The person here whom a file's word means, if there is exactly one."""
    try:
        found = desk.principal(said.lstrip("@")) if said else ""
    except RemitError:
        return ""
    return found if found.startswith("per_") else ""


def _drafts(met: Sequence[Proposed], folder: str | None, owner: str) -> None:
    """Write a draft of a brief for each agent; a file that is there already is left as it is."""
    if folder is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for one in met:
        file = Path(folder) / f"{one.name}.toml"
        try:
            with file.open("x", encoding="utf-8") as made:
                made.write(draft(one, owner))
        except FileExistsError:
            say(f"{shown(str(file))} is there already and was left as it is.")


def _say(missing: Sequence[Proposed], new: Sequence[str], *, write: bool) -> None:
    done = "proposed" if write else "would be proposed (--write does it)"
    verb = ("was " if len(missing) == 1 else "were ") if write else ""
    say(f"{many(len(missing), 'agent')} {verb}{done}." if missing else "Every agent that was met is registered.")
    for one in missing:
        ceiling = " ".join(f"--ceiling 'mcp:{name}/*'" for name in one.resources) or "--ceiling ACTION"
        say(f"  One review lets it act within a ceiling: remit agent review {one.name} --next 90d {ceiling}")
    if new:
        say(f"Servers that are no resource yet: {', '.join(new)}. Register those that are right: remit resource add.")


def _row(one: Proposed, known: Agent | None, *, write: bool) -> dict[str, Any]:
    state = known.state if known else "proposed" if write else "not registered"
    return {
        "name": one.name,
        "state": state,
        "seen": "here",
        "where": f"{one.file}:{one.line}",
        "owner": one.owner,
        "resources": list(one.resources),
        "tools": [f"mcp:{slug(server)}/{tool}" for server, tool in one.tools],
    }


def _unseen(one: Agent) -> dict[str, Any]:
    return {
        "name": one.name, "state": one.state, "seen": "never here", "where": "", "owner": "", "resources": [],
        "tools": [],
    }  # fmt: skip


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[key]) or "-" for key in ("name", "state", "seen", "owner", "where"))


def _text(path: str) -> str:
    read = contents(path)
    return "" if isinstance(read, str) else read[0].decode("utf-8-sig", "replace")
