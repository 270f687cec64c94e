"""Security event tokens are never taken for anything else, nor anything else for one."""

from joserfc.jwk import ECKey

from remit.core.moment import Instant
from remit.custody.assertion import verify_identity
from remit.custody.jwk import read_key
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
