"""Every address there is, walked: none can be framed, none acts by a cookie alone, no cookie is open to scripts.

The addresses are those that the application itself holds, so that a new one is walked without being named here.
"""

import re

import pytest

from remit.control import login, session
from remit.control.session import Proof
from remit.control.stream import Receiver
from remit.store.log import newest
from remit.web import app
from tests.kit.browser import Browser
from tests.kit.site import ask, site

CHANGES = ("POST", "PUT", "PATCH", "DELETE")
ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("pages"), []
    folder.chmod(0o700)
    real = app.Starlette

    def kept(routes, **more):
        found.extend(routes)
        return real(routes=routes, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "Starlette", kept)
        given = {"receivers": (Receiver("siem", "https://siem.example"),), "client_registration": True, "door_rate": 0}
        with site(folder, **given) as one:
            one.addresses = sorted(
                {(method, re.sub(r"\{[^}]+\}", "x", route.path)) for route in found for method in route.methods}
            )
            operator = one.act(lambda c: login.issue(c, "session", "operator"))
            person = one.act(lambda c: session.begin(c, one.world.person.id, Proof("local")))
            one.cookies = {"cookie": f"remit={operator}; remit-person={person}"}
            yield one


def walked(place, methods, headers, body):
    """Each address with one of these methods, and its answer to a browser that is signed in as both."""
    for method, path in place.addresses:
        if method in methods:
            yield method, path, ask(place.url + path, method, body, place.cookies | headers)


def test_there_are_as_many_as_there_are(place):
    changing = [one for one in place.addresses if one[0] in CHANGES]
    assert len(place.addresses) > 80
    known = {"/console/end", "/signout", "/oauth/authorize", "/v1/revocations", "/ssf/streams"}
    assert known <= {path for _, path in changing}


def test_ui_02_nothing_is_done_by_a_cookie_alone_for_another_site_or_without_the_pages_word(place):
    before = place.read(newest).size
    for headers in (ELSEWHERE, {}, {"origin": place.url, "sec-fetch-site": "same-origin"}):
        for body in (b"", b"word=wrong&confirm=yes&answer=yes"):
            for method, path, answer in walked(place, CHANGES, FORM | headers, body):
                assert answer.status >= 400, (method, path, answer.status)
                assert not answer.headers.get("access-control-allow-origin"), path
    assert place.read(newest).size == before, "something was done, and written down"
    assert ask(place.url + "/console", headers=place.cookies).status == 200, "the session still stands"


def test_ui_01_no_answer_can_be_framed_sniffed_or_run_from_elsewhere(place):
    for methods in (("GET",), CHANGES):
        for method, path, answer in walked(place, methods, {}, None if methods == ("GET",) else b""):
            where = (method, path, answer.status)
            assert answer.headers["x-frame-options"] == "DENY", where
            assert answer.headers["x-content-type-options"] == "nosniff", where
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, where
            assert "unsafe-eval" not in policy, where
            assert "script-src 'unsafe-inline'" not in policy, where
            assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), where


def test_each_cookie_that_is_set_or_taken_away_is_kept_from_scripts_and_other_sites(place):
    for methods in (("GET",), CHANGES):
        for _, path, answer in walked(place, methods, {}, None if methods == ("GET",) else b""):
            hardened(path, answer)
    browser = Browser(place.url)
    link = place.act(lambda c: login.issue(c, "link", "operator"))
    entered = browser.post(f"/console/enter/{link}")
    assert (entered.status, hardened("/console/enter", entered)) == (303, 1)
    left = browser.post("/console/leave", {"word": browser.word()})
    assert (left.status, hardened("/console/leave", left)) == (200, 1), "as strict as it was, or it is not taken away"


def hardened(path, answer):
    found = [value.lower() for name, value in answer.headers.items() if name.lower() == "set-cookie"]
    for one in found:
        assert "httponly" in one, path
        assert "samesite=strict" in one or "samesite=lax" in one, path
        assert "path=/" in one, path
        assert "domain=" not in one, path
    return len(found)
