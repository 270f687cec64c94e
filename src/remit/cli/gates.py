"""The gates of one node, together: before tools, before APIs, and where there is a port for it before databases."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from remit.cli.door import ask_for_certificates
from remit.cli.output import say
from remit.cli.renewing import Renewing
from remit.cli.settings import Settings, tls_path
from remit.control.gate import Gate
from remit.core.errors import RemitError
from remit.gateway.serve.api import PREFIX, Api
from remit.gateway.serve.app import Mcp
from remit.gateway.serve.asgi import Receive, Scope, Send

if TYPE_CHECKING:
    from remit.gateway.serve.forward.gate import Forward
    from remit.gateway.serve.postgres.gate import Postgres


class Gates:
    """Owned by the composition root: made before its loop serves, closed before it ends."""

    def __init__(self, settings: Settings, gate: Gate) -> None:
        self.mcp = Mcp(gate, settings.origin)
        self.api = Api(gate, settings.origin)
        tls = secured(settings)
        self.renewing = renewing(tls, settings)
        self._postgres: Postgres | None = databases(settings, gate, tls) if settings.postgres_port else None
        self._forward: Forward | None = forward(gate, self.api, tls) if settings.forward_port else None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand a request to the gate that its path names."""
        gate = self.api if scope["path"].startswith(PREFIX) else self.mcp
        return gate(scope, receive, send)

    def start(self, loop: asyncio.AbstractEventLoop, bind: Callable[[int], Any], settings: Settings) -> None:
        """Listen where agents reach databases, and where programs find a proxy."""
        if self._postgres is not None:
            loop.run_until_complete(self._postgres.start(bind(settings.postgres_port)))
        if self._forward is not None:
            loop.run_until_complete(self._forward.start(bind(settings.forward_port)))

    def look(self) -> None:
        """Cut what has ended, at every gate."""
        self.mcp.look()
        self.api.look()
        if self._postgres is not None:
            self._postgres.look()
        if self._forward is not None:
            self._forward.look()

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut everything."""
        if self._forward is not None:
            loop.run_until_complete(self._forward.close())
        loop.run_until_complete(self.mcp.close())
        loop.run_until_complete(self.api.close())
        if self._postgres is not None:
            loop.run_until_complete(self._postgres.close())


def databases(settings: Settings, gate: Gate, tls: ssl.SSLContext | None) -> "Postgres":
    """The gate before databases (`driver_missing`). It shows this server's certificate, and asks clients for theirs."""
    try:
        from remit.gateway.serve.postgres.gate import Postgres
    except ImportError as fault:
        raise RemitError(
            "driver_missing", "The gate before databases is not installed.", "Install remit[postgres]."
        ) from fault
    return Postgres(gate, settings.origin, tls)


def forward(gate: Gate, api: Api, tls: ssl.SSLContext | None) -> "Forward":
    """The proxy for programs that nobody can change; where this server has a certificate it is spoken to under TLS."""
    from remit.gateway.serve.forward.gate import Forward

    return Forward(gate, api, tls)


def secured(settings: Settings) -> ssl.SSLContext | None:
    """TLS with this server's certificate, if it has one, asking for clients' where the settings say whose count."""
    if not settings.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(settings.tls_cert.removeprefix("file:"), settings.tls_key.removeprefix("file:"))
    ask_for_certificates(context, tls_path(settings.client_certificates))
    return context


def renewing(context: ssl.SSLContext | None, settings: Settings) -> Renewing | None:
    """What reads this server's certificate, and whose count of clients, again when the files change."""
    if context is None:
        return None
    files = tuple(tls_path(one) or "" for one in (settings.tls_cert, settings.tls_key, settings.client_certificates))
    return Renewing(context, lambda: secured(settings) or context, files, say)
