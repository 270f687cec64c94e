"""A plain client that is told nothing but a URL, and a person with an account at a real provider."""

import json
import urllib.request

import pytest
from joserfc.jwk import ECKey

from remit.control import attestor as attestors
from remit.control import brief, principal, revocation, session
from remit.core.brief import Brief
from remit.core.consent import Consent
from remit.core.receipt import decode
from remit.custody.secret import Secret
from remit.store.log import entries, newest
from remit.store.record import Reader
from remit.web.settings import Issuer
from tests.kit import conformance
from tests.kit.browser import Browser
from tests.kit.conversing import CALLBACK, converse
from tests.kit.gate import NAME
from tests.kit.plain import SECRET, plain, provider
from tests.kit.signin import path_of
from tests.kit.site import idp, site
from tests.kit.tokens import peer_sign
from tests.kit.wanderer import Wanderer
from tests.kit.world import ISSUER


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("journal") / "calls"


@pytest.fixture(scope="module")
def company(journal):
    with plain(journal) as one:
        yield one


def receipts(company):
    read = company.site.act(lambda c: list(entries(c.db, 0, newest(c.db).size)))
    return [decode(one) for one in read]


@pytest.mark.parametrize("name", ["py_mcp2", "py_mcp1", "ts_client2", "ts_sdk1"])
def test_an_mcp_sdk_goes_all_the_way_from_the_url(company, journal, name):
    person = Wanderer()
    told = converse(name, person, company.url, CALLBACK)
    assert told["text"] == "hello"
    assert told["refresh"]
    assert "echo" in told["tools"]
    assert "mcp:target/echo" in told["scope"].split()
    page = person.seen[-1].body
    assert "Let driver act for you?" in page
    assert "pia of the company" in page
    assert "It calls itself so" in page
    last = [one for one in receipts(company) if one.get("action") == "mcp:target/echo"][-1]
    assert (last["decision"], last["path"]) == ("allow", "delegated")
    assert last["subject"].startswith("per_")
    assert last["requester"] == last["subject"]
    assert json.loads(journal.read_text().splitlines()[-1])["tool"] == "echo"


def test_a_certified_client_takes_every_answer(company):
    told = converse("openid-client", Wanderer(), company.issuer, company.url, company.client, CALLBACK)
    assert told["tokens"]["authorization_details"][0]["type"] == "remit_task"
    assert told["renewed"]["access_token"] != told["tokens"]["access_token"]
    assert told["renewed"]["refresh_token"] != told["tokens"]["refresh_token"]
    assert told["pushed"]["authorization_details"][0]["path"] == "delegated"
    assert told["refused"] == "invalid_grant"


def test_an_independent_resource_server_takes_our_token_and_its_proof(company):
    told = converse("oauth4webapi", Wanderer("quinn"), company.url, CALLBACK)
    assert told["tokens"]["token_type"] == "dpop"
    assert told["unbound"] == "invalid_grant", "a bound refresh token without its key"
    claims = told["claims"]
    assert (claims["iss"], claims["aud"]) == (company.issuer, [company.url])
    assert claims["cnf"]["jkt"]
    assert claims["act"] == {"sub": company.bot}
    assert told["registered"]["token_endpoint_auth_method"] == "none"


def test_the_conformance_suite_takes_our_authorization_server(company):
    def browse(link, stop):
        came = Wanderer().go(link, stop=stop)
        with urllib.request.urlopen(came.url, timeout=20) as answer:
            assert answer.status == 200

    code, said = conformance.authorization(company.issuer, company.client, company.url, browse)
    assert code == 0, said
    assert "Total: 3 passed, 0 failed" in said


def test_a_person_whom_no_brief_lists_gives_nothing_and_a_no_is_a_no(company):
    asked = (
        f"{company.issuer}/oauth/authorize?response_type=code&client_id={company.client}&redirect_uri={CALLBACK}"
        f"&code_challenge={'c' * 43}&code_challenge_method=S256&resource={company.url}"
    )
    assert "error=access_denied" in Wanderer("guest-gil").go(asked, stop=CALLBACK).url
    assert "error=access_denied" in Wanderer("quinn").go(asked, stop=CALLBACK, answer="no").url


def test_what_a_person_ends_on_their_page_is_ended_for_the_client(company):
    person = Wanderer("robin")
    converse("py_mcp2", person, company.url, CALLBACK)
    page = person.go(f"{company.issuer}/console/consents")
    assert "Python SDK" in page.body
    live = company.site.act(lambda c: list(Reader(c.db).where(Consent, "state = 'live'")))
    mine = [one for one in live if f'value="{one.id}"' in page.body]
    assert len(mine) == 1
    company.site.act(lambda c: revocation.revoke(c, "consent", mine[0].id, mine[0].person))
    assert "End it now" not in person.go(f"{company.issuer}/console/consents").body


def test_of_several_briefs_the_person_chooses(company):
    asked = (
        f"{company.issuer}/oauth/authorize?response_type=code&client_id={company.client}&redirect_uri={CALLBACK}"
        f"&code_challenge={'c' * 43}&code_challenge_method=S256&resource={company.url}"
    )
    one = company.site.act(lambda c: c.need(Brief, NAME))
    less = {name: getattr(one, name) for name in one.__struct_fields__}
    less |= {"name": "echoing", "version": 1, "purpose": "Only echo.", "steps": one.steps[1:2]}
    company.site.act(lambda c: brief.apply(c, Brief(**less), "operator"))
    person = Wanderer("sam")
    assert "code=" in person.go(asked, stop=CALLBACK, brief="echoing").url
    assert "For which errand?" in person.seen[-1].body
    made = [one for one in receipts(company) if one["kind"] == "consent.given"][-1]
    assert made["record"]["brief"] == "echoing"


@pytest.mark.parametrize("userinfo", [True, False])
def test_groups_that_a_lean_id_token_does_not_say_are_read_from_userinfo(tmp_path, userinfo):
    """As the specification has it, oidc-provider says groups at userinfo alone."""
    tmp_path.chmod(0o700)
    with provider(f"{ISSUER}/signin/back", "", "lean") as idp:
        secret = Secret(SECRET.encode())
        own = Issuer(idp, "remit", auto_register=True, sign_in=True, secret=secret, userinfo=userinfo)
        with site(tmp_path, issuers=(own,)) as one:
            browser = Browser(one.url)
            begun = browser.get("/signin?next=/console/consents").headers["location"]
            came = Wanderer("toni").go(begun, stop=f"{ISSUER}/signin/back")
            assert browser.get(path_of(came.url)).status == 303
            found = one.act(lambda c: session.stands(c.reader, browser.cookies["remit-person"], c.now))
            assert found[1].groups == (("staff",) if userinfo else ())


def test_remit_proves_itself_to_the_provider_by_a_key(tmp_path):
    key = ECKey.generate_key("P-256")
    public = {name: str(value) for name, value in key.as_dict(private=False).items()} | {"alg": "ES256", "use": "sig"}
    tmp_path.chmod(0o700)
    with provider(f"{ISSUER}/signin/back", json.dumps({"keys": [public]})) as idp:
        own = Issuer(idp, "remit", auto_register=True, sign_in=True, key=Secret(key.as_pem(private=True)))
        with site(tmp_path, issuers=(own,)) as one:
            browser = Browser(one.url)
            begun = browser.get("/signin?next=/console/consents").headers["location"]
            came = Wanderer("toni").go(begun, stop=f"{ISSUER}/signin/back")
            assert browser.get(path_of(came.url)).status == 303
            assert b"What you allowed" in browser.get("/console/consents").body


def test_the_official_enterprise_client_acts_by_its_persons_assertion(tmp_path):
    """SEP-990: the SDK's own client shows an ID-JAG of the company's provider, and knows nothing of briefs."""
    with (
        idp() as company,
        plain(
            tmp_path / "calls", issuers=(Issuer(company.url, "remit", assertions=True),), weak_client_secrets=True
        ) as one,
    ):
        named = one.site.act(
            lambda c: principal.add_person(c, company.url, "pia-at-idp", "Pia", ("staff",), "operator")
        )
        _, secret = one.site.act(lambda c: attestors.give_secret(c, one.bot, "operator"))
        now = one.site.world.authority.clock.now() // 1000
        kid, key = company.keys[0]
        said = {"iss": company.url, "sub": "pia-at-idp", "aud": one.issuer, "client_id": one.bot, "resource": one.url}
        said |= {"iat": now, "exp": now + 60, "jti": "one"}
        text = peer_sign(key, {"alg": "RS256", "kid": kid, "typ": "oauth-id-jag+jwt"}, said)
        told = converse("py_mcp2_enterprise", Wanderer(), one.url, one.issuer, one.bot, secret, text)
        assert (told["text"], told["audience"], told["resource"]) == ("hello", one.issuer, one.url)
        last = [each for each in receipts(one) if each.get("action") == "mcp:target/echo"][-1]
        assert (last["decision"], last["path"], last["subject"]) == ("allow", "delegated", named.id)
