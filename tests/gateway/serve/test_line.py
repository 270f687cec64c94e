"""A line whose other side takes nothing: it ends all the same, and its place is free again."""

import asyncio
import socket

import pytest

from remit.gateway.serve.line import Line
from remit.gateway.serve.postgres.wire import Wire


def test_a_line_whose_other_side_says_its_end_and_reads_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.line.SLOW_S", 0.2)

    async def left() -> None:
        gone, lines = asyncio.Event(), list[Line]()
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with theirs:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: Line(lines.append, lambda _: gone.set()), ours)
            await lines[0].write(b"a" * 50_000)
            theirs.shutdown(socket.SHUT_WR)
            await lines[0].gone
            lines[0].close()
            assert not gone.is_set()
            async with asyncio.timeout(10):
                await gone.wait()

    asyncio.run(left())


def test_a_database_client_that_reads_nothing_is_let_go_too(monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.postgres.wire.SLOW_S", 0.2)

    async def left() -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with theirs:
            wire = Wire()
            await asyncio.get_running_loop().connect_accepted_socket(lambda: wire, ours)
            wire.write(b"a" * 500_000)
            wire.close()
            assert not wire.gone
            async with asyncio.timeout(10):
                with pytest.raises(ConnectionResetError):
                    await wire.octets(1)

    asyncio.run(left())
