"""`remit up`: on first use make folder, root key, store, keys and the operator; then serve."""

import os
from pathlib import Path

import click

from remit.cli import memory
from remit.cli import settings as rules
from remit.cli.desk import LOCAL, Desk, close, is_set_up, opened, operator, settings_of
from remit.cli.output import emit, format_option, pairs, say
from remit.cli.settings import Settings
from remit.control import key, login, principal
from remit.core.errors import RemitError
from remit.core.login import Login
from remit.custody.root import make_root_file
from remit.store.record import Reader


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8787]")
@click.option("--admin", "renew", is_flag=True, help="Print another one-time admin link.")
@click.option("--no-serve", is_flag=True, help="Only set up.")
@format_option
@click.pass_context
def up(ctx: click.Context, *, host: str | None, port: int | None, renew: bool, no_serve: bool, form: str) -> None:
    """Set everything up on first use, and serve."""
    settings = settings_of(ctx, host=host, port=port)
    rules.check_bind(settings)
    desk = set_up(settings)
    data = {
        "data": str(settings.data.resolve()),
        "issuer": settings.origin,
        "operator": desk.by,
        "ledger_key": desk.authority.verifier(),
    }
    if renew or not any(Reader(desk.authority.view).where(Login, most=1)):
        code = desk.act(lambda c: login.issue(c, "link", desk.by))
        data["admin_link"] = f"{settings.origin}/console/enter/{code}"
        say("The admin link opens the console once, within 15 minutes; remit up --admin --no-serve prints another.")
    memory.remember(settings.data, desk.authority)
    close(desk.authority)
    emit(form, data, lambda: pairs({name.replace("_", " "): value for name, value in data.items()}))
    if not no_serve:
        from remit.cli.serve import run

        run(settings)


def set_up(settings: Settings) -> Desk:
    """Make what is missing in the data folder, and open it. Doing it again changes nothing."""
    _folder(settings.data)
    path = settings.data / "root.key"
    if not settings.root_key and not path.exists():
        if is_set_up(settings):
            raise RemitError(
                "key_missing",
                f"The store is there, but its root key {path} is not.",
                "Restore the key, or set root_key to where it is: what it sealed needs it.",
            )
        make_root_file(path, os.urandom)
        say(f"A root key was made: {path}. Keep a copy apart from the store: without it nothing that is sealed opens.")
    desk = Desk(settings, opened(settings))
    desk.act(lambda c: key.ensure(c, "operator"))
    if desk.by == "operator":
        name = operator()
        desk.by = desk.act(lambda c: principal.add_person(c, LOCAL, name, name, ("operators",), "operator")).id
    return desk


def _folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise RemitError(
            "store_unavailable",
            f"The data folder {path} cannot be made: {fault.strerror}.",
            "Name a folder that Remit may write: --data.",
        ) from fault
