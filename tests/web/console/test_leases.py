"""The page of leases: the ladder, what could not be proven dead, and what was lent; each to whom it concerns."""

import re

import pytest

from remit.control import connection
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from tests.kit.asks import Asks
from tests.kit.leasing import AWS, irrevocable, lent, minted_at

HOME = "/console/leases"
ANSWER = "<b>denied</b> \u202eby the provider"


@pytest.fixture
def asks(place):
    made = Asks(place)
    minted_at(place.act)
    return made


def told(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_ladder_and_the_incidents_come_first_and_what_a_target_said_is_inert(asks):
    one = irrevocable(asks.site.act, lent(asks.site.act, asks.task), ANSWER)
    page = asks.browser().get(HOME).body.decode()
    said = told(page)
    assert "One lease is not proven dead." in said
    assert [said.index(name) for name in ("per-task", "brokered static", "static in the agent")] == sorted(
        said.index(name) for name in ("per-task", "brokered static", "static in the agent")
    )
    assert one.name in page
    assert "short-lived" in said
    assert "Shown against a stand-in alone." in said
    assert "<b>denied" not in page
    assert "&lt;b&gt;denied" in page
    assert "\u202e" not in page
    assert "<script" not in page
    assert "style=" not in page
    assert "secret-of-the-broker" not in page


def test_it_goes_on_in_pages_and_shows_the_dead_when_asked(asks, monkeypatch):
    from remit.control import lease as leases
    from remit.web.console import leases as pages

    monkeypatch.setattr(pages, "MOST", 2)
    errands = [asks.opened()[0] for _ in range(3)]
    made = sorted(lent(asks.site.act, one).id for one in errands)
    dead = lent(asks.site.act, asks.task)
    asks.site.act(lambda c: leases.end(c, "revoked", "operator", lease=dead.id))
    asks.site.act(lambda c: leases.dead(c, dead.id, "gone"))
    browser = asks.browser()
    first = browser.get(HOME).body.decode()
    assert dead.name not in first
    (more,) = re.findall(rf'href="({HOME}\?after=[^"]+)"', first)
    second = browser.get(more.replace("&amp;", "&")).body.decode()
    shown = [one for page in (first, second) for one in re.findall(r"remit_tsk_\w+", page)]
    assert len(shown) == len(set(shown)) == len(made)
    assert "More" not in told(second.split("</main>")[0])
    whole = browser.get(f"{HOME}?all=yes&task={asks.task.id}").body.decode()
    assert dead.name in whole
    assert "proven dead (gone)" in told(whole)
    assert browser.get(f"{HOME}?color=red").status == 400


def test_a_person_sees_the_leases_of_the_tasks_that_act_for_them_and_no_ladder(asks):
    person = asks.world.person.id
    mine = lent(asks.site.act, asks.opened(person, person=person)[0], TrustPath.DELEGATED)
    theirs = irrevocable(asks.site.act, lent(asks.site.act, asks.task))
    page = asks.browser(person).get(HOME).body.decode()
    assert mine.name in page
    assert theirs.name not in page
    assert "The ladder" not in page
    assert "No more" not in page


def test_a_connection_that_was_not_taken_back_is_an_incident_too(asks):
    settings = {"client": "remit", "token": "https://idp.example/t", "revoke": "https://idp.example/r", "scope.x": "x"}
    minted_at(asks.site.act, "oauth", settings)
    person = asks.world.person.id
    given = {"person": person, "resource": "notes", "scopes": ("x",), "by": person}
    one = asks.site.act(lambda c: connection.connect(c, token=Secret(b"kept-token"), **given))
    asks.site.act(lambda c: connection.end(c, one.id, person))
    asks.site.act(lambda c: connection.stuck(c, one.id, ANSWER))
    page = asks.browser().get(HOME).body.decode()
    assert "the connection of" in page
    assert "<b>denied" not in page
    assert "kept-token" not in page
    assert "the provider cannot prove its end" in told(page)


def test_a_source_that_cannot_be_opened_stands_on_no_rung(asks):
    minted_at(asks.site.act, settings={"role": AWS["role"]})
    assert "not known" in told(asks.browser().get(HOME).body.decode())
