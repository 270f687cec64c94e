"""The doorway of our own TLS: handshakes that never end hold no place for long, and none that others want."""

import asyncio
import socket
import ssl
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise

import pytest
import uvicorn

from remit.cli.door import Standing, door
from remit.cli.serve import new_loop
from remit.cli.settings import loopback
from remit.gateway.serve import seats
from remit.gateway.serve.doorway import LOST, Served
from tests.kit import tls

PATIENCE = 60


async def here(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tls.certificates(tmp_path_factory.mktemp("tls"))


def until(holds):
    """Wait for what the server's own thread does in its time."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def served(files, most: int = 50, kind: type[uvicorn.Server] = Served, own=loopback) -> Iterator[tuple[int, Standing]]:
    standing, loop = Standing(most, most), new_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        here, http=door(standing), lifespan="off", log_level="critical", access_log=False, ws="none",
        ssl_certfile=str(files[1]), ssl_keyfile=str(files[1]), timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = Served(config, most, standing.refused, own) if kind is Served else kind(config)
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield listening.getsockname()[1], standing
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()
        loop.close()


def got(port, files):
    """Whether a client that does everything right is answered."""
    context = ssl.create_default_context(cafile=str(files[0]))
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    with opener.open(f"https://localhost:{port}/", timeout=PATIENCE) as answer:
        return answer.read() == b"ok"


def silent(port, begin=b""):
    """A client that opens a connection and never gets through TLS."""
    one = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    one.sendall(begin)
    return one


def over(one):
    """Wait until it was let go."""
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("begin", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
def test_one_that_never_gets_through_is_let_go_and_counted(files, monkeypatch, begin):
    entered, enter = [], seats.Seats.enter
    monkeypatch.setattr(seats.Seats, "enter", lambda *given: (enter(*given), entered.append(given))[0])
    monkeypatch.setattr(seats, "FIRST_S", 1.0)
    with served(files) as (port, standing), closing(silent(port, begin)) as one:
        until(lambda: entered)
        monkeypatch.setattr(seats, "FIRST_S", PATIENCE)  # who comes from here on may be slow on a busy machine
        assert got(port, files)
        assert over(one)
        until(lambda: standing.refused == {LOST: 1})


def test_an_address_holds_a_bounded_number_and_others_come_in(files, monkeypatch):
    """As from elsewhere: this machine's own are told apart by their ports."""
    monkeypatch.setattr(seats, "EACH", 3)
    with served(files, own=lambda _: False) as (port, standing), ExitStack() as held:
        all_of_them = [held.enter_context(closing(silent(port))) for _ in range(8)]
        for one in all_of_them[:5]:
            assert over(one), "it holds a place"
        until(lambda: standing.refused[LOST] >= 5)
        assert got(port, files)
        assert standing.refused[LOST] <= 6, "the last ones wait on"


def test_when_all_places_are_taken_who_has_waited_longest_goes(files):
    with served(files, most=4) as (port, standing), ExitStack() as held:
        all_of_them = [held.enter_context(closing(silent(port))) for _ in range(9)]
        for one in all_of_them[:5]:
            assert over(one)
        assert got(port, files)
        assert standing.peers.total() <= 1


def test_what_is_no_tls_is_let_go_and_a_stop_waits_for_nobody(files):
    with served(files) as (port, standing):
        with closing(silent(port, b"GET / HTTP/1.1\r\n\r\n")) as one:
            assert over(one)
        waiting = silent(port)
        assert got(port, files)
        began = time.monotonic()
    with closing(waiting):
        assert over(waiting)
    assert time.monotonic() - began < 10
    assert standing.refused[LOST] == 2


def test_without_the_doorway_they_hold_places_that_nobody_counts(files, monkeypatch):
    """The fault that it is there for: uvicorn by itself lets them be."""
    monkeypatch.setattr(seats, "FIRST_S", 0.3)
    with served(files, kind=uvicorn.Server) as (port, standing), closing(silent(port)) as one:
        one.settimeout(1.5)
        with pytest.raises(TimeoutError):
            one.recv(1)
        assert not standing.refused
        assert not standing.peers


def test_a_queue_of_them_does_not_hold_the_loop():
    """A ready socket answers at once, so only giving way lets what else waits go on in between."""
    turns = [0]

    async def run():
        server = Served(uvicorn.Config(lambda *_: None), 4096, Counter(), lambda _: False)
        server._begin = lambda one: asyncio.sleep(0, one.conn.close())
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listening, ExitStack() as held:
            listening.setblocking(False)
            for _ in range(40):
                held.enter_context(closing(socket.create_connection(listening.getsockname())))
            taking = asyncio.get_running_loop().create_task(server._take(listening))
            while turns[-1] < 40:
                await asyncio.sleep(0)
                turns.append(len(server._seats._strangers))
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    asyncio.run(run())
    assert max(after - before for before, after in pairwise(turns)) <= 2
