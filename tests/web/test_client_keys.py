"""Clients that came by themselves with keys of their own: proved at every endpoint, rotated, dialled with care."""

import json
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey

from remit.core.client import Client
from remit.web import document
from remit.web.document import understood
from tests.kit.asking_people import BACK, CHALLENGE, GATE, company
from tests.kit.nouns import code
from tests.kit.publishing import Published
from tests.kit.signin import query
from tests.kit.site import ASSERTION
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER
from tests.web.test_oauth_register import ALLOWED, records, register


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, client_agent="bot", client_rate=0, **ALLOWED) as one:
        yield one


def pair():
    key = ECKey.generate_key("P-256")
    return key, {name: str(value) for name, value in key.as_dict(private=False).items()} | {"kid": key.thumbprint()}


def shown(firm, client_id, key, **changes):
    """A fresh assertion of this client, by this key."""
    firm.site.used += 1
    now = firm.site.world.authority.clock.now() // 1000
    said = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": f"k{firm.site.used}"}
    text = peer_sign(key, {"alg": "ES256", "kid": key.thumbprint()}, said | changes)
    return {"client_assertion_type": ASSERTION, "client_assertion": text, "client_id": None}


def refused(answer):
    return (answer.status, answer.json["error"]) == (401, "invalid_client")


def goes_all_the_way(firm, client_id, key):
    """Pushed, redeemed, renewed, looked at and given up, each time by this key and never without."""
    pushed = {"redirect_uri": BACK, "response_type": "code", "code_challenge": CHALLENGE, "resource": GATE}
    pushed |= {"code_challenge_method": "S256"}
    stranger, _ = pair()
    assert refused(firm.site.form("/oauth/par", pushed | {"client_id": client_id}))
    assert refused(firm.site.form("/oauth/par", pushed | without(shown(firm, client_id, stranger))))
    answer = firm.site.form("/oauth/par", pushed | without(shown(firm, client_id, key)))
    assert answer.status == 201, answer.body
    page = firm.browser().get(f"/oauth/authorize?{urlencode({'client_id': client_id} | named(answer.json))}")
    given = query(firm.answer(page).headers["location"])["code"]
    assert refused(firm.token(code=given, client_id=client_id)), "by its name alone"
    assert refused(firm.token(code=given, **shown(firm, client_id, stranger)))
    assert refused(firm.token(code=given, **shown(firm, client_id, key, aud="https://other.test")))
    proof = shown(firm, client_id, key)
    told = firm.token(code=given, **proof)
    assert told.status == 200, told.body
    assert refused(firm.token(code=given, **proof)), "an assertion counts once"
    text = told.json["refresh_token"]
    assert refused(firm.renew(text, client_id=client_id))
    renewed = firm.renew(text, **shown(firm, client_id, key))
    assert renewed.status == 200, renewed.body
    token = renewed.json["access_token"]
    assert firm.site.form("/oauth/introspect", {"token": token} | without(shown(firm, client_id, key))).json["active"]
    assert refused(firm.site.form("/oauth/revoke", {"token": token, "client_id": client_id}))
    assert firm.site.form("/oauth/revoke", {"token": token} | without(shown(firm, client_id, key))).status == 200


def without(proof):
    return {name: value for name, value in proof.items() if value is not None}


def named(pushed):
    return {"request_uri": pushed["request_uri"]}


def test_a_client_that_registers_a_key_of_its_own_is_nobody_without_it(firm):
    key, public = pair()
    said = register(firm, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public]}).json
    assert said["token_endpoint_auth_method"] == "private_key_jwt"
    assert said["jwks"]["keys"][0]["x"] == public["x"]
    goes_all_the_way(firm, said["client_id"], key)
    (one,) = [each for each in records(firm, Client) if each.keys]
    assert (one.kind, one.confidential, one.agent) == ("dynamic", False, firm.bot)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        {"jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}},
        {"jwks": {"keys": [pair()[1]] * 2}},
        {"jwks": {"keys": [pair()[1]]}, "jwks_uri": "https://app.test/jwks"},
        {"jwks_uri": "http://app.test/jwks"},
        {"jwks_uri": "https://user@app.test/jwks"},
        {"jwks_uri": 1},
        {"jwks": "x"},
    ],
    ids=lambda one: str(one)[:40],
)
def test_keys_that_cannot_be_a_clients_are_refused(firm, published, host, wrong):
    answer = register(firm, token_endpoint_auth_method="private_key_jwt", **wrong)
    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")
    assert code(lambda: understood("https://app.test/c", DOCUMENT | wrong)) == "document_refused"


DOCUMENT = {
    "client_id": "https://app.test/c", "redirect_uris": [BACK], "token_endpoint_auth_method": "private_key_jwt",
}  # fmt: skip


def test_published_keys_rotate_and_what_was_withdrawn_proves_nothing(firm, published, host):
    old, new = pair(), pair()
    keys = f"{host.url.rpartition('/')[0]}/jwks.json"
    published()
    publish = lambda *those: host.others.update(  # noqa: E731 - what is published now
        {"/jwks.json": (200, "application/jwk-set+json", json.dumps({"keys": [one for _, one in those]}).encode())}
    )
    publish(old)
    said = register(firm, token_endpoint_auth_method="private_key_jwt", jwks_uri=keys.replace("client", "jwks")).json
    client_id = said["client_id"]
    assert said["jwks_uri"] == keys
    goes_all_the_way(firm, client_id, old[0])
    publish(new)
    asked = Published.asked
    for _ in range(5):
        assert refused(firm.token(code="x", **shown(firm, client_id, new[0]))), "not for every stranger's key"
    assert Published.asked - asked <= 1
    clock, steady = firm.site.world.authority.clock, firm.site.world.authority.clock._steady
    try:
        clock._steady = lambda: steady() + 11 * 10**9
        assert firm.token(code="x", **shown(firm, client_id, new[0])).json["error"] == "invalid_grant"
        assert refused(firm.token(code="x", **shown(firm, client_id, old[0])))
        goes_all_the_way(firm, client_id, new[0])
    finally:
        clock._steady = steady
        host.others.clear()


def test_a_document_with_keys_is_held_to_the_keys_that_it_says_now(firm, published, host):
    (key, public), (other, _) = pair(), pair()
    host.others["/keyed.json"] = 200, "application/json", json.dumps(
        DOCUMENT | {"client_id": host.url.replace("client.json", "keyed.json"), "client_name": "Keyed"}
        | {"jwks": {"keys": [public]}}
    ).encode()  # fmt: skip
    published()
    client_id = host.url.replace("client.json", "keyed.json")
    goes_all_the_way(firm, client_id, key)
    assert refused(firm.token(code="x", **shown(firm, client_id, other)))
    host.others.clear()


def led_to(real, inside):
    """A resolver that says a name is an address inside."""
    found = [(0, 0, 0, "", (inside, 443))]
    return lambda host, *more, **rest: found if host == "app.test" else real(host, *more, **rest)


def test_where_keys_are_published_is_dialled_with_care(firm, monkeypatch):
    """A registered address leads nowhere inside: it is judged at each look, by the address that its name has then."""
    (key, _), real = pair(), document.socket.getaddrinfo
    said = register(firm, token_endpoint_auth_method="private_key_jwt", jwks_uri="https://app.test/jwks").json
    for inside in ("169.254.169.254", "10.0.0.7", "192.168.1.1", "fd00::1"):
        monkeypatch.setattr(document.socket, "getaddrinfo", led_to(real, inside))
        dialled = []
        monkeypatch.setattr(document, "dialled", lambda *where, dialled=dialled, **_: dialled.append(where))
        answer = firm.site.form("/oauth/par", {"redirect_uri": BACK} | without(shown(firm, said["client_id"], key)))
        assert refused(answer)
        assert dialled == []
