"""Security event tokens are never taken for anything else, nor anything else for one."""

import hmac
import json
import warnings

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from remit.core.canonical import b64
from remit.core.moment import Instant
from remit.custody.assertion import verify_identity
from remit.custody.jwk import read_key, usable
from remit.custody.jws import TokenRefusal
from remit.custody.secevent import OLDEST_S, Event, verify_event
from tests.kit.tokens import NOW, peer_sign

KEY = ECKey.generate_key("P-256")
KEYS = (read_key({**KEY.as_dict(private=False), "kid": "k", "alg": "ES256"}),)
SAID = {
    "iss": "i",
    "aud": "a",
    "iat": NOW // 1000,
    "jti": "j",
    "events": {"e": {}},
    "sub_id": {"format": "opaque", "id": "x"},
}


def read(now=NOW, typ="secevent+jwt", **changes):
    body = {k: v for k, v in (SAID | changes).items() if v is not None}
    text = peer_sign(KEY, {"alg": "ES256", "kid": "k", "typ": typ}, body)
    found = verify_event(text, issuer="i", audience="a", now=Instant(now), keys=KEYS)
    return found.code if isinstance(found, TokenRefusal) else found


def test_a_good_one_says_what_happened_to_whom():
    found = read()
    assert isinstance(found, Event)
    assert (found.id, found.kind, found.told, found.subject["id"]) == ("j", "e", NOW // 1000 * 1000, "x")
    assert found.until > found.told + OLDEST_S * 1000 - 1


def test_its_time_is_within_a_week():
    assert isinstance(read(NOW + OLDEST_S * 1000), Event)
    assert read(NOW + OLDEST_S * 1000 + 2000) == "event_time"
    assert read(NOW - 62_000) == "event_time"


def test_it_is_no_identity_and_an_identity_is_no_event():
    for typ in ("JWT", "at+jwt", "SECEVENT+JWT", "application/secevent+jwt", "logout+jwt"):
        assert read(typ=typ) == "token_type"
    text = peer_sign(KEY, {"alg": "ES256", "kid": "k", "typ": "secevent+jwt"}, SAID | {"sub": "s", "exp": NOW})
    found = verify_identity(text, issuer="i", audience="a", now=Instant(NOW), keys=KEYS)
    assert isinstance(found, TokenRefusal)
    assert found.code == "token_type"


RSA = RSAKey.generate_key(2048)
BOTH = (*KEYS, read_key({**RSA.as_dict(private=False), "kid": "r", "alg": "RS256"}))


def judged(text, keys=BOTH):
    found = verify_event(text, issuer="i", audience="a", now=Instant(NOW), keys=keys)
    return found.code if isinstance(found, TokenRefusal) else "taken"


def test_jose_02_an_event_is_taken_by_rs256_and_by_no_other_reading_of_the_same_key():
    """RS256 is what the CAEP interoperability profile asks for; the algorithm is the key's, never the header's."""
    head = {"kid": "r", "typ": "secevent+jwt"}
    assert judged(peer_sign(RSA, {"alg": "RS256"} | head, SAID)) == "taken"
    for algorithm in ("RS384", "RS512", "PS256", "PS512"):
        text = jws.serialize_compact({"alg": algorithm} | head, json.dumps(SAID), RSA, algorithms=[algorithm])
        assert judged(text) == "token_algorithm", algorithm
    good = peer_sign(RSA, {"alg": "RS256"} | head, SAID)
    secrets = [RSA.as_pem(private=False), RSA.as_der(private=False), b64(RSA.as_der(private=False)).encode()]
    secrets += [RSA.as_pem(private=False).strip(), json.dumps(RSA.as_dict(private=False)).encode()]
    for secret in secrets:
        for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
            first = ".".join(b64(json.dumps(one).encode()) for one in ({"alg": algorithm} | head, SAID))
            text = f"{first}.{b64(hmac.digest(secret, first.encode(), digest))}"
            assert judged(text) in ("token_algorithm", "token_alg"), algorithm
    for said in ({"alg": "none"}, {"alg": "ES256"}, {"alg": "RS256", "jwk": RSA.as_dict(private=False)}):
        forged = f"{b64(json.dumps(said | head).encode())}.{good.split('.', 1)[1]}"
        assert judged(forged) != "taken", said
    crossed = peer_sign(KEY, {"alg": "ES256", "kid": "r", "typ": "secevent+jwt"}, SAID)
    assert judged(crossed) == "token_algorithm", "a signature by one key under the name of another"
    assert judged(peer_sign(RSAKey.generate_key(2048), {"alg": "RS256"} | head, SAID)) == "token_signature"


def test_a_key_that_is_too_small_is_none():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = RSAKey.generate_key(1024, private=True)
    assert usable({"keys": [{**small.as_dict(private=False), "kid": "r", "alg": "RS256"}]}) == ()
