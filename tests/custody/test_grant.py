"""Identity assertions are proved by their own type; what else is wrong with one is refused by the name of it."""

from joserfc.jwk import ECKey

from remit.core.moment import Instant
from remit.custody.grant import Granted, verify_grant
from remit.custody.jwk import read_key
from remit.custody.jws import TokenRefusal
from tests.kit.tokens import NOW, peer_sign

KEY = ECKey.generate_key("P-256")
KEYS = (read_key({**KEY.as_dict(private=False), "kid": "k", "alg": "ES256"}),)
NOON = NOW // 1000


def read(typ="oauth-id-jag+jwt", **changes):
    said = {"iss": "i", "aud": "us", "client_id": "c", "sub": "s", "jti": "j", "iat": NOON, "exp": NOON + 60}
    body = {k: v for k, v in (said | changes).items() if v is not None}
    text = peer_sign(KEY, {"alg": "ES256", "kid": "k", "typ": typ}, body)
    found = verify_grant(text, issuer="i", ours="us", client="c", now=Instant(NOW), keys=KEYS)
    return found.code if isinstance(found, TokenRefusal) else found


def test_what_is_said_is_read_and_what_is_not_said_limits_nothing():
    plain = read()
    assert isinstance(plain, Granted)
    assert (plain.signed_in, plain.strength, plain.scope, plain.resources) == (0, "", None, ())
    full = read(auth_time=5, acr="mfa", scope="a b", resource="https://g", act={"sub": "c"})
    assert (full.signed_in, full.strength, full.scope, full.resources) == (5000, "mfa", {"a", "b"}, ("https://g",))


def test_each_fault_has_its_name():
    assert read(typ="JWT") == "token_type"
    assert read(iss="x") == "grant_issuer"
    assert read(aud=["us", "x"]) == "grant_audience"
    assert read(client_id="x") == read(act={"sub": "x"}) == "grant_client"
    assert read(exp=NOON + 3601) == read(iat=None) == "grant_life"
    assert (
        read(jti=None)
        == read(authorization_details=[])
        == read(sub="")
        == read(acr=1)
        == read(resource=[])
        == read(scope=[])
        == "grant_claims"
    )
