"""WebSockets through both gates, before a real server: decided before they open, whole messages both ways, and cut."""

import base64
import contextlib
import json
import socket
import subprocess
import time
import tracemalloc
from contextlib import contextmanager

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from remit.core.errors import RemitError
from remit.gateway.serve.host import Settings
from remit.gateway.serve.sockets import accept, wanted
from tests.kit import peers
from tests.kit.peers import KIT
from tests.kit.proxying import ask, authority, code, host, trusting, tunnel
from tests.kit.shopapi import KEY, pay, step

KEY64 = b"sec-websocket-key: " + base64.b64encode(bytes(16))


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    with trusting(tmp_path_factory.mktemp("tls")) as leaf, pay(leaf=leaf, settings=Settings(body=1000)) as made:
        yield made


class Speaker:
    """A client's end of a WebSocket, by wsproto."""

    def __init__(self, conn, where, path, token="", protocols=()):
        self.conn, self.ws, self.held = conn, WSConnection(ConnectionType.CLIENT), []
        headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        conn.sendall(
            self.ws.send(Request(host=where, target=path, extra_headers=headers, subprotocols=list(protocols)))
        )
        self.answer = self.next()

    def next(self):
        while not self.held:
            data = self.conn.recv(65536)
            self.ws.receive_data(data or None)
            self.held += list(self.ws.events())
        return self.held.pop(0)

    def say(self, event):
        self.conn.sendall(self.ws.send(event))
        return self

    def text(self):
        parts = []
        while True:
            found = self.next()
            if not isinstance(found, TextMessage | BytesMessage):
                return found
            parts.append(found.data)
            if found.message_finished:
                return type(parts[0])().join(parts)


@contextmanager
def speaking(made, way, path="talk?room=r-1", token=None, protocols=()):
    """A WebSocket by one of the two ways in."""
    shows = made.token if token is None else token
    if way == "reverse":
        with socket.create_connection(("127.0.0.1", made.port), timeout=60) as conn:
            yield Speaker(conn, "127.0.0.1", f"/http/pay/{path}", shows, protocols)
    else:
        with tunnel(made, host(made)) as conn:
            yield Speaker(conn, host(made), f"/v1/{path}", "", protocols)


def until(found):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found():
            return True
        time.sleep(0.02)
    return False


def last(made):
    """How the newest call of the WebSocket ended."""
    entries = made.entries()
    calls = [one["call"] for one in entries if one.get("action") == "http:pay/talk" and one["decision"] == "allow"]
    return next((one for one in entries if one["kind"] == "call.outcome" and one["call"] == calls[-1]), {})


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_messages_pass_both_ways_once_the_upgrade_is_decided(target, way):
    target.upstream.seen.clear()
    before = len(target.calls())
    with speaking(target, way, protocols=("other", "chat")) as ws:
        assert isinstance(ws.answer, AcceptConnection)
        assert ws.answer.subprotocol == "chat"
        assert ws.answer.extensions == []
        assert ws.text() == "your key is [redacted by Remit]"
        assert ws.say(TextMessage(data="hällo")).text() == "heard hällo"
        ws.say(TextMessage(data="in ", message_finished=False)).say(TextMessage(data="two", message_finished=True))
        assert ws.text() == "heard in two"
        assert ws.say(BytesMessage(data=bytes(range(256)))).text() == bytes(range(256))
        assert ws.say(Ping(payload=b"x")).next() == Pong(payload=b"x")
        closed = ws.say(TextMessage(data="bye")).text()
        assert closed == CloseConnection(code=4001, reason="bye [redacted by Remit]")
    assert [one for one in target.calls()[before:] if not one[0].endswith("@session")] == [("http:pay/talk", "allow")]
    ((_, query, _, fields),) = target.upstream.seen
    assert (query, dict(fields)["x-api-key"]) == ("room=r-1", KEY)
    assert not {"authorization", "origin", "cookie"} & dict(fields).keys()
    assert until(lambda: last(target).get("result") == "ok")
    assert last(target)["sent"] > 0
    assert until(lambda: target.upstream.open == 0)


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_what_is_not_permitted_is_not_opened(target, way):
    target.upstream.seen.clear()
    for path in ("talk?room=x-1", "talk", "talk?room=r-1&room=r-2", "echo", "orders", "admin"):
        with speaking(target, way, path) as ws:
            assert isinstance(ws.answer, RejectConnection)
            assert ws.answer.status_code in (400, 403)
    if way == "reverse":
        with speaking(target, way, token="x.y.z") as ws:
            assert ws.answer.status_code == 401
    assert target.upstream.seen == []
    with speaking(target, way, "talk?room=r-closed") as ws:
        assert isinstance(ws.answer, RejectConnection)
        assert ws.answer.status_code == 403
    assert until(lambda: last(target).get("result") == "error")


def test_a_websocket_is_asked_for_as_one_and_nothing_else_is(target):
    target.upstream.seen.clear()
    assert target.code("/http/pay/talk?room=r-1") == (400, "upgrade_refused")
    bare = [b"GET /http/pay/talk?room=r-1 HTTP/1.1", b"host: x", b"authorization: Bearer " + target.token.encode()]
    for more in (
        [b"connection: upgrade", b"upgrade: websocket"],
        [b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 8", KEY64],
        [b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13", b"sec-websocket-key: short"],
        [b"connection: upgrade", b"upgrade: h2c"],
    ):
        status, data = ask(target.port, *bare, *more)
        assert (status, code(data)) in ((400, "upgrade_refused"), (400, "request_ambiguous"))
    assert target.upstream.seen == []


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_a_message_that_is_too_large_ends_it(target, way):
    with speaking(target, way) as ws:
        ws.text()
        ws.say(TextMessage(data="a" * 900)).text()
        ws.say(TextMessage(data="a" * 600, message_finished=False)).say(TextMessage(data="a" * 600))
        assert ws.next() == CloseConnection(code=1009, reason="the message is too large")
    assert until(lambda: target.upstream.open == 0)
    with speaking(target, way) as ws:
        ws.text()
        assert len(ws.say(TextMessage(data="flood")).text()) == 5_000_000


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_what_is_no_frame_ends_it(target, way):
    with speaking(target, way) as ws:
        ws.text()
        ws.conn.sendall(b"\x83\x80\x00\x00\x00\x00")
        assert isinstance(ws.next(), CloseConnection)
    assert until(lambda: target.upstream.open == 0)


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_a_client_that_leaves_ends_it_upstream(target, way):
    with speaking(target, way) as ws:
        ws.text()
        assert until(lambda: target.upstream.open == 1)
    assert until(lambda: target.upstream.open == 0)
    assert until(lambda: last(target).get("result") == "ok")


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_revoke_07_it_is_cut_within_two_seconds_of_the_end_of_its_task(tmp_path, way):
    with trusting(tmp_path) as leaf, pay(leaf=leaf) as made, speaking(made, way) as ws:
        ws.text()
        began = time.monotonic()
        made.revoke()
        assert ws.next() == CloseConnection(code=1008, reason="what allowed this has ended")
        assert time.monotonic() - began < 2
        assert until(lambda: made.upstream.open == 0)
        assert until(lambda: last(made).get("result") == "cut")


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_who_reads_nothing_is_cut_all_the_same_and_gets_nothing_afterwards(tmp_path, way):
    with trusting(tmp_path) as leaf, pay(leaf=leaf) as made, speaking(made, way) as ws:
        ws.text()
        for _ in range(4):
            ws.say(TextMessage(data="flood"))
        assert until(lambda: made.upstream.open == 1)
        assert until(lambda: waits(made.api.running))
        made.revoke()
        assert until(lambda: last(made).get("result") == "cut")
        gone = [one._arrived.talk.line.gone for one in RUNNING]
        assert until(lambda: all(one.done() for one in gone))
        rest = b""
        with contextlib.suppress(OSError):
            while more := ws.conn.recv(1 << 20):
                rest = (rest + more)[-100:]
        assert b"what allowed this has ended" not in rest


RUNNING = []


def waits(running):
    """Whether what is running has something to send that its client does not take."""
    RUNNING[:] = tuple(running)
    return any(one._arrived.talk.line._open is not None for one in RUNNING)


def test_pieces_of_nothing_without_end_weigh_nothing(target):
    with speaking(target, "reverse") as ws:
        ws.text()
        ws.say(TextMessage(data="a", message_finished=False))
        empty = b"\x00\x80\x00\x00\x00\x00" * 20_000
        tracemalloc.start()
        try:
            ws.conn.sendall(empty)
            assert ws.say(Ping(payload=b"y")).next() == Pong(payload=b"y")
            assert tracemalloc.get_traced_memory()[0] < 60_000
        finally:
            tracemalloc.stop()
        assert ws.say(TextMessage(data="b", message_finished=True)).text() == "heard ab"


def test_where_rows_are_limited_or_values_followed_there_is_none():
    with pay((step("talk", rows={"max": 5}),)) as made:
        with speaking(made, "reverse") as ws:
            assert isinstance(ws.answer, RejectConnection)
            assert ws.answer.status_code == 403
        assert made.upstream.seen == []
        assert until(lambda: last(made).get("result") == "not_sent")


def test_the_answer_to_a_key_is_that_of_the_standard():
    assert accept(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert wanted([(b"connection", b"close")]) is None
    with pytest.raises(RemitError):
        wanted([(b"upgrade", b"websocket"), (b"upgrade", b"websocket")])


@pytest.mark.parametrize("library", ["websockets", "node"])
def test_an_unchanged_program_speaks_it_through_the_proxy(target, tmp_path, library):
    (tmp_path / "ca.pem").write_bytes(authority(target))
    proxy, trusted = f"http://remit:{target.token}@127.0.0.1:{target.proxy}", str(tmp_path / "ca.pem")
    command = [peers.python("web"), KIT / "clients" / "speaking.py"]
    if library == "node":
        command = [peers.node(), KIT / "clients" / "speaking.mjs"]
    done = subprocess.run(
        [*map(str, command), f"wss://{host(target)}/v1/talk?room=r-2"],
        env={
            "HTTPS_PROXY": proxy, "https_proxy": proxy, "SSL_CERT_FILE": trusted, "NODE_EXTRA_CA_CERTS": trusted,
            "NODE_USE_ENV_PROXY": "1", "NODE_NO_WARNINGS": "1",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["your key is [redacted by Remit]", "heard hello", 4001]
