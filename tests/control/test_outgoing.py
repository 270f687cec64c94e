"""A server that says a little now and then, for ever: whoever asks it is let go, and so is the thread."""

import socket
import threading
import time

import pytest

from remit.control.messenger import resolved
from remit.control.outgoing import dialled
from remit.control.poller import Poller, Source
from remit.core.errors import RemitError
from remit.web import document, fetch
from tests.kit.dripping import ENDLESS, dripping


@pytest.fixture(params=ENDLESS)
def drip(request):
    with dripping(request.param) as port:
        yield port, request.param


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("remit.control.poller.WHOLE_S", 0.5)
    monkeypatch.setattr(fetch, "PATIENCE_S", 0.3)
    monkeypatch.setattr(document, "PATIENCE_S", 0.3)


def test_whoever_is_told_a_little_for_ever_is_let_go(drip, soon):
    port, kind = drip
    began, scheme = time.monotonic(), "https" if kind == "tls" else "http"
    assert isinstance(Poller(Source("odd", f"{scheme}://127.0.0.1:{port}/poll", b"", True)).ask({}), str)
    with pytest.raises((OSError, ValueError, fetch.http.client.HTTPException)):
        fetch._ask(f"{scheme}://127.0.0.1:{port}/jwks", None, {})
    with pytest.raises((OSError, ValueError)):
        document._get(f"https://127.0.0.1:{port}/c.json", True)
    assert time.monotonic() - began < 60


def test_a_connection_is_cut_while_it_is_read_and_nothing_is_left_of_it():
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(TimeoutError), dialled("127.0.0.1", port, each_s=30, whole_s=0.2) as line:
            assert line.recv(1) == b""
        with dialled("127.0.0.1", port, each_s=30, whole_s=30) as line:
            assert line.fileno() >= 0
        assert line.fileno() == -1
    end = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    "place", ["169.254.169.254", "168.63.129.16", "fe80::1", "64:ff9b::a9fe:a9fe", "fd00:ec2::23", "2002:a9fe:a9fe::"]
)
def test_where_clouds_answer_machines_is_never_told_anything_whatever_is_meant(place):
    for private in (False, True):
        with pytest.raises(RemitError, match="private address"):
            resolved(place, 80, private=private)
