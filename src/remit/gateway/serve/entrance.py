"""The entrance of a gate of sockets: who comes has a seat from the first octet on, before TLS and while it begins."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from remit.gateway.serve.line import HANDSHAKE_S, SHUTDOWN_S, Line
from remit.gateway.serve.seats import Seats

WAITING: Final = 128
"""How many connections may wait to be taken."""
AGAIN_S: Final = 0.2
"""How long nothing is taken when the system has no more descriptors."""


class Entrance:
    """A listening socket. `admit` is called with each line once it can be read, `leave` when it is gone."""

    def __init__(
        self, seats: Seats, tls: ssl.SSLContext | None, admit: Callable[[Line], None], leave: Callable[[Line], None]
    ) -> None:
        self._seats = seats
        self._tls = tls
        self._admit = admit
        self._leave = leave
        self._task: asyncio.Task[None] | None = None
        self._coming: set[asyncio.Task[None]] = set()

    def open(self, listening: socket.socket) -> None:
        """Take connections from now on."""
        listening.setblocking(False)
        listening.listen(WAITING)
        self._task = asyncio.get_running_loop().create_task(self._take(listening))

    def close(self) -> None:
        """Take no more, and let go of who has not begun."""
        for one in (self._task, *self._coming):
            if one is not None:
                one.cancel()

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listening:
            while True:
                try:
                    conn, address = await loop.sock_accept(listening)
                except OSError:
                    await asyncio.sleep(AGAIN_S)
                    continue
                line = Line(self._admit, self._gone)
                if self._seats.enter(line, str(address[0])):
                    task = loop.create_task(self._begin(line, conn))
                    self._coming.add(task)
                    task.add_done_callback(self._coming.discard)
                    line.gone.add_done_callback(partial(_stop, task))
                else:
                    conn.close()

    async def _begin(self, line: Line, conn: socket.socket) -> None:
        """Make a line of it, under TLS where the gate speaks it."""
        secured = self._tls is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: line, conn, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S if secured else None,
                ssl_shutdown_timeout=SHUTDOWN_S if secured else None,
            )  # fmt: skip
        except (OSError, ssl.SSLError, asyncio.CancelledError):
            with contextlib.suppress(OSError):
                conn.close()
            self._gone(line)

    def _gone(self, line: Line) -> None:
        self._seats.leave(line)
        self._leave(line)


def _stop(task: asyncio.Task[None], _: Any) -> None:
    task.cancel()
