"""`remit approvals`, `remit approve` and `remit deny`: what waits for people, shown exactly, and their answers."""

import json
from collections import Counter
from dataclasses import asdict

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import PENDING, columns, emit, format_option, moment, pairs, say, written
from remit.control import approval as approvals
from remit.core.approval import Approval, answers
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.store.approval import used


@click.command()
@click.argument("identity", metavar="[APPROVAL]", required=False)
@click.option("--task", "task_id", default="", help="Only what this task asks.")
@click.option("--all", "everything", is_flag=True, help="What is over as well.")
@click.option("--stats", is_flag=True, help="How people answer: how often, how often yes, how fast.")
@format_option
@click.pass_context
def listing(ctx: click.Context, *, identity: str | None, task_id: str, everything: bool, stats: bool, form: str) -> int:
    """List what waits for people, or show exactly what APPROVAL asks.

    Exit code 5 while anything listed waits, 0 else. Values are written with all but plain ASCII escaped.
    """
    with at_desk(ctx) as desk:
        if stats:
            return _stats(desk, form)
        if identity:
            return _one(desk, desk.need(Approval, identity), form)
        now = desk.authority.clock.now()
        condition, values = ("task = ?", (task_id,)) if task_id else ("1 = 1", ())
        found = [one for one in desk.reader.where(Approval, condition, values) if everything or one.waits(now)]
        alike = Counter((one.task, one.action, one.groups) for one in found)
        rows = [
            (
                one.id,
                one.state if now < one.until else "over",
                one.action,
                " and ".join(one.groups),
                _yeses(one),
                moment(one.until),
                alike[one.task, one.action, one.groups],
            )
            for one in found
        ]
        head = ("approval", "state", "action", "asks", "yes", "until", "alike")
        emit(form, [written(one) for one in found], lambda: columns(head, rows))
        return PENDING if any(one.waits(now) for one in found) else 0


def _stats(desk: Desk, form: str) -> int:
    found = answers(desk.reader.where(Approval))
    rows = [
        (one.person, one.answers, f"{100 * one.yes // one.answers} %", f"{one.median / 1000:.1f} s") for one in found
    ]
    emit(form, [asdict(one) for one in found], lambda: columns(("person", "answers", "yes", "median"), rows))
    return 0


@click.command()
@click.argument("identities", metavar="APPROVAL…", nargs=-1, required=True)
@click.option("--as", "name", default="", help="The person who says yes.  [default: whoever runs this]")
@click.option("--shown", default="", help="The digest of what you were shown; without it you see it now and are asked.")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def approve(ctx: click.Context, *, identities: tuple[str, ...], name: str, shown: str, because: str, form: str) -> None:
    """Say yes to exactly what each APPROVAL shows."""
    _answer(ctx, identities, name, shown, because, form, yes=True)


@click.command()
@click.argument("identities", metavar="APPROVAL…", nargs=-1, required=True)
@click.option("--as", "name", default="", help="The person who says no.  [default: whoever runs this]")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def deny(ctx: click.Context, *, identities: tuple[str, ...], name: str, because: str, form: str) -> None:
    """Say no to what each APPROVAL asks."""
    _answer(ctx, identities, name, "", because, form, yes=False)


def _answer(
    ctx: click.Context, identities: tuple[str, ...], name: str, shown: str, because: str, form: str, *, yes: bool
) -> None:
    if shown and len(identities) > 1:
        raise click.UsageError("With --shown, name one approval.")
    with at_desk(ctx) as desk:
        by = desk.dispatcher(name)
        said = [_each(desk, one, by, shown, because, yes=yes) for one in identities]
        rows = [(one.id, one.state, _yeses(one)) for one in said]
        emit(form, [written(one) for one in said], lambda: columns(("approval", "state", "yes"), rows))


def _each(desk: Desk, identity: str, by: str, shown: str, because: str, *, yes: bool) -> Approval:
    digest = shown
    if not shown:
        card, digest = desk.act(lambda c: approvals.show(c, desk.need(Approval, identity)))
        if card is None:
            raise RemitError("approval_moved", "What it asks about is no longer there.", "List what waits.")
        if yes:
            say(json.dumps(card, indent=2, ensure_ascii=True))
            click.confirm("Say yes to exactly this?", abort=True, err=True)
    return desk.act(lambda c: approvals.answer(c, identity, by, yes=yes, shown=digest, via="desk", because=because))


def _one(desk: Desk, one: Approval, form: str) -> int:
    card, digest = desk.act(lambda c: approvals.show(c, one))
    waits = one.waits(desk.authority.clock.now())
    data: Json = {**written(one), "used": used(desk.authority.view, one.id), "card": card, "card_digest": digest}

    def table() -> list[str]:
        members = {
            "approval": one.id, "state": one.state if waits or one.state != "pending" else "over",
            "asks": " and ".join(one.groups), "yes": _yeses(one),
            "used": f"{data['used']} of {one.uses}", "until": moment(one.until),
            "shown": digest if digest == one.shown else "what it showed is no longer so",
        }  # fmt: skip
        return [*pairs(members), "", *json.dumps(card, indent=2, ensure_ascii=True).split("\n")]

    emit(form, data, table)
    return PENDING if waits else 0


def _yeses(one: Approval) -> str:
    return f"{len(one.yes)} of {one.need * len(one.groups)}"
