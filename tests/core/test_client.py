"""Where a client's answers may be sent: the exact text, but for the port on this machine."""

import pytest

from remit.core.client import answers_at, origin, place, redirect
from tests.kit.nouns import client, code, named

GOOD = [
    "https://app.test/callback",
    "https://app.test:8443/callback?x=1",
    "https://app.test",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:33418/",
    "http://[::1]:1/cb",
    "http://localhost:6274/oauth/callback",
]
BAD = [
    "",
    "/callback",
    "app.test/callback",
    "http://app.test/callback",
    "http://127.0.0.1.evil.test/cb",
    "http://127.0.0.2/cb",
    "https://app.test/cb#f",
    "https://app.test/cb/../evil",
    "https://app.test/cb/./evil",
    "https://app.test/cb%2f..%2fevil",
    "https://app.test/cb%2Fevil",
    "https://app.test/cb%5cevil",
    "https://app.test/cb%2e%2e/evil",
    "https://app.test/cb%00",
    "https://app.test/cb%0d%0aset-cookie:x",
    "https://app.test/cb%zz",
    "https://app.test\\@evil.test/cb",
    "https://app.test@evil.test/cb",
    "https://user:pass@app.test/cb",
    "https://APP.test/cb",
    "https://app.test/c b",
    "https://app.test/cb\n",
    "https://app.test/\u0430",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "https:///cb",
    "https://app.test:0/cb",
    "https://app.test/" + "x" * 2048,
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_that_answers_may_be_sent_to(url):
    assert redirect(url, "dynamic")
    assert client(redirects=(url,)).redirects == (url,)
    assert answers_at((url,), url)


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_they_may_not(url):
    for kind in ("registered", "dynamic", "document"):
        assert not redirect(url, kind)
    assert code(lambda: client(redirects=("https://app.test/cb", url))) == "redirect_invalid"


def test_an_apps_own_scheme_is_for_an_operator_to_allow():
    for url in ("cursor://anysphere.cursor-retrieval/oauth/callback", "com.example.app:/oauth"):
        assert redirect(url)
        assert not redirect(url, "dynamic")
        assert not redirect(url, "document")
        assert origin(url) == url.partition(":")[0] + ":"
        assert place(url) == url.partition(":")[0]


def test_only_the_port_on_this_machine_may_differ():
    one = ("http://127.0.0.1/cb",)
    assert answers_at(one, "http://127.0.0.1:51004/cb")
    assert answers_at(("http://127.0.0.1:1/cb",), "http://127.0.0.1:2/cb")
    assert answers_at(("http://[::1]/cb",), "http://[::1]:9/cb")
    assert answers_at(("http://localhost/cb",), "http://localhost:9/cb")
    for asked in (
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/CB",
        "http://127.0.0.1:51004/cb/",
        "http://localhost:51004/cb",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.1:51004/cb#f",
        "http://127.0.0.1:51004",
        "http://127.0.0.1:99999999/cb",
        "http://evil.test/cb",
    ):
        assert not answers_at(one, asked), asked
    assert not answers_at(("https://app.test/cb",), "https://app.test:8443/cb")


@pytest.mark.parametrize(
    "wrong",
    [{"id": named("agt")}, {"agent": "scribe"}, {"name": ""}, {"name": "a\nb"}, {"kind": "x"}, {"redirects": ()}],
    ids=str,
)
def test_what_cannot_be_a_client_is_refused(wrong):
    assert code(lambda: client(**wrong)) in ("client_invalid", "redirect_invalid", "id_invalid")


def test_a_page_names_where_it_leads():
    assert origin("http://127.0.0.1:51004/cb?x=1") == "http://127.0.0.1:51004"
    assert origin("https://app.test/cb") == "https://app.test"
    assert place("https://app.test/cb") == "app.test"


def test_keys_of_its_own_are_said_once_and_only_by_who_came_by_itself():
    own = ({"kty": "EC"},)
    assert client(kind="dynamic", keys=own).keyed
    assert client(kind="document", keys_url="https://app.test/jwks").keyed
    assert not client().keyed
    for wrong in (
        {"keys": own},
        {"kind": "dynamic", "keys": own, "keys_url": "https://app.test/jwks"},
        {"kind": "dynamic", "keys": own, "confidential": True},
        {"kind": "dynamic", "keys": own * 17},
    ):
        assert code(client, **wrong) == "client_invalid"


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirects": ("https://app.test/cb",)},
        {"redirects": ("http://127.0.0.1/cb", "app:/cb")},
        {"confidential": True},
        {"kind": "dynamic"},
    ],
)
def test_a_client_of_runs_is_public_and_answers_on_its_own_machine_alone(wrong):
    good = {"redirects": ("http://127.0.0.1/remit-run",), "runs": True}
    assert client(**good).runs
    assert code(lambda: client(**(good | wrong))) == "client_invalid"
