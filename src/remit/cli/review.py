"""`remit review`: what scans and clients put forward, with where it was seen; approved or refused, each or all."""

from collections.abc import Mapping, Sequence

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import columns, emit, format_option, many, moment, pairs, say, written
from remit.cli.values import due
from remit.control import review as reviews
from remit.core.canonical import Json
from remit.core.resource import Tool
from remit.core.review import EVERY, Review, told
from remit.store import payload


@click.group()
def review() -> None:
    """Approve or refuse what `remit scan --enroll --write`, or a client that came by itself, put forward.

    Until then nothing can use it.
    """


@review.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are answered.")
@format_option
@click.pass_context
def list_(ctx: click.Context, *, every: bool, form: str) -> None:
    """List the reviews that wait for an answer."""
    with at_desk(ctx) as desk:
        found = sorted(desk.reader.where(Review, "1 = 1" if every else "state = 'open'"), key=lambda one: one.at)
        waits = {one.id: list(_waiting(desk, one)[1]) for one in found}
        found = [one for one in found if every or waits[one.id]]
        rows = [(one.id, one.state, moment(one.at), len(waits[one.id]), len(one.items)) for one in found]
        data = [{**written(one), "waits": waits[one.id]} for one in found]
        emit(form, data, lambda: columns(("review", "state", "put forward", "wait", "of"), rows) if rows else [])
        if not rows:
            say("Nothing waits. Look for what is not registered: remit scan PATH --enroll.")


@review.command()
@click.argument("identity", metavar="REVIEW")
@format_option
@click.pass_context
def show(ctx: click.Context, *, identity: str, form: str) -> None:
    """Show what was found, where, and with which credentials."""
    with at_desk(ctx) as desk:
        one = desk.need(Review, identity)
        body, waits = _waiting(desk, one)
        data = {**written(one), "body": body, "waits": list(waits)}
        emit(form, data, lambda: _lines(desk, one, body, waits))


@review.command()
@click.argument("identity", metavar="REVIEW")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--refuse", "no", multiple=True, help="Refuse this one in the same answer; repeatable.")
@click.option("--next", "review_due", default="90d", show_default=True, help="When the agents must be looked at again.")
@click.option("--shown", default="", help="The digest of what you were shown; without it you see it now and are asked.")
@format_option
@click.pass_context
def approve(
    ctx: click.Context,
    *,
    identity: str,
    names: tuple[str, ...],
    no: tuple[str, ...],
    review_due: str,
    shown: str,
    form: str,
) -> None:
    """Put in force exactly what REVIEW shows: all that can be, or each NAME (or NOUN/NAME)."""
    _answer(ctx, identity, names or (EVERY,), no, review_due, shown, form)


@review.command()
@click.argument("identity", metavar="REVIEW")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--shown", default="", help="The digest of what you were shown; without it you see it now and are asked.")
@format_option
@click.pass_context
def refuse(ctx: click.Context, *, identity: str, names: tuple[str, ...], shown: str, form: str) -> None:
    """Refuse what REVIEW shows: all that waits, or each NAME (or NOUN/NAME). Later scans leave it so."""
    _answer(ctx, identity, (), names or (EVERY,), "90d", shown, form)


def _answer(
    ctx: click.Context, identity: str, yes: Sequence[str], no: Sequence[str], review_due: str, shown: str, form: str
) -> None:
    with at_desk(ctx) as desk:
        one = desk.need(Review, identity)
        if not shown:
            body, waits = _waiting(desk, one)
            for line in _lines(desk, one, body, waits):
                say(line)
            click.confirm("Answer to exactly this?", abort=True, err=True)
        text, at = shown or one.shown, due(review_due, desk.authority.clock.now())
        done, left = desk.act(
            lambda c: reviews.answer(c, identity, desk.by, approve=yes, refuse=no, digest_shown=text, review_due=at)
        )
        rows = [(item.noun, item.name, item.answer or "proposed") for item in done.items]
        emit(form, {**written(done), "left": left}, lambda: columns(("noun", "name", "answer"), rows))
        for key, why in sorted(left.items()):
            say(_stays(key, why))
        _next(desk, done)


def _stays(key: str, why: str) -> str:
    """Why something stays as it is, naming it once."""
    noun, _, name = key.partition("/")
    bare = why.removeprefix("This stays proposed. ")
    head = "" if f"the {noun} {name}" in bare.lower() else f"The {noun} {name}: "
    return f"{head}{bare} It stays proposed."


def _next(desk: Desk, done: Review) -> None:
    """Say what lacks until calls are allowed: nobody has seen the tools of a resource that was only met in a file."""
    desk.reader.clear()
    for item in done.items:
        bare = item.noun == "resource" and item.answer == "approved"
        if bare and next(desk.reader.where(Tool, "resource = ?", (item.name,)), None) is None:
            say(
                f"No tool of {item.name} is pinned yet. Look at them and pin them:"
                f" remit resource repin {item.name} --yes"
            )


def _waiting(desk: Desk, one: Review) -> tuple[dict[str, Json] | None, dict[str, dict[str, Json]]]:
    body = reviews.shown(desk.authority.view, one)
    return body, reviews.waiting(desk.reader, one, body)


def _lines(desk: Desk, one: Review, body: Mapping[str, Json] | None, waits: Mapping[str, Json]) -> list[str]:
    head = {"review": one.id, "state": one.state, "put forward": moment(one.at), "shown": one.shown}
    if body is None:
        return pairs({**head, "body": "erased"})
    answers = {item.key: item.answer for item in one.items}
    lines = [*pairs(head)]
    for said in body["items"]:
        key = f"{said['noun']}/{said['name']}"
        state = answers.get(key) or ("proposed" if key in waits else "moved meanwhile")
        members = {name: " ".join(values) for name, values in told(said, lambda who: _called(desk, who)).items()}
        lines += ["", *pairs({said["noun"]: said["name"], "answer": state, **members})]
    wait = f"{many(len(waits), 'thing')} {'waits' if len(waits) == 1 else 'wait'}"
    return [*lines, "", f"{wait}: remit review approve {one.id}, or refuse, perhaps with names."]


def _called(desk: Desk, person: str) -> str:
    """By which subject a person is known here; their id once that was erased."""
    names = payload.names(desk.authority.view, person)
    return names[0][1] if names else person
