"""The forward gate over real sockets, before a real API under TLS: what passes, and ways of meaning another host."""

import json
import socket
import time

import pytest

from remit.control import credential
from remit.core.trust import TrustPath
from tests.kit.proxying import answer, ask, code, connect, host, inside, outcome, shown, trusting, tunnel
from tests.kit.shopapi import KEY, pay


@pytest.fixture(scope="module")
def leaf(tmp_path_factory):
    """The API's own certificate, which the gate finds trusted."""
    with trusting(tmp_path_factory.mktemp("tls")) as made:
        yield made


@pytest.fixture(scope="module")
def target(leaf):
    with pay(leaf=leaf) as made:
        yield made


@pytest.fixture(scope="module")
def plain():
    with pay() as made:
        yield made


@pytest.fixture
def seen(target):
    target.upstream.seen.clear()
    return target.upstream.seen


def test_a_request_in_a_tunnel_is_an_operation_and_the_secret_is_put_in(target, seen):
    before = len(target.calls())
    here = f"host: {host(target)}".encode()
    status, data = inside(
        target, b"POST /v1/refunds HTTP/1.1", here, b"authorization: Bearer mine", b"cookie: a=b",
        b"content-type: application/json", b"content-length: 27", body=b'{"amount":5, "order":"o-1"}',
    )  # fmt: skip
    assert (status, data.endswith(b'{"ok":true,"typed":{}}')) == (200, True)
    ((method, path, sent, fields),) = seen
    assert (method, path, json.loads(sent)) == ("POST", "/v1/refunds", {"order": "o-1", "amount": 5})
    assert dict(fields)["x-api-key"] == KEY
    assert not {"authorization", "cookie", "proxy-authorization"} & dict(fields).keys()
    assert target.calls()[before:] == [("http:pay/@session", "allow"), ("http:pay/refund", "allow")]
    status, data = inside(target, b"GET /v1/echo HTTP/1.1", here)
    assert (status, KEY.encode() in data, b"[redacted by Remit]" in data) == (403, False, True)
    status, data = inside(target, b"GET /v1/orders/x-1 HTTP/1.1", here)
    assert (status, code(data)) == (403, "argument_refused")
    assert outcome(target, "ok")


def test_one_tunnel_carries_many_requests_and_each_is_decided(target, seen):
    with tunnel(target, host(target)) as conn:
        for number in range(3):
            conn.sendall(f"GET /v1/orders/o-{number} HTTP/1.1\r\nhost: {host(target)}\r\n\r\n".encode())
            data = b""
            while not data.endswith(b"{}}"):
                data += conn.recv(65536)
    assert [path for _, path, _, _ in seen] == ["/v1/orders/o-0", "/v1/orders/o-1", "/v1/orders/o-2"]
    assert outcome(target, "ok")
    assert [one["requests"] for one in target.entries() if "requests" in one][-1] == 3


def test_a_redirect_leads_only_back_to_the_api_itself(target, seen):
    here = f"host: {host(target)}".encode()
    for to, back in (("https%3A%2F%2Fevil.test%2F", b""), ("%2Fadmin", b""), ("%2Fv1%2Forders", b"/v1/orders")):
        status, data = inside(target, f"GET /v1/away?status=302&to={to} HTTP/1.1".encode(), here)
        assert status == 302
        assert (b"location: " + back if back else b"location:") in data.lower() or not back
        assert (b"location:" in data.lower()) == bool(back)
    assert len(seen) == 3


def test_over_plain_http_the_target_says_where_it_goes(plain):
    where = f"http://127.0.0.1:{plain.behind}"
    here = f"host: 127.0.0.1:{plain.behind}".encode()
    for scheme in ("Bearer", "Basic", "basic", "BEARER"):
        first = f"GET {where}/v1/orders/o-1 HTTP/1.1".encode()
        assert ask(plain.proxy, first, here, shown(plain.token, scheme))[0] == 200
    first = f"GET {where}/v1/orders?limit=50 HTTP/1.1".encode()
    status, data = ask(plain.proxy, first, here, shown(plain.token))
    assert (status, code(data)) == (403, "rows_exceeded")
    assert dict(plain.upstream.seen[0][3])["x-api-key"] == KEY


def test_without_a_credential_that_counts_the_proxy_asks_for_one(target, seen):
    first = f"CONNECT {host(target)} HTTP/1.1".encode()
    here = f"host: {host(target)}".encode()
    status, data = ask(target.proxy, first, here)
    assert (status, code(data)) == (407, "credential_missing")
    assert b'proxy-authenticate: Basic realm="remit"' in data
    assert b'proxy-authenticate: Bearer realm="remit"' in data
    other = shown(target.token).replace(b"Bearer", b"Digest")
    twice = (shown(target.token), shown(target.token))
    for more in ((shown("x.y.z"),), twice, (other,), (b"authorization: Bearer " + target.token.encode(),)):
        assert ask(target.proxy, first, here, *more)[0] == 407
    assert seen == []


def test_a_credential_that_is_bound_to_a_key_is_refused_without_it(target):
    world, task = target.world, target.task
    for bound in ({"thumb": "A" * 43}, {"certificate": "B" * 43}):
        given = target.act(
            lambda c, bound=bound: credential.give(
                c, task_id=task.id, agent_id=world.agent.id, path=TrustPath.OWN, **bound
            )
        )
        conn, data = connect(target, host(target), token=given.text)
        conn.close()
        assert (data.startswith(b"HTTP/1.1 407"), b"possession_missing" in data) == (True, True)


# Other hosts.

PLACES = [
    "evil.test:443", "127.0.0.1:443", "169.254.169.254:80", "[::1]:443", "[::ffff:169.254.169.254]:443",
    "2130706433:443",    "0x7f.1:443", "0177.0.0.1:443", "localhost.:443", "100.100.100.200:443", "localhost:443",
]  # fmt: skip
ODD = [
    "localhost", "user@localhost:443", "user:pw@localhost:443", "localhost:0", "localhost:99999", "localhost:443/v1",
    "https://localhost:443", "localhost:443#x", "localhost :443", "loc%61lhost:443", ":443", "[::1:443", "*",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_http_10_only_the_hosts_of_registered_apis_are_reached_and_the_refusal_is_recorded(target, seen, place):
    before = len(target.calls())
    conn, data = connect(target, place)
    conn.close()
    assert (data.startswith(b"HTTP/1.1 403"), b"host_refused" in data) == (True, True)
    assert target.calls()[before:] == [("http:pay/@session", "host_refused")]
    assert seen == []


@pytest.mark.parametrize("place", ODD)
def test_what_is_no_plain_authority_is_refused(target, seen, place):
    conn, data = connect(target, place, b"host: localhost")
    conn.close()
    assert data.startswith(b"HTTP/1.1 400")
    assert b"target_invalid" in data or b"request_invalid" in data
    assert seen == []


def test_host_and_authority_that_disagree_are_an_attack(target, plain, seen):
    for other in (b"host: evil.test", b"host: localhost", b"host: localhost:1", b"host: a@localhost:443"):
        conn, data = connect(target, host(target), other)
        conn.close()
        assert data.startswith(b"HTTP/1.1 400")
    assert target.calls()[-4:][0] == ("http:pay/@session", "host_other")
    first = f"GET http://127.0.0.1:{plain.behind}/v1/orders/o-1 HTTP/1.1".encode()
    status, data = ask(plain.proxy, first, b"host: evil.test", shown(plain.token))
    assert (status, code(data)) == (400, "host_other")
    here = f"host: {host(target)}".encode()
    for other in (b"host: evil.test", b"host: localhost", f"host: {host(target)}.".encode()):
        status, data = inside(target, b"GET /v1/orders/o-1 HTTP/1.1", other)
        assert status == 400
    assert inside(target, b"GET /v1/orders/o-1 HTTP/1.1", here, here)[0] == 400
    assert seen == []


def test_a_name_in_tls_that_is_not_the_tunnels_ends_it_and_is_recorded(target, seen):
    before = len(target.calls())
    status, data = inside(target, b"GET /v1/orders/o-1 HTTP/1.1", f"host: {host(target)}".encode(), name="evil.test")
    assert (status, data) == (0, b"")
    end = time.monotonic() + 60
    while ("http:pay/@session", "host_other") not in target.calls()[before:] and time.monotonic() < end:
        time.sleep(0.02)
    assert target.calls()[before:] == [("http:pay/@session", "allow"), ("http:pay/@session", "host_other")]
    assert seen == []


def test_targets_of_other_forms_are_refused_on_either_side_of_tls(target, plain, seen):
    here = f"host: {host(target)}".encode()
    for form in (b"https://evil.test/v1/orders", b"http://localhost/v1/orders/o-1", b"localhost:443", b"*"):
        assert inside(target, b"GET " + form + b" HTTP/1.1", here)[0] == 400
    assert inside(target, f"CONNECT {host(target)} HTTP/1.1".encode(), here)[0] == 400
    there = f"host: 127.0.0.1:{plain.behind}".encode()
    for form in (
        "/v1/orders/o-1",
        f"https://127.0.0.1:{plain.behind}/v1/orders/o-1",
        f"http://a:b@127.0.0.1:{plain.behind}/v1/orders/o-1",
    ):
        assert ask(plain.proxy, f"GET {form} HTTP/1.1".encode(), there, shown(plain.token))[0] == 400
    assert seen == []


def test_a_path_that_is_not_below_the_api_is_refused_however_it_is_written(target, seen):
    here = f"host: {host(target)}".encode()
    for path in ("/admin", "/v2/orders", "/v1x/orders", "/", "/V1/orders/o-1", "/%76%31/orders/o-1"):
        status, data = inside(target, f"GET {path} HTTP/1.1".encode(), here)
        assert (status, code(data)) == (404, "operation_unknown")
    for path in (
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1//admin",
        "/v1/orders/o-1%2f..%2fadmin",
        "/v1/./orders",
        "/v1/x;y",
    ):
        status, data = inside(target, f"GET {path} HTTP/1.1".encode(), here)
        assert (status, code(data)) == (400, "request_ambiguous")
    assert seen == []


# Framing.


def test_a_request_that_says_its_length_in_two_ways_is_refused(target, plain, seen):
    here, kind = f"host: {host(target)}".encode(), b"content-type: application/json"
    smuggled = b"0\r\n\r\nGET /v1/admin HTTP/1.1\r\nhost: x\r\n\r\n"
    length = f"content-length: {len(smuggled)}".encode()
    first = b"POST /v1/refunds HTTP/1.1"
    for more in (
        (length, b"transfer-encoding: chunked"), (b"content-length: 5", b"content-length: 6"),
        (b"content-length: 5, 6",), (b"content-length: +5",), (b"content-length: 0x5",),
        (b"transfer-encoding: gzip, chunked",), (b"transfer-encoding: identity",), (b"transfer-encoding : chunked",),
        (b"transfer-encoding: chunked", b"transfer-encoding: chunked"), (b"transfer-encoding: xchunked",),
    ):  # fmt: skip
        status, data = inside(target, first, here, kind, *more, body=smuggled)
        assert status in (400, 501), more
        assert data.count(b"\r\n\r\n") == 1, more
    one = f"POST http://127.0.0.1:{plain.behind}/v1/refunds HTTP/1.1".encode()
    there = f"host: 127.0.0.1:{plain.behind}".encode()
    status, data = ask(
        plain.proxy, one, there, kind, shown(plain.token), length, b"transfer-encoding: chunked", body=smuggled
    )
    assert (status, code(data)) == (400, "request_ambiguous")
    assert seen == []


def test_no_other_protocol_is_begun_inside(target, seen):
    here = f"host: {host(target)}".encode()
    first = b"GET /v1/orders/o-1 HTTP/1.1"
    assert inside(target, first, here, b"upgrade: h2c", b"http2-settings: AAMAAABkAAQ")[0] == 400
    with tunnel(target, host(target)) as conn:
        assert conn.selected_alpn_protocol() is None
        conn.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answer(conn)[0] in (400, 505)
    for method in (b"TRACE", b"FOO", b"PROPFIND"):
        assert inside(target, method + b" /v1/orders/o-1 HTTP/1.1", here)[0] == 405
    assert inside(target, first, here, b"x-http-method-override: DELETE")[0] == 400
    assert inside(target, first, here, b"x-role: \xff")[0] == 400
    assert seen == []


def test_octets_slipped_in_before_tls_are_refused(target, seen):
    with socket.create_connection(("127.0.0.1", target.proxy), timeout=60) as conn:
        here = f"host: {host(target)}".encode()
        first = f"CONNECT {host(target)} HTTP/1.1".encode()
        conn.sendall(b"\r\n".join([first, here, shown(target.token), b"", b"GET /v1/orders/o-1 HTTP/1.1\r\n\r\n"]))
        status, data = answer(conn)
    assert (status, code(data)) == (400, "tunnel_refused")
    assert seen == []
