"""Whatever a stranger sends to the door of people: an answer by the book, and nothing written down."""

import json
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.store.log import newest
from tests.kit.asking_people import BACK, CHALLENGE, GATE, company
from tests.kit.browser import Browser

RUN = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip
NAMES = st.sampled_from(
    ["client_id", "redirect_uri", "response_type", "response_mode", "state", "scope", "resource", "code_challenge",
     "code_challenge_method", "authorization_details", "request_uri", "request", "prompt", "code", "code_verifier",
     "grant_type", "refresh_token", "client_assertion", "client_assertion_type", "token", "nonsense"]
)  # fmt: skip
ODD = st.sampled_from(
    [b"", b"\x00", b"\xff", b"\xed\xa0\x80", b"cli_\x00", b"dyn.", b"https://x.test/\x00", b"[[[[[[", b"a" * 3000,
     b"urn:ietf:params:oauth:request_uri:AAAA", b"\r\nset-cookie: a=b", "\u202e\U0001f600".encode(), b"-1", b"[]"]
)  # fmt: skip
VALUES = st.one_of(ODD, st.binary(max_size=40))


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0, client_registration=True, client_agent="bot") as one:
        yield one


def size(firm):
    return firm.site.act(lambda c: newest(c.db).size)


def sound(answer):
    assert answer.status < 500, answer.body
    assert "set-cookie" not in answer.headers or "remit-signin" in answer.headers["set-cookie"]


def test_odd_requests_to_authorize_are_refused_by_the_book(firm):
    good = {
        "response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "resource": GATE,
    }  # fmt: skip
    mine, before = firm.browser(), size(firm)

    @RUN
    @given(st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
    def hostile(changes, whole):
        said = {name: value.encode() for name, value in good.items()} if whole else {}
        pairs = [f"{name}={quote_from_bytes(value)}" for name, value in (said | changes).items()]
        for browser in (mine, Browser(firm.site.url)):
            sound(browser.get("/oauth/authorize?" + "&".join(pairs)))

    hostile()
    assert size(firm) == before, "nothing is written for a question"


def test_odd_forms_are_refused_by_the_book(firm):
    before = size(firm)

    @RUN
    @given(
        st.sampled_from(["/oauth/token", "/oauth/par", "/oauth/revoke", "/oauth/introspect", "/oauth/register"]),
        st.dictionaries(NAMES, VALUES, max_size=5),
        st.sampled_from([b"authorization_code", b"refresh_token", b"password"]),
    )
    def hostile(path, said, grant):
        body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in ({"grant_type": grant} | said).items())
        answer = firm.site.form(path, body.encode())
        sound(answer)
        assert json.loads(answer.body)["error"]

    hostile()
    assert size(firm) == before, "a stranger left something in the ledger"


STRANGE = (None, True, 0, -1, 1e308, "", "\x00", "x" * 300, [], [None], {}, {"a": 1})
LIMITS = (
    {"subpath": "/notes/a"}, {"prefix": "/notes/"}, {"one_of": ["/notes/a"]}, {"equals": "/notes/a"}, {"any": True},
    {"pattern": "a+"}, {"range": {"min": 1, "max": 2}}, {"host": ["a.test:1"]}, {"cidr": ["10.0.0.0/8"]},
    {"max_length": 3}, {"owned": True},
)  # fmt: skip
JWK = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "kid": "k", "use": "sig"}
JWK |= {"y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "alg": "ES256", "key_ops": ["verify"]}


def spoilt(value):
    """A good value with something strange in one place of it, or added to a list of it, in every way there is."""
    yield from STRANGE
    if isinstance(value, dict):
        for name, held in value.items():
            yield from (value | {name: one} for one in spoilt(held))
    if isinstance(value, list):
        yield from ([*value, one] for one in STRANGE)
        for number, held in enumerate(value):
            yield from ([*value[:number], one, *value[number + 1 :]] for one in spoilt(held))


def test_a_pushed_request_with_one_strange_place_is_answered_by_the_book(firm):
    good = {"type": "remit_task", "brief": "notes", "purpose": "p", "labels": {"a": "b"}, "locations": [GATE]}
    good["actions"] = ["mcp:notes/read_note"]
    asked = {"response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "code_challenge": CHALLENGE}
    asked["code_challenge_method"] = "S256"
    details = [*spoilt([good])]
    details += [[{"type": "remit_task", "parameters": {"path": one}}] for limit in LIMITS for one in spoilt(limit)]
    for one in details:
        answer = firm.site.form("/oauth/par", asked | {"authorization_details": json.dumps(one)})
        assert answer.status in (201, 400), (one, answer.body)


def test_a_registration_with_one_strange_place_is_answered_by_the_book(firm):
    good = {"redirect_uris": [BACK], "client_name": "n", "grant_types": ["authorization_code"], "jwks": {"keys": [JWK]}}
    good |= {"response_types": ["code"], "token_endpoint_auth_method": "private_key_jwt"}
    for one in spoilt(good):
        answer = firm.site.send("/oauth/register", json.dumps(one).encode(), "")
        assert answer.status in (201, 400), (one, answer.body)


def test_odd_answers_to_a_page_are_refused(firm):
    mine = firm.browser()
    for fields in ({}, {"word": "x"}, {"request": "x", "word": "x"}, {"answer": "yes"}, {"brief": "\x00", "word": ""}):
        answer = mine.post("/oauth/authorize", fields)
        assert 400 <= answer.status < 404
