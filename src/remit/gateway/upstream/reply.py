"""One reply of an upstream: its head at once, its body whole or as a stream with backpressure."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Final, Protocol, Self

from remit.gateway.upstream.fault import Fault, Trouble

HIGH: Final = 256 * 1024
"""Octets held for a reader before the socket is no longer read."""
LOW: Final = 64 * 1024

Header = tuple[bytes, bytes]


class Wire(Protocol):
    """What a reply needs of the connection that it arrives on."""

    def slow(self) -> None:
        """Stop reading the socket."""

    def resume(self) -> None:
        """Read the socket again."""

    def abort(self) -> None:
        """Cut the connection now."""


class Reply:
    """Status, header fields and body of one reply; owned by whoever made the request.

    It is a context manager: leaving it cuts the connection if the body was not read to its end, so that a half-read
    connection is never used again. A 3xx is a reply like any other: nothing here follows it. Field names are lower
    case, values are the octets that came, content codings are left as they are.
    """

    __slots__ = ("_chunks", "_done", "_fault", "_held", "_waiter", "_wire", "headers", "status")

    def __init__(self, status: int, headers: list[Header], wire: Wire) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._done = False
        self._fault: Fault | None = None
        self._waiter: asyncio.Future[None] | None = None

    def header(self, name: bytes) -> bytes | None:
        """Give the value of a field that stands once; `upstream_garbage` is raised if it has two values."""
        found = {value for key, value in self.headers if key == name}
        if len(found) > 1:
            raise Fault(Trouble.GARBAGE, True, "The upstream sent one header field with two values.").error()
        return found.pop() if found else None

    @property
    def complete(self) -> bool:
        """Whether the whole body has arrived."""
        return self._done and self._fault is None

    async def read(self, limit: int) -> bytes:
        """Read the whole body, at most `limit` octets.

        Raises `upstream_too_large` past the limit, and `upstream_closed`, `upstream_timeout` or `upstream_garbage` when
        the body does not end as its head said; the connection is cut in each case.
        """
        if self._done and self._fault is None and self._held <= limit:
            body = b"".join(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
            self._chunks.clear()
            self._held = 0
            return body
        parts: list[bytes] = []
        size = 0
        async for chunk in self:
            size += len(chunk)
            if size > limit:
                self.close()
                raise Fault(Trouble.TOO_LARGE, True, f"The upstream's answer is larger than {limit} octets.").error()
            parts.append(chunk)
        return b"".join(parts)

    def __aiter__(self) -> "Reply":
        """Iterate over the body's pieces as they arrive; see `read` for what is raised."""
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._fault is not None:
                raise self._fault.error()
            if self._done:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.close()
                raise
            finally:
                self._waiter = None
        chunk = self._chunks.popleft()
        before, self._held = self._held, self._held - len(chunk)
        if self._held <= LOW < before and not self._done:
            self._wire.resume()
        return chunk

    def close(self) -> None:
        """Drop what was not read; cut the connection unless the body had already arrived whole."""
        self._chunks.clear()
        self._held = 0
        if not self._done:
            self.fail(Fault(Trouble.CLOSED, True, "The reply was closed before its end."))
            self._wire.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The connection's side.

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the body; asks the wire to slow down when too much waits."""
        self._chunks.append(chunk)
        self._held += len(chunk)
        if self._held > HIGH:
            self._wire.slow()
        self._wake()

    def finish(self) -> None:
        """Note that the body is whole."""
        self._done = True
        self._wake()

    def fail(self, fault: Fault) -> None:
        """Note that the body will not become whole; what arrived can still be iterated over."""
        if not self._done:
            self._done = True
            self._fault = fault
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


Outcome = Reply | Fault
