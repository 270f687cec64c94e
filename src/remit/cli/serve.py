"""`remit serve`: authority, batch, gate and web on one event loop, until a signal; then what runs is drained."""

import asyncio
import gc
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from remit.cli import memory
from remit.cli import settings as rules
from remit.cli.attach import attach
from remit.cli.desk import Desk, close, open_desk, place_of, settings_of, store_path
from remit.cli.hooking import Hooking
from remit.cli.output import say
from remit.cli.settings import Settings, tls_path
from remit.cli.witnessing import Witnessing
from remit.control import key, witness
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.gate import Gate
from remit.control.lessor import Lessor
from remit.control.messenger import Hook
from remit.control.sweep import sweep
from remit.core.errors import RemitError
from remit.core.hook import key as key_of
from remit.core.witness import WitnessRule
from remit.custody.signer import EVENT_PURPOSES
from remit.store.opening import Aside

if TYPE_CHECKING:
    from remit.cli.gates import Gates
    from remit.web.hint import Hints
    from remit.web.listening import Listening

SWEEP_S: Final = 1.0
WAIT_FOR_S: Final = 0.05
"""How often a call that borrows what another node is minting looks whether it is there."""
WAIT_S: Final = 60.0
"""How long a database that is not there yet is waited for at the start."""
AWAY: Final = frozenset({"store_unavailable", "store_busy", "store_failed", "store_dropped", "commit_unknown"})
BACKLOG: Final = 2048


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8787]")
@click.pass_context
def serve(ctx: click.Context, *, host: str | None, port: int | None) -> None:
    """Serve a data folder that was set up before."""
    run(settings_of(ctx, host=host, port=port))


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then stop taking calls, let those that run end, and close the store."""
    rules.check_bind(settings)
    listening = bind(settings)
    try:
        desk = _ready(settings)
        try:
            _serve(desk, listening)
        finally:
            memory.remember(settings.data, desk.authority)
            close(desk.authority)
    finally:
        listening.close()


def _ready(settings: Settings) -> Desk:
    """The desk with its keys and witnesses in force. A database across a network is waited for, and that is said."""
    end, told = time.monotonic() + WAIT_S, False
    while True:
        try:
            return _opened(settings)
        except RemitError as fault:
            if not settings.store or fault.code not in AWAY or time.monotonic() >= end:
                raise
            if not told:
                say(f"{fault.message} Remit waits for it up to {WAIT_S:.0f} s.")
            told = True
        time.sleep(0.2)


def _opened(settings: Settings) -> Desk:
    desk = open_desk(settings)
    try:
        asked = {EVENT_PURPOSES[one.algorithm] for one in settings.receivers}
        for purpose in asked:
            desk.authority.signer.draw(purpose)
        desk.act(lambda c: key.ensure(c, "operator", asked))
        desk.act(lambda c: witness.ensure(c, *watched(settings), "operator"))
    except BaseException:
        close(desk.authority)
        raise
    return desk


def bind(settings: Settings, port: int = 0) -> socket.socket:
    """Take the address, before anything else is done (`address_refused`)."""
    wanted = port or settings.port
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((settings.host, wanted))
        made.listen(BACKLOG)
    except (OSError, UnicodeError) as fault:
        made.close()
        raise RemitError(
            "address_refused",
            f"Remit cannot listen on {settings.host}:{wanted}: {getattr(fault, 'strerror', '') or fault}.",
            "End what listens there, or choose another --port.",
        ) from fault
    return made


def _rarely_collect() -> None:
    """What a call makes dies with it by reference count: looking for cycles every 700 objects finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _serve(desk: Desk, listening: socket.socket) -> None:
    import uvicorn

    from remit.cli.door import Standing, door
    from remit.cli.facing import web_settings
    from remit.cli.gates import Gates
    from remit.gateway.serve.doorway import Served
    from remit.web.app import build

    settings, authority = desk.settings, desk.authority
    authority.nonce_required = settings.dpop_nonce
    loop = new_loop()
    asyncio.set_event_loop(loop)
    batch = Batch(authority)
    detach = attach(batch, loop)
    # A database across a network answers when it can: what a lessor looks for is read beside the loop then.
    aside = Aside(place_of(settings)) if settings.store else None
    reaching = Aside(place_of(settings) if settings.store else store_path(settings))
    lessor = Lessor(authority, batch, loop.call_soon_threadsafe, aside=aside)
    gate = Gate(authority, batch, lessor)
    gates = Gates(settings, gate)
    standing = Standing(settings.connections, settings.connections_peer)
    config = uvicorn.Config(
        build(authority, batch, gates, web_settings(settings, rules.environment()), gate, standing.refused, reaching),
        http=door(standing, proxy=settings.certificate_proxy, api=gates.api),
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.drain_seconds,
        ssl_certfile=tls_path(settings.tls_cert),
        ssl_keyfile=tls_path(settings.tls_key),
    )
    config.load()
    _certificates(config.ssl, gates, settings, loop)
    server = Served(config, standing.most, standing.refused, rules.loopback)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn hands a signal that it took on to whoever had it before: that must not end us before we have closed.
        signal.signal(number, lambda *_: None)
    hints = _hints(settings, batch, gates.look, loop)
    batch.moved = both(batch.moved, lessor.look)
    _every(loop, SWEEP_S, lessor.tick)
    _every(loop, WAIT_FOR_S, lessor.wait)
    silence = _outward(settings, authority, batch, loop)
    asking = _asking(settings, authority, batch, loop)
    _every(loop, SWEEP_S, lambda: _tick(batch, settings.data, authority))
    gates.start(loop, lambda port: bind(settings, port), settings)
    say(f"Remit answers at {settings.origin}")
    _rarely_collect()
    try:
        loop.run_until_complete(server.serve(sockets=[listening]))
    finally:
        _quiet(loop, hints, asking)
        gates.close(loop)
        silence()
        lessor.close()
        reaching.close()
        gate.settle()
        until = time.monotonic() + settings.drain_seconds
        while not batch.idle and time.monotonic() < until:
            loop.run_until_complete(asyncio.sleep(0.01))
        detach()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _hints(
    settings: Settings, batch: Batch, look: Callable[[], None], loop: asyncio.AbstractEventLoop
) -> "Hints | None":
    """This node's end of the bus, when there is one: told of what ends here, and looking when others tell."""
    if not settings.bus:
        return None
    from remit.web.hint import Hints

    bus = settings.bus
    url = bus if "://" in bus else rules.read_reference(bus, rules.environment()).decode(errors="replace").strip()
    hints = Hints(url, look)
    batch.moved = hints.tell
    hints.start(loop)
    return hints


def _asking(settings: Settings, authority: Authority, batch: Batch, loop: asyncio.AbstractEventLoop) -> "Listening":
    """The transmitters that are polled, asked from now on."""
    from remit.cli.facing import polled
    from remit.web.listening import Listening

    made = Listening(authority, batch, polled(settings, rules.environment()), say)
    made.start(loop)
    return made


def _quiet(loop: asyncio.AbstractEventLoop, hints: "Hints | None", asking: "Listening") -> None:
    """Hear of nothing more."""
    loop.run_until_complete(asking.stop())
    if hints is not None:
        loop.run_until_complete(hints.stop())


def both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    """Do both, the second one whatever becomes of the first."""

    def run() -> None:
        try:
            one()
        finally:
            other()

    return run


def watched(settings: Settings) -> tuple[dict[str, str], WitnessRule]:
    """The witnesses that the settings name, by verifier key, and the rule about them."""
    rule = WitnessRule(
        required=settings.witness_required, stop=settings.witness_stop, max_age=1000 * settings.witness_max_age
    )
    return {one.key: one.url for one in settings.witnesses}, rule


def _outward(
    settings: Settings, authority: Authority, batch: Batch, loop: asyncio.AbstractEventLoop
) -> Callable[[], None]:
    """What goes out beside the writer: heads to witnesses, notices to hooks, events to receivers. Returns its end."""
    from remit.cli.facing import receivers
    from remit.control.teller import Teller

    place = store_path(settings) if not settings.store else place_of(settings)
    witnessing = Witnessing(authority, batch, place, loop)
    ears = [one for one in receivers(settings, rules.environment()) if one.push]
    tellers = tuple(Teller(place, one, authority.issuer, authority.signer) for one in ears)
    hooking = Hooking(authority, batch, place, told(settings), loop, tellers)
    _every(loop, SWEEP_S, both(witnessing.tick, hooking.tick))
    return both(witnessing.close, hooking.close)


def told(settings: Settings) -> tuple[Hook, ...]:
    """The hooks that the settings name, each with its key (`hook_weak`, `reference_invalid`)."""
    found = []
    for one in settings.hooks:
        secret = key_of(rules.read_reference(one.secret, rules.environment()))
        found.append(Hook(one.url, secret, one.private))
    return tuple(found)


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop to serve on."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _certificates(
    context: ssl.SSLContext | None, gates: "Gates", settings: Settings, loop: asyncio.AbstractEventLoop
) -> None:
    """Ask clients for theirs, where the settings say whose count; and read all files again when they change."""
    from remit.cli.door import ask_for_certificates
    from remit.cli.gates import renewing

    ask_for_certificates(context, tls_path(settings.client_certificates))
    for one in (gates.renewing, renewing(context, settings)):
        if one is not None:
            _every(loop, SWEEP_S, one.look)


def _every(loop: asyncio.AbstractEventLoop, seconds: float, job: Callable[[], None]) -> None:
    def again() -> None:
        try:
            job()
        finally:
            loop.call_later(seconds, again)

    loop.call_later(seconds, again)


def _tick(batch: Batch, folder: Path, authority: Any) -> None:
    """What time does: tasks that are over end. A fault here shows in readiness, and the next second tries again."""

    def done(_: int | RemitError) -> None:
        memory.remember(folder, authority)

    batch.submit("sweep", sweep, done)
    batch.wake()
