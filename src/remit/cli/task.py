"""`remit task`: one errand under a brief, from its opening to its end."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from remit.cli.brief import limits
from remit.cli.desk import Desk, at_desk
from remit.cli.flow import flow
from remit.cli.output import PENDING, columns, emit, format_option, moment, pairs, say, written
from remit.cli.values import SPAN, document, labelled
from remit.control import forward, opening, reach, replan
from remit.control import task as tasks
from remit.control.drift import Event, drift
from remit.core.agent import Agent
from remit.core.blended import risk
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.task import Plan, Task


@click.group()
def task() -> None:
    """Open, plan, show, list and close tasks. Everything that is given for a task ends with it."""


@task.command("open")
@click.argument("brief")
@click.argument("agent")
@click.option("--as", "requester", default="", help="The dispatcher who opens it.  [default: whoever runs this]")
@click.option("--for", "person", default="", help="The person whom its delegated path acts for.")
@click.option("--parent", default="", help="The task above it.")
@click.option("--label", multiple=True, help="NAME=VALUE; repeatable.")
@click.option("--purpose", default="", help="What this errand is for.")
@click.option("--request", default="", help="What was asked for, in the person's own words: what lineage goes by.")
@click.option("--life", type=SPAN, help="How long it may live, such as 30m.  [default: what the brief says]")
@click.option(
    "--plan", "file", type=click.Path(dir_okay=False), help="Its first plan: a file as `remit task plan` takes."
)
@format_option
@click.pass_context
def open_(
    ctx: click.Context,
    *,
    brief: str,
    agent: str,
    requester: str,
    person: str,
    parent: str,
    label: tuple[str, ...],
    purpose: str,
    request: str,
    life: int | None,
    file: str | None,
    form: str,
) -> None:
    """Open a task of BRIEF for AGENT. Without --plan its first plan is the brief's steps.

    What that could reach at worst is held against the brief's budget first: refused (exit code 4) or asked about (5).
    """
    with at_desk(ctx) as desk:
        steps = read_steps(file) if file else None
        actor, labels = desk.agent(agent).id, labelled(label)
        opener = desk.dispatcher(requester)
        behalf = desk.principal(person) if person else ""
        made = desk.act(
            lambda c: opening.begin(
                c,
                brief=brief,
                agent=actor,
                requester=opener,
                person=behalf,
                parent=parent,
                labels=labels,
                purpose=purpose,
                life=life,
                steps=steps,
                request=request,
                by=desk.by,
            )
        )
        if made.approval is not None:
            say(f"What it could reach waits for a yes of {' and '.join(made.approval.groups)}: {made.approval.id}")
        _show(desk, form, made.task.id)
    ctx.exit(PENDING if made.approval is not None else 0)


@task.command()
@click.argument("task_id", metavar="TASK")
@click.argument("file", type=click.Path(dir_okay=False))
@format_option
@click.pass_context
def plan(ctx: click.Context, *, task_id: str, file: str, form: str) -> None:
    """Submit the steps in FILE (TOML or JSON, member steps) as the task's next plan.

    Equal or narrower: in force at once. Else all that the plan in force gave ends, and then the new one is refused
    (exit code 4) or people are asked (5), as the brief says.
    """
    with at_desk(ctx) as desk:
        steps = read_steps(file)
        made = desk.act(lambda c: replan.submit(c, task_id, steps, desk.by))
        if made.refused is not None:
            raise made.refused
        if made.approval is not None:
            say(f"This plan waits for a yes of {' and '.join(made.approval.groups)}: {made.approval.id}")
        _show(desk, form, task_id)
    ctx.exit(PENDING if made.approval is not None else 0)


@task.command()
@click.argument("task_id", metavar="TASK")
@format_option
@click.pass_context
def show(ctx: click.Context, *, task_id: str, form: str) -> None:
    """Show a task and its current plan."""
    with at_desk(ctx) as desk:
        _show(desk, form, task_id)


@task.command()
@click.argument("task_id", metavar="TASK")
@format_option
@click.pass_context
def resume(ctx: click.Context, *, task_id: str, form: str) -> None:
    """Let a task go on that was held because it did what its plan does not hold."""
    with at_desk(ctx) as desk:
        desk.act(lambda c: tasks.resume(c, task_id, desk.by))
        _show(desk, form, task_id)


@task.command("list")
@click.option("--all", "ended", is_flag=True, help="Show ended tasks as well.")
@click.option("--agent", help="Only this agent's.")
@format_option
@click.pass_context
def list_(ctx: click.Context, *, ended: bool, agent: str | None, form: str) -> None:
    """List tasks that are open."""
    with at_desk(ctx) as desk:
        actor = desk.agent(agent).id if agent else ""
        found = [
            one
            for one in desk.reader.where(Task)
            if (ended or one.state != "ended") and (not actor or one.agent == actor)
        ]
        found.sort(key=lambda one: (one.opened, one.id))
        rows = [
            (
                one.id,
                one.state,
                one.because or one.held or "-",
                _risk(one),
                one.brief,
                one.agent,
                moment(one.opened),
                moment(one.deadline),
            )
            for one in found
        ]
        emit(
            form,
            [written(one) for one in found],
            lambda: columns(("id", "state", "because", "risk", "brief", "agent", "opened", "deadline"), rows),
        )


@task.command()
@click.argument("task_id", metavar="TASK")
@format_option
@click.pass_context
def close(ctx: click.Context, *, task_id: str, form: str) -> None:
    """Say that a task is complete. It ends, with every task below it and every credential."""
    with at_desk(ctx) as desk:
        ended = desk.act(lambda c: tasks.end(c, task_id, "complete", desk.by))
        data: Json = {"ended": [one.id for one in ended]}
        emit(form, data, lambda: [*(one.id for one in ended)] or ["It had ended already."])


@task.command()
@click.argument("task_id", metavar="TASK")
@format_option
@click.pass_context
def ca(ctx: click.Context, *, task_id: str, form: str) -> None:
    """Print the certificate authority of an open task: what a program trusts that works behind the proxy."""
    with at_desk(ctx) as desk:
        text = forward.certificate(desk.authority, desk.reader, task_id).decode()
        emit(form, {"certificate": text}, text.splitlines)


task.add_command(flow)


def read_steps(file: str) -> tuple[Step, ...]:
    """Read a plan's steps from a file (`plan_invalid`)."""
    form = document(file)
    steps = form.get("steps")
    if set(form) != {"steps"} or not isinstance(steps, list):
        raise RemitError("plan_invalid", f"{file}: a plan has one member, steps.", "Write a list of steps under it.")
    return tuple(Step.from_json(one) for one in steps)


def _show(desk: Desk, form: str, task_id: str) -> None:
    desk.reader.clear()
    one = desk.need(Task, task_id)
    made = desk.reader.get(Plan, f"{one.id}:{one.plan}")
    steps: Sequence[Step] = made.steps if made else ()
    went = drift(desk.reader, one)
    under, actor = desk.need(Brief, one.brief), desk.need(Agent, one.agent)
    bound = reach.of(desk.reader, under, actor, tuple(steps), one.deadline - one.opened)

    def table() -> list[str]:
        members = {
            "id": one.id,
            "state": f"{one.state} ({one.because or one.held})" if one.because or one.held else one.state,
            "brief": one.brief,
            "agent": one.agent,
            "requester": one.requester,
            "person": one.person or "-",
            "parent": one.parent or "-",
            "labels": " ".join(f"{k}={v}" for k, v in one.labels.items()) or "-",
            "purpose": one.purpose or "-",
            "opened": moment(one.opened),
            "deadline": moment(one.deadline),
            "plan": one.plan,
            "risk": f"{risk(blended=one.blended > 0)}{_since(one)}",
            "reach": bound.says(),
        }
        rows = [(n, s.action, s.path.value, limits(s.to_json())) for n, s in enumerate(steps)]
        head = ("entry", "at", "what", "action", "path", "plan", "step", "code")
        course = ["", *columns(head, [_event(each) for each in went])] if len(went) > 1 else []
        return [*pairs(members), "", *columns(("step", "action", "path", "limits"), rows), *course]

    plan_form: Json = (
        {"version": made.version, "digest": made.digest, "steps": [s.to_json() for s in steps]} if made else None
    )
    emit(
        form,
        written(one) | {"plan": plan_form, "reach": bound.to_json(), "drift": [asdict(each) for each in went]},
        table,
    )


def _risk(one: Task) -> str:
    return risk(blended=one.blended > 0)


def _since(one: Task) -> str:
    return f" (blended since {moment(one.blended)})" if one.blended else ""


def _event(one: Event) -> tuple[object, ...]:
    leaf, step = (number if number >= 0 else "-" for number in (one.leaf, one.step))
    return leaf, moment(one.at), one.what, one.action, one.path or "-", one.plan or "-", step, one.code or "-"
