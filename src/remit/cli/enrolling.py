"""`remit scan --enroll`: what a scan met beside what is registered, and what is missing put forward as `proposed`.

A proposed agent has no ceiling, is in no brief and may do nothing until `remit agent review` gives it a ceiling.
Resources and briefs are only named: what they allow is for a person to say.
"""

import os
from dataclasses import replace

import click

from remit.cli.desk import at_desk
from remit.cli.output import columns, emit, say
from remit.cli.values import due
from remit.control import agent as agents
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.resource import Resource
from remit.scan.enrolled import Proposed, proposed
from remit.scan.walk import Scan


def enroll(ctx: click.Context, found: Scan, *, owner: str, review: str, write: bool, form: str) -> None:
    """Show what was met and what is registered; with `write`, propose the agents that are not registered."""
    met = proposed(replace(one, file=os.path.abspath(one.file)) for one in found.seen)  # noqa: PTH100 - links stay as they are
    with at_desk(ctx) as desk:
        registered = {one.name: one for one in desk.reader.where(Agent)}
        missing = [one for one in met if one.name not in registered]
        if write and missing:
            if not owner:
                raise click.UsageError("Name who answers for what is proposed: --owner PERSON.")
            person, at = desk.principal(owner), due(review, desk.authority.clock.now())

            def put(change: Change) -> None:
                for one in missing:
                    agents.propose(change, name=one.name, owner=person, purpose=one.purpose, review_due=at, by=desk.by)

            desk.act(put)
        rows = [_row(one, registered.get(one.name), write=write) for one in met]
        names = {one.name for one in met}
        rows += [
            {"name": one.name, "state": one.state, "seen": "never here", "where": "", "resources": []}
            for one in registered.values()
            if one.name not in names and one.state != "retired"
        ]
        new = sorted({part for one in met for part in one.resources if desk.reader.get(Resource, part) is None})
    emit(form, rows, lambda: columns(("name", "state", "seen", "where"), [_cells(one) for one in rows]))
    said = "were proposed" if write else "would be proposed (--write does it)"
    say(f"{len(missing)} agents {said}. Each may do nothing until: remit agent review NAME --next 90d --ceiling ACTION")
    if new:
        say(f"Servers that are no resource yet: {', '.join(new)}. Register those that are right: remit resource add.")


def _row(one: Proposed, known: Agent | None, *, write: bool) -> dict[str, object]:
    state = known.state if known else "proposed" if write else "not registered"
    return {
        "name": one.name,
        "state": state,
        "seen": "here",
        "where": f"{one.file}:{one.line}",
        "resources": list(one.resources),
    }


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    return tuple(str(row[key]) for key in ("name", "state", "seen", "where"))
