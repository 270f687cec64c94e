"""`remit connect`: take in a person's account at a resource, so that their tasks get narrow tokens of it."""

import sys

import click

from remit.cli import settings as rules
from remit.cli.desk import Desk, at_desk
from remit.cli.output import emit, format_option, pairs, written
from remit.control import connection as connections
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.custody.secret import Secret


@click.command()
@click.argument("resource")
@click.option("--person", required=True, help="Whose account it is.")
@click.option("--scope", "scopes", multiple=True, help="What they agreed to; repeatable.")
@click.option("--from", "reference", help="Their refresh token: env:NAME or file:PATH.  [default: standard input]")
@click.option("--end", is_flag=True, help="End the connection and what was lent of it instead.")
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
    """Connect a person's account at RESOURCE: their refresh token is sealed and never shown again.

    Each of their tasks gets an access token of it, narrowed to its steps; nobody else's task ever does.
    """
    with at_desk(ctx) as desk:
        who = desk.principal(person)
        if end:
            (made,) = _live(desk, who, resource)
            desk.act(lambda c: connections.end(c, made.id, desk.by))
            emit(
                form,
                {"connection": made.id, "state": "ended"},
                lambda: pairs({"connection": made.id, "state": "ended"}),
            )
            return
        text = rules.read_reference(reference, rules.environment()) if reference else sys.stdin.buffer.read()
        token = Secret(text.strip())
        if not token:
            raise RemitError("secret_empty", "The refresh token is empty.", "Give it on standard input, or by --from.")
        made = desk.act(
            lambda c: connections.connect(c, person=who, resource=resource, token=token, scopes=scopes, by=desk.by)
        )
        emit(form, written(made), lambda: pairs({"connection": made.id, "person": who, "resource": resource}))


def _live(desk: Desk, person: str, resource: str) -> list[Connection]:
    found = connections.live(desk.reader, person, resource)
    if not found:
        raise RemitError("not_found", f"Nothing of this person is connected at {resource}.", "Look at who it is.")
    return found
