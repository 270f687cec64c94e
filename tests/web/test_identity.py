"""Identity assertions (ID-JAG): a person's agent acts by what their identity provider says, within the brief."""

import json

import pytest

from remit.control import brief, principal, signal
from remit.core.credential import Credential
from remit.core.moment import Instant
from remit.core.signal import CAEP
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.assertion import claimed
from remit.custody.secevent import Event
from remit.web.settings import Issuer
from tests.kit.asking import error, opened
from tests.kit.nouns import transmitter
from tests.kit.site import idp, site
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GATE = f"{ISSUER}/mcp/notes"


@pytest.fixture
def provider():
    with idp() as one:
        yield one


@pytest.fixture
def place(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit", assertions=True),)) as one:
        one.bot, one.other, one.provider = one.agent("bot"), one.agent("other"), provider
        one.pia = one.act(
            lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", ("staff",), "operator")
        ).id
        one.act(lambda c: principal.add_person(c, provider.url, "eve", "Eve", (), "operator"))
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=("group:staff",))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        one.now, one.count = one.world.authority.clock.now() // 1000, iter(range(1000))
        yield one


def assertion(place, key=None, typ="oauth-id-jag+jwt", **changes):
    kid, own = place.provider.keys[0]
    said = {"iss": place.provider.url, "sub": "pia-at-idp", "aud": ISSUER, "client_id": place.bot, "iat": place.now}
    said |= {"exp": place.now + 300, "jti": f"j{next(place.count)}", "auth_time": place.now - 9, "acr": "mfa"}
    body = {k: v for k, v in (said | changes).items() if v is not None}
    return peer_sign(key or own, {"alg": "RS256", "kid": kid} | ({"typ": typ} if typ else {}), body)


def asked(place, text, detail=None, agent="", **more):
    details = json.dumps([{"type": "remit_task", **(detail or {"brief": "notes"})}])
    given = {"grant_type": BEARER, "assertion": text, "authorization_details": details} | place.client(
        agent or place.bot
    )
    return place.form("/oauth/token", given | more)


def test_the_person_dispatches_by_the_assertion_and_the_agent_acts_for_them(place):
    answer = asked(place, assertion(place), {"brief": "notes", "purpose": "Tidy up."})
    assert answer.status == 200, answer.body
    said = claimed(answer.json["access_token"])
    assert (said["sub"], said["act"], said["remit_path"]) == (place.pia, {"sub": place.bot}, "delegated")
    errand = place.act(lambda c: c.need(Task, said["remit_task"]))
    assert (errand.requester, errand.person, errand.purpose) == (place.pia, place.pia, "Tidy up.")
    one = place.act(lambda c: c.need(Credential, said["jti"]))
    assert (one.signed_in, one.strength) == ((place.now - 9) * 1000, "mfa")
    ahead = claimed(asked(place, assertion(place, auth_time=place.now + 86_400)).json["access_token"])
    late = place.act(lambda c: c.need(Credential, ahead["jti"]))
    assert late.signed_in == late.issued, "who is said to sign in tomorrow would be fresh until then"
    again = asked(place, assertion(place), {"task": errand.id})
    assert claimed(again.json["access_token"])["remit_task"] == errand.id
    assert place.act(lambda c: principal.known_as(c, place.pia)), "and keeps their groups"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.test"}, {"aud": [ISSUER, "https://other.test"]}, {"aud": None},
        {"iss": "https://evil.test"},
        {"client_id": None}, {"client_id": "other"},
        {"act": {"sub": "other"}}, {"act": "x"}, {"jti": None}, {"cnf": {"jkt": "j" * 43}},
        {"sub": None},
        {"exp": 1}, {"exp": None}, {"exp": 9_999_999_999}, {"iat": None}, {"iat": 9_999_999_998}, {"acr": 1},
        {"scope": 1}, {"resource": []}, {"resource": [1]}, {"typ": "JWT"}, {"typ": "at+jwt"}, {"sub": "nobody"},
    ],
)  # fmt: skip
def test_an_assertion_that_is_not_for_us_this_client_and_now_gives_nothing(place, changes):
    before = place.act(lambda c: len(list(c.reader.where(Task))))
    text = assertion(place, **changes)
    answer = asked(place, text)
    assert error(answer) == "invalid_grant"
    assert text not in answer.body.decode()
    assert place.act(lambda c: len(list(c.reader.where(Task)))) == before


def test_it_counts_once_for_the_client_that_proves_itself(place):
    text = assertion(place)
    assert error(asked(place, text, agent=place.other)) == "invalid_grant"
    assert asked(place, text).status == 200
    assert error(asked(place, text)) == "invalid_grant"
    with idp() as stranger:
        assert error(asked(place, assertion(place, key=stranger.keys[0][1]))) == "invalid_grant"
    assert error(asked(place, place.provider.token(place.now))) == "invalid_grant", "an ID token is no assertion"
    bare = {"grant_type": BEARER, "assertion": assertion(place), "authorization_details": "[]"}
    assert error(place.form("/oauth/token", bare), 401) == "invalid_client"


def test_it_is_used_up_also_by_what_was_refused(place):
    """A stolen assertion that was tried in vain is worth nothing afterwards (RFC 7523 section 3)."""
    wrong = ({"brief": "gone"}, {"task": "tsk_" + "a" * 26})
    for detail in wrong:
        text, before = assertion(place), place.act(lambda c: len(list(c.reader.where(Task))))
        assert error(asked(place, text, detail)) == "invalid_grant"
        again = asked(place, text)
        assert (error(again), "used before" in again.json["error_description"]) == ("invalid_grant", True), detail
        assert place.act(lambda c: len(list(c.reader.where(Task)))) == before
    unlisted = assertion(place, sub="eve")
    for _ in range(2):
        assert error(asked(place, unlisted)) == "invalid_grant"
    narrow = assertion(place, scope="mcp:notes/read_note")
    assert error(asked(place, narrow)) == "invalid_scope"
    assert error(asked(place, narrow)) == "invalid_grant"
    bad = assertion(place)
    assert error(asked(place, bad, {"brief": 1})) == "invalid_authorization_details"
    assert asked(place, bad).status == 200, "what was never looked at is not used up"


def test_the_brief_must_list_the_person_and_the_task_must_be_theirs(place):
    assert error(asked(place, assertion(place, sub="eve"))) == "invalid_grant", "no dispatcher of this brief"
    errand = opened(place, place.bot, requester=place.pia)
    assert error(asked(place, assertion(place, sub="eve"), {"task": errand})) == "invalid_grant"
    other = assertion(place, client_id=place.other)
    assert error(asked(place, other, {"task": errand}, place.other)) == "invalid_grant"
    for detail in ({"brief": "notes", "task": errand}, {"task": "x"}, {"brief": 1}, {"brief": "notes", "more": "x"}):
        assert error(asked(place, assertion(place), detail)) == "invalid_authorization_details"
    assert error(asked(place, assertion(place), {"brief": "gone"})) == "invalid_grant"


def test_what_the_assertion_names_is_the_most_it_gives(place):
    assert asked(place, assertion(place, resource=GATE), resource=GATE).status == 200
    assert error(asked(place, assertion(place, resource=f"{ISSUER}/mcp/crm"))) == "invalid_target"
    assert error(asked(place, assertion(place, scope="mcp:notes/read_note"))) == "invalid_scope"
    whole = "mcp:notes/read_note mcp:notes/write_note mcp:notes/wipe"
    assert asked(place, assertion(place, scope=whole)).status == 200


def test_what_it_opens_is_done_for_the_person_alone(place):
    """The provider let the agent act for the person: that opens nothing that it does on its own authority."""
    answer = asked(place, assertion(place, scope="mcp:notes/read_note mcp:notes/write_note mcp:notes/wipe"))
    errand = claimed(answer.json["access_token"])["remit_task"]
    plan = place.act(lambda c: c.need(Plan, f"{errand}:1"))
    assert {step.path for step in plan.steps} == {TrustPath.DELEGATED}
    assert place.token(place.bot, errand).status == 400


def test_an_assertion_from_before_what_was_told_of_its_person_gives_nothing(place):
    before, after = assertion(place, iat=place.now - 30), assertion(place)
    who = {"format": "iss_sub", "iss": place.provider.url, "sub": "pia-at-idp"}
    told = Event("e1", f"{CAEP}session-revoked", {}, who, Instant(place.now * 1000), Instant((place.now + 60) * 1000))
    source = transmitter(issuer=place.provider.url)
    place.act(lambda c: signal.add(c, source, "operator"))
    place.act(lambda c: signal.hear(c, source, told))
    assert error(asked(place, before)) == "invalid_grant"
    assert asked(place, after).status == 200


def test_an_issuer_whose_assertions_do_not_count_opens_nothing(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit"),)) as one:
        one.bot, one.provider = one.agent("bot"), provider
        one.now, one.count = one.world.authority.clock.now() // 1000, iter(range(9))
        assert error(asked(one, assertion(one))) == "invalid_grant"
        assert provider.asked == 0


@pytest.fixture(scope="module")
def vouched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vouched")
    folder.chmod(0o700)
    with idp() as provider, site(folder, issuers=(Issuer(provider.url, "remit", vouches_to=("bot",)),)) as one:
        one.bot, one.other, one.provider = one.agent("bot"), one.agent("other"), provider
        one.pia = one.act(
            lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", ("staff",), "operator")
        ).id
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=("group:staff",))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        one.now, one.count = one.world.authority.clock.now() // 1000, iter(range(1000))
        yield one


def plain(place, typ="authorization-grant+jwt", **changes):
    return assertion(place, typ=typ, **({"client_id": None} | changes))


def test_a_plain_assertion_counts_for_the_agents_that_its_issuer_vouches_to(vouched):
    text = plain(vouched)
    assert error(asked(vouched, text, agent=vouched.other)) == "invalid_grant", "nobody vouches to this agent"
    answer = asked(vouched, text)
    assert answer.status == 200, answer.body
    said = claimed(answer.json["access_token"])
    assert (said["sub"], said["act"], said["remit_path"]) == (vouched.pia, {"sub": vouched.bot}, "delegated")
    assert error(asked(vouched, text)) == "invalid_grant", "it counts once"
    for typ in ("JWT", None):
        assert asked(vouched, plain(vouched, typ)).status == 200
    for named in ({"client_id": vouched.bot}, {"azp": vouched.bot}, {"may_act": {"sub": vouched.bot}}):
        assert asked(vouched, plain(vouched, **named)).status == 200
    assert error(asked(vouched, assertion(vouched))) == "invalid_grant", "its ID-JAGs do not count for that"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.test"}, {"aud": [ISSUER, "https://other.test"]}, {"aud": None}, {"aud": "remit"},
        {"iss": "https://evil.test"}, {"sub": None}, {"sub": "nobody"}, {"jti": None}, {"iat": None}, {"exp": None},
        {"exp": 1}, {"exp": 9_999_999_999}, {"client_id": "other"}, {"azp": "other"}, {"act": {"sub": "other"}},
        {"may_act": {"sub": "other"}}, {"may_act": "x"}, {"azp": ""}, {"nonce": "n"},
        {"at_hash": "h"}, {"events": {}}, {"cnf": {}},
        {"typ": "at+jwt"}, {"typ": "dpop+jwt"}, {"typ": "secevent+jwt"}, {"typ": "client-authentication+jwt"},
    ],
    ids=str,
)  # fmt: skip
def test_a_plain_assertion_that_is_another_token_or_for_somebody_else_gives_nothing(vouched, changes):
    before = vouched.act(lambda c: len(list(c.reader.where(Task))))
    text = plain(vouched, **changes)
    answer = asked(vouched, text)
    assert error(answer) == "invalid_grant"
    assert text not in answer.body.decode()
    assert vouched.act(lambda c: len(list(c.reader.where(Task)))) == before


def test_an_assertion_of_an_agent_or_a_platform_is_none_of_a_person(vouched):
    """What proves an agent, or who is signed in, is never taken for a person's assertion."""
    own = vouched.client(vouched.bot)["client_assertion"]
    for text in (own, vouched.provider.token(vouched.now), "x.y.z", own[:-4]):
        assert error(asked(vouched, text)) == "invalid_grant"


def test_a_client_that_knows_nothing_of_briefs_gets_the_one_that_fits(place):
    def bare(**more):
        given = {"grant_type": BEARER, "assertion": assertion(place), **place.client(place.bot)} | more
        return place.form("/oauth/token", given)

    answer = bare(resource=GATE)
    assert answer.status == 200, answer.body
    said = claimed(answer.json["access_token"])
    assert (said["sub"], said["aud"]) == (place.pia, [GATE])
    assert place.act(lambda c: c.need(Task, said["remit_task"])).brief == "notes"
    assert bare(assertion=assertion(place, resource=GATE)).status == 200
    assert error(bare(assertion=assertion(place, sub="eve"))) == "invalid_authorization_details", "none is hers"
    other = place.world.a_brief(name="other", agents=(place.bot,), dispatchers=("group:staff",))
    place.act(lambda c: brief.apply(c, other, "operator"))
    assert error(bare(resource=GATE)) == "invalid_authorization_details", "two fit, and nobody guesses"
    place.act(lambda c: brief.withdraw(c, "other", "operator"))
    assert bare(resource=GATE).status == 200
