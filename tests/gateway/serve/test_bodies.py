"""Bodies that are no JSON through the HTTP gate: as typed arguments, or as digests, and written anew."""

import contextlib
import hashlib
import json
import socket
import subprocess

import pytest

from remit.core.body import FORM
from tests.kit import peers
from tests.kit.peers import KIT
from tests.kit.shopapi import pay, step

PAPER = b"%PDF-1.7 \x00\xff"
STEPS = (
    step(
        "charge",
        arguments={
            "to": [{"prefix": "acct-"}], "amount": [{"range": {"max": 50}}], "note": [{"max_length": 20}],
        },
        optional=["note"],
    ),
    step(
        "upload",
        arguments={
            "title": [{"max_length": 20}], "photo": [{"max_length": 64}], "photo_length": [{"range": {"max": 100}}],
            "photo_name": [{"max_length": 20}], "photo_type": [{"one_of": ["image/png"]}],
        },
    ),
    step(
        "paper",
        arguments={
            "id": [{"prefix": "p-"}], "body": [{"one_of": [hashlib.sha256(PAPER).hexdigest()]}],
            "body_length": [{"range": {"max": 99}}],
        },
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def target():
    with pay(STEPS) as made:
        yield made


@pytest.fixture
def seen(target):
    target.upstream.seen.clear()
    return target.upstream.seen


def test_a_form_is_decided_as_typed_arguments_and_written_anew(target, seen):
    def charge(body, kind=FORM):
        return target.code("/http/pay/charges", "POST", body, content_type=kind)

    assert target.ask("/http/pay/charges", "POST", b"amount=12&to=acct-1&note=a+b", content_type=FORM)[0] == 200
    ((_, _, sent, fields),) = seen
    assert (sent, dict(fields)["content-type"]) == (b"amount=12&to=acct-1&note=a%20b", FORM)
    assert charge(b"amount=51&to=acct-1") == (403, "argument_refused")
    assert charge(b"amount=1&to=evil") == (403, "argument_refused")
    assert charge(b"amount=1e1&to=acct-1") == (400, "argument_type")
    assert charge(b"amount=1&amount=2&to=acct-1") == (400, "request_ambiguous")
    assert charge(b"amount=1&AMOUNT=2&to=acct-1") == (400, "request_ambiguous")
    assert charge(b"amount=1&to=acct-1&_method=DELETE") == (400, "request_ambiguous")
    assert charge(b"amount=1&to=acct-1&_charset_=utf-16") == (400, "request_ambiguous")
    assert charge(b'{"amount": 1}', "application/json") == (400, "body_refused")
    assert charge(b"to=acct-1", "text/plain") == (400, "body_refused")
    assert len(seen) == 1


def test_a_file_is_decided_by_its_digest_length_name_and_type(target, seen):
    def upload(name="a.png", kind="image/png", data=b"\x89PNG"):
        title = 'Content-Disposition: form-data; name="title"'
        photo = f'Content-Disposition: form-data; name="photo"; filename="{name}"\r\nContent-Type: {kind}'
        parts = f"--B\r\n{title}\r\n\r\nA cat\r\n--B\r\n{photo}\r\n\r\n"
        body = parts.encode() + data + b"\r\n--B--\r\n"
        return target.ask("/http/pay/uploads", "POST", body, content_type="multipart/form-data; boundary=B")[0]

    assert upload() == 200
    assert b"\x89PNG" in seen[0][2]
    assert dict(seen[0][3])["content-type"].startswith("multipart/form-data; boundary=remit-")
    assert [upload(kind="text/html"), upload(data=b"x" * 101), upload(name="a" * 30)] == [403, 403, 403]
    assert upload(name="../a.png") == 400
    assert len(seen) == 1


def test_octets_pass_where_they_are_described_and_are_the_ones_that_were_meant(target, seen):
    def paper(body, kind="application/pdf"):
        return target.ask("/http/pay/papers/p-1", "PUT", body, content_type=kind)[0]

    assert paper(PAPER) == 200
    assert (seen[0][2], dict(seen[0][3])["content-type"]) == (PAPER, "application/pdf")
    assert paper(PAPER + b"x") == 403
    assert paper(PAPER, "application/octet-stream") == 400
    assert paper(b"") == 403
    assert target.code("/http/pay/orders", "GET", PAPER, content_type="application/pdf")[0] == 400
    assert len(seen) == 1


def framed(target, *lines, body):
    """Send one request of these lines and octets as they are; the status, 0 where the line was ended without one."""
    head = [b"POST /http/pay/charges HTTP/1.1", b"host: 127.0.0.1", b"connection: close"]
    head += [b"authorization: Bearer " + target.token.encode(), b"content-type: " + FORM.encode(), *lines]
    data = b""
    with socket.create_connection(("127.0.0.1", target.port), timeout=60) as conn, contextlib.suppress(ConnectionError):
        conn.sendall(b"\r\n".join([*head, b"", body]))
        while more := conn.recv(65536):
            data += more
    return int(data.split(b" ", 2)[1]) if data else 0


GOOD = b"amount=12&to=acct-1"
LENGTH, CHUNKED = b"content-length: %d" % len(GOOD), b"transfer-encoding: chunked"
PIECES = b"c\r\namount=12&to\r\n7\r\n=acct-1\r\n0\r\n\r\n"
LOOSE = [
    ((LENGTH, CHUNKED), PIECES), ((CHUNKED, LENGTH), PIECES), ((LENGTH, b"content-length: 5"), GOOD),
    ((b"content-length: %d, 5" % len(GOOD),), GOOD), ((b"content-length: +19",), GOOD),
    ((b"content-length: 0x13",), GOOD),
    ((b"transfer-encoding: gzip, chunked",), PIECES), ((CHUNKED, CHUNKED), PIECES),
    ((b"transfer-encoding: xchunked",), PIECES), ((b"transfer-encoding : chunked",), PIECES),
    ((CHUNKED,), b"0x13\r\n" + GOOD + b"\r\n0\r\n\r\n"), ((CHUNKED,), b"-1\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    ((CHUNKED,), b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "body"), LOOSE)
def test_a_body_whose_end_could_be_seen_in_two_places_goes_nowhere(target, seen, lines, body):
    assert framed(target, *lines, body=body) in (0, 400, 501)
    assert seen == []


def test_what_goes_upstream_is_the_body_that_was_decided_whatever_stands_behind_it(target, seen):
    behind = b"POST /http/pay/charges HTTP/1.1\r\nhost: x\r\n\r\n"
    assert framed(target, CHUNKED, body=PIECES) == 200
    assert framed(target, CHUNKED, body=PIECES + behind) in (200, 400)
    assert framed(target, LENGTH, body=GOOD + b"&to=evil") in (200, 400)
    assert {body for _, _, body, _ in seen} == {GOOD}
    for one in seen:
        assert [value for name, value in one[3] if name == "content-length"] == [str(len(GOOD))]
        assert "transfer-encoding" not in dict(one[3])


@pytest.mark.parametrize("library", ["requests", "httpx", "aiohttp", "fetch"])
def test_what_libraries_write_is_read(target, seen, library):
    base = f"http://127.0.0.1:{target.port}/http/pay"
    command = [peers.python("web"), KIT / "clients" / "bodies.py", library]
    if library == "fetch":
        command = [peers.node(), KIT / "clients" / "bodies.mjs"]
    done = subprocess.run(
        [*map(str, command), base, target.token], capture_output=True, text=True, timeout=60, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, 200]
    assert seen[0][2] == b"to=acct-7&amount=5&note=two%20words"
    assert b"\r\n\r\nA cat\r\n" in seen[1][2]
