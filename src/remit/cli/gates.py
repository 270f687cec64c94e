"""The gates of one node, together: before tools, before APIs, and where there is a port for it before databases."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from remit.cli.door import ask_for_certificates
from remit.cli.settings import Settings
from remit.control.gate import Gate
from remit.core.errors import RemitError
from remit.custody.certificate import digest
from remit.gateway.serve.api import PREFIX, Api
from remit.gateway.serve.app import Mcp
from remit.gateway.serve.asgi import Receive, Scope, Send

if TYPE_CHECKING:
    from remit.gateway.serve.postgres.gate import Postgres


class Gates:
    """Owned by the composition root: made before its loop serves, closed before it ends."""

    def __init__(self, settings: Settings, gate: Gate) -> None:
        self.mcp = Mcp(gate, settings.origin)
        self.api = Api(gate, settings.origin)
        self._postgres: Postgres | None = databases(settings, gate) if settings.postgres_port else None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand a request to the gate that its path names."""
        gate = self.api if scope["path"].startswith(PREFIX) else self.mcp
        return gate(scope, receive, send)

    def start(self, loop: asyncio.AbstractEventLoop, bind: Callable[[int], Any], port: int) -> None:
        """Listen where agents reach databases."""
        if self._postgres is not None:
            loop.run_until_complete(self._postgres.start(bind(port)))

    def look(self) -> None:
        """Cut what has ended, at every gate."""
        self.mcp.look()
        self.api.look()
        if self._postgres is not None:
            self._postgres.look()

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut everything."""
        loop.run_until_complete(self.mcp.close())
        loop.run_until_complete(self.api.close())
        if self._postgres is not None:
            loop.run_until_complete(self._postgres.close())


def databases(settings: Settings, gate: Gate) -> "Postgres":
    """The gate before databases (`driver_missing`). It shows this server's certificate, and asks clients for theirs."""
    try:
        from remit.gateway.serve.postgres.gate import Postgres
    except ImportError as fault:
        raise RemitError(
            "driver_missing", "The gate before databases is not installed.", "Install remit[postgres]."
        ) from fault
    context, asks = None, bool(settings.client_certificates)
    if settings.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.tls_cert.removeprefix("file:"), settings.tls_key.removeprefix("file:"))
        ask_for_certificates(context, settings.client_certificates.removeprefix("file:"))
    return Postgres(gate, settings.origin, context, digest if asks else None)
