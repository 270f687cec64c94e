"""The pages of tasks: in order and live, theirs alone, and their evidence for the operator."""

import json
import re

import pytest

from remit.cli import evidence_check
from remit.control import task
from remit.ledger import note
from tests.kit.asks import Asks

HOME = "/console/tasks"


@pytest.fixture
def asks(place):
    return Asks(place)


def test_it_tells_in_order_what_was_planned_done_asked_and_refused(asks):
    asks.call("/notes/w", tool="write_note")
    waits = asks.ask()
    asks.call("/etc/<b>passwd</b>")
    browser = asks.browser()
    page = browser.get(f"{HOME}/{asks.task.id}").body.decode()
    found = re.findall(r'<span class="state (\w+)">\w+</span>\n<div', page)
    assert found[:2] == ["opened", "planned"]
    assert found[-2:] == ["asked", "refused"]
    assert "<b>passwd" not in page
    assert "&lt;b&gt;passwd" in page
    assert f'href="/console/approvals/{waits}"' in page
    assert '<meta http-equiv="refresh" content="5">' in page
    held = browser.get(f"{HOME}/{asks.task.id}?live=no").body.decode()
    assert "refresh" not in held.split("</head>")[0]
    assert "Let it go on" in held
    asks.site.act(lambda c: task.end(c, asks.task.id, "complete", "operator"))
    assert "refresh" not in browser.get(f"{HOME}/{asks.task.id}").body.decode().split("</head>")[0]


def test_a_person_sees_their_own_tasks_alone(asks):
    mine, _ = asks.opened(asks.world.person.id)
    browser = asks.browser(asks.world.person.id)
    listed = browser.get(HOME).body.decode()
    assert mine.id in listed
    assert asks.task.id not in listed
    assert browser.get(f"{HOME}/{asks.task.id}").status == 404
    assert browser.get(f"{HOME}/{mine.id}").status == 200
    assert b"Download" not in browser.get(f"{HOME}/{mine.id}").body
    assert asks.task.id in asks.browser().get(HOME).body.decode()


def test_the_operator_downloads_its_evidence(asks):
    asks.ask()
    browser = asks.browser()
    page = browser.get(f"{HOME}/{asks.task.id}").body.decode()
    word = re.search(r'name="word" value="([^"]+)"', page)[1]
    taken = browser.post(f"{HOME}/{asks.task.id}/evidence", {"word": word})
    assert "attachment" in taken.headers["content-disposition"]
    authority = asks.world.authority
    keys = [note.parse_vkey(one) for one in asks.site.read(lambda _: authority.verifiers())]
    assert evidence_check.examine(taken.body, keys, authority.name)[0] is None
    assert json.loads(taken.body)["task"] == asks.task.id
    assert browser.post(f"{HOME}/{asks.task.id}/evidence", {"word": "x"}).status == 403


def test_its_flow_is_drawn_inert(asks):
    asks.call("/etc/<b>passwd</b>")
    assert asks.allowed("/notes/<i>x</i>") is False
    browser = asks.browser()
    page = browser.get(f"{HOME}/{asks.task.id}/flow").body.decode()
    assert "<svg" in page
    assert f"Flow of {asks.task.id}" in page
    assert "<b>passwd" not in page
    assert "<script" not in page
    assert "style=" not in page, "the policy forbids styles that stand in the page"
    assert asks.browser(asks.cal).get(f"{HOME}/{asks.task.id}/flow").status == 404
