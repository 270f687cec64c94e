"""Slow and many connections at the served door, over real sockets."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from remit.cli.door import FULL, Standing, door

WITHIN = 1.0
"""Long enough for who sends at once on a busy machine."""


async def echo(_, receive, send):
    data, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        data, more = data + message.get("body", b""), message.get("more_body", False)
    head = [(b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": data})


@contextmanager
def served(
    most: int = 50, each: int = 50, api: Any = None, within: float = WITHIN, keep: int = 60
) -> Iterator[tuple[int, Standing]]:
    standing, loop = Standing(most, each), asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        echo,
        http=door(standing, within, api=api),
        lifespan="off",
        log_level="error",
        access_log=False,
        ws="none",
        timeout_keep_alive=keep,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield listening.getsockname()[1], standing
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()
        loop.close()


def slowly(port: int, begin: bytes, more: bytes = b"x") -> bytes:
    """What a client gets that sends this much, and then an octet now and again."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
        one.sendall(begin)
        one.settimeout(WITHIN / 8)
        end = time.monotonic() + 60
        got = b""
        while time.monotonic() < end:
            try:
                data = one.recv(4096)
            except TimeoutError:
                with contextlib.suppress(BrokenPipeError):  # it was cut meanwhile: the next look finds that
                    one.sendall(more)
                continue
            except ConnectionResetError:
                return got
            if not data:
                return got
            got += data
        raise AssertionError("it was never cut")


def gone(standing: Standing) -> None:
    """Wait until nobody stands in the door: the server finds out in its own time."""
    end = time.monotonic() + 60
    while standing.peers:
        assert time.monotonic() < end, "somebody is counted who has gone"
        time.sleep(0.01)


def post(port: int, data: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/", data)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    "begin",
    [b"", b"POST / HTTP/1.1\r\nhost: a\r\nx-", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nbegun"],
    ids=["nothing", "head", "body"],
)
def test_ops_03_one_who_dawdles_is_cut_and_the_others_are_served(begin):
    with served() as (port, standing):
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.append(slowly(port, begin, b"x" if begin else b"")))
            for _ in range(20)
        ]
        for one in threads:
            one.start()
        while any(one.is_alive() for one in threads):
            assert post(port, b"hello") == (200, b"hello")
            time.sleep(0.02)
        assert len(found) == 20
        assert standing.refused["request_slow"] == 20
        assert all(b" 408 " in one and b"request_slow" in one for one in found)
        gone(standing)


def test_a_second_request_on_a_connection_has_its_own_time():
    with served() as (port, standing):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(3):
            connection.request("POST", "/", b"again")
            assert connection.getresponse().read() == b"again"
            time.sleep(WITHIN * 0.7)
        connection.close()
        assert not standing.refused
        begun = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
        assert slowly(port, begun + b"POST / HTTP/1.1\r\nx-").startswith(b"HTTP/1.1 200")
        assert standing.refused["request_slow"] == 1


def test_more_connections_than_may_be_are_told_so():
    with served(most=3, within=60) as (port, standing):  # those who stand there are not let go meanwhile
        held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
        for one in held:
            one.sendall(b"P")
        while standing.peers.total() < 3:
            time.sleep(0.01)
        status, body = post(port, b"")
        assert (status, json.loads(body)["code"]) == (503, "connections_full")
        assert json.loads(body).keys() == {"code", "message", "remedy"}, "as the API says a fault"
        held[0].close()
        while standing.peers.total() > 2:
            time.sleep(0.01)
        assert post(port, b"room") == (200, b"room")
        for one in held:
            one.close()
    assert standing.refused["connections_full"] == 1


def test_a_peer_has_its_share_and_this_machine_has_all():
    standing = Standing(10, 2)
    assert [standing.enter("203.0.113.7") for _ in range(3)] == ["", "", "connections_peer"]
    assert [standing.enter("127.0.0.1") for _ in range(4)] == [""] * 4
    for _ in range(3):
        standing.leave("203.0.113.7")
    assert standing.enter("203.0.113.7") == ""


def test_each_reason_to_turn_a_connection_away_is_told_as_itself():
    for code, answer in FULL.items():
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert body["code"] == code


class Api:
    """Takes over what asks for a WebSocket, says what it was given, and waits for its end."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def upgraded(self, line: Any, scope: dict[str, Any]) -> None:
        self.lines.append(line)
        line.tell(b"taken " + bytes(line._came.partition(b"\r\n")[0]) + b"\n")


UPGRADE = b"GET /http/x?y=1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


def test_a_websocket_at_an_api_is_handed_on_and_counted_until_it_ends():
    api = Api()
    with served(api=api) as (port, standing):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            one.sendall(UPGRADE)
            assert one.recv(4096) == b"taken GET /http/x?y=1 HTTP/1.1\n"
            assert standing.peers.total() == 1
            time.sleep(2 * WITHIN)
            assert not api.lines[0].gone.done()
        gone(standing)


def test_a_websocket_elsewhere_or_behind_another_request_is_not_handed_on():
    api = Api()
    with served(api=api, keep=1) as (port, _):
        for text in (UPGRADE.replace(b"/http/x", b"/mcp/xyz"), UPGRADE.replace(b"websocket", b"h2c")):
            assert slowly(port, text, b"").startswith(b"HTTP/1.1 200")
        first = b"POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx"
        assert b"200" in slowly(port, first + UPGRADE, b"")
    assert api.lines == []
