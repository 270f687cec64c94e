"""What a plain client meets: a real provider, a whole Remit at its own address, and a real target behind it."""

import asyncio
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from remit.cli.attach import attach
from remit.control import brief
from remit.control import client as clients
from remit.core.brief import Brief
from remit.core.grant import Step
from remit.core.resource import Upstream
from remit.custody.secret import Secret
from remit.gateway.serve.app import Mcp
from remit.gateway.serve.host import Settings
from remit.web.app import build
from remit.web.settings import Issuer, WebSettings
from tests.kit import peers
from tests.kit.gate import KINDS, NAME, drive, list_tools, uvicorn_run
from tests.kit.running import _url, everything
from tests.kit.site import Site
from tests.kit.world import World

SECRET = "the-secret-of-these-tests"
HOUR = 60 * 60 * 1000


@dataclass
class Plain:
    """`url` is all that a client is told. `site` asks and acts as an operator does."""

    url: str
    issuer: str
    idp: str
    site: Site
    bot: str
    client: str


@contextmanager
def provider(redirect: str, *keys: str) -> Iterator[str]:
    """npm oidc-provider as the company's own: its issuer. With a JWK set its client proves a key."""
    command = [str(peers.node()), str(peers.KIT / "clients" / "idp.mjs"), redirect, SECRET, *keys]
    extra = {"PEER_PREFIX": str(peers.npm_prefix("idp")), "NODE_NO_WARNINGS": "1"}
    with _url(command, extra) as url:
        yield url


@contextmanager
def plain(journal: Path | None = None, **settings: Any) -> Iterator[Plain]:
    """The whole company, with the clients that nobody added let in to stand for its agent, unless told otherwise."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o700)
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        idp = stack.enter_context(provider(f"{issuer}/signin/back"))
        target = stack.enter_context(everything(journal=journal))
        world = World(folder, issuer=issuer).settle()
        stack.callback(world.close)
        tools = list_tools(target)
        steps = tuple(_step(f"mcp:{NAME}/{name}") for name in (*tools, *KINDS))
        driver = drive(world, Upstream(url=target), tools, steps)
        given = {"version": 1, "purpose": "Drive the target.", "steps": steps, "agents": (driver.id,)}
        given |= {"dispatchers": ("group:staff",), "domains": ("office",), "life": 8 * HOUR, "idle": HOUR}
        world.act(lambda c: brief.apply(c, Brief(name=NAME, **given), "operator"))
        made = world.act(
            lambda c: clients.add(
                c, agent=driver.id, name="Desk", redirects=("http://127.0.0.1/callback",), confidential=False, by="x"
            )
        )
        told = {"client_registration": True, "client_documents": True, "client_agent": "driver", "door_rate": 0}
        own = Issuer(idp, "remit", auto_register=True, sign_in=True, secret=Secret(SECRET.encode()))
        issuers = (own, *settings.pop("issuers", ()))
        web = WebSettings(issuers=issuers, **(told | settings))
        loop = stack.enter_context(_served(world, issuer, listening, web))
        yield Plain(f"{issuer}/mcp/{NAME}", issuer, idp, Site(world, issuer, loop), driver.id, made.id)


def _step(action: str) -> Step:
    return Step.from_json({"action": action, "path": "delegated", "allow_unknown": True})


@contextmanager
def _served(world: World, issuer: str, listening: socket.socket, web: WebSettings) -> Iterator[Any]:
    mcp = Mcp(world.gate, issuer, Settings())
    app = build(world.authority, world.batch, mcp, web, world.gate)
    config = uvicorn.Config(
        app, lifespan="off", log_level="error", access_log=False, proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server, ready, found = uvicorn.Server(config), threading.Event(), []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        detach = attach(world.batch, loop)
        found.append(loop)
        ready.set()
        try:
            await server.serve(sockets=[listening])
        finally:
            await mcp.close()
            while not world.batch.idle:  # noqa: ASYNC110 - the batch has no event to wait for
                await asyncio.sleep(0.01)
            detach()

    thread = threading.Thread(target=lambda: uvicorn_run(main), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "Remit did not stop"


def environment() -> dict[str, str]:
    """What programs of the kit are started with."""
    return dict(os.environ)
