"""ASGI as the gate uses it: a body with a limit, one JSON answer or one event stream."""

from collections.abc import Awaitable, Callable, MutableMapping
from enum import StrEnum
from typing import Any, Final

from remit.core.canonical import write
from remit.gateway.upstream.sse import Event

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

DRAIN: Final = 4
_JSON: Final = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_EVENTS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class Lost(StrEnum):
    """Why there is no body: it is too large, or the client left."""

    LARGE = "large"
    LEFT = "left"


async def body(scope: Scope, receive: Receive, limit: int) -> bytes | Lost:
    """Read a request's body of at most `limit` octets.

    Of a larger one up to `DRAIN` times as much is read and thrown away, so that the refusal is not lost in a reset.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    most = DRAIN * limit
    if len(length) > 15 or not length.isdigit() or int(length) > most:
        return Lost.LARGE
    message = await receive()
    data: bytes = message.get("body", b"")
    parts, size = [data], len(data)
    while message.get("more_body") and size <= most:
        message = await receive()
        data = message.get("body", b"")
        size += len(data)
        if size <= limit:
            parts.append(data)
    if message["type"] != "http.request":
        return Lost.LEFT
    return Lost.LARGE if size > limit else data if len(parts) == 1 else b"".join(parts)


class Outlet:
    """The one answer to one HTTP request: JSON at once, or events as they come. Answers once."""

    __slots__ = ("_send", "closed", "headers", "streaming")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.headers: list[Header] = []
        self.streaming = False
        self.closed = False

    async def answer(self, status: int, data: bytes, last: Event | None = None) -> None:
        """Send a JSON body and be done; on a stream that has begun, send it as its last event."""
        if self.closed:
            return
        if self.streaming:
            event = Event(data, id=last.id if last else None)
            self.closed = True
            await self._send({"type": "http.response.body", "body": event.encode(), "more_body": False})
            return
        self.closed = True
        length = (b"content-length", str(len(data)).encode())
        kind = _JSON if data else _JSON[1:]
        await self._send({"type": "http.response.start", "status": status, "headers": [*kind, length, *self.headers]})
        await self._send({"type": "http.response.body", "body": data})

    async def say(self, status: int, value: Any) -> None:
        """Send a value as JSON."""
        await self.answer(status, write(value))

    async def open(self) -> None:
        """Begin the event stream."""
        if not self.streaming and not self.closed:
            self.streaming = True
            await self._send({"type": "http.response.start", "status": 200, "headers": [*_EVENTS, *self.headers]})
            await self._send({"type": "http.response.body", "body": b"", "more_body": True})

    async def event(self, event: Event) -> None:
        """Send one event, beginning the stream if need be."""
        await self.open()
        if not self.closed:
            await self._send({"type": "http.response.body", "body": event.encode(), "more_body": True})

    async def end(self) -> None:
        """End the stream."""
        if self.streaming and not self.closed:
            self.closed = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
