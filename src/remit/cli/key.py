"""`remit key`: the signing keys of this installation, and the change from one to the next."""

import click

from remit.cli.desk import at_desk
from remit.cli.output import columns, emit, format_option, moment, pairs
from remit.control import key as keys
from remit.core.credential import Key
from remit.custody.signer import Purpose


@click.group()
def key() -> None:
    """See the signing keys, and let the next one of a purpose sign."""


@key.command(name="list")
@format_option
@click.pass_context
def listed(ctx: click.Context, *, form: str) -> None:
    """List every key there ever was: what it signs, where it is in its life, and until when it verifies."""
    with at_desk(ctx) as desk:
        found = sorted(desk.reader.where(Key), key=lambda one: (one.purpose, one.id))
        data = [{"id": one.id, "purpose": one.purpose, "state": one.state, "until": one.until} for one in found]
        rows = [(one.id, one.purpose, one.state, moment(one.until)) for one in found]
        emit(form, data, lambda: columns(("id", "purpose", "state", "until"), rows))


@key.command()
@click.argument("purpose", type=click.Choice([one.value for one in Purpose]))
@format_option
@click.pass_context
def rotate(ctx: click.Context, *, purpose: str, form: str) -> None:
    """Let the next key of PURPOSE sign from now on, on every node.

    What the one before signed still verifies for an hour; heads of the ledger verify with it for ever. Hand the new
    verifier key (remit ledger key) to whoever checks the ledger, and to its witnesses.
    """
    with at_desk(ctx) as desk:
        desk.authority.signer.draw(Purpose(purpose), more=1)
        made = desk.act(lambda c: keys.rotate(c, Purpose(purpose), desk.by))
        data = {"id": made, "purpose": purpose, "state": "active"}
        emit(form, data, lambda: pairs(data))
