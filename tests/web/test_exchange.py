"""The delegated path: a person's ID token exchanged, with a real issuer behind it."""

import threading

import pytest

from remit.control import brief, principal, revocation, task
from remit.core.trust import TrustPath
from remit.web.settings import Issuer, safe
from tests.kit.site import ID_TOKEN, idp, site

JWT = ID_TOKEN.replace("id_token", "jwt")


@pytest.fixture
def provider():
    with idp() as one:
        yield one


@pytest.fixture
def place(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit", acts=True),)) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        one.pia = one.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", (), "operator")).id
        listed = (one.world.owner.id, one.pia, "group:staff")
        one.act(
            lambda c: brief.apply(c, one.world.a_brief(agents=(one.bot, one.other), dispatchers=listed), "operator")
        )
        one.task = opened(one, one.pia)
        one.now = one.world.authority.clock.now() // 1000
        yield one


def opened(one, person, agent=""):
    given = {"brief": "notes", "agent": agent or one.bot, "requester": person, "by": person}
    return one.act(lambda c: task.open_task(c, **given)).id


def error(answer, status=400):
    assert answer.status == status, answer.body
    return answer.json["error"]


def test_a_persons_token_becomes_a_delegated_credential(place, provider):
    answer = place.exchange(place.bot, place.task, provider.token(place.now))
    assert answer.status == 200, answer.body
    assert answer.json["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    entry = place.world.enter(answer.json["access_token"])
    assert (entry.path, entry.agent) == (TrustPath.DELEGATED, place.bot)
    told = place.form("/oauth/introspect", {"token": answer.json["access_token"]} | place.client(place.bot)).json
    assert (told["sub"], told["act"]) == (place.pia, {"sub": place.bot})
    assert place.exchange(place.bot, place.task, provider.token(place.now), subject_token_type=JWT).status == 200
    assert place.get("/v1/people/me", provider.token(place.now, jti="own")).json["groups"] == ["staff"]


def test_deleg_01_a_token_for_another_audience_is_refused(place, provider):
    for audience in ("https://other.test", ["https://other.test"], ["remit", "https://other.test"], None):
        answer = place.exchange(place.bot, place.task, provider.token(place.now, aud=audience))
        assert error(answer) == "invalid_request"
    assert error(place.exchange(place.bot, place.task, provider.token(place.now), audience="x")) == "invalid_target"


def test_deleg_02_type_issuer_and_key_are_checked_together(place, provider):
    good = provider.token(place.now)
    access = ID_TOKEN.replace("id_token", "access_token")
    assert error(place.exchange(place.bot, place.task, good, subject_token_type=access)) == "invalid_request"
    own = place.token(place.bot, place.task).json["access_token"]
    for kind in (ID_TOKEN, JWT):
        assert error(place.exchange(place.bot, place.task, own, subject_token_type=kind)) == "invalid_request"
    assert error(place.exchange(place.bot, place.task, own, subject_token_type=access)) == "invalid_grant", "to itself"
    with idp() as stranger:
        same_kid = stranger.token(place.now)
        assert error(place.exchange(place.bot, place.task, same_kid)) == "invalid_request"
        posing = stranger.token(place.now, iss=provider.url)
        assert error(place.exchange(place.bot, place.task, posing)) == "invalid_request"
        assert stranger.asked == 0
    late = provider.token(place.now - 1000)
    assert error(place.exchange(place.bot, place.task, late)) == "invalid_request"
    for wrong in ("x", "", good[:-2] + "AA", good + "="):
        answer = place.exchange(place.bot, place.task, wrong)
        assert error(answer) == "invalid_request"
        assert not wrong or len(wrong) < 3 or wrong not in answer.body.decode()


def test_deleg_05_who_acts_is_the_client_and_never_a_parameter(place, provider):
    good = provider.token(place.now)
    for name in ("actor_token", "actor_token_type", "act", "may_act"):
        assert error(place.exchange(place.bot, place.task, good, **{name: place.other})) == "invalid_request"
    other = provider.token(place.now, may_act={"sub": place.other})
    assert error(place.exchange(place.bot, place.task, other)) == "invalid_request"
    mine = provider.token(place.now, may_act={"sub": place.bot})
    assert place.exchange(place.bot, place.task, mine).status == 200
    assert error(place.exchange(place.other, place.task, good)) == "invalid_grant"


def test_a_token_that_lets_an_agent_act_does_not_make_it_the_person(place, provider):
    """At the API it would dispatch, and answer what people are asked, as the person."""
    assert place.get("/v1/people/me", provider.token(place.now)).status == 200
    handed = provider.token(place.now, may_act={"sub": place.bot})
    assert place.get("/v1/people/me", handed).status == 401
    assert place.exchange(place.bot, place.task, handed).status == 200


def test_an_older_token_gives_nobody_back_the_groups_that_they_lost(place, provider):
    """It is good for its life, and an agent may hold it: what came later counts."""

    def seen(token):
        return place.get("/v1/people/me", token).json["groups"]

    old = provider.token(place.now - 60, groups=["staff", "payments"])
    assert seen(provider.token(place.now - 30, groups=["staff"])) == ["staff"]
    assert seen(old) == ["staff"]
    assert place.exchange(place.bot, place.task, old).status == 200, "it still says who it is"
    assert seen(provider.token(place.now - 30, groups=["staff"], jti="again")) == ["staff"]
    assert seen(provider.token(place.now, groups=["payments"])) == ["payments"]
    place.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", ("staff",), "operator"))
    assert seen(provider.token(place.now - 1, groups=["payments"])) == ["staff"], "what an operator said counts too"


@pytest.mark.parametrize(
    "foreign",
    [
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "x"},
        {"act": {"sub": "another-program"}},
        {"cnf": {"jkt": "j" * 43}},
    ],
)
def test_another_token_of_the_issuer_is_no_person(place, provider, foreign):
    """A logout token, one that a program acts by already, and one that is nothing without the proof of a key."""
    assert place.get("/v1/people/me", provider.token(place.now, **foreign)).status == 401
    assert error(place.exchange(place.bot, place.task, provider.token(place.now, **foreign))) == "invalid_request"


def test_a_token_that_an_agent_showed_is_in_its_hands_and_no_person_any_more(place, provider):
    handed = provider.token(place.now, jti="handed")
    assert place.get("/v1/people/me", handed).status == 200
    assert error(place.exchange(place.bot, "tsk_" + "a" * 26, handed)) == "invalid_grant"
    assert place.get("/v1/people/me", handed).status == 401, "also when what it was shown for was refused"
    assert place.send("/v1/tasks", {"brief": "notes", "agent": place.bot}, handed).status == 401
    assert place.exchange(place.bot, place.task, handed).status == 200, "it is exchanged as before"
    assert place.get("/v1/people/me", provider.token(place.now, jti="own")).status == 200


def test_unless_the_settings_say_so_no_id_token_makes_anybody_the_person(tmp_path, provider):
    """Agents hold ID tokens to exchange them: at the API each would read, dispatch and answer as the person."""
    with site(tmp_path, issuers=(Issuer(provider.url, "remit"),)) as one:
        pia = one.act(lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", (), "operator")).id
        bot = one.agent("bot")
        wide = one.world.a_brief(agents=(bot,), dispatchers=(pia,))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        held = provider.token(one.world.authority.clock.now() // 1000)
        before = one.act(lambda c: c.base)
        asks = ("/v1/people/me", "/v1/tasks", "/v1/approvals", "/v1/consents", "/v1/receipts?task=x")
        assert {one.get(path, held).status for path in asks} == {401}
        assert one.send("/v1/tasks", {"brief": "notes", "agent": bot}, held).status == 401
        assert one.send("/v1/approvals/apr_" + "a" * 26, {"answer": "yes", "shown": "x"}, held).status == 401
        assert one.act(lambda c: c.base) == before
        given = one.act(lambda c: task.open_task(c, brief="notes", agent=bot, requester=pia, by=pia)).id
        assert one.exchange(bot, given, held).status == 200


def test_deleg_07_a_delegation_of_ours_cannot_be_chained(place, provider):
    one = place.exchange(place.bot, place.task, provider.token(place.now)).json["access_token"]
    theirs = opened(place, place.pia, place.other)
    assert error(place.exchange(place.other, theirs, one)) == "invalid_request"
    assert error(place.exchange(place.bot, place.task, one)) == "invalid_request"


def test_deleg_09_a_task_revoked_between_the_check_and_the_issue_gives_nothing(place, provider):
    provider.hold.clear()
    found = []
    asking = threading.Thread(
        target=lambda: found.append(place.exchange(place.bot, place.task, provider.token(place.now)))
    )
    asking.start()
    assert provider.held.wait(60)
    place.act(lambda c: revocation.revoke(c, "task", place.task, "operator"))
    provider.hold.set()
    asking.join(60)
    assert error(found[0]) == "invalid_grant"


def test_another_persons_task_or_one_who_left_gives_nothing(place, provider):
    other = provider.token(place.now, "somebody")
    assert error(place.exchange(place.bot, place.task, other)) == "invalid_request", "not known here"
    place.act(lambda c: principal.add_person(c, provider.url, "somebody", "Some Body", (), "operator"))
    assert error(place.exchange(place.bot, place.task, other)) == "invalid_grant"
    place.act(lambda c: revocation.revoke(c, "person", place.pia, "operator"))
    assert error(place.exchange(place.bot, place.task, provider.token(place.now))) == "invalid_grant"
    assert place.get("/v1/tasks", provider.token(place.now)).status == 401


def test_a_rotated_key_is_found_but_the_issuer_is_not_asked_for_each_stranger(place, provider):
    assert place.exchange(place.bot, place.task, provider.token(place.now)).status == 200
    assert provider.asked == 1
    provider.rotate()
    fresh = provider.token(place.now)
    assert error(place.exchange(place.bot, place.task, fresh)) == "invalid_request", "asked within the ten seconds"
    assert provider.asked == 1
    place.world.authority.clock._steady = later(place.world.authority.clock._steady, 11)
    assert place.exchange(place.bot, place.task, fresh).status == 200
    assert provider.asked == 2


def later(clock, seconds):
    return lambda: clock() + seconds * 1_000_000_000


def test_an_issuer_that_answers_garbage_is_a_clear_error(place, provider):
    provider.answer = b"<html>"
    answer = place.exchange(place.bot, place.task, provider.token(place.now))
    assert error(answer, 503) == "temporarily_unavailable"
    assert place.get("/v1/tasks", provider.token(place.now)).status == 503
    assert place.token(place.bot, place.task).status == 200


def test_new_people_are_taken_in_only_where_the_settings_say_so(tmp_path, provider):
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(provider.url, "remit", auto_register=True, acts=True),)) as one:
        bot, now = one.agent("bot"), one.world.authority.clock.now() // 1000
        token = provider.token(now, "new", groups=["staff", "Not A Name", "ops"])
        one.act(lambda c: brief.apply(c, one.world.a_brief(agents=(bot,), dispatchers=("group:staff",)), "operator"))
        asked = {"brief": "notes", "agent": bot}
        made = one.send("/v1/tasks", asked, token)
        assert made.status == 201, made.body
        assert one.get("/v1/people/me", token).json["groups"] == ["staff", "ops"]
        assert one.exchange(bot, made.json["id"], token).status == 200
        left = provider.token(now, "new", groups=[])
        assert one.send("/v1/tasks", asked, left).json["code"] == "dispatcher_refused"
        assert "groups" not in one.get("/v1/people/me", left).json


def test_an_issuer_is_reached_over_https_or_on_this_machine_only():
    good = ["https://idp.test", "http://127.0.0.1:1/x", "http://localhost", "http://[::1]:2"]
    bad = [
        "http://idp.test",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://u:p@idp.test",
        "",
        "https://",
        "http://[",
        "//x",
    ]
    assert [safe(url) for url in good] == [True] * 4
    assert [safe(url) for url in bad] == [False] * 8
