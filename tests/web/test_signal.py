"""Security events that are pushed to us: signed by another implementation, with its keys over HTTP."""

import json

import pytest

from remit.control import agent as agents
from remit.control import brief, principal, session, signal
from remit.control.session import Proof
from remit.core.agent import Agent
from remit.core.permit import Permit
from remit.core.principal import Person
from remit.core.receipt import decode
from remit.core.session import Session
from remit.core.signal import CAEP, RISC, VERIFY, Signal, Transmitter
from remit.core.task import Task
from remit.store.log import entries
from remit.web.settings import Issuer
from tests.kit.asking import opened
from tests.kit.nouns import code
from tests.kit.site import idp, site
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER, read_call

KIND = "application/secevent+jwt"
REVOKED = f"{CAEP}session-revoked"


@pytest.fixture
def provider():
    with idp() as one:
        yield one


@pytest.fixture
def place(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit", acts=True),)) as one:
        one.bot, one.provider = one.agent("bot"), provider
        one.pia = one.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", (), "operator")).id
        one.eve = one.act(lambda c: principal.add_person(c, provider.url, "eve@idp.test", "Eve", (), "operator")).id
        listed = (one.world.owner.id, one.pia, one.eve)
        one.act(lambda c: brief.apply(c, one.world.a_brief(agents=(one.bot,), dispatchers=listed), "operator"))
        one.source = one.act(lambda c: signal.add(c, source(provider), "operator"))
        one.now = one.world.authority.clock.now() // 1000
        one.count = iter(range(10_000))
        yield one


def source(provider, **members):
    given = {"name": "idp", "issuer": provider.url, "audience": ISSUER, "keys_url": f"{provider.url}/jwks"}
    return Transmitter(**(given | members))


def about(place, sub="pia-at-idp", **more):
    return {"format": "iss_sub", "iss": place.provider.url, "sub": sub} | more


def event(place, kind=REVOKED, said=None, key=None, head=None, **changes):
    kid, own = place.provider.keys[0]
    body = {"iss": place.provider.url, "aud": ISSUER, "iat": place.now, "jti": f"j{next(place.count)}"}
    body |= {"sub_id": about(place), "events": {kind: said or {}}}
    given = {"alg": "RS256", "kid": kid, "typ": "secevent+jwt"} | (head or {})
    return peer_sign(
        key or own, {k: v for k, v in given.items() if v}, {k: v for k, v in (body | changes).items() if v is not None}
    )


def push(place, text, kind=KIND):
    return place.send("/ssf/events", text.encode(), "", kind=kind)


def told(answer):
    assert answer.status == 400, answer.body
    assert answer.json.keys() == {"err", "description"}
    return answer.json["err"]


def delegated(place, person=""):
    """A delegated task with a credential, and a session of the person's."""
    who = person or place.pia
    errand = opened(place, place.bot, requester=who)
    token = place.provider.token(place.now, "pia-at-idp" if who == place.pia else "eve@idp.test")
    held = place.exchange(place.bot, errand, token).json["access_token"]
    place.act(lambda c: session.begin(c, who, Proof(place.provider.url, place.now * 1000)))
    return errand, held


def allowed(place, text):
    entry, found = place.world.enter(text), []
    place.loop.call_soon_threadsafe(lambda: place.world.gate.decide(read_call(), entry, "", found.append))
    while not found:
        place.act(lambda c: None)
    return isinstance(found[0], Permit)


def state(place, kind, identity):
    return place.act(lambda c: c.need(kind, identity)).state


def sessions(place, person):
    return [one.state for one in place.act(lambda c: list(c.reader.where(Session, "person = ?", (person,))))]


@pytest.mark.parametrize("kind", [f"{CAEP}token-claims-change", REVOKED])
def test_what_an_event_ended_comes_back_by_no_token_from_before_it(place, kind):
    errand, before = opened(place, place.bot, requester=place.pia), place.provider.token(place.now - 30)
    assert place.exchange(place.bot, errand, before).status == 200
    assert push(place, event(place, kind)).status == 202
    again = opened(place, place.bot, requester=place.pia)
    assert place.exchange(place.bot, again, before).status == 400
    own = [place.provider.token(at, jti="own") for at in (place.now - 30, place.now)]
    assert [place.get("/v1/people/me", one).status for one in own] == [401, 200]
    assert place.exchange(place.bot, again, place.provider.token(place.now)).status == 200, "a new sign-in counts"


@pytest.mark.parametrize(
    ("kind", "said", "task_is", "call"),
    [
        (REVOKED, {}, "ended", False),
        (f"{CAEP}credential-change", {"change_type": "revoke", "credential_type": "password"}, "ended", False),
        (f"{CAEP}credential-change", {"change_type": "create", "credential_type": "fido2-roaming"}, "open", True),
        (f"{CAEP}assurance-level-change", {"change_direction": "decrease"}, "open", False),
        (f"{CAEP}token-claims-change", {"claims": {"role": "ro"}}, "open", False),
        (f"{RISC}account-disabled", {"reason": "hijacking"}, "ended", False),
    ],
)
def test_an_event_ends_what_it_must_and_nothing_of_others(place, kind, said, task_is, call):
    errand, held = delegated(place)
    theirs, other = delegated(place, place.eve)
    own = place.token(place.bot, opened(place, place.bot)).json["access_token"]
    answer = push(place, event(place, kind, said))
    assert (answer.status, answer.body) == (202, b"")
    assert (state(place, Task, errand), allowed(place, held)) == (task_is, call)
    assert sessions(place, place.pia) == ["ended"]
    assert (state(place, Task, theirs), allowed(place, other), sessions(place, place.eve)) == ("open", True, ["open"])
    assert allowed(place, own), "the own path stopped with a person's event"
    assert state(place, Person, place.pia) == ("gone" if kind.startswith(RISC) else "active")
    (heard,) = place.act(lambda c: list(c.reader.where(Signal)))
    assert (heard.event, heard.person, heard.transmitter) == (kind, place.pia, "idp")


def test_an_owner_whose_account_is_disabled_suspends_their_agents(place):
    theirs = place.act(lambda c: principal.add_person(c, place.provider.url, "otto", "Otto", (), "operator")).id
    place.act(lambda c: agents.transfer(c, place.bot, theirs, "operator"))
    assert push(place, event(place, f"{RISC}account-disabled", sub_id=about(place, "otto"))).status == 202
    assert state(place, Agent, place.bot) == "suspended"


def test_what_is_recorded_and_what_ends_stand_in_one_transaction(place):
    errand, _ = delegated(place)
    before = place.act(lambda c: c.base)
    push(place, event(place))
    kinds = [one["kind"] for one in place.act(lambda c: _since(c, before))]
    assert kinds[-3:] == ["signal.heard", "session.ended", "task.ended"]
    assert state(place, Task, errand) == "ended"


def _since(change, before):
    return [decode(body) for body in entries(change.db, before, change.base)]


def test_an_event_counts_once_also_under_another_spelling_of_its_token(place):
    text = event(place)
    errand, _ = delegated(place)
    assert push(place, text).status == 202
    assert state(place, Task, errand) == "ended"
    again, held = delegated(place)
    assert push(place, text).status == 202, "a replay is acknowledged, and does nothing"
    assert (state(place, Task, again), allowed(place, held)) == ("open", True)
    assert len(place.act(lambda c: list(c.reader.where(Signal)))) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://evil.test"}, "invalid_issuer"), ({"iss": None}, "invalid_issuer"),
        ({"aud": "https://other.test"}, "invalid_audience"),
        ({"aud": [ISSUER, "https://other.test"]}, "invalid_audience"),
        ({"aud": None}, "invalid_audience"), ({"jti": None}, "invalid_request"), ({"jti": ""}, "invalid_request"),
        ({"iat": None}, "invalid_request"), ({"iat": 1}, "invalid_request"),
        ({"iat": 9_999_999_999}, "invalid_request"),
        ({"exp": 9_999_999_999}, "invalid_request"), ({"sub": "pia-at-idp"}, "invalid_request"),
        ({"events": {}}, "invalid_request"), ({"events": {REVOKED: {}, f"{CAEP}x": {}}}, "invalid_request"),
        ({"events": {REVOKED: []}}, "invalid_request"), ({"events": None}, "invalid_request"),
        ({"head": {"typ": "JWT"}}, "invalid_request"), ({"head": {"typ": None}}, "invalid_request"),
        ({"head": {"kid": "none"}}, "invalid_key"),
    ],
)  # fmt: skip
def test_a_forged_event_or_one_for_others_ends_nothing(place, changes, expected):
    errand, held = delegated(place)
    text = event(place, **changes)
    answer = push(place, text)
    assert told(answer) == expected
    assert text not in answer.body.decode()
    assert (state(place, Task, errand), allowed(place, held)) == ("open", True)


def test_another_key_type_of_token_or_body_is_no_event(place):
    errand, _ = delegated(place)
    with idp() as stranger:
        assert told(push(place, event(place, key=stranger.keys[0][1]))) == "invalid_key"
    for text in (
        place.provider.token(place.now),
        place.token(place.bot, opened(place, place.bot)).json["access_token"],
    ):
        assert told(push(place, text)) in ("invalid_request", "invalid_issuer")
    good = event(place)
    for kind in ("application/json", "application/jwt", ""):
        assert told(push(place, good, kind)) == "invalid_request"
    for text in ("", "x", good[:-8] + "AAAAAAAA", json.dumps({"sets": []}), good + "." + good, "a" * 20_000):
        assert told(push(place, text)) in ("invalid_request", "invalid_key", "invalid_issuer")
    assert state(place, Task, errand) == "open"


def test_who_is_unknown_or_another_issuers_is_nobodys_business(place):
    errand, _ = delegated(place)
    before = place.act(lambda c: c.base)
    for subject in (
        about(place, "nobody"), {"format": "opaque", "id": place.pia}, {"format": "email", "email": "pia-at-idp"}, {},
        "pia-at-idp", None,
    ):  # fmt: skip
        assert push(place, event(place, sub_id=subject)).status == 202
    assert told(push(place, event(place, sub_id=about(place, iss="local", sub="olga")))) == "access_denied"
    assert place.act(lambda c: c.base) == before, "an event about nobody left a receipt"
    assert state(place, Task, errand) == "open"


def test_a_subject_is_named_by_email_or_within_a_complex_one_where_that_is_allowed(place):
    errand, _ = delegated(place, place.eve)
    by_mail = {"format": "email", "email": "eve@idp.test"}
    assert push(place, event(place, sub_id=by_mail)).status == 202
    assert state(place, Task, errand) == "open"
    place.act(lambda c: signal.add(c, source(place.provider, email=True), "operator"))
    assert push(place, event(place, sub_id={"format": "complex", "user": by_mail})).status == 202
    assert state(place, Task, errand) == "ended"
    another, _ = delegated(place)
    assert push(place, event(place, sub_id=None, said={"subject": about(place)})).status == 202
    assert state(place, Task, another) == "ended", "the subject of an event of RISC's older form"


def test_a_removed_transmitter_is_not_heard_and_verification_ends_nothing(place):
    errand, _ = delegated(place)
    assert push(place, event(place, VERIFY, {"state": "x"}, sub_id={"format": "opaque", "id": "stream"})).status == 202
    place.act(lambda c: signal.remove(c, "idp", "operator"))
    assert told(push(place, event(place))) == "invalid_issuer"
    assert state(place, Task, errand) == "open"
    assert code(place.act, lambda c: signal.remove(c, "idp", "operator")) == "transition_refused"
    assert code(Transmitter, name="x", issuer="i", audience="a", keys_url="file:///x") == "transmitter_invalid"


def test_a_flood_of_forgeries_writes_nothing_and_asks_for_keys_once(place):
    before = place.act(lambda c: c.base)
    asked = place.provider.asked
    with idp() as stranger:
        key = stranger.keys[0][1]
        for _ in range(60):
            assert told(push(place, event(place, key=key))) == "invalid_key"
    assert place.act(lambda c: c.base) == before
    assert place.provider.asked - asked <= 2
