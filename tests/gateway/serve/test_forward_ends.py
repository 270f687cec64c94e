"""The forward gate's tunnels: the authority that they are under, how they end, and the proxy that they come in by."""

import socket
import ssl
import time
from contextlib import ExitStack

import pytest
from cryptography import x509

from remit.control import forward
from remit.core.errors import RemitError
from tests.kit.proxying import (
    answer,
    ask,
    authority,
    code,
    connect,
    host,
    inside,
    loaded,
    outcome,
    shown,
    trusting,
    tunnel,
)  # fmt: skip
from tests.kit.shopapi import KEY, pay, step
from tests.kit.tls import server_side


@pytest.fixture(scope="module")
def leaf(tmp_path_factory):
    """The API's own certificate, which the gate finds trusted."""
    with trusting(tmp_path_factory.mktemp("tls")) as made:
        yield made


@pytest.fixture(scope="module")
def target(leaf):
    with pay(leaf=leaf) as made:
        yield made


# The task's own authority.


def test_a_task_has_an_authority_of_its_own_for_its_hosts_alone_and_no_longer_than_itself(target):
    made = loaded(authority(target))
    only = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert only.critical
    assert [one.value for one in only.value.permitted_subtrees] == ["localhost"]
    assert {str(one.value) for one in only.value.excluded_subtrees} == {"0.0.0.0/0", "::/0"}
    assert made.not_valid_after_utc.timestamp() * 1000 <= target.task.deadline
    assert authority(target) == authority(target)
    opened, text = target.another()
    second = target.act(lambda c: forward.certificate(target.world.authority, c.reader, opened.id))
    assert loaded(second).public_key() != made.public_key()
    with pytest.raises(ssl.SSLCertVerificationError):
        tunnel(target, host(target), trusted=second)
    conn, _ = connect(target, host(target), token=text)
    context = ssl.create_default_context(cadata=second.decode())
    with context.wrap_socket(conn, server_hostname="localhost") as secured:
        der = secured.getpeercert(binary_form=True)
    leaf = x509.load_der_x509_certificate(der)
    assert leaf.not_valid_after_utc.timestamp() * 1000 <= opened.deadline


def test_what_ended_has_no_authority_and_its_tunnels_are_cut_with_a_receipt(leaf):
    with pay(leaf=leaf) as made, ExitStack() as stack:
        trusted = authority(made)
        idle, busy = stack.enter_context(tunnel(made, host(made))), stack.enter_context(tunnel(made, host(made)))
        busy.sendall(f"GET /v1/events HTTP/1.1\r\nhost: {host(made)}\r\n\r\n".encode())
        data = b""
        while data.count(b"data: more") < 2:
            data += busy.recv(65536)
        assert KEY.encode() not in data
        began = time.monotonic()
        made.revoke()
        assert answer(idle)[1] == b""
        answer(busy)
        assert time.monotonic() - began < 2
        made.upstream.over.set()
        assert outcome(made, "cut")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            results = [one["result"] for one in made.entries() if one["kind"] == "call.outcome"]
            if len(results) == 3:
                break
            time.sleep(0.02)
        assert results == ["cut", "cut", "cut"]
        conn, data = connect(made, host(made))
        conn.close()
        assert (data.startswith(b"HTTP/1.1 403"), b"task_ended" in data) == (True, True)
        with pytest.raises(RemitError) as fault:
            authority(made)
        assert fault.value.code == "task_ended"
        assert trusted


def test_a_program_that_leaves_ends_its_stream_upstream(leaf):
    with pay(leaf=leaf) as made:
        conn = tunnel(made, host(made))
        conn.sendall(f"GET /v1/events HTTP/1.1\r\nhost: {host(made)}\r\n\r\n".encode())
        assert conn.recv(65536)
        conn.close()
        end = time.monotonic() + 60
        while made.api.running and time.monotonic() < end:
            time.sleep(0.02)
        assert not made.api.running
        assert outcome(made, "ok")


# The proxy itself.


def test_the_proxy_can_be_spoken_to_under_tls_and_beyond_this_machine_must_be(leaf, monkeypatch):
    with pay(leaf=leaf, proxy_tls=server_side(leaf)) as made:
        outer = ssl.create_default_context(cafile=leaf.parent / "ca.pem")
        inner = ssl.create_default_context(cadata=authority(made).decode())
        with (
            socket.create_connection(("127.0.0.1", made.proxy), timeout=60) as conn,
            outer.wrap_socket(conn, server_hostname="localhost") as proxy,
        ):
            first = f"CONNECT {host(made)} HTTP/1.1\r\nhost: {host(made)}\r\n".encode()
            proxy.sendall(first + shown(made.token, "Basic") + b"\r\n\r\n")
            assert proxy.recv(65536).startswith(b"HTTP/1.1 200")
            came, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            secured = inner.wrap_bio(came, out, server_hostname="localhost")

            def turn(act):
                while True:
                    try:
                        found = act()
                    except ssl.SSLWantReadError:
                        proxy.sendall(out.read())
                        came.write(proxy.recv(65536))
                        continue
                    proxy.sendall(out.read())
                    return found

            turn(secured.do_handshake)
            asked = f"GET /v1/orders/o-1 HTTP/1.1\r\nhost: {host(made)}\r\n\r\n".encode()
            turn(lambda: secured.write(asked))
            assert turn(lambda: secured.read(65536)).startswith(b"HTTP/1.1 200")
    with pay(leaf=leaf) as made:
        monkeypatch.setattr("remit.gateway.serve.line.Line.peer", "192.0.2.7")
        conn, data = connect(made, host(made))
        conn.close()
        assert (data.startswith(b"HTTP/1.1 403"), b"tls_required" in data) == (True, True)


def test_http_10_an_api_at_a_refused_address_is_never_dialled():
    for where in ("169.254.169.254", "100.100.100.200"):
        with pay((step("echo"),), base=f"http://{where}/v1") as made:
            first = f"GET http://{where}/v1/echo HTTP/1.1".encode()
            status, data = ask(made.proxy, first, f"host: {where}".encode(), shown(made.token))
            assert (status, code(data)) == (502, "upstream_refused")


def test_a_proxy_that_is_full_or_given_nothing_takes_no_harm(target):
    with socket.create_connection(("127.0.0.1", target.proxy), timeout=60) as conn:
        conn.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert answer(conn)[0] == 400
    with socket.create_connection(("127.0.0.1", target.proxy), timeout=60) as conn:
        conn.sendall(b"GET " + b"a" * 200_000)
        assert answer(conn)[0] in (0, 400, 431)
    assert inside(target, b"GET /v1/orders/o-1 HTTP/1.1", f"host: {host(target)}".encode())[0] == 200


def test_who_asks_without_end_and_reads_nothing_loses_the_connection(target, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.line.SLOW_S", 0.3)
    with socket.create_connection(("127.0.0.1", target.proxy), timeout=60) as conn:
        asked = b"GET http://localhost/ HTTP/1.1\r\nhost: localhost\r\n\r\n" * 20_000
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            conn.sendall(asked * 20)


def test_tunnels_that_are_asked_for_at_once_are_counted_as_those_that_stand(leaf):
    with pay(leaf=leaf) as made, ExitStack() as stack:
        made.forward.seats.per_agent = 2
        place = host(made).encode()
        asked = b"\r\n".join([b"CONNECT " + place + b" HTTP/1.1", b"host: " + place, shown(made.token), b"", b""])
        address = ("127.0.0.1", made.proxy)
        conns = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(8)]
        for one in conns:
            one.sendall(asked)
        said = [one.recv(65536).split(b" ", 2)[1] for one in conns]
    assert said.count(b"200") == 2
    assert said.count(b"503") == 6
