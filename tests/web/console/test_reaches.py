"""The pages of reach: numbers first, three views, ways and what stands between; for the operator, and inert."""

import re
from urllib.parse import quote

import pytest

from remit.control import resource
from remit.core.reach.answer import VIEWS
from remit.core.resource import Injection, Upstream
from remit.custody.secret import Secret
from tests.kit.asks import Asks
from tests.kit.world import TOOLS

HOME = "/console/reach"


@pytest.fixture
def asks(place):
    made = Asks(place)
    made.call()
    owner = made.world.owner.id
    place.act(lambda c: resource.put_secret(c, "key", Secret(b"s3cret-of-mail")))
    given = {"upstream": Upstream(url="http://127.0.0.1:9/mail"), "domain": "letters", "owner": owner, "tools": TOOLS}
    given |= {"labels": ("sensitive",), "injections": (Injection(secret="key", header="authorization"),)}
    place.act(lambda c: resource.add(c, name="mail", by="operator", **given))
    return made


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_agent_is_listed_with_its_numbers_and_leads_to_its_ways(asks):
    browser = asks.browser()
    page = browser.get(HOME).body.decode()
    key = quote(f"agent:{asks.world.agent.id}", safe="/")
    assert f"{HOME}/of?of={key}&amp;view=possible" in page
    told = browser.get(f"{HOME}/of?of={key}").body.decode()
    said = plain(told)
    assert re.findall(r"<h2><a [^>]*>(\w+)</a>", told) == list(VIEWS)
    assert said.index("can be written") < said.index("Shortest ways") < said.index("What all of it goes through")
    assert "domain:office" in told
    assert "<script" not in told
    assert "style=" not in told
    assert "s3cret" not in told
    now = plain(browser.get(f"{HOME}/of?of={key}&view=now").body.decode())
    assert "credential" in now
    assert browser.get(f"{HOME}?view=observed").status == 200


def test_as_if_something_were_not_there(asks):
    browser, key = asks.browser(), quote(f"agent:{asks.world.agent.id}")
    page = plain(browser.get(f"{HOME}/of?of={key}&without=resource%3Anotes").body.decode())
    assert "As if resource:notes were not there." in page
    assert "With it:" in page
    assert browser.get(f"{HOME}/of?of={key}&without=nobody").status == 404


def test_what_is_not_in_a_view_says_so_and_what_is_unknown_is_not_found(asks):
    browser = asks.browser()
    page = plain(browser.get(f"{HOME}/of?of=secret%3Akey").body.decode())
    assert "sensitive domains" in page
    assert "It is not there in this view." not in page or "observed" in page
    assert browser.get(f"{HOME}/of?of=agent%3Anobody").status == 404
    assert browser.get(f"{HOME}/of?of=a&color=red").status == 400
    assert browser.get(f"{HOME}?view=past").status == 400


def test_names_that_came_from_elsewhere_are_inert(asks):
    eve = asks.person("<script>alert(1)</script>", ())
    page = asks.browser().get(f"{HOME}/of?of=" + quote(f"person:{eve}")).body.decode()
    assert "&lt;script&gt;" in page.lower()
    hostile = asks.browser().get(f"{HOME}/of?of=" + quote("<script>alert(1)</script>")).body.decode()
    for text in (page, hostile):
        assert "<script" not in text.lower()


def test_a_person_does_not_see_them(asks):
    browser = asks.browser(asks.ann)
    assert browser.get(HOME).status == 403
    assert browser.get(f"{HOME}/of?of=domain%3Aoffice").status == 403
    assert f'href="{HOME}"' not in browser.get("/console/tasks").body.decode()
