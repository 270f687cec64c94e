"""The relay: what a command reaches the gates by. It alone holds the credential, and puts in the one of the moment.

It listens on this machine only, and lets nobody in who does not show its key. When the run dies it is gone, and with
it the only way that the command had.
"""

import asyncio
import base64
import contextlib
import hmac
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HEAD: Final = 64 * 1024
HEAD_S: Final = 30
DIAL_S: Final = 10
PIECE: Final = 64 * 1024
_OWN: Final = frozenset(
    {b"authorization", b"connection", b"dpop", b"host", b"proxy-authorization", b"proxy-connection"}
)


@dataclass(frozen=True, slots=True)
class Node:
    """Where the gates are: the host and port of the node, TLS towards it if it speaks that, its name and port."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    name: str


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a request."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def one(self, name: bytes) -> bytes:
        """The value of a field that stands there once, else nothing."""
        found = [value for given, value in self.fields if given.lower() == name]
        return found[0] if len(found) == 1 else b""

    def written(self, *more: tuple[bytes, bytes]) -> bytes:
        """The lines again, with these fields in the place of what is ours to say; a WebSocket is still asked for."""
        kept = [(name, value) for name, value in self.fields if name.lower() not in _OWN]
        ends = b"upgrade" if self.one(b"upgrade").lower() == b"websocket" else b"close"
        lines = [b"%s: %s" % pair for pair in (*more, *kept, (b"Connection", ends))]
        return b"%s %s HTTP/1.1\r\n" % (self.method, self.target) + b"\r\n".join(lines) + b"\r\n\r\n"


class Relay:
    """Owned by one run: made with its sockets bound, `start`ed once the command has begun, `stop`ped at its end."""

    def __init__(self, node: Node, key: str, forward: int = 0) -> None:
        self.credential = ""
        self._node, self._key, self._forward = node, key.encode(), forward
        self._gates, self._proxy = _bound(), _bound() if forward else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._over = asyncio.Event()

    @property
    def base(self) -> str:
        """Where the gates are for the command."""
        return f"http://127.0.0.1:{self._gates.getsockname()[1]}"

    @property
    def proxy(self) -> str:
        """Where the proxy is for the command, with its key; empty when the node has none."""
        if self._proxy is None:
            return ""
        return f"http://remit:{self._key.decode()}@127.0.0.1:{self._proxy.getsockname()[1]}"

    def start(self) -> None:
        """Take connections from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Cut everything."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(5)
        self._gates.close()
        if self._proxy is not None:
            self._proxy.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        def taking(part: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> Callable[..., None]:
            def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.ensure_future(_whole(part, reader, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            return take

        servers = [await asyncio.start_server(taking(self._gate), sock=self._gates, limit=HEAD)]
        if self._proxy is not None:
            servers.append(await asyncio.start_server(taking(self._tunnel), sock=self._proxy, limit=HEAD))
        await self._over.wait()
        for server in servers:
            server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _gate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _head(reader)
        if head is None or not head.target.startswith((b"/mcp/", b"/http/")):
            return _say(writer, 404, b"not_found")
        if not hmac.compare_digest(head.one(b"authorization"), b"Bearer " + self._key):
            return _say(writer, 401, b"credential_missing")
        more = (b"Host", self._node.name.encode()), (b"Authorization", b"Bearer " + self.credential.encode())
        return await self._pass(reader, writer, head.written(*more), self._node.port)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _head(reader)
        mine = b"Basic " + base64.b64encode(b"remit:" + self._key)
        if head is None or not hmac.compare_digest(head.one(b"proxy-authorization"), mine):
            return _say(writer, 407, b"credential_missing", b'Proxy-Authenticate: Basic realm="remit"\r\n')
        theirs = b"Basic " + base64.b64encode(b"remit:" + self.credential.encode())
        kept = [(name, value) for name, value in head.fields if name.lower() in (b"host", b"authorization")]
        return await self._pass(reader, writer, head.written((b"Proxy-Authorization", theirs), *kept), self._forward)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, port: int) -> None:
        try:
            dial = asyncio.open_connection(self._node.host, port, ssl=self._node.tls)
            back, out = await asyncio.wait_for(dial, DIAL_S)
        except OSError:
            return _say(writer, 502, b"server_unreachable")
        try:
            out.write(head)
            await out.drain()
            ways = {asyncio.ensure_future(_pump(reader, out)), asyncio.ensure_future(_pump(back, writer))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            out.close()
        return None


def _bound() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(128)
    return found


async def _whole(
    part: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """One connection from the command; what goes wrong on it ends it, and nothing else."""
    try:
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            await part(reader, writer)  # type: ignore[misc]
            await writer.drain()
    finally:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> Head | None:
    text = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_S)
    first, *lines = text[:-4].split(b"\r\n")
    words = first.split(b" ")
    pairs = [line.partition(b":") for line in lines]
    if len(words) != 3 or words[2] != b"HTTP/1.1" or not all(mark and name.strip() == name for name, mark, _ in pairs):
        return None
    return Head(words[0], words[1], tuple((name, value.strip()) for name, _, value in pairs))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()


def _say(writer: asyncio.StreamWriter, status: int, code: bytes, more: bytes = b"") -> None:
    body = b'{"code": "%s", "message": "Said by remit run.", "remedy": "Use what it gave."}' % code
    head = b"HTTP/1.1 %d Refused\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n"
    writer.write(head % (status, len(body), more) + body)
