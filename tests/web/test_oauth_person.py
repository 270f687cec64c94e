"""What a person sees and ends of what they allowed, and what becomes of it when they leave."""

import pytest

from remit.control import principal, revocation
from remit.core.task import Task
from remit.store.record import Reader
from tests.kit.asking_people import company
from tests.kit.browser import Browser
from tests.kit.signin import sign_in, word_of


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        one.site.act(lambda c: principal.add_person(c, one.idp.url, "max-at-idp", "Max", ("staff",), "operator"))
        yield one


def record(firm, kind, identity):
    return firm.site.act(lambda c: Reader(c.db).get(kind, identity))


def test_a_person_ends_what_they_allowed(firm):
    held = firm.token(code=firm.code()).json
    entry = firm.site.world.enter(held["access_token"])
    page = firm.browser().get("/console/consents")
    assert page.status == 200
    assert b"Desk &lt;b&gt;" in page.body
    consent = record(firm, Task, entry.task).consent
    fields = {"word": word_of(firm.browser()), "consent": consent}
    stranger = firm.browser("max-at-idp")
    assert stranger.post("/console/consents/end", fields | {"word": word_of(stranger)}).status == 404
    assert firm.browser().post("/console/consents/end", fields, {"origin": "https://evil.test"}).status == 403
    assert firm.browser().post("/console/consents/end", fields).status == 303
    assert firm.browser().post("/console/consents/end", fields).status == 303, "ended is ended"
    assert record(firm, Task, entry.task).state == "ended"
    assert firm.renew(held["refresh_token"]).json["error"] == "invalid_grant"
    assert Browser(firm.site.url).get("/console/consents").headers["location"] == "/signin?next=/console/consents"


def test_who_left_or_was_signed_out_meanwhile_gives_nothing(firm):
    firm.site.act(lambda c: principal.add_person(c, firm.idp.url, "leaver", "Lea", ("staff",), "operator"))
    browser = firm.browser("leaver")
    page = browser.get(firm.asking())
    leaver = firm.site.act(lambda c: principal.add_person(c, firm.idp.url, "leaver", "Lea", ("staff",), "x")).id
    firm.site.act(lambda c: revocation.revoke(c, "person", leaver, "operator"))
    assert firm.answer(page, browser=browser).status == 401


def test_consents_are_their_persons_and_the_operators_to_see(firm):
    firm.token(code=firm.code())
    own = firm.idp.token(firm.site.world.authority.clock.now() // 1000)
    mine = firm.site.get("/v1/consents?limit=200", own).json["items"]
    assert mine
    assert {one["person"] for one in mine} == {firm.pia}
    every = firm.site.get("/v1/consents?limit=200").json["items"]
    assert {one["id"] for one in mine} <= {one["id"] for one in every}
    assert [one["name"] for one in firm.site.get("/v1/clients").json["items"]] == ["Desk <b>"]
    open_ones = firm.site.get("/v1/sessions?state=open&limit=200").json["items"]
    assert open_ones
    assert all(one.keys() >= {"person", "auth_time", "issuer"} for one in open_ones)
    last = open_ones[0]["id"]
    assert firm.site.send(f"/v1/sessions/{last}/end", {}).json == {"ended": [last]}
    assert last not in [one["id"] for one in firm.site.get("/v1/sessions?state=open&limit=200").json["items"]]
    firm.browsers.clear()
    held = firm.token(code=firm.code()).json["access_token"]
    for path in ("/v1/consents", "/v1/clients", "/v1/sessions"):
        assert firm.site.get(path, held).status == 403


def test_a_sign_in_is_asked_for_before_anything_is_told(firm):
    stranger = Browser(firm.site.url)
    assert "/signin" in stranger.get(firm.asking(authorization_details=None)).headers["location"]
    fresh = Browser(firm.site.url)
    firm.idp.subject = "pia-at-idp"
    assert sign_in(fresh).status == 303
    assert fresh.get(firm.asking()).status == 200
