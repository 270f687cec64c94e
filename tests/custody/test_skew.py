"""How far clocks may be apart is one number: each verifier takes what lies within it, and nothing beyond."""

import pytest

from remit.core import moment
from remit.core.attestor import Attestor
from remit.core.moment import Instant
from remit.custody.attestation import Bundle, attest
from remit.custody.jws import TokenRefusal
from remit.custody.token import Claims, Memory, issue, verify
from tests.custody.test_assertion import IDP, KEYS, SET, proves
from tests.custody.test_grant import read as granted
from tests.custody.test_proof import judged
from tests.custody.test_secevent import read as told
from tests.kit.tokens import GIT, ISSUER, NOW, claims, peer_sign, signer

NOON = NOW // 1000
OURS = signer()
OIDC = Attestor(name="p", kind="oidc", issuer=IDP, audience="remit")


def credential(off):
    text = issue(claims(issued=Instant(NOW + off * 1000), expires=Instant(NOW + 600_000)), OURS)
    found = verify(text, issuer=ISSUER, audience=GIT, now=NOW, keys=OURS, memory=Memory())
    return found if isinstance(found, Claims) else found.code


def workload(off):
    said = {"iss": IDP, "aud": "remit", "sub": "x", "iat": NOON + off, "exp": NOON + 600}
    text = peer_sign(KEYS["ES256"], {"alg": "ES256", "kid": "ES256", "typ": "JWT"}, said)
    found = attest(text, attestor=OIDC, ours=ISSUER, now=NOW, trusted=Bundle(SET, ()))
    return found.code if isinstance(found, TokenRefusal) else found


CHECKS = {
    "a credential": (credential, "token_iat_future"),
    "a client assertion": (lambda off: proves(iat=NOON + off, exp=NOON + 200), "token_iat_future"),
    "one that is not valid yet": (lambda off: proves(nbf=NOON + off, exp=NOON + 200), "token_nbf"),
    "an old client assertion": (lambda off: proves(iat=NOON - 300 - off), "assertion_life"),
    "an identity assertion": (lambda off: granted(iat=NOON + off, exp=NOON + 200), "token_iat_future"),
    "a workload's token": (workload, "token_iat_future"),
    "a proof from ahead": (lambda off: judged(iat=NOON + off), "proof_time"),
    "a proof from behind": (lambda off: judged(iat=NOON - off), "proof_time"),
    "a security event": (lambda off: told(iat=NOON + off), "event_time"),
}


@pytest.mark.parametrize("apart", [60, 5])
@pytest.mark.parametrize("what", CHECKS)
def test_what_lies_within_it_is_taken_and_a_second_more_is_refused(what, apart, monkeypatch):
    if apart != moment.SKEW_MS // 1000:
        monkeypatch.setattr(moment, "SKEW_MS", apart * 1000)
        monkeypatch.setattr("remit.custody.proof.SKEW_MS", apart * 1000)
    check, refused = CHECKS[what]
    assert not isinstance(check(apart), str), check(apart)
    assert check(apart + 1) == refused


def test_it_is_a_minute_at_most():
    assert 0 < moment.SKEW_MS <= 60_000
