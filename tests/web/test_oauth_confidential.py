"""A client that proves its agent's key: at PAR, at the token endpoint, at revocation and introspection."""

import json

import pytest
from joserfc.jwk import ECKey

from remit.control import client as clients
from remit.control import revocation
from tests.kit.asking_people import BACK, CALLBACK, CHALLENGE, GATE, company, fields_of
from tests.kit.signin import query
from tests.kit.site import ASSERTION
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        one.keyed = one.site.act(
            lambda c: clients.add(
                c, agent=one.bot, name="Server", redirects=(CALLBACK,), confidential=True, by="operator"
            )
        ).id
        yield one


def proof(firm, **changes):
    firm.site.used += 1
    now = firm.site.world.authority.clock.now() // 1000
    said = {
        "iss": firm.keyed,
        "sub": firm.keyed,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": f"j{firm.site.used}",
    }
    key = changes.pop("key", firm.site.keys[firm.bot])
    text = peer_sign(key, {"alg": "ES256"}, {k: v for k, v in (said | changes).items() if v is not None})
    return {"client_assertion_type": ASSERTION, "client_assertion": text}


def code(firm):
    page = firm.browser().get(firm.asking(client_id=firm.keyed))
    answer = firm.browser().post("/oauth/authorize", fields_of(page) | {"answer": "yes"})
    return query(answer.headers["location"])["code"]


def test_a_confidential_client_proves_its_agents_key_at_every_endpoint(firm):
    held = firm.token(code=code(firm), client_id=None, **proof(firm))
    assert held.status == 200, held.body
    token, again = held.json["access_token"], held.json["refresh_token"]
    seen = firm.site.form("/oauth/introspect", {"token": token} | proof(firm)).json
    assert (seen["active"], seen["sub"], seen["client_id"]) == (True, firm.pia, firm.bot)
    assert firm.site.form("/oauth/introspect", {"token": again} | proof(firm)).json["active"] is True
    firm.site.act(lambda c: revocation.revoke(c, "task", held.json["authorization_details"][0]["task"], "operator"))
    assert firm.site.form("/oauth/introspect", {"token": again} | proof(firm)).json == {"active": False}
    held = firm.token(code=code(firm), client_id=None, **proof(firm))
    token, again = held.json["access_token"], held.json["refresh_token"]
    other = firm.token(code=firm.code()).json
    for stranger in (other["access_token"], other["refresh_token"], "unknown"):
        assert firm.site.form("/oauth/introspect", {"token": stranger} | proof(firm)).json == {"active": False}
    renewed = firm.renew(again, client_id=None, **proof(firm))
    assert renewed.status == 200
    assert firm.site.form("/oauth/introspect", {"token": again} | proof(firm)).json == {"active": False}
    assert firm.site.form("/oauth/revoke", {"token": renewed.json["refresh_token"]} | proof(firm)).status == 200
    assert firm.site.form("/oauth/introspect", {"token": token} | proof(firm)).json == {"active": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": [ISSUER, "https://evil.test"]},
        {"aud": None},
        {"iss": "cli_" + "a" * 26},
        {"sub": "cli_" + "a" * 26},
        {"exp": 1},
        {"jti": None},
        {"key": ECKey.generate_key("P-256")},
    ],
    ids=lambda one: str(one)[:40],
)
def test_oauth_12_an_assertion_that_is_wrong_is_no_client(firm, wrong):
    answer = firm.token(code="x", client_id=None, **proof(firm, **wrong))
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_an_assertion_counts_once_and_a_confidential_client_is_never_public(firm):
    once = proof(firm)
    assert firm.token(code="x", client_id=None, **once).json["error"] == "invalid_grant"
    assert firm.token(code="x", client_id=None, **once).json["error"] == "invalid_client"
    assert firm.token(code=code(firm), client_id=firm.keyed).json["error"] == "invalid_client"
    assert firm.token(code="x", client_id=firm.client, **proof(firm)).json["error"] == "invalid_client", "two clients"
    public = firm.code()
    assert firm.token(code=public, client_id=None, **proof(firm)).json["error"] == "invalid_grant", "another's code"


def test_it_pushes_its_request_with_the_same_proof(firm):
    said = {"response_type": "code", "redirect_uri": BACK, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    said |= {"resource": GATE, "authorization_details": json.dumps([{"type": "remit_task", "brief": "notes"}])}
    once = proof(firm)
    made = firm.site.form("/oauth/par", said | once)
    assert made.status == 201, made.body
    assert firm.site.form("/oauth/par", said | once).json["error"] == "invalid_client", "it counts once"
    assert firm.site.form("/oauth/par", said | {"client_id": firm.keyed}).json["error"] == "invalid_client"
    page = firm.browser().get(f"/oauth/authorize?client_id={firm.keyed}&request_uri={made.json['request_uri']}")
    assert page.status == 200
