"""The pages of what waits for people: who sees what, and that only a signed-in person's own button is an answer."""

import re

import pytest

from remit.control import approval, task
from remit.core.approval import Approval
from tests.kit.asks import Asks
from tests.kit.browser import Browser

HOME = "/console/approvals"
TRAP = "/notes/\u202egpj.exe" + " " * 100_000 + "<script>alert(1)</script> b\u0430nk"


@pytest.fixture
def asks(place):
    return Asks(place)


def fields(page):
    """The hidden fields of the answer's form, as a browser would send them."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page))


def picks(page):
    return dict(re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]+)">', page))


def state(asks, identity):
    return asks.site.act(lambda c: c.need(Approval, identity)).state


def test_a_person_sees_it_says_yes_and_the_call_goes_through(asks):
    waits, browser = asks.ask(), asks.browser(asks.ann)
    listed = browser.get(HOME).body.decode()
    assert "One question waits." in listed
    assert f'href="{HOME}/{waits}"' in listed
    page = browser.get(f"{HOME}/{waits}").body.decode()
    assert "&#34;/notes/a&#34;" in page
    assert "Exactly this call happens, once" in page
    said = browser.post(HOME, fields(page) | {"answer": "yes", "because": "fine"})
    assert (said.status, said.headers["location"]) == (303, f"{HOME}?said=yes")
    assert "You said yes" in browser.get(f"{HOME}?said=yes").body.decode()
    assert asks.allowed()
    one = asks.site.act(lambda c: c.need(Approval, waits))
    assert [(each.by, each.via) for each in one.yes] == [(asks.ann, "console")]
    assert "Nothing waits for you." in browser.get(HOME).body.decode()


def test_a_no_ends_it(asks):
    waits, browser = asks.ask(), asks.browser(asks.ben)
    page = browser.get(f"{HOME}/{waits}").body.decode()
    assert browser.post(HOME, fields(page) | {"answer": "no"}).status == 303
    assert asks.call().code == "approval_denied"


def test_like_asks_of_a_task_are_one_card_and_each_is_answered_by_its_own_digest(asks):
    waits = [asks.ask(f"/notes/{n}") for n in range(4)]
    _, other = asks.opened()
    apart = asks.ask("/notes/0", other)
    browser = asks.browser(asks.ann)
    listed = browser.get(HOME).body.decode()
    assert "2 questions wait." in listed
    assert "4 of them" in listed
    page = browser.get(f"{HOME}/{waits[0]}").body.decode()
    more = picks(page)
    assert set(more) == set(waits[1:])
    chosen = {name: more[name] for name in waits[1:3]}
    assert browser.post(HOME, fields(page) | chosen | {"answer": "yes"}).status == 303
    assert [state(asks, one) for one in (*waits, apart)] == ["approved"] * 3 + ["pending"] * 2
    assert [asks.allowed(f"/notes/{n}") for n in range(3)] == [True] * 3


def test_one_that_moved_among_several_answers_none(asks):
    waits = [asks.ask(f"/notes/{n}") for n in range(3)]
    browser = asks.browser(asks.ann)
    page = browser.get(f"{HOME}/{waits[0]}").body.decode()
    given = fields(page) | picks(page) | {waits[2]: "other", "answer": "yes"}
    answered = browser.post(HOME, given)
    assert answered.status == 409
    assert b"approval_moved" in answered.body
    assert {state(asks, one) for one in waits} == {"pending"}


def test_appr_06_what_is_shown_is_whole_inert_and_marked(asks):
    asks.widen()
    waits, browser = asks.ask(TRAP), asks.browser(asks.ann)
    for path in (HOME, f"{HOME}/{waits}"):
        page = browser.get(path).body.decode()
        assert "<script" not in page
        assert "\u202e" not in page
        assert '<mark title="U+202E RIGHT-TO-LEFT OVERRIDE">\\u202e</mark>' in page
        assert '<mark title="100000 spaces">100000 spaces</mark>' in page
        assert "alert(1)" in page
        assert '<mark title="U+0430 CYRILLIC SMALL LETTER A">' in page
    assert "Look closely" in page


def test_ui_02_only_a_button_of_ones_own_page_answers(asks):
    waits, browser = asks.ask(), asks.browser(asks.ann)
    mine = fields(browser.get(f"{HOME}/{waits}").body.decode()) | {"answer": "yes"}
    other = Browser(asks.site.url, browser.cookies)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert other.post(HOME, mine, headers).status == 403
    assert other.post(HOME, mine | {"word": "guessed"}).status == 403
    assert other.get(f"{HOME}/{waits}", {"sec-fetch-site": "cross-site"}).status == 200, "a link may lead here"
    answer = browser.get(f"{HOME}/{waits}")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert state(asks, waits) == "pending"


def test_whoever_may_not_answer_gets_no_button_and_no_answer(asks):
    waits = asks.ask()
    assert asks.browser(asks.cal).get(f"{HOME}/{waits}").status == 404
    assert Browser(asks.site.url).get(f"{HOME}/{waits}").status == 401
    requester = asks.browser(asks.world.owner.id)
    page = requester.get(f"{HOME}/{waits}").body.decode()
    assert "cannot answer it" in page
    assert 'name="answer"' not in page
    operator = asks.browser()
    page = operator.get(f"{HOME}/{waits}").body.decode()
    assert "You are here as the operator" in page
    assert operator.post(HOME, {"word": "x", waits: "x", "answer": "yes"}).status == 401
    word = re.search(r'name="word" value="([^"]+)"', requester.get(HOME).body.decode())[1]
    shown = asks.site.act(lambda c: c.need(Approval, waits)).shown
    given = {"word": word, waits: shown, "answer": "yes"}
    assert b"approver_refused" in requester.post(HOME, given).body
    assert state(asks, waits) == "pending"


def test_what_is_over_says_so(asks):
    waits = asks.ask()
    browser = asks.browser(asks.ann)
    page = browser.get(f"{HOME}/{waits}").body.decode()
    asks.site.act(lambda c: task.end(c, asks.task.id, "complete", "operator"))
    late = browser.get(f"{HOME}/{waits}").body.decode()
    assert "it is void" in late
    assert browser.post(HOME, fields(page) | {"answer": "yes"}).status == 409
    assert "Nothing waits for you." in browser.get(HOME).body.decode()


def test_somebody_who_says_yes_to_all_at_once_is_told(asks):
    browser = asks.browser(asks.ann)
    for n in range(9):
        waits = asks.ask(f"/notes/{n}")
        shown = asks.site.act(lambda c, waits=waits: c.need(Approval, waits)).shown
        given = {"yes": True, "shown": shown, "via": "test"}
        asks.site.act(lambda c, waits=waits, given=given: approval.answer(c, waits, asks.ann, **given))
    assert "You said yes 9 times in the last hour" in browser.get(HOME).body.decode()
    assert "You said yes" not in asks.browser(asks.ben).get(HOME).body.decode()


def test_a_link_of_a_person_gives_nothing_of_the_operators(asks):
    link = asks.link(asks.ann)
    assert asks.site.send("/v1/login", {"code": link}, "").json["code"] == "login_unknown"
    browser = asks.browser(asks.ann)
    home = browser.get("/console")
    assert (home.status, home.headers["location"]) == (303, HOME)
    assert browser.post("/console/token", {"word": "x"}).status == 401
    word = re.search(r'name="word" value="([^"]+)"', browser.get(HOME).body.decode())[1]
    assert browser.post("/signout", {"word": word}).status == 200
    assert browser.get(HOME).status == 401
