"""`remit task flow`: an errand from end to end, by identity, with what crossed and what is not known."""

from dataclasses import asdict
from pathlib import Path

import click

from remit.cli.desk import at_desk
from remit.cli.output import columns, emit, format_option, moment, say
from remit.control import flow as flows
from remit.core.blended import risk
from remit.core.flow import Flow
from remit.core.flow_svg import svg
from remit.core.task import Task


@click.command()
@click.argument("task_id", metavar="TASK")
@click.option("--svg", "file", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into this file as well.")
@format_option
@click.pass_context
def flow(ctx: click.Context, *, task_id: str, file: Path | None, form: str) -> None:
    """Rebuild TASK and all below it: identities, switches between them, values that crossed, outcomes and gaps."""
    with at_desk(ctx) as desk:
        found = flows.flow(desk.reader, desk.need(Task, task_id))
    if file is not None:
        file.write_text(svg(found), encoding="utf-8")
        say(f"Drawn: {file}")
    emit(form, {**asdict(found), "risk": risk(blended=found.blended > 0)}, lambda: _table(found))


def _table(found: Flow) -> list[str]:
    said = f"blended since {moment(found.blended)}" if found.blended else "one trust path so far"
    lanes = [(n, one.path or "-", one.subject or "-", one.agent or "-") for n, one in enumerate(found.lanes)]
    acts = [
        (one.leaf, moment(one.at), one.lane, one.action, one.what, one.code or "-", "; ".join(one.gaps) or "-")
        for one in found.acts
    ]
    place = {one.call: one.leaf for one in found.acts}
    crossings = [
        (place.get(one.source, "-"), one.source_at or "/", place.get(one.target, "-"), one.target_at or "/")
        for one in found.crossings
    ]
    switches = [(found.acts[one.before].leaf, found.acts[one.after].leaf) for one in found.switches]
    return [
        f"{said}, risk {risk(blended=found.blended > 0)}",
        "",
        *columns(("lane", "path", "subject", "agent"), lanes),
        "",
        *columns(("entry", "at", "lane", "action", "what", "code", "gaps"), acts),
        *(["", *columns(("switch from", "to"), switches)] if switches else []),
        *(["", *columns(("crossed from", "at", "to", "as"), crossings)] if crossings else []),
        *(["", *(f"Gap: {gap}" for gap in found.gaps)] if found.gaps else []),
    ]
