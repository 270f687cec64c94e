"""`remit secret`: what an upstream wants to see. Read from stdin or a reference, never from the command line."""

import sys

import click

from remit.cli import settings as rules
from remit.cli.desk import at_desk
from remit.cli.output import emit, format_option, pairs
from remit.control import resource as resources
from remit.core import ids
from remit.core.errors import RemitError
from remit.custody.secret import Secret


@click.group()
def secret() -> None:
    """Store what upstreams want to see and agents never do. It is sealed at rest and never shown again."""


@secret.command()
@click.argument("name")
@click.option("--from", "reference", help="env:NAME or file:PATH.  [default: standard input]")
@format_option
@click.pass_context
def put(ctx: click.Context, *, name: str, reference: str | None, form: str) -> None:
    """Store a secret, or its next version."""
    ids.name("secret", name)
    if reference is None and sys.stdin.isatty():
        text = click.prompt("Secret", hide_input=True, err=True).encode()
    else:
        text = rules.read_reference(reference, rules.environment()) if reference else sys.stdin.buffer.read()
    value = text.rstrip(b"\r\n")
    if not value:
        raise RemitError(
            "secret_empty", "The secret is empty.", "Give it on standard input, or by --from env:NAME or file:PATH."
        )
    with at_desk(ctx) as desk:
        version = desk.act(lambda c: resources.put_secret(c, name, Secret(value)))
        emit(form, {"name": name, "version": version}, lambda: pairs({"name": name, "version": version}))
