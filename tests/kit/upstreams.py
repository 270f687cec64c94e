"""Real upstreams on loopback whose connections follow a script, and what the tests of the pool ask of them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from remit.core.errors import RemitError
from remit.gateway.upstream.origin import Origin
from remit.gateway.upstream.pool import Pool

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Upstream:
    """A real server whose connections follow a script; it keeps every request that came whole."""

    def __init__(self, script: Callable[["Upstream", Reader, Writer], Awaitable[None]]) -> None:
        self.script = script
        self.seen: list[bytes] = []
        self.connections = 0
        self.ended = 0

    async def take(self, reader: Reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        whole = head + await reader.readexactly(size)
        self.seen.append(whole)
        return whole

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self.script(self, reader, writer)
            self.ended += 1
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise


@contextlib.asynccontextmanager
async def upstream(script, *, context=None, scheme="http", **options):
    server = Upstream(script)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: Reader, writer: Writer) -> None:
        task = asyncio.create_task(server.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context, limit=1 << 20)
    port = listener.sockets[0].getsockname()[1]
    pool = Pool(Origin(scheme, "127.0.0.1", port), **options)
    try:
        yield server, pool
    finally:
        pool.close()
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.02)


def answers(*replies: bytes):
    """Each connection answers its requests with these bytes in turn, then stays open and silent."""

    async def script(server: Upstream, reader: Reader, writer: Writer) -> None:
        for reply in replies:
            await server.take(reader)
            writer.write(reply)
            await writer.drain()
        await reader.read()

    return script


def always(reply: bytes = OK):
    async def script(server: Upstream, reader: Reader, writer: Writer) -> None:
        while True:
            await server.take(reader)
            writer.write(reply)
            await writer.drain()

    return script


def then_closes(reply: bytes):
    async def script(server: Upstream, reader: Reader, writer: Writer) -> None:
        await server.take(reader)
        writer.write(reply)

    return script


async def until(truth: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not truth():  # noqa: ASYNC110  # what is waited for happens in the other end's own time
            await asyncio.sleep(0.005)


async def code(reading: Awaitable[object]) -> str:
    with pytest.raises(RemitError) as fault:
        await reading
    return fault.value.code
