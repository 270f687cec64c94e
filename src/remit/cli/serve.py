"""`remit serve`: the composition root. One process: authority, writer, gate and web on one loop over one store."""

import asyncio
import secrets
import signal
import socket
import ssl
import sys
from contextlib import suppress
from typing import Final

import click
import uvicorn

from remit.cli import settings as rules
from remit.cli.attach import attach
from remit.cli.desk import close, root_of, settings_of, store_path
from remit.cli.output import say
from remit.cli.settings import Settings
from remit.control import key
from remit.control.authority import Authority, open_authority
from remit.control.batch import Batch
from remit.control.gate import Gate
from remit.control.sweep import sweep
from remit.core.errors import RemitError
from remit.gateway.serve.app import Mcp
from remit.web.app import App, build
from remit.web.settings import Issuer, WebSettings, admin_digest

SWEEP_S: Final = 1.0
SWITCH_S: Final = 0.001
"""How long the loop keeps the interpreter while the commit thread wants it back; the default holds up commits."""


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8787]")
@click.pass_context
def serve(ctx: click.Context, *, host: str | None, port: int | None) -> None:
    """Serve this data folder."""
    run(settings_of(ctx, host=host, port=port), link=False)


def run(settings: Settings, *, link: bool) -> None:
    """Serve until told to stop. With `link`, print a one-time admin link first. Refuses an unsafe bind and no store."""
    rules.check_bind(settings)
    if not store_path(settings).exists():
        raise RemitError("not_set_up", f"There is no store in {settings.data}.", "Set one up: remit up.")
    authority = open_authority(settings.data, root_of(settings), settings.origin, settings.ledger_name)
    try:
        listener = _listen(settings)
        sys.setswitchinterval(SWITCH_S)
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_serve(settings, authority, listener, link=link))
    finally:
        close(authority)


async def _serve(settings: Settings, authority: Authority, listener: socket.socket, *, link: bool) -> None:
    loop = asyncio.get_running_loop()
    batch = Batch(authority)
    batch.act(lambda change: key.ensure(change, "operator"))
    gate = Gate(authority, batch)
    mcp = Mcp(gate, settings.origin)
    token = secrets.token_urlsafe(32) if link else ""
    detach = attach(batch, loop)
    server = uvicorn.Server(_config(settings, build(authority, batch, mcp, _web(settings, token), gate)))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    sweeping = loop.create_task(_sweep(batch))
    say(f"Remit serves {settings.origin}")
    if token:
        say(f"Admin link, good until this process ends: {settings.origin}/v1/status  Authorization: Bearer {token}")
    try:
        with suppress(asyncio.CancelledError):
            await server.serve(sockets=[listener])
    finally:
        sweeping.cancel()
        await mcp.close()
        detach()


async def _sweep(batch: Batch) -> None:
    """End what time has ended, every second."""
    while True:
        await asyncio.sleep(SWEEP_S)
        batch.submit("sweep", sweep, lambda _: None)
        batch.wake()


def _web(settings: Settings, token: str) -> WebSettings:
    return WebSettings(
        admins=(admin_digest(token),) if token else (),
        issuers=tuple(Issuer(one.issuer, one.audience, one.jwks_uri, one.auto_register) for one in settings.issuers),
        public_log=settings.public_log,
    )


def _config(settings: Settings, app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.drain_seconds,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )


def _listen(settings: Settings) -> socket.socket:
    """Bind before anything else is said, so that a taken port is an error and not a surprise."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as fault:
        listener.close()
        raise RemitError(
            "address_taken",
            f"{settings.host} port {settings.port} cannot be bound: {fault.strerror}.",
            "Stop what listens there, or choose another port: --port.",
        ) from fault
    return listener


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
