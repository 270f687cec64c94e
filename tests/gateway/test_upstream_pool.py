import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from remit.gateway.upstream.fault import Fault, Trouble
from remit.gateway.upstream.link import HEAD_CAP
from remit.gateway.upstream.reply import Reply
from tests.kit.upstreams import OK, always, answers, code, then_closes, until, upstream


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request) -> Callable[[Callable[[], Awaitable[None]]], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def play(story: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(story(), 60))

    return play


# What is sent


def test_a_request_goes_out_as_given_with_our_framing(run):
    async def story():
        async with upstream(always()) as (server, pool):
            reply = await pool.request(b"POST", b"/mcp?a=%20b", [(b"Authorization", b"Bearer x\ty")], b'{"id":1}')
            assert isinstance(reply, Reply)
            assert (reply.status, reply.header(b"content-length")) == (200, b"2")
            assert await reply.read(100) == b"{}"
            host = b"127.0.0.1:%d" % pool.origin.port
            assert server.seen == [
                b"POST /mcp?a=%20b HTTP/1.1\r\nhost: " + host + b"\r\ncontent-length: 8\r\n"
                b'Authorization: Bearer x\ty\r\n\r\n{"id":1}'
            ]
            await pool.request(b"GET", b"/")
            assert b"\r\ncontent-length: 0\r\n" in server.seen[1]

    run(story)


def test_a_connection_is_kept_and_sends_without_delay(run):
    async def story():
        async with upstream(always()) as (server, pool):
            for _ in range(50):
                reply = await pool.request(b"POST", b"/", body=b"{}")
                assert await reply.read(10) == b"{}"
            assert server.connections == pool.connections == 1
            sock = pool._free[0]._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0

    run(story)


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nX-Admin: 1"),
        (b"x", b"a\nb"),
        (b"x", b"a\rb"),
        (b"x", b"a\0b"),
        (b"x", b"caf\xe9"),
        (b"x", b"\x7f"),
        (b"x y", b"a"),
        (b"x:", b"a"),
        (b"", b"a"),
        (b"x\r\ny", b"a"),
        (b"\xff", b"a"),
        (b"Content-Length", b"0"),
        (b"TRANSFER-ENCODING", b"chunked"),
        (b"host", b"evil.example"),
        (b"connection", b"upgrade"),
        (b"expect", b"100-continue"),
        (b"upgrade", b"h2c"),
    ],
)
def test_a_header_that_could_be_read_in_two_ways_is_refused(run, header):
    async def story():
        async with upstream(always()) as (server, pool):
            assert await code(pool.request(b"POST", b"/", [(b"ok", b"fine"), header])) == "header_invalid"
            assert server.connections == 0

    run(story)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"TRACE", b"/"),
        (b"CONNECT", b"/"),
        (b"get", b"/"),
        (b"GET /x HTTP/1.1\r\n", b"/"),
        (b"GET", b""),
        (b"GET", b"http://evil.example/"),
        (b"GET", b"*"),
        (b"GET", b"/a b"),
        (b"GET", b"/a\r\nb"),
        (b"GET", b"/a#b"),
        (b"GET", b"/\xc3\xa9"),
        (b"GET", b"/a\0"),
    ],
)
def test_a_target_that_could_be_read_in_two_ways_is_refused(run, method, target):
    async def story():
        async with upstream(always()) as (server, pool):
            assert await code(pool.request(method, target)) == "target_invalid"
            assert server.connections == 0

    run(story)


# What comes back


@pytest.mark.parametrize(
    ("reply", "status", "body", "reused"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nX-Empty:\r\n\r\n", 202, b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, 200, b"{}", True),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
            200,
            b"abcd",
            True,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nx-trailer: t\r\n\r\n", 200, b"a", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, b"{}", False),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n{}", 500, b"{}", True),
    ],
)
def test_every_way_to_frame_a_body(run, reply, status, body, reused):
    async def story():
        async with upstream(always(reply)) as (server, pool):
            for _ in range(2):
                got = await pool.request(b"POST", b"/")
                assert isinstance(got, Reply)
                assert got.status == status
                assert await got.read(100) == body
                assert all(name == name.lower() and name != b"x-trailer" for name, _ in got.headers)
                await asyncio.sleep(0.01)
            assert server.connections == (1 if reused else 2)

    run(story)


def test_every_split_of_a_reply_reads_the_same(run):
    async def script(server, reader, writer):
        wire = b"HTTP/1.1 200 OK\r\nA: bc\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for cut in range(1, len(wire)):
            await server.take(reader)
            writer.write(wire[:cut])
            await asyncio.sleep(0.001)
            writer.write(wire[cut:])

    async def story():
        async with upstream(script) as (server, pool):
            for _ in range(60):
                reply = await pool.request(b"POST", b"/")
                assert reply.headers == [(b"a", b"bc"), (b"transfer-encoding", b"chunked")]
                assert await reply.read(5) == b"abcde"
            assert server.connections == 1

    run(story)


def test_a_head_reply_has_no_body_and_its_connection_is_not_kept(run):
    async def story():
        async with upstream(always(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n")) as (server, pool):
            for _ in range(2):
                reply = await pool.request(b"HEAD", b"/")
                assert await reply.read(0) == b""
                await asyncio.sleep(0.01)
            assert server.connections == 2

    run(story)


def test_a_body_may_end_with_the_connection(run):
    async def story():
        async with upstream(then_closes(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as (_, pool):
            reply = await pool.request(b"POST", b"/")
            assert await reply.read(100) == b"all of it"

    run(story)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_returned_and_never_followed(run, status):
    async def story():
        async with upstream(always()) as (trap, elsewhere):
            to = b"http://127.0.0.1:%d/steal" % elsewhere.origin.port
            away = b'HTTP/1.1 %d Go\r\nlocation: %b\r\nalt-svc: h2="x:1"\r\nset-cookie: a=b\r\n' % (status, to)
            async with upstream(always(away + b"content-length: 0\r\n\r\n")) as (server, pool):
                for _ in range(2):
                    reply = await pool.request(b"POST", b"/", [(b"authorization", b"Bearer secret")], b"{}")
                    assert (reply.status, reply.header(b"location")) == (status, to)
                assert len(server.seen) == 2
                assert b"cookie" not in server.seen[1]
            assert trap.connections == 0

    run(story)


def test_no_environment_variable_makes_a_proxy(run, monkeypatch):
    async def story():
        async with upstream(always()) as (trap, proxy), upstream(always()) as (_, pool):
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.origin.port}")
            assert (await pool.request(b"GET", b"/")).status == 200
            assert trap.connections == 0

    run(story)


GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 OK\r\n\r\n",
    b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\n x: folded\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nx: a\rcontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\n: a\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_CAP + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (HEAD_CAP // 4) + b"\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"x" * (4 * HEAD_CAP),
    b"HTTP/1.1 100 Continue\r\n\r\n" * HEAD_CAP,
]


@pytest.mark.parametrize("wire", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_a_fault_and_the_connection_is_cut(run, wire):
    async def story():
        async with upstream(answers(wire)) as (server, pool):
            outcome = await pool.request(b"POST", b"/", idempotent=True)
            assert isinstance(outcome, Fault)
            assert (outcome.code, outcome.sent) == (Trouble.GARBAGE, True)
            await until(lambda: server.ended == 1)
            assert pool.connections == 0
            assert server.connections == 1

    run(story)


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n", b"2\r\nabXX", b"-1\r\n", b"fffffffffffffffff\r\n", b"1\r\na\r\n0\r\nt: " + b"x" * 4 * HEAD_CAP],
)
def test_a_garbled_body_is_a_fault_and_the_connection_is_cut(run, body):
    async def story():
        wire = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        async with upstream(answers(wire + b"1\r\na\r\n" + body)) as (server, pool):
            outcome = await pool.request(b"POST", b"/")
            # A body that is broken in the same segment as its head may be found out together with it.
            assert isinstance(outcome, Reply)
            assert await code(outcome.read(1 << 20)) == "upstream_garbage"
            await until(lambda: server.ended == 1)

    run(story)


POISON = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"


@pytest.mark.parametrize("delay", [0, 0.05])
@pytest.mark.parametrize("extra", [POISON, POISON[:20], b"x"])
def test_an_answer_in_advance_never_reaches_the_next_request(run, extra, delay):
    async def script(server, reader, writer):
        await server.take(reader)
        if delay:
            writer.write(OK)
            await asyncio.sleep(delay)
            writer.write(extra)
        else:
            writer.write(OK + extra)
        await always()(server, reader, writer)

    async def story():
        async with upstream(script) as (server, pool):
            assert await (await pool.request(b"POST", b"/a")).read(10) == b"{}"
            await until(lambda: server.ended == 1)
            assert await (await pool.request(b"POST", b"/b")).read(10) == b"{}"
            assert server.connections == 2

    run(story)
