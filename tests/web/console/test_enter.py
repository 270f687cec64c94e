"""Coming in by a link that counts once, and going out, as a browser does it; and what a browser of another does."""

import http.client
from urllib.parse import urlsplit

import pytest

from remit.control import login
from tests.kit.browser import Browser


@pytest.fixture
def code(place):
    return place.act(lambda c: login.issue(c, "link", "operator"))


def test_a_link_that_was_only_fetched_is_not_used_up(place, code):
    browser = Browser(place.url)
    for _ in range(3):
        answer = browser.get(f"/console/enter/{code}")
        assert answer.status == 200
        assert "set-cookie" not in answer.headers
    entered = browser.post(f"/console/enter/{code}")
    assert (entered.status, entered.headers["location"]) == (303, "/console")
    cookie = entered.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=28800"))
    assert browser.get("/console").status == 200
    assert b"login_used" in Browser(place.url).post(f"/console/enter/{code}").body


def test_pages_allow_no_script_no_frame_and_no_cache(place, code):
    for path in (f"/console/enter/{code}", "/console", "/console/enter/unknown"):
        answer = Browser(place.url).get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert b"<script" not in answer.body
    assert Browser(place.url).get("/console/style.css").headers["content-type"].startswith("text/css")


def test_who_is_not_signed_in_is_told_how(place):
    answer = Browser(place.url).get("/console")
    assert answer.status == 401
    assert b"remit up --admin" in answer.body


def test_what_a_link_says_is_shown_inert(place):
    answer = Browser(place.url).get("/console/enter/%22%3E%3Cimg%20src=x%3E")
    assert b"<img" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_another_sites_page_presses_no_button(place, code, headers):
    browser = Browser(place.url).enter(code)
    word = browser.word()
    other = Browser(place.url, browser.cookies)
    assert other.post("/console/token", {"word": word}, headers).status == 403
    assert other.post("/console/token", {"word": "guessed"}).status == 403
    assert other.post("/console/token", {}).status == 400
    assert browser.get("/console").status == 200


def test_signing_out_ends_the_session_at_the_server(place, code):
    browser = Browser(place.url).enter(code)
    kept = dict(browser.cookies)
    assert browser.post("/console/leave", {"word": browser.word()}).status == 200
    assert Browser(place.url, kept).get("/console").status == 401


def test_a_token_is_given_for_a_link_once(place, code):
    answer = place.send("/v1/login", {"code": code}, "")
    assert answer.status == 201
    assert place.get("/v1/status", answer.json["token"]).status == 200
    assert place.send("/v1/login", {"code": code}, "").json["code"] == "login_used"
    assert place.send("/v1/login", {"code": "x" * 600}, "").status == 400
    assert place.get("/v1/status", code).status == 401


def test_a_doubled_host_is_refused(place, code):
    parts = urlsplit(place.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.putrequest("GET", f"/console/enter/{code}", skip_host=True)
    connection.putheader("host", f"{parts.netloc}")
    connection.putheader("host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()
