"""A request to the forward gate, read without sockets: one place, one credential, one length, or nothing."""

import base64

import pytest

from remit.core.errors import RemitError
from remit.gateway.api import proxied
from remit.gateway.api.proxied import Place


def refused(act, *words, **more):
    with pytest.raises(RemitError) as fault:
        act(*words, **more)
    return fault.value.code


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("api.example:443", ("https", "api.example", 443)), ("API.Example", ("https", "api.example", 443)),
        ("[2001:DB8::1]:8443", ("https", "2001:db8::1", 8443)), ("10.0.0.7:1", ("https", "10.0.0.7", 1)),
    ],
)  # fmt: skip
def test_a_plain_authority_is_a_place(text, found):
    assert proxied.place(text, "https") == found
    assert proxied.place(found_text := Place(*found).authority, "https", port=True) == found, found_text


@pytest.mark.parametrize(
    "text",
    [
        "", ":443", "a b", "a@b", "a:b@c:443", "a:0", "a:65536", "a:0443", "a:443:443", "[::1", "::1", "[::1]x",
        "a/b", "a?b", "a#b",
        "a%62", "-a", ".a", "ä.example", "a\x00", "a\t", "[v1.x]:1",
    ],
)  # fmt: skip
def test_anything_else_is_none(text):
    assert refused(proxied.place, text, "https") == "target_invalid"


def test_at_connect_the_port_is_said():
    assert refused(proxied.place, "api.example", "https", port=True) == "target_invalid"


def test_a_target_in_absolute_form_is_taken_apart():
    assert proxied.absolute("http://api.example") == (Place("http", "api.example", 80), "/", "")
    assert proxied.absolute("HTTP://a:8080/x//y?z=?&b") == (Place("http", "a", 8080), "/x//y", "z=?&b")
    for text in ("https://a/", "http:/a", "http://a#b", "http://u@a/", "/x", "a:80", "http://a/x#y", "http://"):
        assert refused(proxied.absolute, text) == "target_invalid"


def test_inside_a_tunnel_a_target_is_a_path():
    assert proxied.origin("/x/../y?z") == ("/x/../y", "z")
    for text in ("http://a/", "x", "*", "/x#y", ""):
        assert refused(proxied.origin, text) == "target_invalid"


def test_host_says_the_same_place_or_nothing():
    here = Place("https", "api.example", 443)
    for fine in ([], [(b"host", b"api.example")], [(b"host", b"API.example:443")]):
        proxied.agree(fine, here)
    for other in (b"evil.test", b"api.example:80", b"api.example.", b"a@api.example"):
        assert refused(proxied.agree, [(b"host", other)], here) in ("host_other", "target_invalid")
    twice = [(b"host", b"api.example"), (b"host", b"api.example")]
    assert refused(proxied.agree, twice, here) == "host_other"


def test_a_length_is_said_once():
    proxied.framed([(b"content-length", b"5")])
    proxied.framed([(b"transfer-encoding", b" Chunked ")])
    length, chunked = (b"content-length", b"5"), (b"transfer-encoding", b"chunked")
    for two in ([length, length], [length, chunked], [chunked, chunked], [(b"transfer-encoding", b"gzip, chunked")]):
        assert refused(proxied.framed, two) == "request_ambiguous"


def test_a_credential_is_shown_as_bearer_or_as_the_password():
    def field(text):
        return (b"proxy-authorization", text)

    def basic(text):
        return field(b"Basic " + base64.b64encode(text))

    for fine in (field(b"Bearer a.b-c_d"), field(b"bearer   a.b-c_d "), basic(b"remit:a.b-c_d"), basic(b":a.b-c_d")):
        assert proxied.shown([fine]) == "a.b-c_d"
    for none in (
        field(b"a.b"), field(b"Bearer"), field(b"Digest a.b"), basic(b"a.b"), basic(b"a:b c"), basic(b"a:\xff"),
        field(b"Basic !!!!"), field(b"Bearer a b"), (b"authorization", b"Bearer a.b"), basic(b"a:b:c"),
    ):  # fmt: skip
        assert proxied.shown([none]) == ""
    assert proxied.shown([field(b"Bearer a"), field(b"Bearer a")]) == ""


def test_the_longest_base_that_a_path_lies_below():
    bases = ["", "/v1", "/v1/admin"]
    assert [proxied.under(path, bases) for path in ("/x", "/v1", "/v1/x", "/v1x", "/v1/admin/y", "/V1/x")] == [
        "", "/v1", "/v1", "", "/v1/admin", "",
    ]  # fmt: skip
    assert proxied.under("/v2", ["/v1"]) is None
