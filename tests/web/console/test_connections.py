"""A person connects an account by their browser, at a certified provider; and all that could make it another's."""

import json
import time
import urllib.parse
import urllib.request

import pytest

from remit.control import connection, principal, resource, revocation, session
from remit.control.lessor import Lessor
from remit.control.session import Proof
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.resource import Minting
from remit.custody.secret import Secret
from remit.custody.sources.connecting import redeem
from remit.custody.sources.provider import Provider, discovered
from remit.web.console import connections as page
from remit.web.console import owed
from remit.web.site import Site
from tests.kit.browser import Browser
from tests.kit.provider import CLIENT, agreed, provided
from tests.kit.signin import path_of, query, word_of
from tests.kit.site import site
from tests.kit.world import ISSUER

HERE = "/console/connections"
BACK = f"{ISSUER}{HERE}/back/notes"


@pytest.fixture(scope="module")
def provider():
    with provided("keep", BACK) as found:
        yield found


def minting(provider, **more):
    given = {"issuer": provider["issuer"], "client": "remit", "scope.read_note": "notes.read", "also": "offline_access"}
    return Minting(kind="oauth", secret="idp", settings=discovered(given | {"scope.write_note": "notes.write"} | more))


@pytest.fixture(scope="module")
def served(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("connections")
    folder.chmod(0o700)
    with site(folder) as one:
        one.act(lambda c: resource.put_secret(c, "idp", Secret(CLIENT)))
        one.act(lambda c: resource.mint_at(c, "notes", minting(provider), "operator"))
        lessor = Lessor(one.world.authority, one.world.batch, one.loop.call_soon_threadsafe)
        one.world.batch.moved = lessor.look
        yield one
        lessor.close()


@pytest.fixture
def place(served, provider):
    """Nobody is connected, and nothing is under way at the provider."""
    served.act(lambda c: connection.end_at(c, "notes", "operator", "the next test"))
    ended(served)
    served.act(lambda c: resource.mint_at(c, "notes", minting(provider), "operator"))
    return served


def signed(place, person):
    proof = Proof("https://idp.test", place.world.authority.clock.now())
    secret = place.act(lambda c: session.begin(c, person, proof))
    return Browser(place.url, {"remit-person": secret})


@pytest.fixture
def pia(place):
    return signed(place, place.world.person.id)


def begin(browser, **more):
    return browser.post(f"{HERE}/begin", {"word": word_of(browser), "resource": "notes"} | more)


def back(browser, location):
    return browser.get(path_of(location))


def found(place, state=""):
    return place.act(lambda c: [one for one in c.reader.where(Connection) if state in ("", one.state)])


def ended(place):
    """Wait until every provider has taken back what ended."""
    until = time.monotonic() + 60
    while place.act(lambda c: connection.leaving(c.reader)):
        assert time.monotonic() < until, "the provider did not take it back"
        time.sleep(0.02)


def asked(provider, token):
    fields = {"token": token, "client_id": "remit", "client_secret": CLIENT.decode()}
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{provider['issuer']}/token/introspection", body, timeout=60) as answer:
        return json.load(answer)


def kept(place):
    """The refresh token of the one live connection."""
    (one,) = found(place, "live")
    return place.act(lambda c: c.authority.vault.get(connection.SECRETS, one.id)).reveal().decode()


def connected(place, browser, who="ann"):
    answer = back(browser, agreed(begin(browser).headers["location"], who))
    assert answer.status == 303, answer.body
    return kept(place)


def refused(answer, code="connection_refused"):
    return answer.status in (400, 401, 403, 404) and code.encode() in answer.body


def test_a_person_connects_by_their_browser_and_ends_it_at_the_provider(place, provider, pia):
    page = pia.get(HERE)
    assert b"notes.read" in page.body
    policy = page.headers["content-security-policy"]
    assert f"form-action 'self' {provider['issuer']}" in policy, "the button may lead there, and nowhere else"
    begun = begin(pia)
    said = query(begun.headers["location"])
    assert begun.headers["location"].startswith(f"{provider['issuer']}/auth?")
    assert (said["response_type"], said["code_challenge_method"], said["redirect_uri"]) == ("code", "S256", BACK)
    assert len(said["state"]) == len(said["code_challenge"]) == 43
    cookie = begun.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "max-age=600"))
    answer = back(pia, agreed(begun.headers["location"]))
    assert (answer.status, answer.headers["location"]) == (303, HERE)
    (one,) = found(place, "live")
    assert (one.person, one.scopes) == (place.world.person.id, ("notes.read", "notes.write", "offline_access"))
    token = kept(place)
    assert asked(provider, token)["sub"] == "ann"
    assert token.encode() not in b"".join(body for (body,) in place.act(lambda c: c.db.all("SELECT body FROM leaf")))
    assert b"connected" in pia.get(HERE).body
    assert pia.post(f"{HERE}/end", {"word": word_of(pia), "connection": one.id}).status == 303
    ended(place)
    (one,) = [each for each in found(place) if each.id == one.id]
    assert (one.state, one.proof) == ("gone", "revoked")
    assert asked(provider, token) == {"active": False}
    assert not place.act(lambda c: c.authority.vault.holds(connection.SECRETS, one.id))


def test_an_answer_opens_nothing_in_another_browser_session_or_for_another_person(place, pia):
    location = agreed(begin(pia).headers["location"])
    own = dict(pia.cookies)
    fresh = signed(place, place.world.person.id)
    assert refused(back(fresh, location)), "a browser that began nothing"
    other = signed(place, place.world.owner.id)
    other.cookies |= {name: value for name, value in own.items() if name.startswith("remit-connect-")}
    assert refused(back(other, location)), "another person, with the cookie of the one who began"
    fresh.cookies |= {name: value for name, value in own.items() if name.startswith("remit-connect-")}
    assert refused(back(fresh, location)), "another session of the same person"
    assert refused(back(Browser(place.url), location), "unauthenticated"), "nobody"
    assert found(place, "live") == []
    assert back(pia, location).status == 303
    assert refused(back(pia, location)), "the same answer again"
    assert len(found(place, "live")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x" * 43},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"iss": None},
        {"code": ""},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_an_answer_that_was_changed_on_the_way_is_refused(place, pia, change):
    location = agreed(begin(pia).headers["location"])
    said = {name: value for name, value in (query(location) | change).items() if value is not None}
    assert refused(pia.get(f"{HERE}/back/notes?{urllib.parse.urlencode(said)}"))
    assert found(place, "live") == []


def test_a_code_of_another_try_is_refused_by_the_provider(place, pia):
    mallory = signed(place, place.world.owner.id)
    stolen = query(agreed(begin(mallory).headers["location"], "bob"))["code"]
    location = agreed(begin(pia).headers["location"])
    injected = query(location) | {"code": stolen}
    assert refused(pia.get(f"{HERE}/back/notes?{urllib.parse.urlencode(injected)}"))
    assert found(place, "live") == []


def test_an_answer_for_one_resource_is_none_for_another(place, pia):
    location = agreed(begin(pia).headers["location"])
    assert refused(pia.get(path_of(location).replace("/back/notes", "/back/other")))
    assert found(place, "live") == []


def test_an_answer_of_a_provider_that_was_replaced_meanwhile_goes_nowhere(place, provider, pia):
    location = agreed(begin(pia).headers["location"])
    elsewhere = minting(provider, token="http://127.0.0.1:1/token")
    place.act(lambda c: resource.mint_at(c, "notes", elsewhere, "operator"))
    answer = back(pia, location)
    assert refused(answer)
    assert b"another provider meanwhile" in answer.body


def test_only_the_page_itself_begins_or_ends(place, pia):
    assert refused(begin(pia, word="x"), "forbidden")
    assert refused(
        pia.post(f"{HERE}/begin", {"word": word_of(pia), "resource": "notes"}, {"origin": "https://evil.example"}),
        "forbidden",
    )
    assert refused(begin(pia, resource="desk"), "not_found")
    connected(place, pia)
    (one,) = found(place, "live")
    other = signed(place, place.world.owner.id)
    assert refused(other.post(f"{HERE}/end", {"word": word_of(other), "connection": one.id}), "not_found")
    assert len(found(place, "live")) == 1


def test_one_connection_at_a_time_and_each_person_their_own(place, provider, pia):
    first = connected(place, pia)
    answer = begin(pia)
    assert (answer.status, b"connection_live" in answer.body) == (409, True)
    other = signed(place, place.world.owner.id)
    back(other, agreed(begin(other).headers["location"], "bob"))
    mine = {one.person: one.id for one in found(place, "live")}
    assert set(mine) == {place.world.person.id, place.world.owner.id}
    token = place.act(lambda c: c.authority.vault.get(connection.SECRETS, mine[place.world.owner.id]))
    assert asked(provider, token.reveal().decode())["sub"] == "bob"
    assert asked(provider, first)["sub"] == "ann"


def test_what_two_windows_began_is_connected_once_and_the_other_is_given_back(place, provider, pia):
    one, two = (agreed(begin(pia).headers["location"], who) for who in ("ann", "bob"))
    assert back(pia, one).status == 303
    answer = back(pia, two)
    assert (answer.status, b"connection_live" in answer.body) == (409, True)
    assert asked(provider, kept(place))["active"]


@pytest.mark.parametrize("fault", [RemitError("not_found", "y", "z"), ValueError("no"), TimeoutError()], ids=repr)
def test_what_cannot_be_recorded_for_whatever_reason_is_given_back(place, provider, pia, monkeypatch, fault):
    got = []

    def seen(*args, **members):
        got.append(redeem(*args, **members))
        return got[-1]

    async def fails(*_args):
        raise fault

    location = agreed(begin(pia).headers["location"])
    monkeypatch.setattr(page, "redeem", seen)
    monkeypatch.setattr(Site, "act", fails)
    assert back(pia, location).status >= 400
    monkeypatch.undo()
    assert found(place, "live") == []
    assert asked(provider, got[0].token.reveal().decode()) == {"active": False}


def away(monkeypatch, got):
    """A provider that takes nothing back and takes nothing for a try, and what it gave meanwhile."""
    post = Provider.post

    def posted(self, url, form):
        if "code" not in form:
            raise RemitError("target_unavailable", "The provider cannot be reached (it is away).", "y")
        status, said = post(self, url, form)
        got.append(said)
        return status, said

    monkeypatch.setattr(Provider, "post", posted)


def test_what_a_provider_that_is_away_does_not_take_back_is_tried_on_and_shown(place, provider, pia, monkeypatch):
    """The access token that came along is not taken, so nothing is connected; and then the rest is not taken either."""
    got, before = [], {one.id for one in found(place)}
    location = agreed(begin(pia).headers["location"])
    away(monkeypatch, got)
    assert refused(back(pia, location), "target_unavailable")
    assert found(place, "live") == []
    kept = [each for each in found(place) if each.id not in before]
    assert [(each.person, each.state, each.scopes) for each in kept] == 2 * [(place.world.person.id, "ended", ())]
    until = time.monotonic() + 60
    while len(found(place, "pending")) < len(kept):
        assert time.monotonic() < until, "it is no incident"
        place.loop.call_soon_threadsafe(place.world.batch.moved)
        time.sleep(0.05)
    assert "cannot be reached" in found(place, "pending")[0].trouble
    assert begin(pia).status == 409, "nothing is connected beside it"
    assert asked(provider, got[0]["refresh_token"])["active"], "it was taken back all the same: this shows nothing"
    monkeypatch.undo()
    until = time.monotonic() + 60
    while found(place, "pending"):
        assert time.monotonic() < until, "it is not tried on"
        place.loop.call_soon_threadsafe(place.world.batch.moved)
        time.sleep(0.05)
    assert not asked(provider, got[0]["refresh_token"])["active"]
    assert not asked(provider, got[0]["access_token"])["active"], "what came along outlived what it came with"
    assert {each.proof for each in found(place) if each.id not in before} == {"revoked"}


def test_what_can_be_neither_taken_back_nor_recorded_is_tried_on_by_this_process(place, provider, pia, monkeypatch):
    got = []
    location = agreed(begin(pia).headers["location"])
    monkeypatch.setattr(owed, "FIRST_S", 0.01)
    away(monkeypatch, got)

    async def fails(*_args):
        raise RemitError("commit_lost", "x", "y")

    monkeypatch.setattr(Site, "act", fails)
    assert back(pia, location).status >= 400
    assert asked(provider, got[0]["refresh_token"])["active"]
    monkeypatch.undo()
    until = time.monotonic() + 60
    while asked(provider, got[0]["refresh_token"])["active"]:
        assert time.monotonic() < until, "it is not tried on"
        time.sleep(0.05)
    assert found(place, "live") == []


def test_one_provider_is_never_shown_what_another_gave(place, provider, pia):
    """What is to be taken back stays unrecorded where another provider is set by now: this process tries it on."""
    elsewhere = minting(provider, token="https://elsewhere.example/token")
    given = {"person": place.world.person.id, "resource": "notes", "token": Secret(b"lasting"), "by": "operator"}
    with pytest.raises(RemitError, match="another provider meanwhile"):
        place.act(lambda c: connection.stray(c, minting=elsewhere, **given))
    assert not found(place, "ended")


def test_a_person_who_says_no_or_leaves_is_not_connected(place, provider, pia):
    assert refused(back(pia, agreed(begin(pia).headers["location"], "")))
    ray = place.act(lambda c: principal.add_person(c, "local", "ray", "Ray", (), "operator")).id
    token = connected(place, signed(place, ray), "bob")
    place.act(lambda c: revocation.revoke(c, "person", ray, "operator"))
    ended(place)
    assert asked(provider, token) == {"active": False}


def test_a_provider_is_not_replaced_under_what_people_connected(place, provider, pia):
    connected(place, pia)
    with pytest.raises(Exception, match="have connected notes"):
        place.act(lambda c: resource.mint_at(c, "notes", minting(provider, client="another"), "operator"))
    for address in ("token", "revoke", "introspect"):
        elsewhere = minting(provider, **{address: "https://elsewhere.example/"})
        with pytest.raises(Exception, match="have connected notes"):
            place.act(lambda c, one=elsewhere: resource.mint_at(c, "notes", one, "operator"))
    with pytest.raises(Exception, match="have connected notes"):
        place.act(lambda c: resource.mint_at(c, "notes", None, "operator"))


def test_where_people_do_not_connect_by_themselves_there_is_nothing_to_press(place, provider, pia):
    plain = Minting(
        kind="oauth", secret="idp", settings={k: v for k, v in minting(provider).settings.items() if k != "authorize"}
    )
    place.act(lambda c: resource.mint_at(c, "notes", plain, "operator"))
    assert b"nothing that you could connect" in pia.get(HERE).body
    assert refused(begin(pia), "not_found")
