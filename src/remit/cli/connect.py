"""`remit connect`: a person's account at a resource, so that their tasks get narrow tokens of it."""

import functools
import sys

import click

from remit.cli import settings as rules
from remit.cli.desk import Desk, at_desk
from remit.cli.output import emit, format_option, pairs, written
from remit.control import connection as connections
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.resource import Resource
from remit.custody.secret import Secret
from remit.custody.sources.connecting import way


@click.command()
@click.argument("resource")
@click.option("--person", default="", help="Whose account it is, where their token is given here.")
@click.option("--scope", "scopes", multiple=True, help="What they agreed to; repeatable.")
@click.option("--from", "reference", help="Their refresh token: env:NAME or file:PATH.  [default: standard input]")
@click.option("--end", is_flag=True, help="End it and what was lent of it: of one person, or of all.")
@format_option
@click.pass_context
def connect(
    ctx: click.Context,
    *,
    resource: str,
    person: str,
    scopes: tuple[str, ...],
    reference: str | None,
    end: bool,
    form: str,
) -> None:
    """Say where people connect their own accounts at RESOURCE by their browser, once and for all their tasks.

    With --person, take in a refresh token that they have already; it is sealed and never shown again. Each of their
    tasks gets an access token of it, narrowed to its steps; nobody else's task ever does.
    """
    with at_desk(ctx) as desk:
        if end:
            ended = _ended(desk, desk.principal(person) if person else "", resource)
            emit(form, ended, lambda: [line for one in ended for line in pairs(one)])
            return
        if not person:
            data = {"resource": resource, "address": _address(desk, resource)}
            emit(form, data, lambda: pairs(data))
            return
        who = desk.principal(person)
        text = rules.read_reference(reference, rules.environment()) if reference else sys.stdin.buffer.read()
        token = Secret(text.strip())
        if not token:
            raise RemitError("secret_empty", "The refresh token is empty.", "Give it on standard input, or by --from.")
        made = desk.act(
            lambda c: connections.connect(c, person=who, resource=resource, token=token, scopes=scopes, by=desk.by)
        )
        emit(form, written(made), lambda: pairs({"connection": made.id, "person": who, "resource": resource}))


def _address(desk: Desk, resource: str) -> str:
    """Where people connect by themselves; refuses a resource where they cannot (`connection_refused`)."""
    minting = desk.need(Resource, resource).minting
    if minting is None or minting.kind != "oauth" or way(minting.settings) is None:
        raise RemitError(
            "connection_refused",
            f"Nobody can connect {resource} by a browser: its provider is not known.",
            f"Set it: remit lease mint {resource} oauth --set issuer=URL …; or give --person and their token.",
        )
    return f"{desk.authority.issuer}/console/connections"


def _ended(desk: Desk, person: str, resource: str) -> list[dict[str, str]]:
    """End what a person connected at a resource, or what all did (`not_found`)."""
    found = [
        one
        for one in desk.reader.where(Connection, "state = 'live'")
        if one.resource == resource and person in ("", one.person)
    ]
    if not found:
        raise RemitError("not_found", f"Nothing is connected at {resource}.", "Look at who it is.")
    for one in found:
        desk.act(functools.partial(connections.end, identity=one.id, by=desk.by))
    return [{"connection": one.id, "person": one.person, "state": "ended"} for one in found]
