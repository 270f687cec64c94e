"""One side of a connection of a gate's own: how fast it goes, who is on the other side, and what TLS said of them.

What is read from it is the business of whoever is built on it: octets (`line`) or frames (`postgres/wire`).
"""

import asyncio
import ssl

from remit.core.permit import BARE, Manner, x5t


class Side(asyncio.Protocol):
    """A connection as the loop sees it. One coroutine at a time waits for what comes in, and one for it to leave."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._open: asyncio.Future[None] | None = None
        self._paused = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; TLS makes it anew under the same name."""
        self._transport = transport  # type: ignore[assignment]

    def pause_writing(self) -> None:
        """The other side is slow."""
        if self._open is None:
            self._open = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._open is not None and not self._open.done():
            self._open.set_result(None)
        self._open = None

    # What the gate asks.

    @property
    def peer(self) -> str:
        """The other side's address."""
        found = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(found[0]) if isinstance(found, tuple) else ""

    @property
    def secured(self) -> ssl.SSLObject | None:
        """The TLS that it speaks, if it does."""
        held = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return held if isinstance(held, ssl.SSLObject) else None

    @property
    def certificate(self) -> bytes:
        """The other side's certificate under TLS, in DER; empty without."""
        held = self.secured
        return (held.getpeercert(binary_form=True) or b"") if held is not None else b""

    @property
    def manner(self) -> Manner:
        """How it shows a credential: with its certificate, if TLS asked for one and it has one."""
        shown = self.certificate
        return Manner(certificate=x5t(shown)) if shown else BARE

    # What is built on it calls.

    def _hold(self) -> None:
        """Make the other side wait: much of what it sent is unread."""
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _let(self) -> None:
        """Let it send again."""
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    async def _come(self) -> None:
        """Wait until something has come, or nothing will."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
