"""`remit revoke`: stop one thing and everything below it. When it returns, no later call under it is allowed."""

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import columns, emit, format_option, pairs, say
from remit.control import revocation
from remit.control.revocation import Ended
from remit.core.errors import RemitError
from remit.core.record import dump
from remit.core.revocation import KINDS
from remit.core.shown import several
from remit.core.trust import TrustPath


@click.command()
@click.argument("kind", metavar="[KIND]", type=click.Choice([one for one in KINDS if one != "path"]), required=False)
@click.argument("target", required=False)
@click.option("--path", type=click.Choice([one.value for one in TrustPath]), help="Stop a whole trust path instead.")
@click.option("--reopen", is_flag=True, help="With --path: open it again. What was issued before stays dead.")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def revoke(
    ctx: click.Context, *, kind: str | None, target: str | None, path: str | None, reopen: bool, because: str, form: str
) -> None:
    """Stop TARGET and everything below it, now.

    KIND is task, credential, agent, person, brief, resource, service, lease or consent. For a brief or resource
    TARGET is its name, else an id or a name. It tells which calls were still in flight.
    """
    if bool(path) == bool(kind) or bool(kind) != bool(target) or (reopen and not path):
        raise click.UsageError("Name KIND and TARGET, or --path (and with it --reopen).")
    with at_desk(ctx) as desk:
        if reopen:
            opened = desk.act(lambda c: revocation.open_path(c, TrustPath(str(path)), desk.by))
            emit(
                form,
                dump(opened) | {"state": opened.state},
                lambda: pairs({"path": opened.name, "state": opened.state}),
            )
            return
        what, name = ("path", str(path)) if path else (str(kind), _named(desk, str(kind), str(target)))
        told(form, desk.act(lambda c: revocation.revoke(c, what, name, desk.by, because)))


def told(form: str, ended: Ended) -> None:
    """Say what a revocation ended."""
    stop = ended.revocation
    flying = [(one.call, one.task, one.leaf) for one in ended.in_flight]

    def table() -> list[str]:
        members = {
            "revocation": stop.id,
            "revoked": f"{stop.kind} {stop.target}",
            "tasks ended": " ".join(ended.tasks) or "-",
            "agents suspended": " ".join(ended.agents) or "-",
            "in flight": len(flying),
        }
        return [*pairs(members), *(columns(("call", "task", "entry"), flying) if flying else [])]

    data = {
        "revocation": dump(stop),
        "tasks": list(ended.tasks),
        "agents": list(ended.agents),
        "in_flight": [{"call": call, "task": task, "entry": leaf} for call, task, leaf in flying],
    }
    emit(form, data, table)
    if flying:
        say(f"{several(len(flying), 'call')} let through before this and not over; streams are cut within 2 seconds.")


def _named(desk: Desk, kind: str, target: str) -> str:
    if kind == "agent":
        return desk.agent(target).id
    if kind == "person":
        found = desk.principal(target)
        if not found.startswith("per_"):
            raise RemitError("not_found", f"{target} is not a person.", "Name a person.")
        return found
    return target
