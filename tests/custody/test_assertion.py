"""Client assertions and ID tokens, signed by joserfc, and the keys they are checked with."""

import hmac

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.assertion import Assertion, Identity, verify_assertion, verify_identity
from remit.custody.jwk import read_key, read_set, thumbprint, usable
from remit.custody.jws import TokenRefusal
from remit.custody.token import issue
from tests.kit.tokens import ISSUER, NOW, claims, peer_sign, signer

SECONDS = NOW // 1000
KEYS = {
    "ES256": ECKey.generate_key("P-256"),
    "RS256": RSAKey.generate_key(2048),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}
IDP = "https://idp.test"


def public(alg, /, **more):
    return {**KEYS[alg].as_dict(private=False), "alg": alg, "kid": alg, **more}


SET = read_set({"keys": [public(alg) for alg in KEYS]})


def said(**changes):
    body = {"iss": "agt_bot", "sub": "agt_bot", "aud": ISSUER, "exp": SECONDS + 60, "iat": SECONDS, "jti": "once"}
    return {k: v for k, v in (body | changes).items() if v is not None}


def proves(head=None, keys=SET, by="ES256", now=NOW, **changes):
    text = peer_sign(KEYS[by], {"alg": by, "kid": by} | (head or {}), said(**changes))
    found = verify_assertion(text, client="agt_bot", issuer=ISSUER, now=now, keys=keys)
    return found.code if isinstance(found, TokenRefusal) else found


def invalid(act, *args):
    with pytest.raises(RemitError) as caught:
        act(*args)
    return caught.value.code


@pytest.mark.parametrize("alg", KEYS)
def test_an_assertion_under_each_algorithm_is_proved(alg):
    assert proves(by=alg) == Assertion("agt_bot", "once", Instant((SECONDS + 60) * 1000))
    assert thumbprint(public(alg)) == KEYS[alg].thumbprint()


def test_an_assertion_of_anyone_else_or_for_anyone_else_is_refused():
    assert proves(iss="agt_other") == proves(sub="agt_other") == proves(iss=None) == "assertion_client"
    for audience in ("https://us.test", ISSUER + "/oauth/token", ISSUER + "/", [ISSUER, "https://evil.test"], None, []):
        assert proves(aud=audience) == "assertion_audience"
    assert isinstance(proves(aud=[ISSUER]), Assertion)


def test_an_assertion_is_short_fresh_and_named():
    assert isinstance(proves(exp=SECONDS + 300), Assertion)
    assert proves(exp=SECONDS + 301) == "assertion_life"
    assert proves(exp=SECONDS) == "token_expired"
    assert proves(exp=None) == "token_exp_missing"
    assert proves(exp=str(SECONDS + 60)) == "token_exp_type"
    assert proves(iat=SECONDS + 61) == "token_iat_future"
    assert isinstance(proves(iat=SECONDS - 360), Assertion)
    assert proves(iat=SECONDS - 361) == "assertion_life"
    assert proves(nbf=SECONDS + 61) == "token_nbf"
    assert proves(jti=None) == proves(jti="") == proves(jti=7) == proves(jti="a" * 257) == "token_claim_invalid"
    assert proves({"typ": "at+jwt"}) == "token_type"


def test_jose_06_symmetric_private_and_mismatched_keys_are_refused_at_registration():
    secret = OctKey.generate_key(256).as_dict(private=True)
    refused = [
        {**secret, "alg": "HS256"},
        {**secret, "kty": ["oct"]},
        public("RS256", alg="ES256"),
        public("RS256", alg="HS256"),
        public("RS256", alg="none"),
        public("ES256", alg="RS256"),
        public("EdDSA", alg="ES256"),
        public("ES256", alg=None),
        public("RS256", k=secret["k"]),
        public("ES256", use="enc"),
        public("ES256", key_ops=["sign"]),
        public("ES256", kid=""),
        public("ES256", x=public("ES256")["y"]),
        public("ES256", crv="P-384"),
        public("RS256", e="AQ"),
        public("RS256", e="Aw"),
        public("RS256", n=public("RS256")["n"][:171]),
        *[key.as_dict(private=True) for key in KEYS.values()],
        {},
        [],
        None,
    ]
    for key in refused:
        assert invalid(read_key, key) == "jwk_invalid", key
        assert invalid(read_set, {"keys": [public("ES256"), key]}) == "jwk_invalid"
    twice = [public("ES256"), public("EdDSA", kid="ES256")]
    for wrong in ({}, [], None, {"keys": []}, {"keys": {}}, {"keys": twice}, {"keys": [public("ES256")] * 2}):
        assert invalid(read_set, wrong) == "jwk_invalid"
    assert invalid(read_set, {"keys": [public("ES256")] * 17}) == "jwk_invalid"


def test_jose_06_the_algorithm_is_the_keys_own_and_never_the_headers():
    for by in KEYS:
        for kid in KEYS:
            if kid != by:
                assert proves({"kid": kid}, by=by) == "token_algorithm"
    # A signature made by a symmetric key, under the header and kid of the RSA key.
    text = peer_sign(KEYS["RS256"], {"alg": "RS256", "kid": "RS256"}, said()).rsplit(".", 1)[0]
    forged = f"{text}.{b64(hmac.digest(b'shared secret of the client', text.encode(), 'sha256'))}"
    found = verify_assertion(forged, client="agt_bot", issuer=ISSUER, now=NOW, keys=SET)
    assert found == TokenRefusal("token_signature", "The signature is wrong.")
    assert proves({"kid": "absent"}) == "token_key_unknown"
    assert proves({"kid": "EdDSA", "alg": "Ed25519"}, by="EdDSA") == "token_algorithm", "its JWK says EdDSA"


def test_an_issuers_set_is_read_for_what_is_usable():
    mixed = {"keys": [public("RS256"), public("ES256", use="enc"), {"kty": "oct", "k": "AAAA"}, 7, public("EdDSA")]}
    assert [k.kid for k in usable(mixed)] == ["RS256", "EdDSA"]
    assert usable({"keys": [public("RS256", kid="x"), public("EdDSA", kid="x")]}) == ()
    assert usable(None) == usable({}) == usable({"keys": 7}) == ()


def person(head=None, keys=SET, **changes):
    body = {"iss": IDP, "sub": "alice", "aud": "remit", "exp": SECONDS + 300, "iat": SECONDS} | changes
    text = peer_sign(KEYS["RS256"], {"alg": "RS256", "kid": "RS256", "typ": "JWT"} | (head or {}), body)
    found = verify_identity(text, issuer=IDP, audience="remit", now=NOW, keys=keys)
    return found.code if isinstance(found, TokenRefusal) else found


def test_a_persons_identity_is_proved():
    assert person(auth_time=SECONDS - 5, acr="mfa", groups=["ops"], nonce="n", email="a@b.test") == Identity(
        IDP, "alice", ("remit",), NOW, Instant(NOW + 300_000), Instant(NOW - 5000), "mfa", ("ops",), "n"
    )
    assert isinstance(person(aud=["remit", "other"], azp="remit"), Identity)
    assert isinstance(person({"x5t": "AAAA"}), Identity)


def test_deleg_02_only_an_id_token_of_this_issuer_for_this_audience_is_an_identity():
    assert person({"typ": "at+jwt"}) == person({"typ": "logout+jwt"}) == "token_type"
    assert person(iss="https://idp.test/") == person(iss=None) == "identity_issuer"
    assert person(aud="other") == person(aud=["remit", "other"]) == person(azp="other") == "identity_audience"
    assert person(aud=["remit", "other"], azp="other") == "identity_audience"
    assert person(aud=None) == person(aud=["remit", 7]) == "token_claim_invalid"
    stranger = RSAKey.generate_key(2048).as_dict(private=False)
    assert person(keys=usable({"keys": [{**stranger, "kid": "RS256"}]})) == "token_signature", "same kid, another key"
    assert person(keys=()) == "token_key_unknown"
    assert person(exp=SECONDS) == "token_expired"
    assert person(iat=SECONDS + 61) == "token_iat_future"
    assert person(groups="ops") == person(groups=[1]) == person(sub="") == person(acr=1) == "token_claim_invalid"
    assert person(auth_time="x") == "token_auth_time_type"


def test_deleg_02_a_credential_of_ours_is_no_identity():
    ours = signer()
    keys = usable(ours.jwks(NOW))
    found = verify_identity(
        issue(claims(), ours), issuer=ISSUER, audience="https://remit.test/mcp/git", now=NOW, keys=keys
    )
    assert found == TokenRefusal("token_type", "The token is of another type than the one asked for.")
