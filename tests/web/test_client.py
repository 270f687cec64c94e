"""Client assertions: each counts once, whatever happens."""

import json
from concurrent.futures import ThreadPoolExecutor

from joserfc.jwk import ECKey

from remit.core.canonical import b64
from tests.kit.asking import error
from tests.kit.site import site
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER


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
