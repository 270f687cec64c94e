"""DPoP proofs, made by joserfc."""

import hashlib

import pytest
from joserfc.jwk import ECKey, OKPKey

from remit.core.canonical import b64
from remit.custody.jws import TokenRefusal
from remit.custody.proof import Proof, verify_proof
from tests.kit.tokens import NOW, peer_sign

KEY = ECKey.generate_key("P-256")
URL = "https://remit.test/oauth/token"
SECONDS = NOW // 1000


def judged(head=None, token="", key=KEY, **said):
    body = {"htm": "POST", "htu": URL, "iat": SECONDS, "jti": "once"} | said
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)} | (head or {})
    found = verify_proof(peer_sign(key, header, body), method="POST", url=URL, now=NOW, token=token)
    return found.code if isinstance(found, TokenRefusal) else found


def test_a_good_proof_names_its_key():
    found = judged()
    assert isinstance(found, Proof)
    assert (found.thumb, found.id) == (KEY.thumbprint(), "once")
    assert found.until > NOW + 60_000, "its id is remembered for as long as it could be accepted"


def test_dpop_05_a_proof_outside_its_minute_is_refused():
    assert [judged(iat=SECONDS + away) for away in (-61, 61, 300, -600)] == ["proof_time"] * 4
    assert isinstance(judged(iat=SECONDS - 60), Proof)
    assert isinstance(judged(iat=SECONDS + 60), Proof)


def test_dpop_06_a_private_or_symmetric_key_another_algorithm_or_a_long_proof_is_refused():
    heads = [
        {"jwk": KEY.as_dict(private=True)},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": OKPKey.generate_key("Ed25519").as_dict(private=False)},
        {"typ": "JWT"},
        {"kid": "x"},
    ]
    assert [judged(head) for head in heads] == ["dpop_proof_invalid"] * 5
    for text in ("", "a.b", "a.b.c", "é.é.é", "x" * 65_536):
        assert isinstance(verify_proof(text, method="POST", url=URL, now=NOW), TokenRefusal)


def test_dpop_03_a_proof_of_another_key_or_token_is_refused():
    other = ECKey.generate_key("P-256")
    assert judged(key=other) == "proof_signature"
    assert judged(token="t") == "proof_other_token"
    assert judged(token="t", ath=b64(hashlib.sha256(b"u").digest())) == "proof_other_token"
    assert isinstance(judged(token="t", ath=b64(hashlib.sha256(b"t").digest())), Proof)


@pytest.mark.parametrize("said", [{"htm": "GET"}, {"htu": URL + "?x=1"}, {"htu": None}])
def test_a_proof_for_elsewhere_is_refused(said):
    assert judged(**said) == "proof_elsewhere"
