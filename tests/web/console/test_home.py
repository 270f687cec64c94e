"""The first page shows what is here, and nothing that it was told stands in it as markup."""

import pytest

from remit.control import credential, login, task
from remit.core.trust import TrustPath
from tests.kit.browser import Browser
from tests.kit.world import read_call


@pytest.fixture
def browser(place):
    return Browser(place.url).enter(place.act(lambda c: login.issue(c, "link", "operator")))


def test_it_shows_agents_tasks_refusals_and_the_head(place, browser):
    world = place.world
    body = browser.get("/console").body.decode()
    assert world.agent.name in body
    assert "receipts, the newest head" in body
    assert "Nothing that this node knows of." in body


def test_a_refusal_is_seen_by_its_code(place, browser):
    def deny(change):
        receipt = {
            "v": 1, "kind": "call.denials", "at": change.now, "agent": place.world.agent.id, "code": "x", "count": 1,
        }  # fmt: skip
        return change.receipt(receipt)

    place.act(deny)
    assert b"None among the newest receipts." in browser.get("/console").body
    errand = place.act(lambda c: _opened(place, c))
    token = place.act(lambda c: _given(place, c, errand))
    done = []
    entry = place.world.gate.enter(token, "notes")
    place.loop.call_soon_threadsafe(lambda: place.world.gate.decide(read_call("/etc"), entry, "", done.append))
    while not done:
        browser.get("/console")
    page = browser.get("/console").body
    assert b"argument_refused" in page
    assert errand.encode() in page


def _opened(place, change):
    world = place.world
    return task.open_task(change, brief="notes", agent=world.agent.id, requester=world.owner.id, by="operator").id


def _given(place, change, errand):
    return credential.give(change, task_id=errand, agent_id=place.world.agent.id, path=TrustPath.OWN).text


def test_a_token_is_shown_once_and_opens_the_api_until_all_are_ended(place, browser):
    token = browser.token()
    assert place.get("/v1/status", token).status == 200
    assert token.encode() not in browser.get("/console").body
    assert browser.post("/console/end", {"word": browser.word()}).status == 200
    assert browser.get("/console").status == 401
    assert place.get("/v1/status", token).status == 401
