"""The leg to a target over Streamable HTTP: one request upstream, one JSON answer or one event stream back."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from remit.core.canonical import Json, write
from remit.core.errors import RemitError
from remit.core.resource import Upstream
from remit.gateway.enforce import Ended, Event, Expired
from remit.gateway.mcp import headers as heads
from remit.gateway.mcp.headers import MODERN
from remit.gateway.mcp.message import Wrong
from remit.gateway.serve.exchange import SAME, TO_LEGACY, Carrier, Exchange
from remit.gateway.serve.session import PARKED, Contact
from remit.gateway.upstream import origin, sse, tls
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.oauth.admission import Admission
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Outcome, Reply

ERA_S = 60.0


@dataclass(slots=True)
class Line:
    """A legacy session that the gate holds with a server for a modern client's task."""

    upstream: str
    version: str
    greeting: dict[str, Json]
    contact: Contact = field(default_factory=Contact)


class Target:
    """One registered HTTP upstream: its connections, and what was learned of the revisions that it speaks."""

    def __init__(self, upstream: Upstream, patience: float) -> None:
        place, self.path = origin.parse(upstream.url)
        context = tls.context() if place.scheme == "https" else None
        self.upstream = upstream
        self.pool = Pool(place, tls=context, head_timeout=patience)
        self.admission = Admission(upstream)
        self.contact = Contact()
        self.lines: dict[str, Line] = {}
        self._modern: bool | None = True if upstream.modern else None
        self._learned = 0.0

    def modern(self, now: float) -> bool | None:
        """Whether the server speaks the modern revision; None when that is not known, or not any more."""
        if self._modern is False and now - self._learned > ERA_S:
            return None
        return self._modern

    def learn(self, *, modern: bool, now: float) -> None:
        """Note which revision the server speaks."""
        self._modern, self._learned = modern, now

    def forget(self, line: Line) -> None:
        """Drop a line that the server does not know any more: the next message opens another."""
        self.lines = {task: held for task, held in self.lines.items() if held is not line}

    def close(self) -> None:
        """Cut its connections."""
        self.pool.close()
        self.admission.close()


def carrier(target: Target, line: Line | None = None, method: bytes = b"POST") -> Carrier:
    """What carries an exchange to this target, in a line of the gate's own when there is one."""
    return partial(_carry, target, line, method)


async def _carry(target: Target, line: Line | None, method: bytes, exchange: Exchange) -> Event | None:
    authority, permit = exchange.gate.authority, exchange.permit
    if permit is None:
        return Expired()
    if not permit.at(target.upstream):
        what = "The resource was registered anew while this was asked; ask again."
        return exchange.broken("resource_moved", what, "not_sent")
    body = b"" if method in (b"GET", b"DELETE") else exchange.outgoing()
    exchange.sent = True
    fixed, key = _headers(exchange, line, method), exchange.lent.key

    def send(shown: Sequence[tuple[bytes, bytes]]) -> Awaitable[Outcome]:
        return target.pool.request(
            method, target.path, [*fixed, *shown], body, idempotent=False, ready=lambda: authority.fresh(permit)
        )

    if key:
        try:
            outcome = await target.admission.send(key, method, send)
        except RemitError as fault:
            return exchange.broken(fault.code, fault.message, "error")
        exchange.lent = msgspec.structs.replace(exchange.lent, hidden=(*exchange.lent.hidden, *target.admission.hidden))
    else:
        outcome = await send(())
    if isinstance(outcome, Fault):
        if outcome.code is Trouble.LATE:
            return Expired()
        return exchange.broken(outcome.code.value, outcome.detail, "unknown" if outcome.sent else "not_sent")
    async with outcome:
        try:
            return await _answered(target, line, exchange, outcome)
        except RemitError as fault:
            return exchange.broken(
                fault.code, fault.message, "unknown" if fault.code.startswith("upstream") else "error"
            )


def _headers(exchange: Exchange, line: Line | None, method: bytes) -> list[tuple[bytes, bytes]]:
    if method == b"GET":
        made = [(b"accept", b"text/event-stream")]
    else:
        made = [(b"accept", b"application/json, text/event-stream"), (b"content-type", b"application/json")]
    session, message = exchange.session, exchange.message
    if line is not None:
        made.append((b"mcp-protocol-version", line.version.encode()))
        if line.upstream:
            made.append((b"mcp-session-id", line.upstream.encode()))
    elif exchange.modern or exchange.mode != SAME:
        if exchange.mode != TO_LEGACY:
            made += heads.onward(message, _repeated(exchange))
    elif session is not None and message.method != "initialize":
        made.append((b"mcp-protocol-version", session.version.encode()))
        if session.upstream:
            made.append((b"mcp-session-id", session.upstream.encode()))
    return [*made, *exchange.headers, *exchange.lent.headers]


def _repeated(exchange: Exchange) -> heads.Repeated:
    name = exchange.message.params.get("name")
    return exchange.contact.repeated.get(name, ()) if type(name) is str else ()


async def _answered(target: Target, line: Line | None, exchange: Exchange, reply: Reply) -> Event | None:
    kind = (reply.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    status, message = reply.status, exchange.message
    exchange.status = status
    if status in (401, 403) or status >= 500 or 300 <= status < 400:
        return exchange.broken("upstream_rejected", f"The server answered with status {status}.", "error")
    if status == 404 and line is not None:
        target.forget(line)
    if message.method == "initialize" or line is not None:
        exchange.upstream_session = (reply.header(b"mcp-session-id") or b"").decode("latin-1")
    if kind == b"text/event-stream" and status == 200:
        return await _stream(target, line, exchange, reply)
    data = await reply.read(exchange.gate.settings.answer)
    if message.id is None:
        if message.method == "GET" and status != 405:
            return exchange.broken("upstream_garbage", "The server gave no stream.", "error")
        exchange.data = b""
        return Ended({"result": "ok" if status < 400 else "error", "bytes": len(data)})
    if not data:
        return exchange.broken(
            "upstream_garbage", f"The server answered with status {status} and nothing else.", "error"
        )
    found = exchange.gate.read(data)
    if isinstance(found, Wrong) or found.method or (found.id != message.id and "error" not in found.body):
        return exchange.broken("upstream_garbage", "The server's answer is no response to this request.", "error")
    return await exchange.settle(found, status)


async def _stream(  # noqa: C901 - each way that a stream can end stands beside the others
    target: Target, line: Line | None, exchange: Exchange, reply: Reply
) -> Event | None:
    reader = sse.Reader(exchange.gate.settings.answer)
    resumable = False

    async def back(body: dict[str, Json]) -> None:
        await _tell(target, line, exchange, body)

    if exchange.message.method == "GET" and exchange.out is not None:
        exchange.gate.observe(exchange)
        await exchange.out.open()
    try:
        async for chunk in reply:
            for event in reader.feed(chunk):
                resumable = resumable or bool(event.id)
                ended = await exchange.heard(event, back)
                if ended is not None:
                    reply.close()
                    return ended
    except asyncio.CancelledError:
        if exchange.stopped == "left" and resumable and _park(exchange):
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return None
        raise
    except RemitError as fault:
        if not (resumable and fault.code == Trouble.CLOSED.value):
            raise
    if exchange.message.id is None:
        return Ended({"result": "ok"})
    if resumable and _park(exchange):
        return None
    return exchange.broken("upstream_closed", "The server's stream ended without a response.", "unknown")


def _park(exchange: Exchange) -> bool:
    """Keep a legacy call whose stream ended: its response comes on the stream that the client resumes."""
    session = exchange.session
    if session is None or exchange.modern or exchange.message.id is None or len(session.parked) >= PARKED:
        return False
    session.parked[exchange.message.id] = exchange
    return True


async def _tell(target: Target, line: Line | None, exchange: Exchange, body: dict[str, Json]) -> None:
    """Tell a server that its request was refused; the client never saw it."""
    shown = target.admission.shown(exchange.lent.key, b"POST")
    headers = [*_headers(exchange, line, b"POST"), *shown]
    outcome = await target.pool.request(b"POST", target.path, headers, write(body))
    if isinstance(outcome, Reply):
        outcome.close()


def version(greeting: Json) -> str:
    """The revision that a server chose in `initialize`, if it is one of ours."""
    chosen = greeting.get("protocolVersion") if type(greeting) is dict else None
    return chosen if type(chosen) is str and chosen in heads.LEGACY else ""


__all__ = ["MODERN", "Line", "Target", "carrier", "version"]
