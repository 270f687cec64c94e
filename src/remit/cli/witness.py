"""`remit witness`: a program of its own that cosigns heads of ledgers, and refuses a fork or a rollback.

Best run elsewhere than the node, by somebody else. One command, `acknowledge`, works on a node's store instead.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import click

from remit.cli import witness_settings as rules
from remit.cli.desk import at_desk
from remit.cli.output import emit, format_option, moment, pairs, say
from remit.cli.serve import bind, new_loop
from remit.cli.settings import Settings, environment, tls_path
from remit.cli.witness_settings import WitnessSettings
from remit.control import witness as watching
from remit.control.authority import Clock
from remit.control.cosigner import Cosigner, signing_key
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.custody.root import make_root_file, open_root
from remit.ledger import cosignature, note
from remit.store import witness as kept
from remit.store.witness import Witnessed


def _folder(command: Any) -> Any:
    return click.option("--folder", "data", metavar="FOLDER", help="The witness's folder.  [default: .witness]")(
        command
    )


def _settings(**flags: Any) -> WitnessSettings:
    return rules.load(environment(), flags)


@click.group()
def witness() -> None:
    """Run a witness: a program of its own that cosigns heads of ledgers and refuses forks and rollbacks."""


@witness.command()
@click.option("--name", required=True, help="Its name in every cosignature: a host and path without a scheme.")
@click.option("--key", metavar="REFERENCE", help="The key.  [default: a new file witness.key in the folder]")
@_folder
@format_option
def init(*, name: str, key: str | None, data: str | None, form: str) -> None:
    """Make a witness: its key and its file. Hand its verifier key to the nodes."""
    settings = _settings(data=data, key=key)
    note.key_id(name, bytes(32))
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.store.exists():
        kept.open_witnessed(settings.store).close()
        raise RemitError("witness_made", f"{settings.store} is there already.", "Use it, or name another --folder.")
    root = open_root(settings.key, environment()) if settings.key else _new_key(settings.data)
    public = signing_key(root).public_key().public_bytes_raw()
    kept.make(settings.store, name, public).close()
    told = {"name": name, "key": cosignature.vkey(name, public), "folder": str(settings.data)}
    emit(form, told, lambda: pairs(told))


def _new_key(folder: Path) -> Any:
    place = folder / "witness.key"
    return open_root(f"file:{place}", {}) if place.exists() else make_root_file(place, os.urandom)


@witness.command()
@click.argument("vkey", metavar="VKEY")
@click.option("--origin", help="The ledger's origin line.  [default: the key's name]")
@click.option("--remove", is_flag=True, help="Trust this key no longer.")
@_folder
@format_option
def trust(*, vkey: str, origin: str | None, remove: bool, data: str | None, form: str) -> None:
    """Trust a ledger's verifier key (remit ledger key). What its heads say is then cosigned."""
    name = origin or note.parse_vkey(vkey).name
    held = kept.open_witnessed(_settings(data=data).store)
    try:
        if not remove:
            held.trust(name, vkey)
        elif not held.distrust(name, vkey):
            raise RemitError("not_found", "This key is not trusted.", "List them: remit witness show.")
    finally:
        held.close()
    told = {"origin": name, "trusted": not remove}
    emit(form, told, lambda: pairs(told))


@witness.command()
@_folder
@format_option
def show(*, data: str | None, form: str) -> None:
    """Show the verifier key, the logs that are trusted, what was cosigned last of each, and what was refused."""
    held = kept.open_witnessed(_settings(data=data).store)
    try:
        name, public = held.who()
        logs = [_log(held, origin, keys) for origin, keys in held.logs().items()]
    finally:
        held.close()
    told: dict[str, Json] = {"name": name, "key": cosignature.vkey(name, public), "logs": logs}
    lines = [f"{one['origin']}: {one['size']} entries, {one['at']}, {one['refused']} refused" for one in logs]
    emit(form, told, lambda: [told["key"], *lines])


def _log(held: Witnessed, origin: str, keys: tuple[str, ...]) -> dict[str, Json]:
    seen = held.seen(origin)
    return {
        "origin": origin,
        "keys": list(keys),
        "size": seen.tree.size if seen else 0,
        "at": moment(seen.at) if seen else "never",
        "refused": len(held.refused(origin)),
    }


@witness.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8789]")
@click.option("--key", metavar="REFERENCE", help="The key.  [default: file:FOLDER/witness.key]")
@_folder
def serve(*, host: str | None, port: int | None, key: str | None, data: str | None) -> None:
    """Answer POST /add-checkpoint until a signal comes."""
    run(_settings(host=host, port=port, key=key, data=data))


def run(settings: WitnessSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    import uvicorn

    from remit.web.witness import build

    rules.check_bind(settings)
    held = kept.open_witnessed(settings.store)
    try:
        cosigner = Cosigner(held, signing_key(open_root(settings.key_reference, environment())), Clock())
        with bind(Settings(host=settings.host, port=settings.port)) as listening:
            loop = new_loop()
            asyncio.set_event_loop(loop)
            config = uvicorn.Config(
                build(cosigner),
                http="httptools",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=256,
                ssl_certfile=tls_path(settings.tls_cert),
                ssl_keyfile=tls_path(settings.tls_key),
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: None)
            scheme = "https" if settings.tls_cert else "http"
            say(f"The witness {cosigner.name} answers at {scheme}://{settings.host}:{settings.port}")
            loop.run_until_complete(uvicorn.Server(config).serve(sockets=[listening]))
            loop.close()
    finally:
        held.close()


@witness.command()
@click.argument("name", metavar="NAME")
@click.option("--because", required=True, help="Why this witness is not asked any more.")
@format_option
@click.pass_context
def remove(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """On a node: send heads to this witness no longer. Take it out of the settings too."""
    with at_desk(ctx) as desk:
        found = desk.act(lambda c: watching.remove(c, name, desk.by, because))
    told = {"witness": found.id, "state": found.state, "because": found.because}
    emit(form, told, lambda: pairs(told))


@witness.command()
@click.argument("name", metavar="NAME")
@click.option("--because", required=True, help="Why calls may go on although this witness refused.")
@format_option
@click.pass_context
def acknowledge(ctx: click.Context, *, name: str, because: str, form: str) -> None:
    """On a node: let calls go on although this witness refuses, or is late, until it is right again."""
    with at_desk(ctx) as desk:
        found = desk.act(lambda c: watching.acknowledge(c, name, desk.by, because))
    told = {"witness": found.id, "state": found.state, "because": found.because}
    emit(form, told, lambda: pairs(told))
