"""`remit lease`: what was minted at targets for tasks, and how it is minted there."""

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, moment, pairs, say, written
from remit.control import ladder as rungs
from remit.control import resource as resources
from remit.control.ladder import Standing
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.lease import LIFE, Lease
from remit.core.record import changed
from remit.core.resource import Minting, Resource
from remit.custody.source import Description
from remit.custody.sources.opening import KINDS, open_source
from remit.custody.sources.provider import discovered
from remit.store import lease as store


@click.group(cls=Listing)
def lease() -> None:
    """See what was minted at targets, and say how it is. To end one now: remit revoke lease ID."""


@lease.command()
@click.argument("identity", metavar="[LEASE]", required=False)
@click.option("--task", default="", help="Only those of this task.")
@click.option("--agent", default="", help="Only those of this agent's tasks.")
@click.option("--state", type=click.Choice(tuple(LIFE.table)), help="Only those in this state.")
@click.option("--all", "everything", is_flag=True, help="Those that are proven dead too.")
@format_option
@click.pass_context
def show(
    ctx: click.Context, *, identity: str | None, task: str, agent: str, state: str | None, everything: bool, form: str
) -> None:
    """Show one lease, or list those that are not proven dead yet, with what an end of each does at its target."""
    with at_desk(ctx) as desk:
        if identity:
            one = desk.need(Lease, identity)
            place = rungs.of_leases(desk.authority, desk.reader, [one])[one.id]
            emit(form, written(one) | rungs.told(one, place), lambda: pairs(_whole(one, place)))
            return
        whose = desk.agent(agent).id if agent else ""
        over = everything or state == "dead"
        found = store.page(desk.reader, "", -1, task=task, agent=whose, state=state or "", over=over)
        places = rungs.of_leases(desk.authority, desk.reader, found)
        rows = [
            (
                one.id,
                one.state,
                one.resource,
                places[one.id].rung or "?",
                one.name,
                moment(one.until),
                one.trouble or "-",
            )
            for one in found
        ]
        heads = ("id", "state", "resource", "rung", "name at the target", "until", "trouble")
        data: Json = [written(one) | rungs.told(one, places[one.id]) for one in found]
        emit(form, data, lambda: columns(heads, rows))


@lease.command()
@format_option
@click.pass_context
def ladder(ctx: click.Context, *, form: str) -> None:
    """Show where each target stands on the ladder, and what an end of a lease truly does there."""
    with at_desk(ctx) as desk:
        found = rungs.ladder(desk.authority, desk.reader)
    data: Json = [{"resource": one.resource, **one.to_json()} for one in found]
    rows = [
        (one.resource, one.rung or "?", "yes" if one.said and one.said.revocable else "no", one.does) for one in found
    ]
    emit(form, data, lambda: columns(("resource", "rung", "takes back", "what an end does"), rows))
    if not found:
        say(
            "Nothing is lent anywhere: no resource was given a secret (remit resource add --secret), none mints leases"
            " (remit lease mint)."
        )


@lease.command()
@click.argument("resource")
@click.argument("source", type=click.Choice([*sorted(KINDS), "none"]))
@click.option("--secret", default="", help="The stored secret that the source works with: remit secret put.")
@click.option("--set", "settings", multiple=True, help="NAME=VALUE that the source must know; repeatable. No secrets.")
@click.option("--life", type=click.IntRange(1, 7 * 86_400), default=3_600, show_default=True, help="Seconds, at most.")
@format_option
@click.pass_context
def mint(
    ctx: click.Context, *, resource: str, source: str, secret: str, settings: tuple[str, ...], life: int, form: str
) -> None:
    """Let credentials be minted at RESOURCE by SOURCE from now on, after asking the target itself.

    `none` ends that, and what was lent there: its source is kept until that is proven dead, and forgotten then.
    """
    given = dict(one.partition("=")[::2] for one in settings)
    given = discovered(given) if source == "oauth" else given
    wanted = None if source == "none" else Minting(kind=source, secret=secret, settings=given, life=1000 * life)
    with at_desk(ctx) as desk:
        known = desk.need(Resource, resource)
        said = None if wanted is None else _asked(desk, changed(known, minting=wanted))
        made = desk.act(lambda c: resources.mint_at(c, resource, wanted, desk.by))
        data = {"resource": resource, "source": source}
        if made.minting is not None and made.minting.over:
            data |= {"until": "what was lent is proven dead: remit lease show"}
        if said is not None:
            data |= {"rung": said.rung.value, "takes back": "yes" if said.revocable else "no", "says": said.says}
        emit(form, written(made), lambda: pairs(data))


def _asked(desk: Desk, resource: Resource) -> Description:
    """What the source of this resource can promise, once the target has answered it."""
    minting = resource.minting
    name = minting.secret if minting else ""
    secret = desk.authority.vault.get(resources.SECRETS, name) if name else None
    source = open_source(resource, secret, desk.authority.name, desk.authority.clock.now)
    try:
        source.found()
        return source.describe()
    except RemitError as fault:
        raise RemitError(fault.code, f"{resource.name} was left as it was: {fault.message}", fault.remedy) from fault
    finally:
        source.close()


def _whole(one: Lease, place: Standing) -> dict[str, object]:
    """One lease, member by member, those that say something."""
    times = {"at": one.at, "until": one.until, "ended": one.ended, "died": one.died}
    found: dict[str, object] = {"id": one.id, "state": one.state, "name at the target": one.name}
    found |= {"task": one.task, "plan": one.plan, "path": one.path.value, "resource": one.resource, "source": one.kind}
    found |= {name: moment(value) for name, value in times.items() if value}
    found |= {"rung": place.rung or "not known", "takes back": "yes" if place.said and place.said.revocable else "no"}
    found |= {"what an end does": place.does}
    rest = {"because": one.because, "proof": one.proof, "trouble": one.trouble, "took ms": one.took}
    return found | {name: value for name, value in rest.items() if value}
