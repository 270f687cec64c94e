"""`remit rightsize`: what is given against what is used; a narrower brief, proven by replay, applied and taken back."""

import functools
import json
import os
from collections.abc import Sequence
from typing import Final

import click

from remit.cli.desk import Desk, at_desk, place_of, store_path
from remit.cli.narrowing import asks, card, named, said
from remit.cli.output import NO, columns, emit, format_option, moment, pairs, say, written
from remit.cli.values import SPAN, compact
from remit.control import rightsize as sizes
from remit.control.rightsize import Found, Unused
from remit.control.share import Shares
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.entitled import entitled
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import load
from remit.core.resource import Resource
from remit.core.rightsize import Rightsize, Support, differences
from remit.core.shown import several
from remit.core.shown import shown as shown_inert
from remit.store import payload

MOST_WORKERS: Final = 8


@click.group(invoke_without_command=True)
@click.option("--brief", "name", default="", help="Only this brief.")
@click.option("--agent", default="", help="Only briefs that list this agent.")
@click.option("--since", type=SPAN, default="30d", show_default=True, help="How far back to look.")
@click.option("--calls", type=click.IntRange(1), default=20, show_default=True, help="So many calls must be seen,")
@click.option("--tasks", type=click.IntRange(1), default=5, show_default=True, help="in so many tasks,")
@click.option("--days", type=click.IntRange(1), default=2, show_default=True, help="on so many days.")
@click.option("--look", is_flag=True, help="Write nothing: only show what would be proposed.")
@format_option
@click.pass_context
def rightsize(
    ctx: click.Context,
    *,
    name: str,
    agent: str,
    since: int,
    calls: int,
    tasks: int,
    days: int,
    look: bool,
    form: str,
) -> None:
    """Propose briefs that give what is used, and replay every recorded decision against each proposal.

    What was seen too little of stays as it is. A proposal is applied by `remit rightsize apply`.
    """
    if ctx.invoked_subcommand is not None:
        return
    with at_desk(ctx) as desk:
        support = Support(calls=calls, tasks=tasks, days=days)
        start = Instant(max(desk.authority.clock.now() - since, 0))
        one = desk.agent(agent).id if agent else ""
        with _shares(desk) as shares:
            found, unused = sizes.look(desk.authority.view, start, support, shares, brief=name, agent=one)
        made: dict[str, Rightsize] = {}
        for each in found:
            if each.narrows and not look:
                made[each.brief.name] = desk.act(functools.partial(sizes.offer, found=each, by=desk.by))
        data = {
            "briefs": [sizes.told(each, made.get(each.brief.name)) for each in found],
            "unused": sizes.unused(unused),
        }
        emit(form, data, lambda: _overview(found, made, unused))


@rightsize.command("list")
@format_option
@click.pass_context
def list_(ctx: click.Context, *, form: str) -> None:
    """List the proposals."""
    with at_desk(ctx) as desk:
        found = sorted(desk.reader.where(Rightsize), key=lambda one: one.at)
        rows = [(one.id, one.brief, one.base, one.state, moment(one.at), one.counts["fail"]) for one in found]
        head = ("proposal", "brief", "of version", "state", "made", "would fail")
        emit(form, [written(one) for one in found], lambda: columns(head, rows) if rows else [])
        if not rows:
            say("Nothing is proposed. Look for what is given and not used: remit rightsize.")


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@format_option
@click.pass_context
def show(ctx: click.Context, *, identity: str, form: str) -> None:
    """Show a proposal: what changes and why, which calls would fail, and what it means at targets."""
    with at_desk(ctx) as desk:
        one = desk.need(Rightsize, identity)
        body, old = sizes.shown(desk.authority.view, one), sizes.before(desk.authority.view, one)
        if body is None or old is None:
            emit(form, written(one), lambda: pairs({"proposal": one.id, "state": one.state, "body": "erased"}))
            return
        new = load(Brief, body["brief"])
        texts = entitled(old, new, desk.reader.where(Resource))
        data = {**written(one), "body": body, "elsewhere": texts}
        emit(form, data, lambda: _shown(one, body, old, new, texts))


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@format_option
@click.pass_context
def replay(ctx: click.Context, *, identity: str, form: str) -> None:
    """Replay a proposal over all that is recorded by now. Exit code 1 when an allowed call would fail."""
    with at_desk(ctx) as desk:
        with _shares(desk) as shares:
            tally, beyond = shares.replay(sizes.again(desk.authority.view, desk.need(Rightsize, identity)))
        data = {**sizes.counts(tally, beyond), "failing": tally.named, "opened": tally.opened}
        emit(form, data, lambda: [said(data), *named("would fail", tally.named)])
    ctx.exit(NO if tally.fail else 0)


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@click.option("--as", "name", default="", help="The person who says yes.  [default: whoever runs this]")
@click.option("--shown", default="", help="The digest of what you were shown; without it you see it now and are asked.")
@format_option
@click.pass_context
def approve(ctx: click.Context, *, identity: str, name: str, shown: str, form: str) -> None:
    """Say yes to exactly what PROPOSAL shows: somebody of each group that its brief names as approvers.

    Whoever offered it does not answer it. Where the brief names no approvers nobody is asked: apply it.
    """
    with at_desk(ctx) as desk:
        one, by = desk.need(Rightsize, identity), desk.dispatcher(name)
        open_to = sizes.open_to(desk.reader, one)
        sizes.may_answer(desk.reader, one, by)
        if not shown:
            body, old = sizes.shown(desk.authority.view, one), sizes.before(desk.authority.view, one)
            if body is None or old is None:
                raise RemitError("rightsize_moved", "What it listed is erased.", "Look anew: remit rightsize.")
            people = {group: [_name(desk, each) for each in them] for group, them in open_to.items()}
            lines = [*card(one, body, old, load(Brief, body["brief"])), "", *asks(one, people, _name(desk, one.by))]
            for line in lines:
                say(line)
            click.confirm(f"Say yes to exactly this, as {_name(desk, by)}?", abort=True, err=True)
        text = shown or one.shown
        made = desk.act(lambda c: sizes.answer(c, identity, by, yes=True, digest_shown=text, via="desk"))
        emit(form, written(made), lambda: pairs({"proposal": made.id, "state": made.state}))


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@format_option
@click.pass_context
def drop(ctx: click.Context, *, identity: str, form: str) -> None:
    """Take a proposal away, and erase what it lists."""
    with at_desk(ctx) as desk:
        made = desk.act(lambda c: sizes.drop(c, identity, desk.by))
        emit(form, written(made), lambda: pairs({"proposal": made.id, "state": made.state}))


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@click.option("--anyway", is_flag=True, help="Also when calls that were allowed would fail.")
@format_option
@click.pass_context
def apply(ctx: click.Context, *, identity: str, anyway: bool, form: str) -> None:
    """Put the proposed brief in force. The values that it lists stand in the ledger from then on.

    It is replayed first, over all that is recorded by now.
    """
    with at_desk(ctx) as desk:
        fails = 0 if anyway else _fails(desk, desk.need(Rightsize, identity))
        made, brief = desk.act(lambda c: sizes.apply(c, identity, desk.by, anyway=anyway, fails=fails))
        members = {"proposal": made.id, "state": made.state, "brief": brief.name, "version": brief.version}
        emit(form, members, lambda: [*pairs(members), "", f"Take it back: remit rightsize rollback {made.id}"])


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@format_option
@click.pass_context
def watch(ctx: click.Context, *, identity: str, form: str) -> None:
    """Show what was refused since PROPOSAL was applied and was allowed before. Exit code 1 when there is any."""
    with at_desk(ctx) as desk:
        one = desk.need(Rightsize, identity)
        with _shares(desk) as shares:
            tally, _ = shares.replay(sizes.watched(desk.authority.view, one))
        data = {"since": one.turned, "allowed": tally.allowed, "refused": tally.open, "calls": tally.opened}
        line = (
            f"{several(tally.open, 'call')} {'was' if tally.open == 1 else 'were'} refused since {moment(one.turned)}"
            " that the brief before would have allowed."
        )
        emit(form, data, lambda: [line, *named("was refused", tally.opened)])
    ctx.exit(NO if tally.open else 0)


@rightsize.command()
@click.argument("identity", metavar="PROPOSAL")
@format_option
@click.pass_context
def rollback(ctx: click.Context, *, identity: str, form: str) -> None:
    """Put the brief back as it was before PROPOSAL was applied."""
    with at_desk(ctx) as desk:
        made, brief = desk.act(lambda c: sizes.undo(c, identity, desk.by))
        members = {"proposal": made.id, "state": made.state, "brief": brief.name, "version": brief.version}
        emit(form, members, lambda: pairs(members))


def _fails(desk: Desk, one: Rightsize) -> int:
    """How many calls that were allowed would fail, by all that is recorded by now."""
    with _shares(desk) as shares:
        return shares.replay(sizes.again(desk.authority.view, one))[0].fail


def _name(desk: Desk, identity: str) -> str:
    """Somebody by the name that they are known by here, else by id."""
    known = payload.names(desk.authority.view, identity)
    return shown_inert(known[0][2] or known[0][1]) if known else identity


def _shares(desk: Desk) -> Shares:
    place = place_of(desk.settings)
    where = place if isinstance(place, str) else store_path(desk.settings)
    return Shares(where, min(len(os.sched_getaffinity(0)), MOST_WORKERS))


def _overview(found: Sequence[Found], made: dict[str, Rightsize], unused: Unused) -> list[str]:
    lines: list[str] = []
    for one in found:
        name = one.brief.name
        lines += [f"{name}: {len(one.used)} of {len(one.brief.steps)} steps were used since {moment(one.since)}."]
        if one.proposed is None:
            lines += [
                f"  Nothing of it was used. Where it is new, let its tasks run; else: remit brief withdraw {name}",
                "",
            ]
            continue
        lines += [f"  {note['step']} {note['action']}: {'; '.join(note['why'])}" for note in one.proposed.notes]
        lines += [f"  {said(one.replay())}" if one.narrows else "  Nothing narrower is proposed."]
        if name in made:
            lines += [f"  Proposal {made[name].id}: remit rightsize show {made[name].id}"]
        lines += [""]
    told = {
        "briefs": " ".join(unused.briefs), "agents": " ".join(unused.agents), "tools": " ".join(unused.tools),
        "credentials": str(unused.credentials) if unused.credentials else "",
    }  # fmt: skip
    rest = {f"never used: {name}": value for name, value in told.items() if value}
    return [*lines, *(pairs(rest) if rest else ["Everything else was used."])]


def _shown(one: Rightsize, body: dict[str, Json], old: Brief, new: Brief, texts: dict[str, Json]) -> list[str]:
    members = {
        "proposal": one.id,
        "state": one.state,
        "brief": f"{one.brief}, version {one.base}",
        "seen": f"{moment(one.since)} to {moment(one.until)}",
        "asks": " and ".join(one.groups) or "nobody",
        "shown": one.shown,
    }
    rows = [
        (note["step"], note["action"], old.steps[note["step"]].path.value, "; ".join(note["why"]))
        for note in body["notes"]["steps"]
    ]
    steps = [(n, s.action, s.path.value, compact(s.to_json().get("arguments", {}))) for n, s in enumerate(new.steps)]
    more = [f"{name}: {compact(a)} -> {compact(b)}" for name, (a, b) in differences(old, new).items()]
    return [
        *pairs(members),
        "",
        said(body["replay"]),
        *named("would fail", body["replay"]["failing"]),
        "",
        *columns(("step", "action", "path", "what becomes of it"), rows),
        "",
        *columns(("then", "action", "path", "arguments"), steps),
        *(["", *more] if more else []),
        "",
        *json.dumps(texts, indent=2, ensure_ascii=True).split("\n"),
    ]
