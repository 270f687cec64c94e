"""`/v1/approvals/{id}/poll`: an agent hears of its own asks alone, no faster than it may."""

from remit.control import approval
from remit.core.approval import Approval
from remit.web.api.poll import INTERVAL_S, SLOWEST_S, Pace
from tests.kit.asking import code, opened
from tests.web.test_approval import asked


def told(place, waits, token):
    return place.send(f"/v1/approvals/{waits}/poll", {}, token)


def answered(place, waits, *, yes):
    shown = place.act(lambda c: c.need(Approval, waits)).shown
    given = {"yes": yes, "shown": shown, "via": "test"}
    place.act(lambda c: approval.answer(c, waits, place.pia, **given))


def own(place, waits):
    """A credential of the task that asked."""
    errand = place.act(lambda c: c.need(Approval, waits)).task
    return place.token(place.bot, errand).json["access_token"]


def test_it_says_pending_then_slow_down_then_what_people_said(place):
    waits, call = asked(place)
    token = own(place, waits)
    first = told(place, waits, token)
    assert (first.status, first.json["error"], first.json["interval"]) == (400, "authorization_pending", INTERVAL_S)
    assert first.headers["retry-after"] == str(INTERVAL_S)
    again = told(place, waits, token)
    assert (again.json["error"], again.json["interval"]) == ("slow_down", 2 * INTERVAL_S)
    answered(place, waits, yes=True)
    other = own(place, waits)
    said = told(place, waits, other)
    assert (said.status, said.json["state"]) == (200, "approved")
    call()
    assert told(place, waits, own(place, waits)).json["error"] == "expired_token", "it was used up"


def test_a_no_is_told(place):
    waits, _ = asked(place)
    answered(place, waits, yes=False)
    assert told(place, waits, own(place, waits)).json["error"] == "access_denied"


def test_nobody_hears_of_anothers(place):
    waits, _ = asked(place)
    assert code(told(place, waits, place.held), 404) == "not_found", "the same agent's, for another task"
    stranger = place.token(place.other, opened(place, place.other)).json["access_token"]
    assert code(told(place, waits, stranger), 404) == "not_found"
    assert code(told(place, waits, place.person), 403) == "forbidden"
    assert code(told(place, waits, ""), 401) == "unauthenticated"


def test_who_is_too_fast_is_slowed_down_and_who_waits_is_not():
    pace, now = Pace(), 1_000_000
    assert pace.interval("a", now) == (INTERVAL_S, False)
    assert pace.interval("a", now + 5_000) == (INTERVAL_S, False)
    assert pace.interval("a", now + 6_000) == (2 * INTERVAL_S, True)
    assert pace.interval("b", now + 6_000) == (INTERVAL_S, False)
    for n in range(30):
        wait, early = pace.interval("a", now + 6_100 + n)
        assert early
    assert wait == SLOWEST_S
