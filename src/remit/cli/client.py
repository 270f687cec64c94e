"""`remit client`: programs that speak OAuth, each bound to the one agent that it stands for."""

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.listing import Listing
from remit.cli.output import columns, emit, format_option, pairs, written
from remit.control import client as clients
from remit.core.agent import Agent
from remit.core.client import Client


@click.group(cls=Listing)
def client() -> None:
    """Let programs send people here to consent; see which there are; end them."""


@client.command()
@click.argument("name")
@click.option("--agent", required=True, help="The agent that it stands for.")
@click.option(
    "--redirect", multiple=True, required=True, help="Where its answers may be sent, to the letter; repeatable."
)
@click.option("--confidential", is_flag=True, help="It proves the agent's key (private_key_jwt).")
@format_option
@click.pass_context
def add(ctx: click.Context, *, name: str, agent: str, redirect: tuple[str, ...], confidential: bool, form: str) -> None:
    """Register a program. On this machine the port of a redirect may differ, and nothing else."""
    with at_desk(ctx) as desk:
        found = desk.agent(agent)
        made = desk.act(
            lambda c: clients.add(
                c, agent=found.id, name=name, redirects=redirect, confidential=confidential, by=desk.by
            )
        )
        _show(form, desk, made)


@client.command()
@click.argument("identity")
@click.option("--because", default="", help="Why.")
@format_option
@click.pass_context
def end(ctx: click.Context, *, identity: str, because: str, form: str) -> None:
    """End a client and what people allowed it: tasks, credentials, codes and refresh tokens end with it."""
    with at_desk(ctx) as desk:
        _show(form, desk, desk.act(lambda c: clients.end(c, identity, desk.by, because)))


@client.command()
@format_option
@click.pass_context
def show(ctx: click.Context, *, form: str) -> None:
    """List all clients."""
    with at_desk(ctx) as desk:
        found = list(desk.reader.where(Client))
        rows = [(one.id, one.name, one.kind, one.state, _agent(desk, one)) for one in found]
        emit(form, [written(one) for one in found], lambda: columns(("id", "name", "kind", "state", "agent"), rows))


def _agent(desk: Desk, one: Client) -> str:
    found = desk.reader.get(Agent, one.agent)
    return found.name if found else one.agent


def _show(form: str, desk: Desk, one: Client) -> None:
    members = {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "agent": _agent(desk, one),
        "redirects": " ".join(one.redirects),
        "proves a key": "yes" if one.confidential else "no, each code by PKCE",
    }
    emit(form, written(one), lambda: pairs(members))
