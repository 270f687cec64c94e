"""HTTP/1.1 as a server speaks it on one line, by h11: requests as ASGI scopes, answers as ASGI messages."""

import asyncio
from collections.abc import MutableMapping
from http.client import responses
from typing import Any, Final

import h11

from remit.gateway.serve.asgi import Scope
from remit.gateway.serve.line import Line

TALK: Final = "remit.talk"
"""Where a request's scope holds the talk that it came in: who has it may take the line over."""
HEAD: Final = 64 * 1024
"""Octets that a request's head may have."""
CHUNK: Final = 64 * 1024
REQUEST_S: Final = 20.0
"""Seconds that a request may take to arrive, head and body."""
IDLE_S: Final = 60.0
"""Seconds that a line may be silent between two requests."""


class Talk:
    """One conversation on a line; owned by its client. `next` and then `receive` and `send`, as often as they come."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._conn = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        self._until = 0.0

    async def next(self) -> Scope | None:
        """The head of the next request as a scope; None when there is none, or the line cannot carry another.

        Raises h11.RemoteProtocolError for what is no HTTP, TimeoutError for what does not arrive in time.
        """
        if self._conn.our_state is h11.DONE:
            while self._conn.their_state is h11.SEND_BODY:
                if self._conn.next_event() is h11.NEED_DATA:
                    return None  # a body that nobody wants any more: the line ends here
            if self._conn.their_state is not h11.DONE:
                return None
            self._conn.start_next_cycle()
        if self._conn.our_state is not h11.IDLE:
            return None
        loop = asyncio.get_running_loop()
        self._until = loop.time() + IDLE_S
        begun = False
        while (event := self._conn.next_event()) is h11.NEED_DATA:
            data = await self._within()
            if not begun:
                self._until, begun = min(self._until, loop.time() + REQUEST_S), True
            self._conn.receive_data(data)
        if not isinstance(event, h11.Request):
            return None
        if not begun:
            self._until = loop.time() + REQUEST_S
        path, _, query = event.target.partition(b"?")
        return {
            "type": "http",
            "method": event.method.decode("latin-1"),
            "target": event.target.decode("latin-1"),
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": list(event.headers),
            TALK: self,
        }

    async def receive(self) -> MutableMapping[str, Any]:
        """A piece of the body; once it has come whole, that the client has left, when it has."""
        if self._conn.their_state not in (h11.SEND_BODY, h11.IDLE):
            await asyncio.shield(self.line.gone)
            return {"type": "http.disconnect"}
        if self._conn.they_are_waiting_for_100_continue:
            await self._say(h11.InformationalResponse(status_code=100, headers=[]))
        while (event := self._conn.next_event()) is h11.NEED_DATA:
            data = await self._within()
            if not data:
                return {"type": "http.disconnect"}
            self._conn.receive_data(data)
        if isinstance(event, h11.Data):
            return {"type": "http.request", "body": bytes(event.data), "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Say an ASGI message. Raises ConnectionResetError when the line is gone."""
        if message["type"] == "http.response.start":
            status = message["status"]
            reason = responses.get(status, "").encode()
            await self._say(h11.Response(status_code=status, headers=message["headers"], reason=reason))
            return
        body = message.get("body", b"")
        for start in range(0, len(body), CHUNK):
            await self._say(h11.Data(data=body[start : start + CHUNK]))
        if not message.get("more_body", False):
            await self._say(h11.EndOfMessage())

    async def upgrade(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Take an upgrade to WebSocket; from here on the octets are its. What of them has come already."""
        more = [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), *headers]
        await self._say(h11.InformationalResponse(status_code=101, headers=more))
        return bytes(self._conn.trailing_data[0])

    async def switch(self) -> None:
        """Answer CONNECT: from here on the octets are the tunnel's."""
        await self._say(h11.Response(status_code=200, headers=[], reason=b"Connection established"))

    @property
    def slipped(self) -> bool:
        """Whether octets came behind a request that they were to wait for."""
        return bool(self._conn.trailing_data[0])

    @property
    def answered(self) -> bool:
        """Whether an answer to this request has begun."""
        return self._conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE)

    async def _say(self, event: Any) -> None:
        try:
            data = self._conn.send(event)
        except h11.LocalProtocolError:
            raise ConnectionResetError from None
        if data:
            await self.line.write(data)

    async def _within(self) -> bytes:
        async with asyncio.timeout_at(self._until):
            return await self.line.read()
