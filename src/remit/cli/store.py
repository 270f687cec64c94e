"""`remit store`: where the records lie, and copying them to another database."""

import click

from remit.cli import memory
from remit.cli.desk import at_desk, close, open_desk, place_of, settings_of
from remit.cli.output import emit, format_option, pairs
from remit.control import copy as copying
from remit.core.errors import RemitError
from remit.store import log
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db, remote


@click.group()
def store() -> None:
    """See where the records lie, and copy them to another database."""


@store.command()
@format_option
@click.pass_context
def show(ctx: click.Context, *, form: str) -> None:
    """Say which store this is and how far its ledger goes."""
    with at_desk(ctx) as desk:
        kind = "postgresql" if remote(place_of(desk.settings)) else "sqlite"
        data = {
            "kind": kind,
            "entries": log.newest(desk.authority.view).size,
            "migrations": desk.authority.view.stamped(),
            "ledger": desk.authority.name,
        }
    emit(form, data, lambda: pairs(data))


@store.command("copy")
@click.option("--to", "url", required=True, metavar="URL", help="An empty PostgreSQL database, postgresql://…")
@format_option
@click.pass_context
def copy_(ctx: click.Context, *, url: str, form: str) -> None:
    """Copy everything to an empty PostgreSQL database, prove it, and let this store take nothing more.

    Stop every node first: one that still runs is refused by its store from then on.
    """
    if not remote(url):
        raise RemitError("setting_invalid", "--to is no postgresql:// URL.", "Write postgresql://USER@HOST/DATABASE.")
    desk = open_desk(settings_of(ctx))
    try:
        memory.remember(desk.settings.data, desk.authority)
        target = open_db(url)
        try:
            migrate(target, desk.authority.clock.now(), packaged())
            done = copying.copy(desk.authority.db, target, desk.authority.verifiers())
        finally:
            target.close()
    finally:
        close(desk.authority)
    data = {"rows": done.rows, "entries": done.entries, "heads_proven": done.heads}
    emit(form, data, lambda: [*pairs(data), "Set store to the new database, on every node, and start again."])
