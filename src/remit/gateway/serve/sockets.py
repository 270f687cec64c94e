"""A WebSocket through a gate: the upgrade upstream once it is permitted, and then whole messages both ways.

Every message is read and written anew: what a target sends is cleaned of what was lent, and nothing passes that is no
WebSocket. No extension is offered, so nothing is compressed. One message at a time is held for each direction, of a
bounded size, and whoever sends waits for whoever reads.
"""

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import h11
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage

from remit.core.errors import RemitError
from remit.gateway.api.fields import Field
from remit.gateway.serve.line import Line
from remit.gateway.serve.talk import HEAD, Talk
from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.pool import Pool

MOST: Final = 64
"""How many WebSockets may be open with one API."""
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOLD_S: Final = 0.5
"""How long a client that is cut has to take what was sent before."""
_ENDED, _LARGE, _GONE = 1008, 1009, 1001


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants: its key, and the subprotocols that it would speak."""

    key: bytes
    protocols: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A WebSocket that the target took: its line, what came on it already, the subprotocol that it chose."""

    line: Line
    rest: bytes = field(repr=False)
    protocol: bytes = b""


@dataclass(frozen=True, slots=True)
class Declined:
    """The target's other answer."""

    status: int
    headers: list[Field]
    body: bytes = field(repr=False)


def wanted(given: Sequence[Field]) -> Wanted | None:
    """Read an upgrade to WebSocket (RFC 6455 section 4.2.1); None where none is asked for.

    Refuses one that is asked for in another way (`upgrade_refused`).
    """
    named = [(name, value.strip()) for name, value in given]
    upgrades = [value.lower() for name, value in named if name == b"upgrade"]
    if not upgrades:
        return None
    kept = b",".join(value.lower() for name, value in named if name == b"connection")
    keys = [value for name, value in named if name == b"sec-websocket-key"]
    versions = [value for name, value in named if name == b"sec-websocket-version"]
    offered = b",".join(value for name, value in named if name == b"sec-websocket-protocol")
    whole = len(keys) == 1 and _key(keys[0])
    if upgrades != [b"websocket"] or b"upgrade" not in map(bytes.strip, kept.split(b",")) or versions != [b"13"]:
        raise _refused("This upgrade is none to WebSocket, version 13.")
    if not whole:
        raise _refused("This upgrade has no plain key.")
    return Wanted(keys[0], tuple(one.strip() for one in offered.split(b",") if one.strip()))


async def opened(
    pool: Pool, target: bytes, headers: Sequence[Field], want: Wanted, ready: Callable[[], bool], most: int
) -> Opened | Declined | Fault:
    """Ask the target for a WebSocket. `ready` is asked just before the first octet goes out."""
    line = await pool.dial(lambda: Line(_nobody, _nobody))
    if isinstance(line, Fault):
        return line
    if not ready():
        line.abort()
        return Fault(Trouble.LATE, False, "What allowed this request was too old before it could be sent.")
    conn, key = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD), base64.b64encode(secrets.token_bytes(16))
    ours = [
        (b"host", pool.origin.authority.encode()), (b"upgrade", b"websocket"), (b"connection", b"upgrade"),
        (b"sec-websocket-key", key), (b"sec-websocket-version", b"13"),
    ]  # fmt: skip
    if want.protocols:
        ours.append((b"sec-websocket-protocol", b", ".join(want.protocols)))
    try:
        await line.write(conn.send(h11.Request(method=b"GET", target=target, headers=[*ours, *headers])))
        await line.write(conn.send(h11.EndOfMessage()))
        async with asyncio.timeout(pool.head_timeout):
            return await _answer(conn, line, key, want, most)
    except TimeoutError:
        line.abort()
        return Fault(Trouble.TIMEOUT, True, "The upstream did not answer in time.")
    except (h11.ProtocolError, ConnectionResetError):
        line.abort()
        return Fault(Trouble.GARBAGE, True, "The upstream's answer is not well-formed HTTP/1.1.")
    except BaseException:
        line.abort()
        raise


async def _answer(conn: h11.Connection, line: Line, key: bytes, want: Wanted, most: int) -> Opened | Declined | Fault:
    status, headers, body = 0, list[Field](), b""
    while True:
        event = conn.next_event()
        if event is h11.NEED_DATA:
            data = await line.read()
            conn.receive_data(data)
        elif isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            found = dict(event.headers)
            protocol = found.get(b"sec-websocket-protocol", b"")
            true = found.get(b"sec-websocket-accept", b"") == accept(key) and b"sec-websocket-extensions" not in found
            if not true or found.get(b"upgrade", b"").lower() != b"websocket" or protocol not in (b"", *want.protocols):
                line.abort()
                return Fault(Trouble.GARBAGE, True, "The upstream took the WebSocket in a way that was not asked for.")
            return Opened(line, conn.trailing_data[0], protocol)
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if len(body) > most:
                line.abort()
                return Fault(Trouble.TOO_LARGE, True, f"The upstream's answer is larger than {most} octets.")
        elif isinstance(event, h11.EndOfMessage):
            line.abort()
            return Declined(status, headers, body)
        elif not isinstance(event, h11.InformationalResponse):
            raise ConnectionResetError


async def passed(
    talk: Talk, found: Opened, want: Wanted, clean: Callable[[bytes], Awaitable[bytes]], bounds: tuple[int, int]
) -> tuple[int, int]:
    """Take the client's upgrade, and pass messages until one side ends; the octets that went up and came down.

    `bounds` are the largest message up and down. Cancelled, both sides are cut, the client after it was told why.
    """
    chosen = [(b"sec-websocket-protocol", found.protocol)] if found.protocol else []
    rest = await talk.upgrade([(b"sec-websocket-accept", accept(want.key)), *chosen])
    client = Side(talk.line, Connection(ConnectionType.SERVER, trailing_data=rest))
    target = Side(found.line, Connection(ConnectionType.CLIENT, trailing_data=found.rest))
    up = asyncio.create_task(_pass(client, target, _whole, bounds[0]))
    down = asyncio.create_task(_pass(target, client, clean, bounds[1]))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        # Whoever closed was answered; the other side has been told, and has a moment to answer.
        await asyncio.wait((up, down), timeout=1.0)
    except asyncio.CancelledError:
        client.tell(_ENDED, "what allowed this has ended")
        # Who takes nothing keeps nothing either: what waits for it in vain is not sent later.
        asyncio.get_running_loop().call_later(_TOLD_S, talk.line.abort)
        raise
    finally:
        for one in (up, down):
            one.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        found.line.abort()
    return client.octets, target.octets


@dataclass(slots=True)
class Side:
    """One end of it: its line, its state, and how much came from it."""

    line: Line
    ws: Connection
    octets: int = 0

    async def say(self, event: Message[Any] | CloseConnection | Ping) -> None:
        """Send, and wait while it is slow; nothing to one that has closed."""
        if self.ws.state is ConnectionState.OPEN or (
            isinstance(event, CloseConnection) and self.ws.state is ConnectionState.REMOTE_CLOSING
        ):
            await self.line.write(self.ws.send(event))

    def tell(self, code: int, why: str) -> None:
        """Send why it is closed, without waiting."""
        if self.ws.state is ConnectionState.OPEN:
            self.line.tell(self.ws.send(CloseConnection(code=code, reason=why)))


async def _whole(data: bytes) -> bytes:
    """What goes to the target goes as it came."""
    return data


async def _pass(come: Side, go: Side, clean: Callable[[bytes], Awaitable[bytes]], most: int) -> None:
    """Pass one direction's messages, each whole, until it closes."""
    # One text that grows: a list of pieces without end, each of nothing, would hold more than they weigh.
    held, size = bytearray(), 0
    while True:
        for event in come.ws.events():
            if isinstance(event, Message):
                data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                held += data
                size += len(data)
                if size > most:
                    await _close(come, go, CloseConnection(code=_LARGE, reason="the message is too large"))
                    return
                if event.message_finished:
                    come.octets += size
                    await go.say(_message(await clean(bytes(held)), text=isinstance(event, TextMessage)))
                    held, size = bytearray(), 0
            elif isinstance(event, Ping):
                await come.line.write(come.ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                reason = (await clean((event.reason or "").encode()))[:120].decode(errors="ignore")
                code = event.code if event.code not in (1005, 1006, 1015) else 1000
                await _close(come, go, CloseConnection(code=code, reason=reason or None))
                return
        data = await come.line.read()
        if not data:
            await go.say(CloseConnection(code=_GONE))
            return
        if come.ws.state in (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING):
            come.ws.receive_data(data)


async def _close(come: Side, go: Side, why: CloseConnection) -> None:
    await go.say(why)
    await come.say(why)


def _message(data: bytes, *, text: bool) -> Message[Any]:
    return TextMessage(data=data.decode(errors="replace")) if text else BytesMessage(data=data)


def accept(key: bytes) -> bytes:
    """The answer to a key (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def _key(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False


def _nobody(_: Line) -> None:
    pass


def _refused(what: str) -> RemitError:
    return RemitError("upgrade_refused", what, "Upgrade to WebSocket alone, where the API describes one.")
