"""The own path: client credentials by private_key_jwt, over a real server."""

import hashlib

import pytest
from joserfc.jwk import ECKey

from remit.control import resource, revocation
from remit.core.canonical import b64
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.store.log import newest
from tests.kit.asking import error
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER, TOOLS


def test_a_credential_is_given_for_one_task_and_counts_at_the_gate(place):
    answer = place.token(place.bot, place.task, resource=f"{ISSUER}/mcp/notes")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json
    assert said["token_type"] == "Bearer"
    assert 110 <= said["expires_in"] <= 120
    detail = said["authorization_details"][0]
    assert (detail["task"], detail["plan"], detail["path"]) == (place.task, 1, "own")
    assert said["scope"].split() == detail["actions"]
    entry = place.world.enter(said["access_token"])
    assert (entry.task, entry.agent, entry.path) == (place.task, place.bot, TrustPath.OWN)
    assert place.token(place.bot, place.task, authorization_details=None, task=place.task).status == 200


def test_oauth_13_other_grants_stay_closed(place):
    for grant in (
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    ):
        asked = {"grant_type": grant, "response_type": "token", "username": "a", "password": "b"}
        assert error(place.form("/oauth/token", asked | place.client(place.bot))) == "unsupported_grant_type"
    assert place.get("/oauth/authorize?response_type=token", token="").status == 400


def test_deleg_06_a_target_outside_the_plan_is_refused_on_every_path(place):
    place.act(
        lambda c: resource.add(
            c,
            name="crm",
            upstream=Upstream(url="http://127.0.0.1:9/crm"),
            domain="office",
            owner=place.world.owner.id,
            tools=TOOLS,
            by="operator",
        )
    )
    for url in ("crm", "nowhere", "notes/", "notes?x=1", "NOTES", "../mcp/notes", ""):
        assert error(place.token(place.bot, place.task, resource=f"{ISSUER}/mcp/{url}")) == "invalid_target"
    both = [f"{ISSUER}/mcp/notes", f"{ISSUER}/mcp/crm"]
    assert error(place.token(place.bot, place.task, resource=both)) == "invalid_target"
    assert error(place.token(place.bot, place.task, resource="https://other.test/mcp/notes")) == "invalid_target"


def test_deleg_04_a_scope_beyond_the_plan_is_refused(place):
    assert error(place.token(place.bot, place.task, scope="mcp:crm/write")) == "invalid_scope"
    everything = place.token(place.bot, place.task).json["scope"]
    assert error(place.token(place.bot, place.task, scope=everything + " mcp:notes/extra")) == "invalid_scope"
    assert error(place.token(place.bot, place.task, scope=everything.split()[0])) == "invalid_scope"
    assert place.token(place.bot, place.task, scope=everything).status == 200


def test_deleg_10_a_known_task_id_is_no_capability(place):
    foreign = place.token(place.other, place.task)
    absent = place.token(place.other, "tsk_" + "a" * 26)
    assert error(foreign) == error(absent) == "invalid_grant"
    assert foreign.json == absent.json


def test_a_task_that_ended_gives_nothing(place):
    place.act(lambda c: revocation.revoke(c, "task", place.task, "operator"))
    before = place.read(newest).size
    assert error(place.token(place.bot, place.task)) == "invalid_grant"
    assert place.read(newest).size == before


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "x",
        "[]",
        "{}",
        '[{"type":"other","task":"T"}]',
        '[{"type":"remit_task"}]',
        '[{"type":"remit_task","task":"T","actions":["mcp:notes/wipe"]}]',
        '[{"type":"remit_task","task":"nonsense"}]',
        '[{"type":"remit_task","task":7}]',
        '[{"type":"remit_task","task":"T","task":"T"}]',
        '[{"type":"remit_task","task":"T"},{"type":"remit_task","task":"T"}]',
    ],
)
def test_details_that_do_not_name_one_task_are_refused(place, detail):
    found = place.token(place.bot, place.task, authorization_details=detail.replace("T", place.task))
    assert error(found) == "invalid_authorization_details"


def test_a_parameter_twice_a_query_or_another_type_is_refused(place):
    asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
    assert error(place.form("/oauth/token", asked | {"task": [place.task, place.task]})) == "invalid_request"
    assert error(place.form("/oauth/token?x=1", asked)) == "invalid_request"
    assert error(place.send("/oauth/token", asked)) == "invalid_request"
    assert error(place.form("/oauth/token", b"grant_type=%ff%fe")) == "invalid_request"
    assert error(place.form("/oauth/token", b"a=1&" * 100)) == "invalid_request"
    assert place.form("/oauth/token", {"grant_type": "x" * 70_000}).status == 400
    assert error(
        place.form("/oauth/token", {"grant_type": "client_credentials", "client_id": place.bot, "client_secret": "s"}),
        401,
    ) == ("invalid_client")
    mixed = {"grant_type": "client_credentials", "task": place.task, "client_id": place.other}
    assert error(place.form("/oauth/token", mixed | place.client(place.bot)), 401) == "invalid_client"
    assert place.get("/oauth/token").status == 405


def proof(key, now, **changes):
    said = {"htm": "POST", "htu": f"{ISSUER}/oauth/token", "iat": now, "jti": "once"} | changes
    return peer_sign(key, {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}, said)


def test_a_proved_key_is_bound_and_a_bound_credential_is_no_bearer(place):
    key, now = ECKey.generate_key("P-256"), place.world.authority.clock.now() // 1000
    asked = {"grant_type": "client_credentials", "task": place.task}
    good = proof(key, now)
    answer = place.form("/oauth/token", asked | place.client(place.bot), dpop=good)
    assert answer.json["token_type"] == "DPoP"
    token = answer.json["access_token"]
    told = place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json
    assert told["cnf"] == {"jkt": key.thumbprint()}
    assert error(place.form("/oauth/token", asked | place.client(place.bot), dpop=good)) == "invalid_dpop_proof"
    for wrong in (
        {"htu": f"{ISSUER}/oauth/tokens"},
        {"htm": "GET"},
        {"jti": ""},
        {"iat": now - 120},
        {"iat": now + 300},
    ):
        found = place.form(
            "/oauth/token", asked | place.client(place.bot), dpop=proof(key, now, **({"jti": "n"} | wrong))
        )
        assert error(found) == ("use_dpop_nonce" if "iat" in wrong else "invalid_dpop_proof")
    assert error(place.form("/oauth/token", asked | place.client(place.bot), dpop="x.y.z")) == "invalid_dpop_proof"
    assert place.get("/v1/tasks", token).status == 401, "a bound credential is no bearer"
    assert place.get("/v1/tasks", "", authorization=f"DPoP {token}").status == 401
    other = ECKey.generate_key("P-256")
    for holder, status in ((key, 200), (other, 401)):
        shown = proof(holder, now, htm="GET", htu=f"{ISSUER}/v1/tasks", ath=digest(token), jti="shown")
        assert place.get("/v1/tasks", "", authorization=f"DPoP {token}", dpop=shown).status == status
    bare = proof(key, now, htm="GET", htu=f"{ISSUER}/v1/tasks")
    assert place.get("/v1/tasks", "", authorization=f"DPoP {token}", dpop=bare).status == 401


def digest(token):

    return b64(hashlib.sha256(token.encode()).digest())


def test_what_a_refused_request_showed_is_used_up(place):
    key, now = ECKey.generate_key("P-256"), place.world.authority.clock.now() // 1000
    client = place.client(place.bot)
    good = {"grant_type": "client_credentials", "task": place.task}
    for wrong, said in (
        ({"task": "tsk_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "invalid_grant"),
        ({"scope": "mcp:notes/never"}, "invalid_scope"),
    ):
        client, shown = place.client(place.bot), proof(key, now, jti=said)
        assert error(place.form("/oauth/token", good | wrong | client, dpop=shown)) == said
        assert error(place.form("/oauth/token", good | client, dpop=proof(key, now, jti="n")), 401) == "invalid_client"
        assert error(place.form("/oauth/token", good | place.client(place.bot), dpop=shown)) == "invalid_dpop_proof"


def test_a_refused_request_leaves_no_credential_behind(place):
    before = len(place.read(lambda view: view.all("SELECT id FROM credential")))
    asked = {"grant_type": "client_credentials", "task": place.task, "scope": "mcp:notes/never"}
    assert error(place.form("/oauth/token", asked | place.client(place.bot))) == "invalid_scope"
    assert len(place.read(lambda view: view.all("SELECT id FROM credential"))) == before


@pytest.mark.parametrize("late", [-61, 61, 290])
def test_dpop_05_a_proof_from_outside_the_window_is_refused(place, late):
    key, now = ECKey.generate_key("P-256"), place.world.authority.clock.now() // 1000
    asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
    told = place.form("/oauth/token", asked, dpop=proof(key, now + late))
    assert error(told) == "use_dpop_nonce"
    asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
    shown = proof(key, now + late, nonce=told.headers["dpop-nonce"], jti="again")
    answer = place.form("/oauth/token", asked, dpop=shown)
    assert answer.json["token_type"] == "DPoP", "the nonce says when it was made"
