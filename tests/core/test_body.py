"""Bodies that are no JSON, read in one way: against what others read of them, and against what nobody should."""

import email
import email.policy
import hashlib
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.body import FORM, Part, parts, written
from remit.core.errors import RemitError


def code(*words):
    with pytest.raises(RemitError) as refused:
        parts(*words)
    return refused.value.code


def arguments(*words):
    return [pair for one in parts(*words) for pair in one.arguments]


def test_a_form_is_its_names_and_texts_and_is_written_anew():
    found = parts("form", f"{FORM}; charset=utf-8", b"to=a%40b.test&note=one+two%0Athree&empty=&amount=%31")
    assert [pair for one in found for pair in one.arguments] == [
        ("to", "a@b.test"), ("note", "one two\nthree"), ("empty", ""), ("amount", "1"),
    ]  # fmt: skip
    assert written("form", found) == (FORM, b"to=a%40b.test&note=one%20two%0Athree&empty=&amount=1")


FORMS = [
    b"a", b"a=1&", b"&a=1", b"=1", b"a=1;b=2 ", b"a=%", b"a=%zz", b"a=%ff", b"a=\xff", b"a=%00", b"a=%1b", b"a[b]=1",
    b"a%5Bb%5D=1",
    b"1a=1", b"a=1&b=2#c", b'a="', b"&".join(b"a%d=1" % n for n in range(70)),
]  # fmt: skip


@pytest.mark.parametrize("body", FORMS)
def test_a_form_that_could_be_read_otherwise_is_refused(body):
    assert code("form", FORM, body) == "request_ambiguous"


SAFE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(st.lists(st.tuples(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), SAFE), min_size=1, max_size=5))
def test_a_form_is_what_pythons_own_reader_and_writer_say(pairs):
    found = parts("form", FORM, urlencode(pairs).encode())
    assert [one.arguments[0] for one in found] == pairs
    _, body = written("form", found)
    assert parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True) == pairs


def multipart(*pieces, mark=b"xYz", end=b"--\r\n"):
    return b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in pieces) + b"--" + mark + end


SAID = "multipart/form-data; boundary=xYz"
TITLE = b'Content-Disposition: form-data; name="title"\r\n\r\nHello\r\nyou'
PHOTO = (
    b'content-disposition: form-data; name="photo"; filename="a b.png"\r\nContent-Type: image/png\r\n\r\n\x00\xff--xY'
)


def test_a_form_with_a_file_is_its_texts_and_the_digest_of_the_file():
    found = parts("multipart", SAID, multipart(TITLE, PHOTO))
    assert [pair for one in found for pair in one.arguments] == [
        ("title", "Hello\r\nyou"), ("photo", hashlib.sha256(b"\x00\xff--xY").hexdigest()), ("photo_length", 6),
        ("photo_name", "a b.png"), ("photo_type", "image/png"),
    ]  # fmt: skip
    kind, body = written("multipart", found)
    assert parts("multipart", kind, body) == found
    read = email.message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP)
    assert [one.get_payload(decode=True) for one in read.iter_parts()] == [b"Hello\r\nyou", b"\x00\xff--xY"]
    assert arguments("multipart", 'multipart/form-data; boundary="xYz"', multipart(TITLE, end=b"--"))


BROKEN = [
    b"", b"--xYz--\r\n", b"preamble\r\n" + multipart(TITLE), multipart(TITLE) + b"epilogue",
    multipart(TITLE, end=b"\r\n"),
    multipart(b"\r\nx"), multipart(b"x: y\r\n\r\nz"), multipart(TITLE.replace(b'"title"', b"title")),
    multipart(TITLE.replace(b"title", b'a"; name="b')), multipart(TITLE.replace(b"form-data", b"attachment")),
    multipart(TITLE.replace(b"\r\n\r\n", b'\r\nContent-Disposition: form-data; name="b"\r\n\r\n', 1)),
    multipart(TITLE.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1)),
    multipart(TITLE.replace(b"Hello", b"\xff")), multipart(TITLE.replace(b"Hello", b"\x00")),
    multipart(TITLE.replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n", 1)),
    multipart(PHOTO.replace(b"a b.png", b"../a")), multipart(PHOTO.replace(b"a b.png", b"")),
    multipart(PHOTO.replace(b"image/png", b"image")), multipart(PHOTO.replace(b"filename=", b"filename*=")),
    multipart(*[TITLE.replace(b"title", b"t%d" % n) for n in range(70)]), multipart(TITLE.replace(b"\r\n\r\n",
    b"\n\n", 1)),
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN)
def test_a_form_with_files_that_could_be_read_otherwise_is_refused(body):
    assert code("multipart", SAID, body) == "request_ambiguous"


@pytest.mark.parametrize(
    "said", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=a b"]
)
def test_a_boundary_is_plainly_said(said):
    assert code("multipart", said, multipart(TITLE)) == "request_ambiguous"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_what_is_written_is_read_back_as_it_was(files):
    found = [Part(f"f{n}", data, "x.bin", "application/octet-stream") for n, data in enumerate(files)]
    assert parts("multipart", *written("multipart", found)) == found


def test_octets_are_their_digest_and_go_as_they_are():
    found = parts("application/pdf", "application/pdf", b"%PDF")
    assert found[0].arguments == [("body", hashlib.sha256(b"%PDF").hexdigest()), ("body_length", 4)]
    assert written("application/pdf", found) == ("application/pdf", b"%PDF")
    for kind, said in (("application/pdf", "text/html"), ("form", "application/json"), ("multipart", FORM)):
        assert code(kind, said, b"x") == "body_refused"
