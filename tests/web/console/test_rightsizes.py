"""The pages of right-size: given beside used, the replay, and what each may do: answer, put in force, take back."""

import re

import pytest

from remit.control import brief
from remit.core.brief import Brief
from remit.core.rightsize import Rightsize
from tests.kit.asks import Asks
from tests.kit.proposing import offered, used

HOME = "/console/rightsize"


@pytest.fixture
def asks(place):
    made = Asks(place)
    asked = made.world.a_brief(approvers=("staff",), version=2)
    place.act(lambda c: brief.apply(c, asked, "operator"))
    used(made, "a/<b>1</b>", "a/2", "a/3")
    return made


def word(page):
    return re.search(r'name="word" value="([^"]+)"', page)[1]


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def state(asks, one):
    return asks.site.act(lambda c: c.need(Rightsize, one.id)).state


def test_it_is_answered_by_a_person_of_the_group_and_put_in_force_and_taken_back_by_the_operator(asks):
    one = asks.site.act(offered)
    where, operator, ann = f"{HOME}/{one.id}", asks.browser(), asks.browser(asks.ann)
    assert one.id in operator.get(HOME).body.decode()
    page = operator.get(where).body.decode()
    said = plain(page)
    assert "allowed then and under it" in said
    assert "taken away" in said
    assert "narrowed" in said or "as it is" in said
    assert "<b>1" not in page
    assert "<script" not in page
    assert "style=" not in page
    assert "Put it in force" not in plain(page), "nobody has said yes yet"
    assert operator.post(where, {"word": word(page), "do": "apply", "shown": one.shown}).status == 403
    mine = ann.get(where).body.decode()
    assert ann.post(where, {"word": word(mine), "do": "apply", "shown": one.shown}).status == 400
    assert ann.post(where, {"word": "x", "do": "yes", "shown": one.shown}).status == 403
    assert ann.post(where, {"word": word(mine), "do": "yes", "shown": "other"}).status == 409
    assert state(asks, one) == "proposed"
    assert ann.post(where, {"word": word(mine), "do": "yes", "shown": one.shown}).status in (200, 303)
    assert state(asks, one) == "approved"
    page = operator.get(where).body.decode()
    assert "Put it in force" in plain(page)
    before = asks.site.act(lambda c: c.need(Brief, "notes"))
    operator.post(where, {"word": word(page), "do": "apply", "shown": one.shown})
    assert state(asks, one) == "applied"
    assert len(asks.site.act(lambda c: c.need(Brief, "notes")).steps) < len(before.steps)
    page = operator.get(where).body.decode()
    operator.post(where, {"word": word(page), "do": "rollback", "shown": one.shown})
    assert state(asks, one) == "undone"
    assert asks.site.act(lambda c: c.need(Brief, "notes")).steps == before.steps


def test_who_is_of_no_group_that_is_asked_does_not_see_it(asks):
    one = asks.site.act(offered)
    stranger = asks.browser(asks.cal)
    assert one.id not in stranger.get(HOME).body.decode()
    assert stranger.get(f"{HOME}/{one.id}").status == 404
    page = asks.browser(asks.ann).get(f"{HOME}/{one.id}").body.decode()
    assert stranger.post(f"{HOME}/{one.id}", {"word": word(page), "do": "yes", "shown": one.shown}).status == 403


def test_what_was_dropped_says_that_it_is_gone_and_offers_nothing(asks):
    one = asks.site.act(offered)
    operator = asks.browser()
    page = operator.get(f"{HOME}/{one.id}").body.decode()
    assert operator.post(f"{HOME}/{one.id}", {"word": word(page), "do": "wipe", "shown": one.shown}).status == 400
    operator.post(f"{HOME}/{one.id}", {"word": word(page), "do": "drop", "shown": one.shown})
    after = operator.get(f"{HOME}/{one.id}").body.decode()
    assert "not here any more" in plain(after)
    assert "<button" not in after
    assert operator.get(f"{HOME}/rsz_x").status in (400, 404)
