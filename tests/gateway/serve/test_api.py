"""The HTTP gate over real sockets, before a real API: what passes, as what, and what does not."""

import json
import socket
import time

import pytest

from tests.kit.shopapi import KEY, pay, step
from tests.kit.told import moved_elsewhere


@pytest.fixture(scope="module")
def target():
    with pay() as made:
        yield made


@pytest.fixture
def seen(target):
    target.upstream.seen.clear()
    return target.upstream.seen


def post(target, body, **headers):
    return target.ask("/http/pay/refunds", "POST", json.dumps(body).encode(), **headers)


def test_an_operation_passes_with_its_typed_arguments_and_the_secret_is_put_in(target, seen):
    status, headers, body = post(target, {"order": "o-1", "amount": 12.5})
    assert (status, json.loads(body)["ok"]) == (200, True)
    assert headers["cache-control"] == "no-store"
    assert not {"set-cookie", "server-timing"} & headers.keys()
    ((method, path, sent, fields),) = seen
    assert (method, path, json.loads(sent)) == ("POST", "/v1/refunds", {"order": "o-1", "amount": 12.5})
    named = dict(fields)
    assert named["x-api-key"] == KEY
    assert "authorization" not in named
    assert target.ask("/http/pay/orders/o-7")[0] == 200
    assert target.ask("/http/pay/orders?limit=1&open=true")[0] == 200
    assert [path for _, path, _, _ in seen[1:]] == ["/v1/orders/o-7", "/v1/orders?limit=1&open=true"]
    assert [action for action, said in target.calls()[-3:]] == [
        "http:pay/refund", "http:pay/read_order", "http:pay/list_orders",
    ]  # fmt: skip


def test_what_the_plan_does_not_hold_is_refused_and_nothing_is_sent(target, seen):
    assert post(target, {"order": "o-1", "amount": 51})[0] == 403
    assert post(target, {"order": "o-1", "amount": 1, "note": "the secret"})[0] == 403
    assert target.code("/http/pay/orders/x-7") == (403, "argument_refused")
    assert target.code("/http/pay/orders/o-7", "DELETE") == (403, "plan_outside")
    assert target.code("/http/pay/orders?limit=two") == (400, "argument_type")
    assert target.code("/http/pay/nowhere") == (404, "operation_unknown")
    assert target.code("/http/pay/refunds", "POST", b'{"order":"o-1","order":"o-2"}')[0] == 400
    assert target.code("/http/pay/orders/o-7", "GET", b"{}") == (400, "body_refused")
    assert target.ask("/http/pay/orders", token="")[0] == 401
    assert target.ask("/http/pay/orders", token="x.y.z")[0] == 401
    assert target.code("/http/notes/orders") == (401, "token_audience")
    assert seen == []


def test_an_answer_with_too_many_rows_does_not_leave(target):
    status, _, body = target.ask("/http/pay/orders?limit=50")
    assert (status, json.loads(body)["code"]) == (403, "rows_exceeded")


ODD = [
    "/http/pay/admin%23x", "/http/pay/admin%00", "/http/pay/admin%20", "/http/pay//admin", "/http/pay/admin/",
    "/http/pay/x/../admin", "/http/pay/%2e%2e/admin", "/http/pay/orders/o-1%2f..%2fadmin", "/http/pay/orders/o-1;x=1",
    "/http/pay/orders/o-%ff", "/http/pay/orders/o-%2541", "/http/pay/orders?limit=1&limit=2", "/http/pay/./admin",
    "/http/pay/orders?limit=1+1", "/http/pay/orders/o-1%5c..", "/http/pay/%61dmin", "/http/pay/orders?a%5b%5d=1",
    "/http/pay/ADMIN",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_http_03_what_could_be_read_otherwise_is_refused(target, seen, path):
    assert target.ask(path)[0] in (400, 403, 404)
    assert seen == []


def test_http_03_admin_is_forbidden_however_it_is_asked_for(target, seen):
    for path in ("/http/pay/admin", "/http/pay/admin?", "/http/pay/admin#x"):
        assert target.code(path)[0] == 403
    assert seen == []


def test_http_06_what_an_agent_says_of_itself_goes_nowhere(target, seen):
    told = {
        "x_agent_id": "agt_other", "x_forwarded_user": "root", "x_user": "root", "x_task_id": "t", "x_envoy_peer": "y",
        "x_api_key": "mine", "cookie": "a=b", "x_forwarded_for": "1.2.3.4", "if_none_match": '"1"',
    }  # fmt: skip
    assert target.ask("/http/pay/orders/o-1", **told)[0] == 200
    named = dict(seen[0][3])
    assert named.pop("x-api-key") == KEY
    assert not {name for name in named if name.startswith("x-")} | (named.keys() & {"cookie", "authorization"})
    assert named["if-none-match"] == '"1"'
    assert named["accept-encoding"] == "identity"


def raw(target, *lines):
    with socket.create_connection(("127.0.0.1", target.port), timeout=60) as conn:
        conn.sendall(b"\r\n".join([*lines, b"host: 127.0.0.1", b"connection: close", b"", b""]))
        data = b""
        while more := conn.recv(65536):
            data += more
    return int(data.split(b" ", 2)[1])


def test_http_06_two_credentials_are_none(target, seen):
    shown = b"authorization: Bearer " + target.token.encode()
    assert raw(target, b"GET /http/pay/orders/o-1 HTTP/1.1", shown) == 200
    assert raw(target, b"GET /http/pay/orders/o-1 HTTP/1.1", shown, shown) == 401
    assert len(seen) == 1


def test_http_07_octets_that_are_no_ascii_are_refused_in_any_field(target, seen):
    shown = b"authorization: Bearer " + target.token.encode()
    first = b"GET /http/pay/orders/o-1 HTTP/1.1"
    assert raw(target, first, shown, b"x-role: \xff\xfe") == 400
    assert raw(target, first, shown, b"accept: text/\xe9") == 400
    assert raw(target, first, shown, b"prefer: a", b"prefer: b") == 400
    assert raw(target, b"GET /http/pay/orders/o-\xff\xfe HTTP/1.1", shown) == 400
    for other in (b"x-http-method-override: DELETE", b"x-original-url: /admin", b"x-rewrite-url: /admin"):
        assert raw(target, first, shown, other) == 400
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_http_09_a_redirect_is_never_followed_and_leads_only_back(target, seen, status):
    for to in ("https://evil.test/", "//evil.test/v1/orders", "http://127.0.0.1:1/v1/orders", "/admin", "/v1/../admin"):
        answer, headers, _ = target.ask(
            f"/http/pay/away?to={to.replace(':', '%3A').replace('/', '%2F')}&status={status}"
        )
        assert answer == status
        assert "location" not in headers
        assert "alt-svc" not in headers
    answer, headers, _ = target.ask(f"/http/pay/away?to=%2Fv1%2Forders%2Fo-1&status={status}")
    assert (answer, headers["location"]) == (status, "/http/pay/orders/o-1")
    assert all(path.startswith("/v1/away") for _, path, _, _ in seen)


def test_http_13_an_echo_of_the_secret_is_taken_out(target, seen):
    status, headers, body = target.ask("/http/pay/echo")
    assert status == 403
    assert KEY not in body.decode() + str(headers)
    assert b"[redacted by Remit]" in body
    shown = b"authorization: Bearer " + target.token.encode()
    for method in (b"TRACE", b"CONNECT", b"FOO"):
        assert raw(target, method + b" /http/pay/echo HTTP/1.1", shown) in (400, 404, 405)
    assert len(seen) == 1
    assert target.code("/http/pay/packed") == (502, "upstream_garbage")


def test_events_pass_as_they_come_and_are_cut_when_what_allowed_them_has_ended():
    with pay() as made:
        with socket.create_connection(("127.0.0.1", made.port), timeout=60) as conn:
            shown = f"GET /http/pay/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {made.token}\r\n\r\n"
            conn.sendall(shown.encode())
            data = b""
            while data.count(b"data: more") < 2:
                data += conn.recv(65536)
            assert KEY.encode() not in data
            began = time.monotonic()
            made.revoke()
            while more := conn.recv(65536):
                data += more
                if data.endswith(b"0\r\n\r\n"):
                    break
            assert time.monotonic() - began < 2
        made.upstream.over.set()
        end = time.monotonic() + 60
        while (
            not (found := [one for one in made.entries() if one["kind"] == "call.outcome"]) and time.monotonic() < end
        ):
            time.sleep(0.05)
        assert [one["result"] for one in found] == ["cut"]
        assert made.code("/http/pay/echo") == (403, "task_ended")


def test_rows_are_counted_before_an_answer_leaves_in_whatever_form_it_comes():
    most = {"rows": {"max": 2}}
    with pay((step("events", **most), step("list_orders", **most))) as made:
        made.upstream.over.set()
        made.upstream.events = 5
        assert made.code("/http/pay/events") == (403, "rows_exceeded")
        made.upstream.page = b'\n {"orders": {"of": [1, 2, 3]}, "n": 1, "n": 2}'
        assert made.code("/http/pay/orders") == (403, "rows_exceeded")
        made.upstream.page = b'{"orders": {"of": [1, 2]}}'
        assert made.ask("/http/pay/orders")[0] == 200
        made.upstream.page = b""
        assert made.code("/http/pay/orders") == (403, "rows_spent")
        results = [one["result"] for one in made.entries() if one["kind"] == "call.outcome"]
        assert results == ["withheld", "withheld", "ok"]


def test_where_rows_are_limited_no_form_is_asked_for_in_which_they_are_not_told_apart():
    with pay((step("list_orders", rows={"max": 9}), step("read_order"))) as made:
        asked = (
            ("/http/pay/orders", "application/xml", None),
            ("/http/pay/orders", "text/*, application/json;q=0, */*;q=0.1", None),
            (
                "/http/pay/orders",
                "application/xml, text/csv; q=0.5,application/vnd.shop+json",
                "text/csv; q=0.5, application/vnd.shop+json",
            ),
            ("/http/pay/orders/o-7", "application/xml", "application/xml"),
        )
        for path, accept, sent in asked:
            made.upstream.seen.clear()
            assert made.ask(path, accept=accept)[0] == 200
            ((_, _, _, fields),) = made.upstream.seen
            assert dict(fields).get("accept") == sent


def test_http_10_an_api_at_a_refused_address_is_never_dialled():
    for url in ("http://169.254.169.254/v1", "http://100.100.100.200/v1"):
        with pay(base=url) as made:
            assert made.code("/http/pay/echo") == (502, "upstream_refused")


def test_a_key_goes_only_where_the_permit_says_when_the_api_moves_meanwhile():
    with pay() as made:
        assert made.ask("/http/pay/orders/o-7")[0] == 200
        made.upstream.seen.clear()
        made.on_loop(lambda: moved_elsewhere(made.world, "pay", b"http://127.0.0.1:", b"http://127.0.0.2:"))
        # A node that heard of the move by itself meanwhile is there already; the old place hears nothing either way.
        assert made.code("/http/pay/orders/o-7")[1] in ("resource_moved", "upstream_unreachable")
        assert made.upstream.seen == []
