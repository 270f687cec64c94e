"""Signing in at the company's identity provider, as a browser does it; and all ways in which it comes to nothing."""

import warnings

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from remit.control import brief, principal, revocation, session, task
from remit.core.principal import Person
from remit.custody.secret import Secret
from remit.web.console.signin import local
from remit.web.settings import Issuer
from tests.kit.browser import Browser
from tests.kit.signin import path_of, provider, query, sign_in, there, word_of
from tests.kit.site import site
from tests.kit.world import ISSUER


@pytest.fixture(scope="module")
def running():
    with provider() as one:
        yield one


@pytest.fixture
def company(running):
    running.said, running.lies, running.answers, running.subject = {}, {}, {}, "pia-at-idp"
    return running


@pytest.fixture(scope="module")
def place(tmp_path_factory, running):
    folder = tmp_path_factory.mktemp("signin")
    folder.chmod(0o700)
    idp = Issuer(running.url, "remit", sign_in=True, secret=Secret(running.secret.encode()))
    with site(folder, issuers=(idp,)) as one:
        running.now = one.world.authority.clock.now() // 1000
        one.pia = one.act(lambda c: principal.add_person(c, running.url, "pia-at-idp", "Pia", (), "operator")).id
        yield one


def signed(place, browser):
    return place.act(lambda c: session.stands(c.reader, browser.cookies.get("remit-person", ""), c.now))


def test_a_person_signs_in_and_the_session_knows_how(place, company):
    company.said = {"acr": "urn:mfa", "amr": ["pwd", "otp"]}
    browser = Browser(place.url)
    answer = sign_in(browser, "/console?x=1")
    assert (answer.status, answer.headers["location"]) == (303, "/console?x=1")
    found, person = signed(place, browser)
    assert (person.id, person.groups) == (place.pia, ("staff",))
    assert (found.acr, found.amr, found.issuer) == ("urn:mfa", ("pwd", "otp"), company.url)
    assert found.auth_time == company.now * 1000


@pytest.fixture
def elsewhere(tmp_path, company):
    """A provider whose ID token says no groups, and a company that reads them from userinfo."""
    tmp_path.chmod(0o700)
    secret = Secret(company.secret.encode())
    idp = Issuer(company.url, "remit", sign_in=True, secret=secret, userinfo=True, auto_register=True)
    with site(tmp_path, issuers=(idp,)) as one:
        company.now = one.world.authority.clock.now() // 1000
        company.said, company.shown = {"groups": None}, []
        company.lies = {"userinfo_endpoint": f"{company.url}/userinfo"}
        yield one


def test_groups_that_the_id_token_does_not_say_are_read_from_userinfo(elsewhere, company):
    for told, groups in (({"groups": ["staff", "Not A Group"]}, ("staff",)), ({"groups": []}, ()), ({}, ())):
        company.person = (200, told)
        browser = Browser(elsewhere.url)
        assert sign_in(browser).status == 303
        assert signed(elsewhere, browser)[1].groups == groups
    assert set(company.shown) == {"Bearer theirs"}
    company.said, company.shown = {"groups": ["ops"]}, []
    browser = Browser(elsewhere.url)
    sign_in(browser)
    assert (signed(elsewhere, browser)[1].groups, company.shown) == (("ops",), []), "the ID token goes before"


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"sub": "somebody-else", "groups": ["admins"]}), (200, {"sub": None, "groups": ["admins"]}), (200, "x"),
        (200, {"groups": "admins"}), (200, {"groups": [1]}), (401, {"groups": ["admins"]}),
        (500, {"groups": ["admins"]}),
    ],
)  # fmt: skip
def test_what_userinfo_says_of_another_or_wrongly_signs_nobody_in(elsewhere, company, answer):
    company.person = answer
    browser = Browser(elsewhere.url)
    assert sign_in(browser).status >= 400
    assert signed(elsewhere, browser) is None


def test_groups_from_userinfo_stay_until_the_next_sign_in(elsewhere, company):
    """An ID token that says no groups takes none away there, and gives none."""
    company.person = (200, {"groups": ["staff"]})
    browser = Browser(elsewhere.url)
    sign_in(browser)
    person = signed(elsewhere, browser)[1]
    bot = elsewhere.agent("bot")
    wide = elsewhere.world.a_brief(agents=(bot,), dispatchers=("group:staff",))
    elsewhere.act(lambda c: brief.apply(c, wide, "operator"))
    given = elsewhere.act(lambda c: task.open_task(c, brief="notes", agent=bot, requester=person.id, by=person.id))
    assert elsewhere.exchange(bot, given.id, company.token(company.now, groups=None)).status == 200
    assert elsewhere.act(lambda c: c.need(Person, person.id)).groups == ("staff",)
    other = elsewhere.exchange(bot, given.id, company.token(company.now, "new-one", groups=None))
    assert other.status == 400, "somebody new is in no group"


def test_the_cookies_are_hard(place, company):
    browser = Browser(place.url)
    begun = browser.get("/signin?next=/console")
    cookie = begun.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "max-age=600"))
    answer = sign_in(browser)
    assert all(word in str(answer.headers).lower() for word in ("httponly", "samesite=lax", "no-store"))
    kept = [name for name, value in browser.cookies.items() if value and value != '""']
    assert [name for name in kept if not name.startswith("remit-signin-")] == ["remit-person"]


def test_on_https_no_other_host_can_set_the_cookies(tmp_path):
    from remit.web.console import person, signin

    class Site:
        class authority:  # noqa: N801 - as the site names it
            issuer = "https://remit.test"

    assert person.cookie(Site) == "__Host-remit-person"
    assert signin._cookie(Site, "ab-c_defghijk").startswith("__Host-remit-signin-")
    assert person.secure(Site)


def test_what_is_asked_for_is_a_code_with_pkce_state_and_nonce(place, company):
    asked = query(Browser(place.url).get("/signin?next=/console").headers["location"])
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert all(len(asked[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    assert asked["max_age"] == "28800"


@pytest.mark.parametrize(
    "said",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://other.test"},
        {"aud": "another"},
        {"aud": ["remit", "another"]},
        {"exp": 1},
        {"auth_time": 1_000},
        {"groups": "staff"},
    ],
    ids=str,
)
def test_an_identity_of_another_sign_in_is_refused(place, company, said):
    company.said = said
    browser = Browser(place.url)
    answer = sign_in(browser)
    assert answer.status == 403
    assert b"sign_in_refused" in answer.body
    assert "remit-person" not in browser.cookies


@pytest.mark.parametrize(
    "answers",
    [{"state": "another"}, {"iss": "https://evil.test"}, {"code": "guessed"}, {"error": "access_denied"}],
    ids=str,
)
def test_an_answer_that_was_not_asked_for_is_refused(place, company, answers):
    company.answers = answers
    assert sign_in(Browser(place.url)).status == 403


def test_a_provider_that_names_itself_must_do_so(tmp_path, company):
    company.lies = {"authorization_response_iss_parameter_supported": True}
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(Issuer(company.url, "remit", sign_in=True),)) as one:
        browser = Browser(one.url)
        back = there(browser.get("/signin").headers["location"])
        assert browser.get(path_of(back.partition("&iss=")[0])).status == 403


def test_ui_02_a_sign_in_begun_elsewhere_is_refused(place, company):
    """Login CSRF: the attacker's own answer, fed to somebody else's browser."""
    attacker, victim = Browser(place.url), Browser(place.url)
    back = path_of(there(attacker.get("/signin").headers["location"]))
    assert victim.get(back).status == 403
    assert not victim.cookies.get("remit-person")


def test_a_sign_in_that_is_weaker_than_asked_for_is_refused(tmp_path, company):
    idp = Issuer(company.url, "remit", auto_register=True, sign_in=True, acr_values="phr phrh",
                 secret=Secret(company.secret.encode()))  # fmt: skip
    tmp_path.chmod(0o700)
    with site(tmp_path, issuers=(idp,)) as one:
        company.now = one.world.authority.clock.now() // 1000
        begun = query(Browser(one.url).get("/signin").headers["location"])
        assert begun["acr_values"] == "phr phrh"
        for acr, status in (({}, 403), ({"acr": "pwd"}, 403), ({"acr": "phrh"}, 303)):
            company.said = acr
            assert sign_in(Browser(one.url)).status == status


def test_an_answer_counts_once(place, company):
    browser = Browser(place.url)
    back = path_of(there(browser.get("/signin").headers["location"]))
    kept = dict(browser.cookies)
    assert browser.get(back).status == 303
    again = Browser(place.url, kept)
    assert again.get(back).status == 403
    assert "remit-person" not in again.cookies


def test_who_is_not_known_does_not_come_in_unless_the_settings_say_so(tmp_path, place, company):
    company.subject = "stranger"
    assert sign_in(Browser(place.url)).status == 400
    folder = tmp_path / "open"
    folder.mkdir(mode=0o700)
    idp = Issuer(company.url, "remit", auto_register=True, sign_in=True, secret=Secret(company.secret.encode()))
    with site(folder, issuers=(idp,)) as one:
        browser = Browser(one.url)
        assert sign_in(browser).status == 303
        assert signed(one, browser)[1].groups == ("staff",)


def test_who_left_is_out_at_once_and_comes_in_no_more(place, company):
    company.subject = "leaver"
    leaver = place.act(lambda c: principal.add_person(c, company.url, "leaver", "Lea", (), "operator")).id
    browser = Browser(place.url)
    sign_in(browser)
    assert signed(place, browser)
    place.act(lambda c: revocation.revoke(c, "person", leaver, "operator"))
    assert signed(place, browser) is None
    assert sign_in(Browser(place.url)).status == 409


def test_signing_out_ends_the_session_at_the_server(place, company):
    browser = Browser(place.url)
    sign_in(browser)
    kept, word = dict(browser.cookies), word_of(browser)
    other = {"origin": "https://evil.test"}
    assert Browser(place.url, kept).post("/signout", {"word": word}, other).status == 403
    assert Browser(place.url, kept).post("/signout", {"word": "guessed"}).status == 403
    assert Browser(place.url).post("/signout", {"word": word}).status == 401
    assert browser.post("/signout", {"word": word}).status == 200
    assert signed(place, Browser(place.url, kept)) is None


MAKES = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "RS256": lambda: RSAKey.generate_key(2048),
}


@pytest.mark.parametrize("algorithm", MAKES)
def test_remit_proves_itself_by_a_key_of_its_own(tmp_path, company, algorithm):
    key = MAKES[algorithm]()
    idp = Issuer(company.url, "remit", auto_register=True, sign_in=True, key=Secret(key.as_pem(private=True)))
    folder = tmp_path / "keyed"
    folder.mkdir(mode=0o700)
    with site(folder, issuers=(idp,)) as one:
        company.now = one.world.authority.clock.now() // 1000
        assert sign_in(Browser(one.url)).status == 303
    proof = company.proofs[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = jwt.decode(proof["client_assertion"], key, algorithms=[algorithm]).claims
    assert (said["iss"], said["sub"], said["aud"]) == ("remit", "remit", company.url)
    assert not proof["authorization"]


def test_several_providers_are_chosen_from(tmp_path, company):
    with provider() as second:
        both = tuple(
            Issuer(one.url, "remit", sign_in=True, name=f"At <{n}>") for n, one in enumerate((company, second))
        )
        folder = tmp_path / "two"
        folder.mkdir(mode=0o700)
        with site(folder, issuers=both) as one:
            shown = Browser(one.url).get("/signin?next=/x")
            assert shown.status == 200
            assert b"At &lt;1&gt;" in shown.body
            begun = Browser(one.url).get(f"/signin?at={second.url}&next=/x")
            assert begun.headers["location"].startswith(second.url)
            assert Browser(one.url).get("/signin?at=https://evil.test").status == 200


def test_another_name_of_this_machine_is_led_to_our_own(place):
    answer = Browser(place.url).get("/signin?next=/x", {"host": "localhost:8787"})
    assert (answer.status, answer.headers["location"]) == (303, f"{ISSUER}/signin?next=/x")


def test_without_a_provider_nobody_signs_in(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path) as one:
        assert Browser(one.url).get("/signin").status == 403
        assert Browser(one.url).get("/signin/back?code=x&state=y").status == 403


@pytest.mark.parametrize(
    "wrong", ["//evil.test", "https://evil.test", "/\\evil.test", "", "evil", "/a\n", "/é", "/" + "x" * 9000]
)
def test_a_sign_in_leads_to_pages_of_ours_only(wrong):
    assert local(wrong) == "/console"
    assert local("/oauth/authorize?a=b") == "/oauth/authorize?a=b"


def test_no_secret_is_echoed(place, company):
    company.said = {"nonce": "another"}
    browser = Browser(place.url)
    begun = browser.get("/signin")
    answer = browser.get(path_of(there(begun.headers["location"])))
    for one in (begun, answer):
        assert company.secret not in str(one.headers) + one.body.decode()
    assert query(begun.headers["location"])["state"] not in answer.body.decode()
