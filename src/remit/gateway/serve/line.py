"""One connection of a gate's own: octets in, octets out, TLS begun in between, and told when it is gone."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.serve.side import Side

HIGH: Final = 256 * 1024
"""How many octets may wait unread before the other side is made to wait."""
HANDSHAKE_S: Final = 10.0
SHUTDOWN_S: Final = 2.0
"""How long the other side may take to say that it has heard the end of TLS."""
SLOW_S: Final = 60.0
"""How long the other side may take none of what waits for it, before it counts as gone."""


class Line(Side):
    """A connection; owned by the client or exchange that it belongs to. One coroutine reads from it at a time."""

    def __init__(self, admit: Callable[["Line"], None], leave: Callable[["Line"], None]) -> None:
        super().__init__()
        self._admit: Callable[[Line], None] | None = admit
        self._left = leave
        self._came = bytearray()
        self._ended = False
        self._lost = False
        self._late: asyncio.TimerHandle | None = None
        self.gone = asyncio.get_running_loop().create_future()
        """Done when the connection is."""

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve it, once: TLS makes it anew under the same name."""
        super().connection_made(transport)
        admit, self._admit = self._admit, None
        if admit is not None:
            admit(self)

    def data_received(self, data: bytes) -> None:
        """Take what came in; make the other side wait when much of it is unread."""
        self._came += data
        if len(self._came) > HIGH:
            self._hold()
        self._wake()

    def eof_received(self) -> bool:
        """The other side says no more, and with that has left."""
        self._ended = True
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it is gone changes nothing
        """The connection is gone."""
        self._ended = self._lost = True
        if self._late is not None:
            self._late.cancel()
        self._left(self)
        self._leave()
        self.resume_writing()

    # What the gate does.

    @property
    def waits(self) -> bool:
        """Whether octets have come that nobody has read."""
        return bool(self._came)

    async def read(self) -> bytes:
        """What has come, at least one octet; nothing once the other side has ended."""
        while not self._came:
            if self._ended:
                return b""
            await self._come()
        found = bytes(self._came)
        self._came.clear()
        self._let()
        return found

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slow. Raises ConnectionResetError when it is gone, or too slow."""
        if self.gone.done() or self._transport is None:
            raise ConnectionResetError
        self._transport.write(data)
        if self._open is not None:
            try:
                async with asyncio.timeout(SLOW_S):
                    await self._open
            except TimeoutError:
                self.abort()
        if self.gone.done():
            raise ConnectionResetError

    def tell(self, data: bytes) -> None:
        """Send without waiting, if it is still there."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS as the server. Octets that came before it are an attempt to slip them in, and are refused."""
        if self._came or self._transport is None:
            raise RemitError("tunnel_refused", "Octets came before TLS had begun.", "Wait for the answer to CONNECT.")
        try:
            made = await asyncio.get_running_loop().start_tls(
                self._transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )  # fmt: skip
        except (OSError, ssl.SSLError):
            raise ConnectionResetError from None
        if made is None:
            raise ConnectionResetError
        self._transport = made

    def close(self) -> None:
        """End it after what was written has left, and in any case soon."""
        if self._transport is not None:
            self._transport.close()
            if self._late is None and not self._lost:
                self._late = asyncio.get_running_loop().call_later(SLOW_S, self.abort)

    def abort(self) -> None:
        """End it now."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def _leave(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self._wake()
