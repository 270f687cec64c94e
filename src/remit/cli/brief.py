"""`remit brief`: the operator's written ceiling for one kind of task, applied from a file."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, pairs, written
from remit.cli.values import compact, document
from remit.control import brief as briefs
from remit.control import revocation
from remit.core import suggestion
from remit.core.brief import Brief
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.record import load

MEMBERS: Final = tuple(name for name in Brief.__struct_fields__ if name not in {"version", "state"})


@click.group(cls=Listing)
def brief() -> None:
    """Apply, show and withdraw briefs: what one kind of task may ever do, and who may open one."""


@brief.command()
@click.argument("file", type=click.Path(dir_okay=False))
@format_option
@click.pass_context
def apply(ctx: click.Context, *, file: str, form: str) -> None:
    """Put the brief in FILE (TOML or JSON) in force. Times are milliseconds; agents and people may stand by name."""
    with at_desk(ctx) as desk:
        wanted = read_brief(desk, file)
        _show(form, desk.act(lambda c: briefs.apply(c, wanted, desk.by)))


@brief.command()
@click.argument("resource")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--request", default="", help="What is asked for: only acts that it may mean are planned.")
@click.option("--domain", default="", help="The data domain of the resource.  [default: its name]")
@format_option
def suggest(*, resource: str, file: str, request: str, domain: str, form: str) -> None:
    """Propose a connector and a brief for RESOURCE, from FILE: its tools/list as JSON. Edit both before you use them.

    By fixed rules on names and schemas; nothing is trusted, and what a name does not tell stays at its strictest.
    """
    try:
        tools = read(Path(file).read_bytes())
    except OSError as fault:
        raise RemitError(
            "file_failed", f"{file} cannot be read: {fault.strerror}.", "Check the path and its rights."
        ) from fault
    found = suggestion.suggest(resource, tools, request, domain)
    emit(form, found, lambda: json.dumps(found, indent=2).split("\n"))


@brief.command()
@click.argument("name", required=False)
@format_option
@click.pass_context
def show(ctx: click.Context, *, name: str | None, form: str) -> None:
    """Show one brief, or list all."""
    with at_desk(ctx) as desk:
        if name:
            _show(form, desk.need(Brief, name))
            return
        found = list(desk.reader.where(Brief))
        rows = [(b.name, b.version, b.state, len(b.steps), len(b.agents), " ".join(b.domains)) for b in found]
        emit(
            form,
            [written(b) for b in found],
            lambda: columns(("name", "version", "state", "steps", "agents", "domains"), rows),
        )


@brief.command()
@click.argument("name")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def withdraw(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """Take a brief out of force for good, and end its tasks."""
    with at_desk(ctx) as desk:
        ended = desk.act(lambda c: revocation.revoke(c, "brief", name, desk.by, because))
        data = {"brief": name, "state": "withdrawn", "tasks": list(ended.tasks)}
        emit(form, data, lambda: pairs({"brief": name, "state": "withdrawn", "tasks ended": len(ended.tasks)}))


def read_brief(desk: Desk, file: str) -> Brief:
    """Read a brief from a file, with names of agents and dispatchers in place of ids allowed (`brief_invalid`)."""
    form = document(file)
    for name in form:
        if name not in MEMBERS:
            near = difflib.get_close_matches(name, MEMBERS, 1, 0.5)
            raise RemitError(
                "brief_invalid",
                f"{file}: a brief has no member {name!r}.",
                f"Did you mean {near[0]!r}?" if near else f"Its members are: {', '.join(MEMBERS)}.",
            )
    try:
        given = {**form, "noun": "brief", "version": 1}
        given["agents"] = [desk.agent(one).id for one in _texts(form, "agents")]
        if "subagents" in form:
            given["subagents"] = [desk.agent(one).id for one in _texts(form, "subagents")]
        given["dispatchers"] = [
            one if one.startswith("group:") else desk.principal(one) for one in _texts(form, "dispatchers")
        ]
        return load(Brief, given)
    except RemitError as fault:
        raise RemitError(fault.code, f"{file}: {fault.message}", fault.remedy) from fault


def _texts(form: Mapping[str, Json], name: str) -> list[str]:
    value = form.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RemitError("brief_invalid", f"{name} is a list of names.", f'Write {name} = ["NAME"].')
    return value


def _show(form: str, one: Brief) -> None:
    def table() -> list[str]:
        members = {
            "name": one.name,
            "version": one.version,
            "state": one.state,
            "purpose": one.purpose,
            "dispatchers": " ".join(one.dispatchers),
            "agents": " ".join(one.agents),
            **({"subagents": " ".join(one.subagents)} if one.subagents else {}),
            "domains": " ".join(one.domains),
            "life": f"{one.life // 1000} s, idle {one.idle // 1000} s, credential {one.credential_life // 1000} s",
            "unbound": f"{one.bearer_life // 1000} s" if one.bearer_life else "refused",
        }
        steps = [(n, s.action, s.path.value, limits(s.to_json())) for n, s in enumerate(one.steps)]
        return [*pairs(members), "", *columns(("step", "action", "path", "limits"), steps)]

    emit(form, written(one), table)


def limits(step: Mapping[str, Json]) -> str:
    """A step's limits on one line."""
    rest = {name: value for name, value in step.items() if name not in {"action", "path"}}
    return compact(rest) if rest else "-"
