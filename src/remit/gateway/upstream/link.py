"""One connection of a pool: writes a request, reads one reply strictly, and is used again only if all octets add up."""

import asyncio
import socket
from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from remit.core.errors import RemitError
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.reply import Header, Outcome, Reply

HEAD_CAP: Final = 64 * 1024
"""Octets that a reply's head may have, interim replies and trailers counted as well."""

_JOIN: Final = 64 * 1024
_IDLE, _HEAD, _BODY, _DONE, _LOST = range(5)
_NEVER: Final = float("inf")


class Owner(Protocol):
    """What a link needs of its pool. Times are seconds."""

    head_timeout: float
    idle_timeout: float
    keep: float

    def release(self, link: "Link") -> None:
        """Take back a link that is clean and can carry the next request."""

    def gone(self, link: "Link") -> None:
        """Forget a link whose connection has ended."""


class Link(asyncio.Protocol):
    """A connection to one upstream, owned by its pool; carries one exchange at a time.

    `warm` says whether it has carried an exchange, `heard` whether any octet came back for the request under way,
    `deadline` (loop time, seconds) when the pool's sweep gives up on it.
    """

    __slots__ = (
        "_answer",
        "_big",
        "_bodyless",
        "_dry",
        "_eof",
        "_fed",
        "_headers",
        "_keep",
        "_length",
        "_loop",
        "_octets",
        "_owner",
        "_parser",
        "_paused",
        "_reply",
        "_state",
        "_to_end",
        "_transfer",
        "_transport",
        "deadline",
        "heard",
        "warm",
    )

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Outcome] | None = None
        self._reply: Reply | None = None
        self._headers: list[Header] = []
        self._length: bytes | None = None
        self._transfer: bytes | None = None
        self._octets = self._dry = 0
        self._state = _IDLE
        self._bodyless = self._to_end = self._keep = self._paused = self._fed = self._eof = self._big = False
        self.heard = False
        self.warm = False
        self.deadline = _NEVER

    # The pool's side.

    @property
    def usable(self) -> bool:
        """Whether the link is idle on a connection that still stands."""
        return self._state == _IDLE and self._transport is not None and not self._transport.is_closing()

    def send(self, head: bytes, body: bytes, *, bodyless: bool) -> asyncio.Future[Outcome]:
        """Write a request; the future gives a `Reply` when its head is in, or a `Fault`. Only on a usable link."""
        transport = self._transport
        if transport is None or self._state != _IDLE:
            raise RemitError("internal", "A connection was used twice at once.", "Report this as a defect of Remit.")
        self._state = _HEAD
        self._bodyless = bodyless
        self._headers = []
        self._length = self._transfer = None
        self._octets = 0
        self.heard = False
        self.deadline = self._loop.time() + self._owner.head_timeout
        answer: asyncio.Future[Outcome] = self._loop.create_future()
        self._answer = answer
        self._big = len(body) > _JOIN
        if self._big:
            transport.write(head)
            transport.write(body)
        else:
            transport.write(head + body)
        return answer

    def expire(self) -> None:
        """Give up: the deadline has passed."""
        if self._state in (_HEAD, _BODY):
            what = "head of its reply" if self._state == _HEAD else "body of its reply"
            self._give_up(Fault(Trouble.TIMEOUT, True, f"The upstream did not send the {what} in time."))
        else:
            self.abort()

    def abort(self) -> None:
        """Cut the connection now; an exchange under way ends as `upstream_closed`."""
        if self._transport is not None:
            self._transport.abort()

    # The reply's side.

    def slow(self) -> None:
        """Stop reading until `resume`; what nobody reads for the idle time is cut."""
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self.deadline = self._loop.time() + self._owner.idle_timeout
            self._transport.resume_reading()

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport; small requests must not wait for a delayed acknowledgement."""
        self._transport = transport  # type: ignore[assignment]  # create_connection gives a full transport
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Parse; decide whether the connection is still in step."""
        if self._state == _IDLE:
            self.abort()  # nobody asked: an answer in advance would be taken for the next request's
            return
        self.heard = True
        self._fed = False
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if self._state != _DONE:
                self._give_up(Fault(Trouble.GARBAGE, True, "The upstream's answer is not well-formed HTTP/1.1."))
            else:
                self.abort()
            return
        if self._state == _DONE:
            self._settle()
        elif self._state == _HEAD:
            self._count(len(data))
        elif self._state == _BODY:
            self.deadline = self._loop.time() + self._owner.idle_timeout
            self._dry = 0 if self._fed else self._dry + len(data)
            if self._dry > HEAD_CAP:
                self._give_up(Fault(Trouble.GARBAGE, True, "The upstream sends framing without content."))

    def eof_received(self) -> None:
        """Note an orderly end; the transport closes itself."""
        self._eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was under way."""
        state, self._state = self._state, _LOST
        self.deadline = _NEVER
        if state == _HEAD and self._answer is not None and not self._answer.done():
            self._answer.set_result(
                Fault(Trouble.CLOSED, True, "The upstream closed the connection before it had answered.")
            )
        elif state == _BODY and self._reply is not None:
            if self._to_end and self._eof and exc is None:
                self._reply.finish()
            else:
                self._reply.fail(
                    Fault(Trouble.CLOSED, True, "The upstream closed the connection in the middle of its answer.")
                )
        self._answer = self._reply = None
        self._owner.gone(self)

    # The parser's side. What is raised here ends the parse as an HttpParserError.

    def on_message_begin(self) -> None:
        """Refuse a second reply to one request."""
        if self._state != _HEAD:
            raise _garbage()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field; trailers are dropped (RFC 9110 section 6.5.1)."""
        if self._state != _HEAD:
            return
        self._octets += len(name) + len(value) + 4
        if self._octets > HEAD_CAP:
            raise _garbage()
        name = name.lower()
        if name == b"content-length":
            if self._length is not None or not value.isdigit() or len(value) > 15:
                raise _garbage()
            self._length = value
        elif name == b"transfer-encoding":
            if self._transfer is not None:
                raise _garbage()
            self._transfer = value
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the framing (RFC 9112 section 6) and hand the reply over; interim replies are passed by."""
        status = self._parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101 or self._length is not None or self._transfer is not None:
                raise _garbage()
            self._headers = []
            return
        if self._state != _HEAD or self._answer is None or self._answer.done() or status > 599:
            raise _garbage()
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise _garbage()
        empty = self._bodyless or status in (204, 304)
        if self._transfer is not None and (
            self._length is not None
            or status == 204
            or self._transfer.strip().lower() != b"chunked"
            or version != "1.1"
        ):
            raise _garbage()
        self._to_end = not empty and self._length is None and self._transfer is None
        self._keep = not self._bodyless and not self._to_end and self._parser.should_keep_alive()
        self._dry = 0
        self._state = _BODY
        self.deadline = self._loop.time() + self._owner.idle_timeout
        reply = self._reply = Reply(status, self._headers, self)
        self._answer.set_result(reply)
        if self._bodyless:
            # The parser does not know that this was a HEAD, so the connection is not used again.
            self.on_message_complete()

    def on_body(self, chunk: bytes) -> None:
        """Pass a piece of the body on."""
        if self._state != _BODY or self._reply is None:
            raise _garbage()
        self._fed = True
        self._reply.feed(chunk)

    def on_message_complete(self) -> None:
        """Note the end of a final reply."""
        if self._state == _BODY and self._reply is not None:
            self._state = _DONE
            self._reply.finish()

    # Inside.

    def _settle(self) -> None:
        transport = self._transport
        self._answer = self._reply = None
        if (
            not self._keep
            or transport is None
            or transport.is_closing()
            or (self._big and transport.get_write_buffer_size())
        ):
            self.abort()
            return
        self.resume()
        self.warm = True
        self._state = _IDLE
        self.deadline = self._loop.time() + self._owner.keep
        self._owner.release(self)

    def _count(self, size: int) -> None:
        self._octets += size
        if self._octets > 2 * HEAD_CAP:
            self._give_up(Fault(Trouble.GARBAGE, True, "The head of the upstream's answer is too large."))

    def _give_up(self, fault: Fault) -> None:
        state, self._state = self._state, _LOST
        if state == _HEAD and self._answer is not None and not self._answer.done():
            self._answer.set_result(fault)
        elif self._reply is not None:
            self._reply.fail(fault)
        self._answer = self._reply = None
        self.abort()


def _garbage() -> RemitError:
    return Fault(Trouble.GARBAGE, True, "The upstream's answer is not well-formed HTTP/1.1.").error()
