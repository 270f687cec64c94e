"""Clients that come by themselves: registered or described, they stand for whom the operator says, or nobody yet."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from remit.control import agent as agents
from remit.control import brief
from remit.control import client as clients
from remit.core.agent import Agent
from remit.core.client import Client
from remit.core.errors import RemitError
from remit.store.record import Reader
from remit.web import document
from remit.web.document import address, judged, understood
from remit.web.site import STRANGERS
from tests.kit.asking_people import BACK, CHALLENGE, company
from tests.kit.browser import Browser
from tests.kit.nouns import code
from tests.kit.publishing import Published
from tests.kit.signin import query, sign_in
from tests.kit.world import DAY

ALLOWED = {"client_registration": True, "client_documents": True, "door_rate": 0}


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, client_agent="bot", **ALLOWED) as one:
        yield one


def register(firm, **said):
    body = {"client_name": "Shiny", "redirect_uris": [BACK]} | said
    return firm.site.send("/oauth/register", {k: v for k, v in body.items() if v is not None}, "")


def records(firm, kind):
    return firm.site.act(lambda c: list(Reader(c.db).where(kind)))


def test_a_client_that_registers_itself_stands_for_the_operators_agent_once_a_person_says_yes(firm):
    before = len(records(firm, Client))
    made = register(firm, token_endpoint_auth_method="client_secret_basic", scope="x")
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    said = made.json
    assert (said["token_endpoint_auth_method"], said["redirect_uris"]) == ("none", [BACK])
    assert "client_secret" not in said
    assert len(records(firm, Client)) == before, "a stranger leaves nothing here"
    page = firm.page(client_id=said["client_id"])
    assert b"It calls itself so" in page.body
    assert firm.token(code="x", client_id=said["client_id"]).json["error"] == "invalid_client", "nobody brought it yet"
    given = query(firm.answer(page).headers["location"])["code"]
    told = firm.token(code=given, client_id=said["client_id"])
    assert told.status == 200, told.body
    assert firm.site.world.enter(told.json["access_token"]).agent == firm.bot
    assert firm.token(code=firm.code(), client_id=said["client_id"]).json["error"] == "invalid_grant", "another's code"
    assert firm.renew(told.json["refresh_token"], client_id=said["client_id"]).status == 200


def test_a_client_that_was_ended_does_not_come_back_by_another_spelling_of_its_id(firm):
    said = register(firm).json["client_id"]
    assert query(firm.answer(firm.page(client_id=said)).headers["location"])["code"]
    firm.site.act(lambda c: clients.end(c, clients.identity(said), "operator"))
    for spelt in (said, f"{said}=", f"{said[:40]}!{said[40:]}", f"{said}!", f"{said[:9]}.{said[9:]}"):
        assert firm.page(client_id=spelt).status == 400, spelt
        asked = {"client_id": spelt, "response_type": "code", "redirect_uri": BACK, "code_challenge": CHALLENGE}
        pushed = firm.site.form("/oauth/par", asked | {"code_challenge_method": "S256"})
        assert (pushed.status, pushed.json["error"]) == (401, "invalid_client"), spelt


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://evil.test/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["myapp:/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [BACK] * 17}, "invalid_redirect_uri"),
        ({"redirect_uris": [1]}, "invalid_redirect_uri"),
        ({"client_name": "a\nb"}, "invalid_client_metadata"),
        ({"client_name": 1}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", {}]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"software_statement": "x"}, "unapproved_software_statement"),
    ],
    ids=str,
)
def test_what_cannot_be_registered_is_refused_by_name(firm, said, error):
    answer = register(firm, **said)
    assert (answer.status, answer.json["error"]) == (400, error)
    assert answer.json["error_description"]


def test_what_is_no_registration_at_all(firm):
    for body in (b"x", b"[]", b'{"a":1,"a":2}', b"{" + b" " * 20_000 + b"}"):
        answer = firm.site.send("/oauth/register", body, "")
        assert answer.json["error"] == "invalid_client_metadata"
    assert firm.site.send("/oauth/register", b"{}", "", kind="text/plain").json["error"] == "invalid_client_metadata"


def test_the_metadata_says_that_both_are_offered(firm):
    for place in ("oauth-authorization-server", "openid-configuration"):
        said = firm.site.get(f"/.well-known/{place}", "").json
        assert said["registration_endpoint"].endswith("/oauth/register")
        assert said["client_id_metadata_document_supported"] is True
        assert said["code_challenge_methods_supported"] == ["S256"]
        assert said["authorization_response_iss_parameter_supported"] is True


def test_without_an_agent_for_such_clients_each_is_put_forward_as_one_of_its_own(tmp_path):
    tmp_path.chmod(0o700)
    with company(tmp_path, **ALLOWED) as firm:
        client_id = register(firm, client_name="Shiny App").json["client_id"]
        for _ in range(2):
            answer = firm.browser().get(firm.asking(client_id=client_id))
            assert answer.status == 400
            assert b"put forward to the operator" in answer.body
        proposed = [one for one in records(firm, Agent) if one.state == "proposed"]
        assert [(one.owner, one.ceiling) for one in proposed] == [(firm.pia, ())]
        assert proposed[0].name.startswith("shiny-app-")
        due = firm.site.world.authority.clock.now() + DAY
        firm.site.act(lambda c: agents.review(c, proposed[0].id, due, "operator", ("mcp:notes/read_note",)))
        assert b"access_denied" in firm.browser().get(firm.asking(client_id=client_id)).body, "in no brief"
        wide = firm.site.world.a_brief(agents=(proposed[0].id,), dispatchers=("group:staff",))
        firm.site.act(lambda c: brief.apply(c, wide, "operator"))
        told = firm.token(code=firm.code(client_id=client_id), client_id=client_id)
        assert told.json["scope"] == "mcp:notes/read_note", "no more than its ceiling"


def test_nobody_is_sent_unasked_to_where_a_stranger_chose(firm):
    client_id = register(firm, redirect_uris=["https://evil.test/landing"]).json["client_id"]
    for browser in (firm.browser(), firm.browsers.setdefault("nobody", Browser(firm.site.url))):
        answer = browser.get(
            firm.asking(client_id=client_id, redirect_uri="https://evil.test/landing", scope="nonsense")
        )
        assert answer.status == 400
        assert "location" not in answer.headers
        assert b"invalid_scope" in answer.body
        assert b'href="https://evil.test/landing?error=invalid_scope' in answer.body


def test_a_client_whose_id_is_its_documents_address(firm, published):
    url = published()
    page = firm.page(client_id=url)
    assert page.status == 200, page.body
    assert b"Described" in page.body
    before = Published.asked
    given = query(firm.answer(page).headers["location"])["code"]
    assert firm.token(code=given, client_id=url).status == 200
    assert Published.asked == before, "it is kept for a while"


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "https://evil.test/client.json"},
        {"client_secret": "s"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"redirect_uris": []},
        {"redirect_uris": ["http://evil.test"]},
        {"client_name": "a\nb"},
        {"status": 302},
        {"status": 404},
        {"kind": "text/html"},
        {"client_name": "x" * 20_000},
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_document_that_is_wrong_is_refused_and_not_kept(firm, published, host, wrong):
    url = published(**wrong).replace("client.json", f"wrong-{len(str(wrong))}.json")
    answer = firm.browser().get(firm.asking(client_id=url))
    assert answer.status == 400
    assert b"document_refused" in answer.body


def test_mcp_14_an_address_that_a_stranger_names_is_dialled_with_care(firm):
    bad = (
        "http://app.test/client.json", "https://app.test", "https://user@app.test/c", "https://app.test/a/../c",
        "https://app.test/c#f", "file:///etc/passwd", "https://app.test/a b", "https://APP.test/c",
    )  # fmt: skip
    assert [url for url in bad if address(url)] == []
    assert address("https://app.test/oauth/client.json?v=1")
    for name in ("localhost", "127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "0.0.0.0"):
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            judged(name, 443, own=False)
    assert judged("127.0.0.1", 443, own=True) == "127.0.0.1"
    with pytest.raises(ValueError, match="169"):
        judged("169.254.169.254", 443, own=True)
    assert code(lambda: understood("https://app.test/c", [])) == "document_refused"
    assert issubclass(RemitError, Exception)
    assert document.LARGEST <= 16 * 1024


def test_what_strangers_name_holds_up_nobody_who_signs_in(tmp_path):
    """Addresses that answer nothing are waited for in threads of their own, and a few at once."""
    tmp_path.chmod(0o700)
    with (
        company(tmp_path, door_rate=0, client_documents=True) as firm,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        silent.listen(256)

        def ask_for(number):
            url = f"https://localhost:{silent.getsockname()[1]}/{number}.json"
            return firm.site.form("/oauth/par", {"client_id": url}).status

        with ExitStack() as held:
            pool = held.enter_context(ThreadPoolExecutor(60))
            held.callback(silent.close)
            asked = [pool.submit(ask_for, number) for number in range(60)]
            for _ in range(STRANGERS):
                held.enter_context(silent.accept()[0])
            began = time.monotonic()
            assert sign_in(Browser(firm.site.url)).status == 303
            assert time.monotonic() - began < 4
            assert not any(one.done() for one in asked), "they were not waited for any more"
        assert {one.result() for one in asked} <= {400, 401}
