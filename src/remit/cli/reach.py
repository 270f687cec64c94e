"""`remit reach`: how far something reaches if it turns, by which ways, and what cutting would gain."""

import json
from collections.abc import Sequence
from typing import Any

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.looking import READERS, looked
from remit.cli.output import columns, emit, format_option, moment, pairs, say, text, ways, written
from remit.control import reachable, survey
from remit.control.landscape import Landscape
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.reach.amount import number
from remit.core.reach.answer import GAINED, VIEWS, Answer, answer, labelled
from remit.core.reach.export import dot, opengraph
from remit.core.reach.graph import Graph
from remit.core.reach.picture import svg
from remit.core.shown import several, shown
from remit.core.task import Task

EXPORTS = ("dot", "svg", "json", "bloodhound")
NUMBERS = ("systems", "writable", "objects", "domains", "sensitive", "logins", "secrets", "code")


class Asking(click.Group):
    """A group whose first word may be what is asked about: then it is `remit reach of`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word in that nobody wants to type."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["of", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Call the word by what people type: X."""
        name, command, rest = super().resolve_command(ctx, args)
        return ("X" if command is of else name), command, rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what may follow X here too, where people look first."""
        told = [one.get_help_record(ctx) for one in of.params]
        with formatter.section("Options after X"):
            formatter.write_dl([one for one in told if one])
        super().format_options(ctx, formatter)


class Asked(click.Command):
    """What is asked about stands in the command's path already, so it is no piece of the usage."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Show where options go."""
        return ["[OPTIONS]"]


@click.group(cls=Asking, invoke_without_command=True, subcommand_metavar="X [OPTIONS] | COMMAND")
@click.pass_context
def reach(ctx: click.Context) -> None:
    """See how far X reaches if it turns: a person, agent, task, credential, secret or login.

    Name it as KIND:NAME, or by its name alone where that means one thing. Without X, every agent is shown.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(everybody, form="table")


@reach.command(hidden=True, cls=Asked)
@click.argument("asked", metavar="X")
@click.option("--view", type=click.Choice(VIEWS), default=VIEWS[0], show_default=True, help="As it could be, or is.")
@click.option("--without", multiple=True, metavar="Y", help="As if this were not there; repeatable.")
@click.option("--to", "goal", metavar="Z", help="Show the shortest way to this alone.")
@click.option("--compare", is_flag=True, help="Of a task: beside what opens its systems for ever.")
@click.option("--export", "export", type=click.Choice(EXPORTS), help="Write what is reached in this form instead.")
@format_option
@click.pass_context
def of(
    ctx: click.Context,
    *,
    asked: str,
    view: str,
    without: Sequence[str],
    goal: str | None,
    compare: bool,
    export: str | None,
    form: str,
) -> None:
    """See how far X reaches: numbers first, then shortest paths, then choke points and what cutting each would gain."""
    with at_desk(ctx) as desk:
        now = desk.authority.clock.now()
        made = reachable.landscape(desk.reader, now, view)
        asked = known(desk, asked)
        stands = survey.standing(made, asked.removeprefix("task:")) if compare else ""
        graph = made.builder.build()
        gone = graph.cut(graph.find(known(desk, one)) for one in without)
        target = graph.find(known(desk, goal)) if goal else None
        found = answer(graph, _start(desk, graph, asked, view), gone, to=target)
        whole = answer(graph, found.start, brief=True) if gone else None
        other = answer(graph, graph.find(stands), brief=True) if stands else None
    if export:
        click.echo(exported(found, export), nl=False)
        return
    data = told(found, made, whole, other)
    emit(form, data, lambda: _table(found, made, whole, other))
    if not found.paths and target is None and not gone and graph.kind(found.start) == "agent" and view == VIEWS[0]:
        say("No brief in force gives it a step within its ceiling: remit brief list, and remit review list.")


@reach.command()
@click.option("--view", type=click.Choice(VIEWS), default=VIEWS[0], show_default=True, help="As it could be, or is.")
@format_option
@click.pass_context
def everybody(ctx: click.Context, *, form: str, view: str = VIEWS[0]) -> None:
    """See every agent's reach in numbers, the farthest first."""
    with at_desk(ctx) as desk:
        graph, _ = reachable.graph(desk.reader, desk.authority.clock.now(), view)
        rows = agents(graph)
    data: Json = [{"agent": key, "title": title, "numbers": numbers} for key, title, numbers in rows]
    table = [(title, *(numbers[one] for one in NUMBERS)) for _, title, numbers in rows]
    emit(form, data, lambda: columns(("agent", *NUMBERS), table) if table else [])
    if not rows:
        say("No agent is registered yet. Register one: remit agent add, or find those here: remit scan --enroll PATH.")


@reach.command()
@click.argument("resource")
@click.option("--from", "file", type=click.Path(exists=True, dir_okay=False), help="Read this file, not the target.")
@click.option("--source", type=click.Choice(tuple(READERS)), help="What the file is.  [default: facts]")
@click.option(
    "--as", "login", help="Of a database: a login by reference (env:NAME), as postgresql://… with its password."
)
@format_option
@click.pass_context
def introspect(
    ctx: click.Context, *, resource: str, file: str | None, source: str | None, login: str | None, form: str
) -> None:
    """Look at what RESOURCE lets whom do, and keep what was seen with its instant and digest.

    A database or an account of AWS is looked at as whoever leases are minted as there. Another look at the same source
    takes its place; the ledger has every one.
    """
    if (file is None and source is not None) or (file is not None and login is not None):
        raise click.UsageError("Give a file and what it is, or a login to look with.")
    with at_desk(ctx) as desk:
        seen = READERS[source or "facts"](file) if file is not None else looked(desk, resource, login)
        made = desk.act(lambda c: survey.keep(c, resource, seen, desk.by))
    members = {
        "resource": made.resource,
        "source": made.source,
        "at": moment(made.at),
        "digest": made.digest,
        "nodes": made.nodes,
        "edges": made.edges,
    }
    emit(form, written(made), lambda: [*pairs(members), *text(f"Note: {note}" for note in made.notes)])


def agents(graph: Graph) -> list[tuple[str, str, dict[str, int]]]:
    """Each agent with its numbers, the farthest first."""
    found = [
        (key, graph.title(node), answer(graph, node, brief=True).numbers)
        for node, key in enumerate(graph.keys)
        if key.startswith("agent:")
    ]
    return sorted(found, key=lambda one: [*(-one[2][name] for name in GAINED), one[0]])


def known(desk: Desk, text: str) -> str:
    """A node's key for what people write: an id of ours, a person's name, or as it is."""
    kinds = {"per": "person", "agt": "agent", "tsk": "task", "crd": "credential", "lse": "lease", "rfr": "refresh",
             "cnx": "connection", "svc": "service"}  # fmt: skip
    if text[3:4] == "_" and text[:3] in kinds:
        return f"{kinds[text[:3]]}:{text}"
    if text.startswith("person:") and not text.startswith("person:per_"):
        return f"person:{desk.principal(text.removeprefix('person:'))}"
    return text


def _start(desk: Desk, graph: Graph, asked: str, view: str) -> int:
    """The node that is asked about; of a task that is over it is said so (`reach_unknown`)."""
    try:
        return graph.find(asked)
    except RemitError as fault:
        over = desk.reader.get(Task, asked.removeprefix("task:")) if fault.code == "reach_unknown" else None
        if over is None or over.state != "ended":
            raise
        what = f"{over.id} has ended ({over.because}), so nothing of it is live."
        remedy = f"What it used: remit reach {over.id} --view observed" if view != "observed" else "It used nothing."
        raise RemitError(fault.code, what, remedy) from fault


def exported(found: Answer, form: str) -> str:
    """What is reached, in a form for another program."""
    if form == "dot":
        return dot(found)
    if form == "svg":
        return svg(found)
    graph, there = found.graph, set(found.walked.order)
    if form == "bloodhound":
        return json.dumps(opengraph(found), indent=1, ensure_ascii=True) + "\n"
    from remit.core.reach.export import edges

    nodes = [{"key": graph.keys[n], "kind": graph.kind(n), "title": graph.title(n)} for n in found.walked.order]
    links = [{"from": graph.keys[a], "to": graph.keys[b], "by": by} for a, b, by in edges(graph, there)]
    return json.dumps({**found.to_json(), "nodes": nodes, "edges": links}, indent=1, ensure_ascii=True) + "\n"


def told(found: Answer, made: Landscape, whole: Answer | None, other: Answer | None) -> dict[str, Json]:
    """The whole answer as JSON."""
    data: dict[str, Any] = found.to_json() | {"view": made.view, "at": made.now, "notes": made.notes}
    data["surveys"] = reachable.ages(made.surveys, made.now)
    data["unknown"] = reachable.unknown(found, made.surveys)
    if whole is not None:
        data["before"] = whole.numbers
    if other is not None:
        data["compare"] = {"of": other.graph.keys[other.start], "numbers": other.numbers}
    return data


def _table(found: Answer, made: Landscape, whole: Answer | None, other: Answer | None) -> list[str]:
    graph = found.graph
    people = number(found.bound.people)
    sums = ", ".join(f"{most} of {name}" for name, most in found.money().items()) or "-"
    heads, rows = ["reach"], [[made.view, *(found.numbers[name] for name in NUMBERS)]]
    if whole is not None:
        rows.insert(0, ["before", *(whole.numbers[name] for name in NUMBERS)])
    if other is not None:
        rows.append(["standing", *(other.numbers[name] for name in NUMBERS)])
    paths = [_way(graph, path) for path in found.paths]
    unknown = reachable.unknown(found, made.surveys)
    chokes = [(graph.called(one.node), *(one.gain[name] for name in GAINED)) for one in found.chokes or ()]
    return [
        shown(f"{graph.title(found.start)} ({graph.keys[found.start]})"),
        "",
        *columns((*heads, *NUMBERS), rows),
        f"people {people}, money {sums}",
        *(["", "Shortest paths:", *ways(paths)] if paths else []),
        *(
            ["", "Choke points, and what cutting each would take away:", *columns(("node", *GAINED), chokes)]
            if chokes
            else []
        ),
        *([] if found.chokes is not None else ["", "The ways are too long for choke points to be told."]),
        *(
            ["", *(f"{one.resource} ({one.source}) as of {_aged(one.at, made.now)}" for one in made.surveys)]
            if made.surveys
            else []
        ),
        *(["", *text(f"Note: {note}" for note in made.notes)] if made.notes else []),
        *(["", "Not known, and so not counted as nothing:", *text(unknown)] if unknown else []),
    ]


def _aged(at: Instant, now: Instant) -> str:
    return f"{moment(at)}, {several((now - at) // 60_000, 'minute')} ago"


def _way(graph: Graph, path: Sequence[int]) -> list[str]:
    return [f"[{by}] {graph.called(node)}" if by else graph.called(node) for node, by in labelled(graph, path)]
