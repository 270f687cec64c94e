"""The own path: client credentials by private_key_jwt, over a real server."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import ECKey

from remit.control import brief, resource, revocation, task
from remit.core.canonical import b64
from remit.core.resource import Upstream
from remit.core.trust import TrustPath
from remit.store.log import newest
from tests.kit.site import ADMIN, site
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER, TOOLS


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        one.act(lambda c: brief.apply(c, one.world.a_brief(agents=(one.bot, one.other)), "operator"))
        one.task = opened(one, one.bot)
        yield one


def opened(one, agent, **more):
    given = {"brief": "notes", "agent": agent, "requester": one.world.owner.id, "by": one.world.owner.id} | more
    return one.act(lambda c: task.open_task(c, **given)).id


def error(answer, status=400):
    assert answer.status == status, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["error_description"]
    return answer.json["error"]


def test_a_credential_is_given_for_one_task_and_counts_at_the_gate(place):
    answer = place.token(place.bot, place.task, resource=f"{ISSUER}/mcp/notes")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json
    assert said["token_type"] == "Bearer"
    assert 290 <= said["expires_in"] <= 300
    detail = said["authorization_details"][0]
    assert (detail["task"], detail["plan"], detail["path"]) == (place.task, 1, "own")
    assert said["scope"].split() == detail["actions"]
    entry = place.world.enter(said["access_token"])
    assert (entry.task, entry.agent, entry.path) == (place.task, place.bot, TrustPath.OWN)
    assert place.token(place.bot, place.task, authorization_details=None, task=place.task).status == 200


def test_a_replayed_assertion_is_refused_also_after_a_restart(place, tmp_path):
    again = place.client(place.bot)
    asked = {"grant_type": "client_credentials", "task": place.task} | again
    assert place.form("/oauth/token", asked).status == 200
    assert error(place.form("/oauth/token", asked), 401) == "invalid_client"
    assert error(place.form("/oauth/introspect", {"token": "x"} | again), 401) == "invalid_client"
    with site(tmp_path, settled=False) as restarted:
        assert error(restarted.form("/oauth/token", asked), 401) == "invalid_client"
        fresh = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
        assert restarted.form("/oauth/token", fresh).status == 200


def test_an_assertion_used_to_introspect_is_used_up_too(place):
    again = place.client(place.bot)
    assert place.form("/oauth/introspect", {"token": "x"} | again).json == {"active": False}
    assert error(place.form("/oauth/introspect", {"token": "x"} | again), 401) == "invalid_client"
    asked = {"grant_type": "client_credentials", "task": place.task} | again
    assert error(place.form("/oauth/token", asked), 401) == "invalid_client"


def test_of_parallel_replays_exactly_one_wins(place):
    asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
    with ThreadPoolExecutor(16) as pool:
        found = [one.status for one in pool.map(lambda _: place.form("/oauth/token", asked), range(32))]
    assert sorted(found) == [200] + [401] * 31


def test_oauth_12_an_assertion_for_another_audience_is_refused(place):
    evil = ["https://evil.test", f"{ISSUER}/oauth/token", [ISSUER, "https://evil.test"], None, [], ISSUER + "/"]
    for audience in evil:
        asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot, aud=audience)
        assert error(place.form("/oauth/token", asked), 401) == "invalid_client"


def test_oauth_13_other_grants_stay_closed(place):
    for grant in (
        "password",
        "authorization_code",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    ):
        asked = {"grant_type": grant, "response_type": "token", "username": "a", "password": "b"}
        assert error(place.form("/oauth/token", asked | place.client(place.bot))) == "unsupported_grant_type"
    assert place.get("/oauth/authorize?response_type=token", token="").status == 404


def test_oauth_14_a_cut_off_ends_what_was_issued_before_it(place):
    token = place.token(place.bot, place.task).json["access_token"]
    told = {"token": token} | place.client(place.bot)
    assert place.form("/oauth/introspect", told).json["active"] is True
    place.act(lambda c: revocation.revoke(c, "path", "own", "operator"))
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}
    assert error(place.token(place.bot, place.task)) == "invalid_grant"
    place.act(lambda c: revocation.open_path(c, TrustPath.DELEGATED, "operator"))
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}
    assert place.get("/v1/tasks", token).status == 401


def test_oauth_15_nobody_introspects_or_revokes_what_is_not_theirs(place):
    token = place.token(place.bot, place.task).json["access_token"]
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.other)).json == {"active": False}
    assert place.form("/oauth/revoke", {"token": token} | place.client(place.other)).status == 200
    assert place.form("/oauth/introspect", {"token": token}, authorization=f"Bearer {ADMIN}").json["active"] is True
    assert error(place.form("/oauth/introspect", {"token": token}), 401) == "invalid_client"
    assert place.form("/oauth/revoke", {"token": token} | place.client(place.bot)).status == 200
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}


def test_jose_01_an_unsigned_assertion_is_refused(place):
    good = place.assertion(place.bot)
    body = good.split(".")[1]
    for alg in ("none", "None", "nOnE", None):
        head = b64(json.dumps({k: v for k, v in {"alg": alg, "typ": "JWT"}.items() if v}).encode())
        asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
        answer = place.form("/oauth/token", asked | {"client_assertion": f"{head}.{body}."})
        assert error(answer, 401) == "invalid_client"
        assert good not in answer.body.decode()


def test_jose_04_a_key_from_the_header_or_of_another_agent_proves_nothing(place):
    mine = ECKey.generate_key("P-256")
    now = place.world.authority.clock.now() // 1000
    said = {"iss": place.bot, "sub": place.bot, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": "j"}
    heads = [{"jwk": mine.as_dict(private=False)}, {"jku": "https://evil.test/jwks.json"}, {"x5c": ["AAAA"]}, {}]
    for head in heads:
        text = peer_sign(mine, {"alg": "ES256", **head}, said)
        asked = {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)
        assert error(place.form("/oauth/token", asked | {"client_assertion": text}), 401) == "invalid_client"


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
    before = newest(place.world.authority.view).size
    assert error(place.token(place.bot, place.task)) == "invalid_grant"
    assert newest(place.world.authority.view).size == before


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
        {"iat": now - 120},
        {"iat": now + 300},
        {"jti": ""},
    ):
        found = place.form(
            "/oauth/token", asked | place.client(place.bot), dpop=proof(key, now, **({"jti": "n"} | wrong))
        )
        assert error(found) == "invalid_dpop_proof"
    assert error(place.form("/oauth/token", asked | place.client(place.bot), dpop="x.y.z")) == "invalid_dpop_proof"
    assert place.get("/v1/tasks", token).status == 401, "a bound credential is no bearer"
    assert place.get("/v1/tasks", "", authorization=f"DPoP {token}").status == 401
    other = ECKey.generate_key("P-256")
    for holder, status in ((key, 200), (other, 401)):
        shown = proof(holder, now, htm="GET", htu=f"{ISSUER}/v1/tasks", ath=digest(token))
        assert place.get("/v1/tasks", "", authorization=f"DPoP {token}", dpop=shown).status == status
    bare = proof(key, now, htm="GET", htu=f"{ISSUER}/v1/tasks")
    assert place.get("/v1/tasks", "", authorization=f"DPoP {token}", dpop=bare).status == 401


def digest(token):

    return b64(hashlib.sha256(token.encode()).digest())


def test_what_is_said_of_ourselves_agrees_with_what_we_do(place):
    said = place.get("/.well-known/oauth-authorization-server", token="").json
    assert said["issuer"] == ISSUER
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert place.form(said[name].removeprefix(ISSUER), {}).status in (400, 401)
    keys = place.get("/oauth/jwks", token="").json["keys"]
    assert len(keys) == 4
    assert not any("d" in key for key in keys)
    found = place.get("/.well-known/oauth-protected-resource/mcp/notes", token="").json
    assert found["resource"] == f"{ISSUER}/mcp/notes"
    assert found["authorization_servers"] == [ISSUER]
    assert place.get("/.well-known/oauth-protected-resource/mcp/none", token="").status == 404
