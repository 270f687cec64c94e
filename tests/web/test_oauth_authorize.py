"""The code flow: what a person is shown, what their yes gives, and every request that must come to nothing."""

import json
import re
from queue import Queue
from urllib.parse import parse_qs, quote

import pytest

from remit.control import brief, principal
from remit.core.client import Client
from remit.core.consent import Consent
from remit.core.permit import Permit
from remit.core.task import Task
from remit.store.log import entries, newest
from remit.store.record import Reader
from tests.kit.asking_people import BACK, CALLBACK, CHALLENGE, GATE, company, error_of, fields_of
from tests.kit.browser import Browser
from tests.kit.signin import path_of, query, there, word_of
from tests.kit.site import ask, serving
from tests.kit.world import ISSUER, read_call, steps


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        yield one


def ledger(firm):
    return firm.site.act(lambda c: b"\n".join(entries(c.db, 0, newest(c.db).size)))


def record(firm, kind, identity):
    return firm.site.act(lambda c: Reader(c.db).get(kind, identity))


def test_from_a_url_to_the_tasks_credential(firm):
    browser = Browser(firm.site.url)
    begun = browser.get(firm.asking())
    assert begun.status == 303
    assert begun.headers["location"].startswith("/signin?next=")
    firm.idp.subject = "pia-at-idp"
    back = browser.get(path_of(there(browser.get(begun.headers["location"]).headers["location"])))
    page = browser.get(back.headers["location"])
    assert page.status == 200
    answer = firm.answer(page, browser=browser)
    said = query(answer.headers["location"])
    assert answer.headers["location"].startswith(BACK + "?")
    assert (said["state"], said["iss"]) == ("their-state", ISSUER)
    told = firm.token(code=said["code"])
    assert told.status == 200, told.body
    assert told.headers["cache-control"] == "no-store"
    detail = told.json["authorization_details"][0]
    assert (detail["path"], detail["locations"]) == ("delegated", [GATE])
    assert told.json["scope"].split() == detail["actions"]
    entry = firm.site.world.enter(told.json["access_token"])
    assert entry.agent == firm.bot
    one = record(firm, Task, entry.task)
    consent = record(firm, Consent, one.consent)
    assert (one.person, one.requester, consent.client) == (firm.pia, firm.pia, firm.client)


def test_ctrl_02_a_client_on_this_machine_gets_its_answer_at_the_port_it_has_and_a_credential_that_the_gate_takes(firm):
    """Registered without a port, it listens on whichever is free (RFC 8252 section 7.3)."""
    came = []

    async def listening(scope, _, send):
        came.append((scope["path"], parse_qs(scope["query_string"].decode())))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(listening) as (url, _):
        assert record(firm, Client, firm.client).redirects == (CALLBACK,)
        assert not CALLBACK.startswith(url)
        there_is = firm.answer(firm.page(redirect_uri=f"{url}/callback"))
        assert there_is.status == 303
        assert ask(there_is.headers["location"]).status == 200
    ((path, said),) = came
    assert (path, said["state"]) == ("/callback", ["their-state"])
    told = firm.token(code=said["code"][0], redirect_uri=f"{url}/callback")
    assert told.status == 200, told.body
    entry = firm.site.world.enter(told.json["access_token"])
    found = Queue()
    firm.site.loop.call_soon_threadsafe(lambda: firm.site.world.gate.decide(read_call(), entry, "", found.put))
    assert isinstance(found.get(timeout=20), Permit)


def test_the_page_says_who_for_what_on_whose_authority_touching_what_until_when(firm):
    detail = [{"type": "remit_task", "brief": "notes", "purpose": "Tidy <i>up</i>", "labels": {"ticket": "T-1"}}]
    text = firm.page(authorization_details=json.dumps(detail)).body.decode()
    said = (
        "Desk &lt;b&gt;", "bot", "Olga Owner", "Pia &lt;Person&gt; (you)", "Keep notes.", "Tidy &lt;i&gt;up&lt;/i&gt;",
        "ticket: T-1", "data: office", "read_note", "within /notes", "up to 3 times", "Until 2", "60 minutes",
        "127.0.0.1:51004",
    )  # fmt: skip
    assert [one for one in said if one not in text] == []


def test_ui_01_what_comes_from_elsewhere_is_shown_inert_without_script_or_frame(firm):
    evil = '<img src=x onerror=fetch(1)>\u202e"javascript:alert(1)'
    detail = [{"type": "remit_task", "purpose": "a", "labels": {"<svg onload=x>": "=cmd|' /C calc'!A0"}}]
    page = firm.page(authorization_details=json.dumps(detail), state=evil)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:51004" in policy
    assert page.headers["x-frame-options"] == "DENY"
    body = page.body.decode()
    assert not re.search(r"<(script|img|svg|iframe)", body)
    assert "onerror" not in body
    assert 'name="viewport"' in body


def test_the_page_fits_a_phone(firm):
    style = firm.site.get("/console/style.css", "").body.decode()
    assert "overflow-wrap: anywhere" in style
    assert re.search(r"body \{[^}]*max-width: 52rem", style)
    assert not re.search(r"(?<!max-)(?<!min-)width: \d{3,}px", style)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:51004/CALLBACK",
        "https://app.test/callback",
        "http://127.0.0.1/callback?x=1",
        "http://127.0.0.1:1/callback/../evil",
        "http://127.0.0.1/callback%2f..%2fevil",
        "http://127.0.0.1@evil.test/callback",
        "http://127.0.0.1/callback#f",
        "http://127.0.0.1/callback?code=attacker",
        "https://127.0.0.1:443/callback",
        "http://127.0.0.1/callback%00",
        "http://localhost:51004/callback",
        "//evil.test",
        "javascript:alert(1)",
    ],
)
def test_oauth_01_02_03_another_redirect_is_an_error_here_and_leads_nowhere(firm, uri):
    for browser in (Browser(firm.site.url), firm.browser()):
        answer = browser.get(firm.asking(redirect_uri=uri))
        assert answer.status == 400
        assert "location" not in answer.headers
        assert b"authorize_refused" in answer.body


@pytest.mark.parametrize("client", ["", "cli_" + "a" * 26, "dyn.AAAA", "https://app.test/client.json", "x" * 5000])
def test_a_client_that_is_not_known_is_an_error_here(firm, client):
    answer = firm.browser().get(firm.asking(client_id=client or None))
    assert answer.status == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "c" * 42}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"resource": "https://evil.test/mcp/notes"}, "invalid_target"),
        ({"resource": f"{ISSUER}/mcp/nothing"}, "invalid_target"),
        ({"resource": f"{GATE}/"}, "invalid_target"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "mcp:notes/other"}, "access_denied"),
        ({"authorization_details": "x"}, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"other"}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"remit_task","agent":"agt_x"}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"remit_task","person":"per_x"}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"remit_task","brief":"unknown"}]'}, "access_denied"),
        ({"authorization_details": '[{"type":"remit_task","purpose":"a\\nb"}]'}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type":"remit_task","locations":["x"]}]'}, "invalid_target"),
        ({"prompt": "none"}, "consent_required"),
        ({"state": "s" * 2000}, "invalid_request"),
    ],
    ids=str,
)
def test_oauth_04_13_each_error_goes_back_by_the_name_that_the_rfc_gives_it(firm, changes, error):
    answer = firm.browser().get(firm.asking(**changes))
    said = query(answer.headers["location"])
    assert answer.headers["location"].startswith(BACK)
    assert (said["error"], said["iss"]) == (error, ISSUER)
    assert said["error_description"]
    assert "code" not in said


def test_what_is_sent_twice_or_cannot_be_read_is_an_error_here(firm):
    for more in ("&state=again", "&client_id=x", "&x=%ff"):
        assert firm.browser().get(firm.asking() + more).status == 400
    assert firm.browser().get(firm.asking(x="y" * 17_000)).status == 400


def test_nobody_signed_in_and_prompt_none_is_login_required(firm):
    assert error_of(Browser(firm.site.url).get(firm.asking(prompt="none"))) == "login_required"


def test_scopes_of_habit_mean_nothing_and_a_real_one_narrows(firm):
    assert firm.page(scope="openid offline_access").status == 200
    told = firm.token(code=firm.code(scope="mcp:notes/read_note openid"))
    assert told.json["scope"] == "mcp:notes/read_note"
    assert told.json["authorization_details"][0]["actions"] == ["mcp:notes/read_note"]


def test_without_a_resource_or_scope_the_briefs_own_are_the_default(firm):
    told = firm.token(code=firm.code(resource=None))
    assert told.json["authorization_details"][0]["locations"] == [GATE]


def test_a_no_goes_back_and_gives_nothing(firm):
    before = ledger(firm)
    assert error_of(firm.answer(firm.page(), "no")) == "access_denied"
    assert ledger(firm) == before


def test_several_briefs_are_the_persons_to_choose_from(firm):
    reading = firm.site.world.a_brief(
        name="reading", purpose="Only read.", agents=(firm.bot,), dispatchers=("group:staff",), steps=steps()[:1]
    )
    delegated = tuple(one for one in firm.site.world.a_brief().steps if one.path == "delegated")[:1]
    firm.site.act(lambda c: brief.apply(c, reading.__class__(**_members(reading) | {"steps": delegated}), "operator"))
    page = firm.page()
    assert page.body.count(b'type="radio"') == 2
    code = query(firm.answer(page, brief="reading").headers["location"])["code"]
    assert firm.token(code=code).json["scope"] == "mcp:notes/read_note"
    answer = firm.answer(firm.page(), brief="other")
    assert answer.status == 400
    firm.site.act(lambda c: brief.withdraw(c, "reading", "operator"))


def _members(one):
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_ui_02_only_the_page_itself_is_answered_by_the_person_who_saw_it_and_once(firm):
    page = firm.page()
    fields = fields_of(page) | {"answer": "yes"}
    mine = firm.browser()
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert mine.post("/oauth/authorize", fields, headers).status == 403
    assert mine.post("/oauth/authorize", fields | {"word": "guessed"}).status == 403
    assert Browser(firm.site.url).post("/oauth/authorize", fields).status == 401
    for altered in (fields["request"][:-4] + "AAAA", "", "x"):
        assert mine.post("/oauth/authorize", fields | {"request": altered}).status == 400
    firm.site.act(lambda c: principal.add_person(c, firm.idp.url, "max-at-idp", "Max", ("staff",), "operator"))
    other = firm.browser("max-at-idp")
    assert other.post("/oauth/authorize", fields | {"word": word_of(other)}).status == 400, "another person's page"
    assert error_of(mine.post("/oauth/authorize", fields)) == ""
    assert error_of(mine.post("/oauth/authorize", fields)) == "access_denied", "it was answered before"


def test_what_changed_since_it_was_shown_is_shown_again(firm):
    page = firm.page()
    firm.site.act(lambda c: brief.apply(c, _brief(firm, "Keep all notes."), "operator"))
    answer = firm.answer(page)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/oauth/authorize?")
    shown = firm.browser().get(answer.headers["location"])
    assert b"Keep all notes." in shown.body
    firm.site.act(lambda c: brief.apply(c, _brief(firm, "Keep notes."), "operator"))


def _brief(firm, purpose):
    world = firm.site.world
    return world.a_brief(agents=(firm.bot,), dispatchers=(world.owner.id, "group:staff"), purpose=purpose)


def test_a_person_whom_no_brief_lists_can_give_nothing(firm):
    firm.idp.said = {"groups": []}
    firm.site.act(lambda c: principal.add_person(c, firm.idp.url, "out-at-idp", "Out", (), "operator"))
    answer = firm.browser("out-at-idp").get(firm.asking())
    firm.idp.said = {}
    assert error_of(answer) == "access_denied"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "v" * 42}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"client_id": "cli_" + "a" * 26}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"client_secret": "s"}, "invalid_client"),
        ({"resource": f"{ISSUER}/mcp/other"}, "invalid_target"),
        ({"scope": "mcp:notes/read_note"}, "invalid_scope"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
    ids=str,
)
def test_oauth_04_a_code_is_redeemed_by_its_own_client_with_its_own_verifier(firm, changes, error):
    answer = firm.token(**{"code": firm.code()} | changes)
    assert answer.json["error"] == error
    assert answer.status == (401 if error == "invalid_client" else 400)
    assert answer.json["error_description"]


def test_oauth_07_a_refresh_token_that_comes_again_ends_the_family_with_a_receipt(firm):
    first = firm.token(code=firm.code()).json
    second = firm.renew(first["refresh_token"]).json
    assert firm.renew(first["refresh_token"]).json["error"] == "invalid_grant"
    assert firm.renew(second["refresh_token"]).json["error"] == "invalid_grant"
    told = firm.site.form("/oauth/introspect", {"token": second["access_token"]} | firm.site.client(firm.bot)).json
    assert told == {"active": False}
    assert b"a refresh token came a second time" in ledger(firm)


def test_a_client_gives_up_what_it_holds_and_a_stranger_cannot(firm):
    held = firm.token(code=firm.code()).json
    other = firm.token(code=firm.code()).json
    for token in (held["refresh_token"], held["access_token"]):
        assert firm.site.form("/oauth/revoke", {"token": token, "client_id": "cli_" + "a" * 26}).status == 401
    assert firm.site.form("/oauth/revoke", {"token": held["refresh_token"], "client_id": firm.client}).status == 200
    assert firm.renew(held["refresh_token"]).json["error"] == "invalid_grant"
    gone = firm.site.form("/oauth/introspect", {"token": held["access_token"]} | firm.site.client(firm.bot)).json
    assert gone == {"active": False}
    assert firm.site.form("/oauth/revoke", {"token": other["access_token"], "client_id": firm.client}).status == 200
    assert firm.site.form("/oauth/revoke", {"token": "unknown", "client_id": firm.client}).status == 200
    assert firm.renew(other["refresh_token"]).status == 200, "only the credential was given up"
    assert firm.site.form("/oauth/introspect", {"token": "x", "client_id": firm.client}).status == 401


def test_a_pushed_request_is_the_same_request_and_is_answered_once(firm):
    said = {"response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "state": "pushed"}
    said |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "resource": GATE}
    made = firm.site.form("/oauth/par", said)
    assert made.status == 201
    assert made.json["expires_in"] == 90
    uri = made.json["request_uri"]
    assert uri.startswith("urn:ietf:params:oauth:request_uri:")
    where = f"/oauth/authorize?client_id={firm.client}&request_uri={quote(uri)}"
    page = firm.browser().get(where)
    first, second = firm.answer(page), firm.answer(firm.browser().get(where))
    assert query(first.headers["location"])["state"] == "pushed"
    assert firm.token(code=query(first.headers["location"])["code"]).status == 200
    assert error_of(second) == "access_denied"
    for wrong in (f"/oauth/authorize?client_id=cli_x&request_uri={quote(uri)}", where[:-3] + "AAA"):
        assert firm.browser().get(wrong).status == 400
    for changes, error in (
        ({"redirect_uri": "https://evil.test"}, "invalid_request"),
        ({"request_uri": uri}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"client_id": "cli_" + "a" * 26}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
    ):
        assert firm.site.form("/oauth/par", said | changes).json["error"] == error


def test_registration_and_documents_are_off_unless_allowed(firm):
    body = {"redirect_uris": [BACK]}
    assert firm.site.send("/oauth/register", body, "").status == 404
    said = firm.site.get("/.well-known/oauth-authorization-server", "").json
    assert "registration_endpoint" not in said
    assert said["client_id_metadata_document_supported"] is False


def test_no_secret_is_echoed_or_written_down(firm, caplog):
    code = firm.code(state="canary-state")
    held = firm.token(code=code).json
    cookie = firm.browser().cookies["remit-person"]
    answers = [
        firm.token(code=code + "x").body,
        firm.token(code=code, code_verifier="canary-" + "v" * 40).body,
        firm.renew("rmr_canary-" + "x" * 36).body,
        firm.site.form("/oauth/revoke", {"token": held["refresh_token"], "client_id": "canary-client"}).body,
    ]
    everything = b"\n".join(answers) + ledger(firm) + caplog.text.encode()
    for one in (code, held["refresh_token"], held["access_token"], cookie, "canary", firm.idp.secret):
        assert one.encode() not in everything


def test_what_is_given_ends_no_later_than_the_page_said(firm):
    """However long the person read: `until` on the page is what they agree to."""
    clock = firm.site.world.authority.clock
    shown = firm.page()
    since = clock.now()
    while clock.now() <= since + 20:
        assert firm.browser().get("/console/consents").status == 200
    where = query(firm.answer(shown).headers["location"])
    task = firm.token(code=where["code"]).json["authorization_details"][0]["task"]
    one, two = firm.site.act(lambda c: (c.need(Task, task), c.need(Consent, c.need(Task, task).consent)))
    assert one.deadline == two.until <= since + firm.site.world.brief.life
