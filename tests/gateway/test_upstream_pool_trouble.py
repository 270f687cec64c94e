import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.origin import Origin
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import HIGH, Reply
from tests.kit.upstreams import OK, always, answers, code, then_closes, until, upstream


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request) -> Callable[[Callable[[], Awaitable[None]]], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def play(story: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(story(), 60))

    return play


# An upstream that dies, hangs or is slow


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\ncontent-le"])
def test_a_death_before_or_within_the_head_is_reported_as_sent(run, wire):
    async def story():
        async with upstream(then_closes(wire)) as (server, pool):
            outcome = await pool.request(b"POST", b"/", body=b"{}", idempotent=True)
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.CLOSED, True)
            assert len(server.seen) == 1

    run(story)


@pytest.mark.parametrize("head", [b"content-length: 10", b"transfer-encoding: chunked"])
def test_a_death_within_the_body_is_never_a_whole_body(run, head):
    async def story():
        async with upstream(then_closes(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nabcde\r\n"[:-3])) as (_, pool):
            reply = await pool.request(b"POST", b"/")
            assert await code(reply.read(100)) == "upstream_closed"

    run(story)


def test_a_hanging_head_is_a_timeout_and_cuts_the_connection(run):
    async def story():
        async with upstream(answers(b"HTTP/1.1 200 OK\r\n"), head_timeout=0.15) as (server, pool):
            outcome = await pool.request(b"POST", b"/")
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.TIMEOUT, True)
            await until(lambda: server.ended == 1)

    run(story)


def test_a_trickling_head_is_a_timeout_all_the_same(run):
    async def script(server, reader, writer):
        await server.take(reader)
        for _ in range(1000):
            writer.write(b"H" if not _ else b"TTP/1.1 200 OK\r\nx: y\r\n"[_ - 1 : _] or b"z")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def story():
        async with upstream(script, head_timeout=0.3) as (_, pool):
            outcome = await pool.request(b"POST", b"/")
            assert isinstance(outcome, Fault)
            assert outcome.code is Trouble.TIMEOUT

    run(story)


def test_a_hanging_body_is_a_timeout_and_a_trickling_one_is_not(run):
    async def script(server, reader, writer):
        await server.take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n")
        for _ in range(10):
            writer.write(b"x")
            await asyncio.sleep(0.08)
        await reader.read()

    async def story():
        async with upstream(script, idle_timeout=0.7) as (server, pool):
            reply = await pool.request(b"POST", b"/")
            got = b""
            while len(got) < 10:
                got += await anext(reply)
            assert got == b"x" * 10
            assert await code(anext(reply)) == "upstream_timeout"
            await until(lambda: server.ended == 1)

    run(story)


def test_nobody_listening_is_unreachable_and_nothing_was_sent(run):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        origin = Origin("http", "127.0.0.1", held.getsockname()[1])

        async def story():
            outcome = await Pool(origin).request(b"POST", b"/")
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.UNREACHABLE, False)

        run(story)


def closing_between(server_closes_after: int):
    async def script(server, reader, writer):
        for _ in range(server_closes_after):
            await server.take(reader)
            writer.write(OK)
        if server.connections == 1:
            # Reads the next request, and dies without an answer: the client cannot know whether it had an effect.
            await server.take(reader)
        else:
            await always()(server, reader, writer)

    return script


def test_a_stale_connection_is_tried_again_only_for_an_idempotent_request(run):
    async def story():
        async with upstream(closing_between(1)) as (server, pool):
            await (await pool.request(b"POST", b"/1")).read(10)
            outcome = await pool.request(b"POST", b"/2")
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.CLOSED, True)
            assert len(server.seen) == 2
        async with upstream(closing_between(1)) as (server, pool):
            await (await pool.request(b"POST", b"/1")).read(10)
            reply = await pool.request(b"POST", b"/2", idempotent=True)
            assert isinstance(reply, Reply)
            assert [wire.split()[1] for wire in server.seen] == [b"/1", b"/2", b"/2"]

    run(story)


def test_a_connection_closed_between_requests_is_simply_replaced(run):
    async def story():
        async with upstream(then_closes(OK)) as (server, pool):
            for _ in range(3):
                reply = await pool.request(b"POST", b"/")
                assert await reply.read(10) == b"{}"
                await until(lambda: pool.connections == 0)
            assert server.connections == 3

    run(story)


def test_an_unused_connection_is_given_up_after_its_time(run):
    async def story():
        async with upstream(always(), keep=0.1) as (server, pool):
            await (await pool.request(b"POST", b"/")).read(10)
            assert pool.connections == 1
            await until(lambda: pool.connections == 0)
            await until(lambda: server.ended == 1)

    run(story)


# Many, large, slow, cancelled


def test_64_at_once_use_64_connections_and_500_share_them(run):
    async def script(server, reader, writer):
        while True:
            wire = await server.take(reader)
            await asyncio.sleep(0.005)
            body = wire.split(b"\r\n\r\n")[1]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async def story():
        async with upstream(script, limit=64) as (server, pool):

            async def ask(number: int) -> bool:
                reply = await pool.request(b"POST", b"/", body=b"%d" % number)
                return isinstance(reply, Reply) and await reply.read(10) == b"%d" % number

            assert all(await asyncio.gather(*map(ask, range(64))))
            assert server.connections == 64
            assert all(await asyncio.gather(*map(ask, range(500))))
            assert server.connections == pool.connections == 64

    run(story)


def test_waiting_is_bounded_in_number_and_in_time(run):
    async def story():
        async with upstream(answers(), limit=1) as (server, pool):
            first = asyncio.create_task(pool.request(b"POST", b"/"))
            await until(lambda: server.connections == 1)
            pool._connect_timeout = 0.2  # for those who wait: the first may take longer on a busy machine
            outcomes = await asyncio.gather(*(pool.request(b"POST", b"/") for _ in range(20)))
            assert {(type(o), o.code, o.sent) for o in outcomes} == {(Fault, Trouble.BUSY, False)}
            assert pool.connections == 1
            first.cancel()
            await until(lambda: pool.connections == 0)

    run(story)


def test_cancelling_cuts_the_connection_and_frees_its_place(run):
    async def story():
        async with upstream(answers(), limit=2) as (server, pool):
            for turn in range(1, 4):
                asking = asyncio.create_task(pool.request(b"POST", b"/"))
                await until(lambda turn=turn: len(server.seen) < turn and server.connections == turn)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
                await until(lambda turn=turn: server.ended == turn and pool.connections == 0)

    run(story)


def test_cancelled_waiters_lose_no_place(run):
    async def story():
        async with upstream(always(), limit=3) as (_, pool):
            for turn in range(30):
                tasks = [asyncio.create_task(pool.request(b"POST", b"/")) for _ in range(12)]
                for _ in range(turn % 7):
                    await asyncio.sleep(0)
                for task in tasks[turn % 5 :: 2]:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.05)
            assert pool.connections <= 3
            assert pool.connections == len(pool._free)
            replies = await asyncio.gather(*(pool.request(b"POST", b"/") for _ in range(3)))
            assert all(isinstance(reply, Reply) for reply in replies)

    run(story)


def test_a_half_read_reply_is_cut_and_its_connection_never_used_again(run):
    async def story():
        wire = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
        async with upstream(answers(wire)) as (server, pool):
            for turn in range(1, 4):
                async with await pool.request(b"POST", b"/") as reply:
                    assert await anext(reply) == b"half"
                await until(lambda turn=turn: server.ended == turn)
                assert await code(anext(reply)) == "upstream_closed"
            assert server.connections == 3

    run(story)


def test_eight_mebibytes_each_way(run):
    big = bytes(range(256)) * (8 << 12)

    async def story():
        async with upstream(always(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(big), big))) as (
            server,
            pool,
        ):
            for _ in range(2):
                reply = await pool.request(b"POST", b"/", body=big)
                assert await reply.read(8 << 20) == big
            assert server.connections == 1
            assert server.seen[0].endswith(big)
            reply = await pool.request(b"POST", b"/")
            assert await code(reply.read(1 << 20)) == "upstream_too_large"
            await until(lambda: server.ended == 1)

    run(story)


def test_a_slow_reader_holds_the_upstream_back(run):
    written = 0

    async def script(server, reader, writer):
        nonlocal written
        await server.take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(512):
            writer.write(piece)
            await writer.drain()
            written += 65536
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async def story():
        async with upstream(script) as (_, pool):
            reply = await pool.request(b"POST", b"/")
            size = held = 0
            async for chunk in reply:
                size += len(chunk)
                held = max(held, reply._held)
                if size < 2 << 20:
                    await asyncio.sleep(0.01)
                elif size < 3 << 20:
                    # What the kernel's own buffers take comes on top of what we hold.
                    assert written - size < 16 << 20
            assert size == 32 << 20
            assert held <= HIGH + (256 << 10)

    run(story)


def test_a_reply_to_half_a_request_is_given_and_the_connection_dropped(run):
    async def script(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)
        server.seen.append(b"one")

    async def story():
        async with upstream(script) as (_, pool):
            reply = await pool.request(b"POST", b"/", body=b"x" * (64 << 20))
            assert isinstance(reply, Reply)
            assert reply.status == 413
            await until(lambda: pool.connections == 0)

    run(story)


def test_closing_ends_what_waits_and_what_is_under_way(run):
    async def story():
        async with upstream(answers(), limit=1) as (server, pool):
            tasks = [asyncio.create_task(pool.request(b"POST", b"/")) for _ in range(3)]
            await until(lambda: server.connections == 1)
            pool.close()
            outcomes = await asyncio.gather(*tasks)
            assert [(o.code, o.sent) for o in outcomes] == [(Trouble.CLOSED, True), *[(Trouble.CLOSED, False)] * 2]
            assert (await pool.request(b"POST", b"/")).sent is False
            await until(lambda: pool.connections == 0)

    run(story)
