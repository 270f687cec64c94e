"""`remit agent`: registered with an owner and a next review; reviewed, transferred, suspended, retired."""

import click

from remit.cli.attestor import bind, secret, unbind
from remit.cli.desk import Desk, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, moment, pairs, say, written
from remit.cli.values import compact, due, keys_of
from remit.control import agent as agents
from remit.control import revocation
from remit.control.change import Change
from remit.core.agent import TIERS, Agent
from remit.core.resource import Resource
from remit.store.record import Reader


@click.group(cls=Listing)
def agent() -> None:
    """Register agents; review, transfer, suspend and retire them. Each change leaves a receipt."""


@agent.command()
@click.argument("name")
@click.option("--owner", required=True, help="The person who answers for it.")
@click.option(
    "--review", "review_due", required=True, help="When it must be looked at again: a date, or a span such as 90d."
)
@click.option("--purpose", required=True, help="What it is for, in one line.")
@click.option(
    "--ceiling",
    multiple=True,
    required=True,
    help="An action, or mcp:RESOURCE/*, that its tasks could ever use; repeatable.",
)
@click.option("--key", "key_file", help="File with its public JWK, or JWK set.")
@click.option("--tier", type=click.Choice(TIERS), default="medium", show_default=True)
@format_option
@click.pass_context
def add(
    ctx: click.Context,
    *,
    name: str,
    owner: str,
    review_due: str,
    purpose: str,
    ceiling: tuple[str, ...],
    key_file: str | None,
    tier: str,
    form: str,
) -> None:
    """Register an agent."""
    with at_desk(ctx) as desk:
        keys, owner_id = keys_of(key_file), desk.principal(owner)
        at = due(review_due, desk.authority.clock.now())
        for one in unregistered(Reader(desk.authority.view), ceiling):
            say(f"Nothing is registered as {one} yet: until it is, this part of the ceiling allows nothing.")
        made = desk.act(
            lambda c: agents.add(
                c,
                name=name,
                owner=owner_id,
                purpose=purpose,
                review_due=at,
                ceiling=ceiling,
                keys=keys,
                tier=tier,
                by=desk.by,
            )
        )
        _show(form, made)


def unregistered(reader: Reader, ceiling: tuple[str, ...]) -> list[str]:
    """The resources that a ceiling names and nobody has registered."""
    named = {one.partition(":")[2].partition("/")[0] for one in ceiling}
    return sorted(one for one in named if one and one != "*" and reader.get(Resource, one) is None)


@agent.command()
@click.argument("name")
@click.option("--next", "review_due", required=True, help="When the next review is due.")
@click.option("--ceiling", multiple=True, help="For one that was only proposed: what its tasks could ever use.")
@format_option
@click.pass_context
def review(ctx: click.Context, *, name: str, review_due: str, ceiling: tuple[str, ...], form: str) -> None:
    """Say that an agent is still right, until the next review. Wakes a suspended one.

    One that was only proposed needs its ceiling with it, for that is said once.
    """
    with at_desk(ctx) as desk:
        found, at = desk.agent(name), due(review_due, desk.authority.clock.now())
        _show(form, desk.act(lambda c: agents.review(c, found.id, at, desk.by, ceiling or None)))


@agent.command()
@click.argument("name")
@click.option("--to", "owner", required=True, help="The new owner.")
@format_option
@click.pass_context
def transfer(ctx: click.Context, *, name: str, owner: str, form: str) -> None:
    """Give an agent a new owner."""
    with at_desk(ctx) as desk:
        found, to = desk.agent(name), desk.principal(owner)
        _show(form, desk.act(lambda c: agents.transfer(c, found.id, to, desk.by)))


@agent.command()
@click.argument("name")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def suspend(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """Suspend an agent and end all of its tasks. A review wakes it."""
    with at_desk(ctx) as desk:
        found = desk.agent(name)
        desk.act(lambda c: revocation.revoke(c, "agent", found.id, desk.by, because))
        _show(form, _again(desk, found.id))


@agent.command()
@click.argument("name")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def retire(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """Retire an agent for good and end all of its tasks."""
    with at_desk(ctx) as desk:
        found = desk.agent(name)

        def work(change: Change) -> Agent:
            if found.state == "active":
                revocation.revoke(change, "agent", found.id, desk.by, because)
            return agents.stop(change, found.id, "retired", desk.by, because)

        _show(form, desk.act(work))


@agent.command()
@click.argument("name", required=False)
@format_option
@click.pass_context
def show(ctx: click.Context, *, name: str | None, form: str) -> None:
    """Show one agent, or list all."""
    with at_desk(ctx) as desk:
        if name:
            _show(form, desk.agent(name))
            return
        found = list(desk.reader.where(Agent))
        rows = [(a.id, a.name, a.state, a.tier, a.owner, moment(a.review_due)) for a in found]
        emit(
            form,
            [written(a) for a in found],
            lambda: columns(("id", "name", "state", "tier", "owner", "review due"), rows),
        )


def _again(desk: Desk, identity: str) -> Agent:
    desk.reader.clear()
    return desk.need(Agent, identity)


def _show(form: str, one: Agent) -> None:
    members = {
        "id": one.id,
        "name": one.name,
        "state": one.state,
        "owner": one.owner,
        "review due": moment(one.review_due),
        "tier": one.tier,
        "purpose": one.purpose,
        "ceiling": " ".join(one.ceiling),
        "keys": compact([key.get("kid", key.get("kty", "")) for key in one.keys]),
    }
    emit(form, written(one), lambda: pairs(members))


for _command in (bind, unbind, secret):
    agent.add_command(_command)
