"""Who takes a gate's connections and shows nothing: it is let go soon, and keeps nobody out who has a credential."""

import socket
import time
from contextlib import ExitStack

import pytest

from tests.kit.proxying import answer, ask, host, inside, shown, trusting, tunnel
from tests.kit.shopapi import pay
from tests.kit.tls import server_side


@pytest.fixture(scope="module")
def leaf(tmp_path_factory):
    with trusting(tmp_path_factory.mktemp("tls")) as made:
        yield made


@pytest.fixture(scope="module")
def target(leaf):
    with pay(leaf=leaf) as made:
        yield made


@pytest.fixture
def few(target):
    """The seats of this gate, fewer of them for a while."""
    seats = target.forward.seats
    before = seats.most, seats.per_agent
    end = time.monotonic() + 60
    while seats._known or seats._strangers:
        assert time.monotonic() < end, "somebody who has gone is counted"
        time.sleep(0.02)
    yield seats
    seats.most, seats.per_agent = before


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.seats.FIRST_S", 0.5)


def dial(made):
    return socket.create_connection(("127.0.0.1", made.proxy), timeout=60)


def works(made):
    return inside(made, b"GET /v1/orders/o-1 HTTP/1.1", f"host: {host(made)}".encode())[0] == 200


def test_who_shows_no_credential_has_a_short_time_whatever_it_says(target, request):
    with ExitStack() as stack:
        known = stack.enter_context(tunnel(target, host(target)))
        request.getfixturevalue("soon")
        began = time.monotonic()
        silent, slow, asking = (stack.enter_context(dial(target)) for _ in range(3))
        slow.sendall(b"GET http://localhost/ HT")
        while time.monotonic() - began < 60:
            try:
                asking.sendall(b"GET http://localhost/ HTTP/1.1\r\nhost: localhost\r\n\r\n")
                if not asking.recv(65536):
                    break
            except (ConnectionResetError, BrokenPipeError):
                break
        assert answer(silent) == answer(slow) == (0, b"")
        assert time.monotonic() - began < 8
        known.sendall(f"GET /v1/orders/o-1 HTTP/1.1\r\nhost: {host(target)}\r\n\r\n".encode())
        assert known.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_handshake_that_does_not_go_on_is_counted_and_let_go(leaf, soon):
    with pay(leaf=leaf, proxy_tls=server_side(leaf)) as made, dial(made) as silent, dial(made) as begun:
        began = time.monotonic()
        begun.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert answer(silent)[0] == answer(begun)[0] == 0
        assert time.monotonic() - began < 8


def test_an_address_has_so_many_strangers_and_the_oldest_goes(target, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.seats.EACH", 3)
    with ExitStack() as stack:
        known = stack.enter_context(tunnel(target, host(target)))
        crowd = [stack.enter_context(dial(target)) for _ in range(5)]
        assert answer(crowd[0]) == answer(crowd[1]) == (0, b"")
        crowd[2].settimeout(0.3)
        with pytest.raises(TimeoutError):
            crowd[2].recv(1)
        assert works(target)
        known.sendall(f"GET /v1/orders/o-1 HTTP/1.1\r\nhost: {host(target)}\r\n\r\n".encode())
        assert known.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_full_house_turns_out_strangers_first_and_then_nobody(target, few):
    few.most = 3
    with ExitStack() as stack:
        crowd = [stack.enter_context(dial(target)) for _ in range(3)]
        assert works(target)
        assert answer(crowd[0]) == (0, b"")
        for _ in range(3):
            stack.enter_context(tunnel(target, host(target)))
        with dial(target) as late:
            assert answer(late) == (0, b"")


def test_an_agent_has_so_many_connections_whatever_they_are_for(target, few):
    few.per_agent = 2
    asked = [f"GET http://{host(target)}/v1/orders/o-1 HTTP/1.1", f"host: {host(target)}"]
    with ExitStack() as stack:
        stack.enter_context(tunnel(target, host(target)))
        kept = stack.enter_context(dial(target))
        said = b"\r\n".join([*(one.encode() for one in asked), shown(target.token), b"", b""])
        for _ in range(2):
            kept.sendall(said)
            assert b"connections_full" not in kept.recv(65536)
        assert ask(target.proxy, *(one.encode() for one in asked), shown(target.token))[0] == 503
    end = time.monotonic() + 60
    while not works(target) and time.monotonic() < end:
        time.sleep(0.05)
    assert works(target)
