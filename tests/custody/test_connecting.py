"""What is sent to a provider when a person connects, what counts as its answer, and what it says of itself."""

import json
import urllib.parse
import urllib.request

import pytest

from remit.custody.secret import Secret
from remit.custody.sources import connecting, provider
from tests.custody.sources import refused
from tests.kit.provider import CLIENT, agreed, provided
from tests.kit.signin import query

BACK = "http://127.0.0.1:9/cb"
GIVEN = {"client": "remit", "scope.read": "notes.read", "scope.write": "notes.write notes.read"}


@pytest.fixture(scope="module")
def peer():
    with provided(redirect=BACK) as found:
        yield found


def settings(peer, **more):
    return provider.discovered(GIVEN | {"issuer": peer["issuer"]} | more)


def code(one, verifier):
    return query(agreed(connecting.asks(one, redirect=BACK, state="s" * 43, verifier=verifier)))["code"]


def redeemed(one, secret=CLIENT, verifier="v" * 43, **more):
    given = {"code": "", "redirect": BACK, "verifier": verifier} | more
    return connecting.redeem(one, Secret(secret), **given)


def active(peer, token):
    body = urllib.parse.urlencode({"token": token, "client_id": "remit", "client_secret": CLIENT.decode()}).encode()
    with urllib.request.urlopen(f"{peer['issuer']}/token/introspection", body, timeout=60) as answer:
        return json.load(answer)["active"]


def test_metadata_fills_in_what_the_operator_left_out_and_nothing_else(peer):
    found = settings(peer, revoke="https://elsewhere.example/revoke")
    assert found["authorize"] == f"{peer['issuer']}/auth"
    assert (found["token"], found["names"]) == (f"{peer['issuer']}/token", "yes")
    assert found["revoke"] == "https://elsewhere.example/revoke"
    assert provider.discovered(GIVEN) == GIVEN
    assert refused(provider.discovered, {"issuer": peer["issuer"] + "/other"}) == "target_unavailable"
    assert refused(provider.discovered, {"issuer": "http://idp.example"}) == "setting_invalid"


def test_without_an_address_to_ask_at_people_do_not_connect(peer):
    assert connecting.way(GIVEN) is None
    for wrong in (
        "http://idp.example/auth",
        "https://u@idp.example/auth",
        "https://idp.example/auth#x",
        "javascript:x",
    ):
        assert (
            refused(connecting.way, GIVEN | {"authorize": wrong, "token": "https://idp.example"}) == "setting_invalid"
        )


def test_all_scopes_are_asked_for_once_and_consent_where_something_lasts(peer):
    one = connecting.way(settings(peer, also="offline_access"))
    asked = query(connecting.asks(one, redirect=BACK, state="s", verifier="v" * 43))
    assert (asked["scope"], asked["prompt"]) == ("notes.read notes.write offline_access", "consent")
    plain = connecting.way(settings(peer, authorize="https://idp.example/auth?access_type=offline"))
    where = connecting.asks(plain, redirect=BACK, state="s", verifier="v" * 43)
    assert where.startswith("https://idp.example/auth?access_type=offline&")
    assert "prompt" not in query(where)
    assert plain.place == "idp.example"


def test_a_code_becomes_what_is_kept_once_and_can_be_given_back(peer):
    one = connecting.way(settings(peer, also="offline_access"))
    text = code(one, "v" * 43)
    given = redeemed(one, code=text)
    assert given.scopes == ("notes.read", "notes.write", "offline_access")
    assert active(peer, given.token.reveal().decode())
    assert connecting.lasting(one, Secret(CLIENT), given) == given.token
    assert not active(peer, given.along.reveal().decode())
    assert refused(lambda _: redeemed(one, code=text), None) == "connection_refused"
    connecting.give_back(one, Secret(CLIENT), given)
    assert not active(peer, given.token.reveal().decode())


def test_a_wrong_verifier_redirect_or_secret_gives_nothing(peer):
    one = connecting.way(settings(peer, also="offline_access"))
    assert refused(lambda _: redeemed(one, code=code(one, "v" * 43), verifier="w" * 43), None) == "connection_refused"
    assert refused(lambda _: redeemed(one, code=code(one, "v" * 43), redirect=f"{BACK}2"), None) == "connection_refused"
    assert refused(lambda _: redeemed(one, b"wrong", code=code(one, "v" * 43)), None) == "target_declined"


def test_an_answer_that_does_not_last_is_no_connection_and_what_came_along_ends(peer):
    one = connecting.way(settings(peer))
    given = redeemed(one, code=code(one, "v" * 43))
    assert given.token is None
    assert refused(lambda _: connecting.lasting(one, Secret(CLIENT), given), None) == "connection_refused"
    assert not active(peer, given.along.reveal().decode())


def test_a_provider_that_does_not_say_yes_has_taken_nothing_back(peer, monkeypatch):
    one = connecting.way(settings(peer, also="offline_access"))
    given = redeemed(one, code=code(one, "v" * 43))
    monkeypatch.setattr(provider.Provider, "post", lambda *_: (503, {}))
    assert refused(lambda _: connecting.give_back(one, Secret(CLIENT), given), None) == "target_declined"


def test_an_access_token_that_a_provider_takes_back_from_nobody_ends_by_itself_and_a_refresh_token_does_not(
    peer, monkeypatch
):
    one, (token, along) = connecting.way(settings(peer)), (Secret(b"lasting-token"), Secret(b"along-token"))
    unable = 400, {"error": "unsupported_token_type"}
    monkeypatch.setattr(provider.Provider, "post", lambda *_: unable)
    given = connecting.Given(token, along, ())
    assert connecting.lasting(one, Secret(CLIENT), given) == token
    assert connecting.give_back(one, Secret(CLIENT), connecting.Given(None, along, ())) is None
    assert refused(lambda _: connecting.give_back(one, Secret(CLIENT), given), None) == "target_declined"
    monkeypatch.setattr(provider.Provider, "post", lambda *_: (400, {"error": "invalid_client"}))
    assert refused(lambda _: connecting.lasting(one, Secret(CLIENT), given), None) == "target_declined"
