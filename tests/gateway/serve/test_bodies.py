"""Bodies that are no JSON through the HTTP gate: as typed arguments, or as digests, and written anew."""

import hashlib
import json
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
