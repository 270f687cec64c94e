"""One connection that speaks protocol 3, on either side: whole frames in, octets out, TLS begun in between."""

import asyncio
import ssl
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.postgres.frame import MOST, Frames, invalid
from remit.gateway.serve.side import Side

HIGH: Final = 1024 * 1024
"""How many octets may wait unread before the other side is made to wait."""
SLOW_S: Final = 60.0
"""How long the other side may take over what was sent before the end, before it counts as gone."""


class Wire(Side):
    """A connection; owned by the session that it belongs to. One coroutine reads from it at a time."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._frames = Frames(most)
        self._raw = bytearray()
        self._framed = False
        self._lost = False
        self._late: asyncio.TimerHandle | None = None
        self.gone = False
        self.partial = 0.0
        """Since when a message waits for its rest; 0.0 when none does."""

    # What the loop calls.

    def data_received(self, data: bytes) -> None:
        """Take what came in; make the other side wait when much of it is unread."""
        if self._framed:
            self._frames.feed(data)
            waits = self._frames.rest
        else:
            self._raw += data
            waits = len(self._raw)
        if waits > HIGH:
            self._hold()
        self._wake()

    def eof_received(self) -> bool:
        """The other side says no more."""
        self.gone = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it is gone changes nothing
        """The connection is gone."""
        self.gone = self._lost = True
        if self._late is not None:
            self._late.cancel()
        self._wake()
        self.resume_writing()

    # What the gate does.

    @property
    def waits(self) -> bool:
        """Whether octets have come that nobody has read."""
        return bool(self._raw) or self._frames.rest > 0

    def widen(self) -> None:
        """Take frames of any length that there may be: whoever is on the other side is known now."""
        self._frames.widen(MOST)

    async def octets(self, count: int) -> bytes:
        """So many octets, before frames begin."""
        while len(self._raw) < count:
            await self._more()
        found = bytes(self._raw[:count])
        del self._raw[:count]
        return found

    def frame_now(self) -> tuple[bytes, bytes] | None:
        """The next whole frame if it is already here."""
        self._begin()
        found = self._frames.take()
        if found is None:
            self.partial = self.partial or (asyncio.get_running_loop().time() if self._frames.rest else 0.0)
        else:
            self.partial = 0.0
            if self._frames.rest < HIGH:
                self._let()
        return found

    async def frame(self) -> tuple[bytes, bytes]:
        """The next whole frame (`ConnectionResetError` when there will be none)."""
        while True:
            found = self.frame_now()
            if found is not None:
                return found
            self._let()
            await self._more()

    def write(self, data: bytes) -> None:
        """Send octets, or keep them for when the other side can take them."""
        if self._transport is not None and not self.gone:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the other side has caught up."""
        if self._open is not None:
            await self._open
        if self.gone:
            raise ConnectionResetError

    async def secure(self, context: ssl.SSLContext, *, server: bool, name: str = "") -> None:
        """Begin TLS. Octets that came before it are an attempt to slip them in, and are refused."""
        if self._raw or self._frames.rest or self._transport is None:
            raise invalid("Octets came before TLS had begun.")
        loop = asyncio.get_running_loop()
        try:
            made = await loop.start_tls(
                self._transport, self, context, server_side=server, server_hostname=None if server else name or None,
                ssl_handshake_timeout=10.0,
            )  # fmt: skip
        except (OSError, ssl.SSLError) as fault:
            raise RemitError(
                "upstream_tls", "TLS could not be begun.", "Check the certificate, the name and the authority."
            ) from fault
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
        self.gone = True
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _begin(self) -> None:
        if not self._framed:
            self._framed = True
            self._frames.feed(bytes(self._raw))
            self._raw.clear()

    async def _more(self) -> None:
        if self.gone:
            raise ConnectionResetError
        await self._come()
