"""The doorway of our own TLS: who comes is counted from the first octet on, while the handshake is still under way.

uvicorn makes a connection only once TLS has begun, so that a client which never finishes would hold a place that nobody
counts. Here it is a stranger as at the other gates (`gateway/serve/seats`): an address has a bounded number of them,
each has ten seconds, and when all are taken the one who has waited longest goes. Then the door counts it.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, final

import uvicorn

from remit.gateway.serve.line import HANDSHAKE_S, SHUTDOWN_S
from remit.gateway.serve.seats import Seats

LOST: Final = "handshake_unfinished"
"""How a connection that never got through TLS is counted."""
AGAIN_S: Final = 0.2
"""How long nothing is taken when the system has no more descriptors."""


@final
class Knock:
    """A connection whose TLS has not begun yet."""

    __slots__ = ("conn", "task")

    def __init__(self, conn: socket.socket) -> None:
        self.conn = conn
        self.task: asyncio.Task[None] | None = None

    def abort(self) -> None:
        """End it now."""
        if self.task is not None:
            self.task.cancel()


class Served(uvicorn.Server):
    """uvicorn's server, which takes connections through the doorway where it speaks TLS itself."""

    def __init__(self, config: uvicorn.Config, most: int, refused: Counter[str], own: Callable[[str], bool]) -> None:
        """`most` may be in a handshake at once, `own` says which addresses are this machine's; who goes is counted."""
        super().__init__(config)
        self._seats = Seats(most, most)
        self._refused, self._own = refused, own
        self._takers: list[asyncio.Task[None]] = []
        self._knocks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        if self.config.ssl is None or sockets is None:
            await super().startup(sockets)
            return
        await super().startup([])
        for listening in sockets:
            listening.setblocking(False)
            listening.listen(self.config.backlog)
            self._takers.append(asyncio.get_running_loop().create_task(self._take(listening)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, let go of who has not begun, and let what is under way end."""
        for one in (*self._takers, *self._knocks):
            one.cancel()
        await asyncio.gather(*self._takers, *self._knocks, return_exceptions=True)
        await super().shutdown(sockets)

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # Taking one that waits already does not give way by itself, and a queue of them must not hold the loop.
            await asyncio.sleep(0)
            try:
                conn, address = await loop.sock_accept(listening)
            except OSError:
                await asyncio.sleep(AGAIN_S)
                continue
            peer = str(address[0])
            one = Knock(conn)
            # This machine's own are not counted by address, as at the door: a proxy in front is one of them.
            if not self._seats.enter(one, f"{peer} {address[1]}" if self._own(peer) else peer):
                self._refuse(conn)
                continue
            one.task = loop.create_task(self._begin(one))
            self._knocks.add(one.task)
            one.task.add_done_callback(self._knocks.discard)

    async def _begin(self, one: Knock) -> None:
        """Get through TLS, or go."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._door, one.conn, ssl=self.config.ssl, ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )  # fmt: skip
        except (OSError, ssl.SSLError, asyncio.CancelledError):
            self._refuse(one.conn)
        finally:
            self._seats.leave(one)

    def _refuse(self, conn: socket.socket) -> None:
        self._refused[LOST] += 1
        with contextlib.suppress(OSError):
            conn.close()

    def _door(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made
