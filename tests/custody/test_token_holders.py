"""No credential is accepted from anyone but its holder: all pairs over what binds, and only the diagonal allows.

Held by nobody, by a key, by another key, by a certificate, by another certificate; on each path. Each planted fault
takes one check away, and must turn the square red.
"""

import itertools
from types import SimpleNamespace

import pytest

from remit.control import possession
from remit.core.permit import Manner
from remit.core.trust import TrustPath
from remit.custody import proof as proofs
from remit.custody.jws import TokenRefusal
from remit.custody.token import Claims, Memory, issue, verify
from tests.kit.proving import Holder
from tests.kit.tokens import GIT, ISSUER, NOW, claims, signer

OURS = signer("holders")
AUTHORITY = SimpleNamespace(signer=OURS, nonce_required=False)
KEYS = {name: Holder(now=lambda: NOW // 1000) for name in ("key a", "key b")}
CERTIFICATES = {"certificate a": "A" * 43, "certificate b": "B" * 43}
HOLDERS = ("nobody", *KEYS, *CERTIFICATES)
PLACES = list(itertools.product(TrustPath, HOLDERS))


def minted(path, holder):
    bound = {"thumbprint": KEYS[holder].thumb} if holder in KEYS else {}
    bound |= {"certificate": CERTIFICATES[holder]} if holder in CERTIFICATES else {}
    return issue(claims(path, **bound), OURS)


TOKENS = {place: minted(*place) for place in PLACES}


def manners(holder, text):
    """Every way in which this holder can show a text: with all that it has, in either scheme."""
    certificate = CERTIFICATES.get(holder, "")
    shown = (KEYS[holder].proof(GIT, text),) if holder in KEYS else ()
    schemes = ("dpop",) if holder in KEYS else ("bearer",)
    return [Manner(scheme, shown, "POST", GIT, certificate) for scheme in schemes]


def accepts(place, text):
    path, holder = place
    found = verify(text, issuer=ISSUER, audience=GIT, now=NOW, keys=OURS, memory=Memory())
    if not isinstance(found, Claims) or found.path is not path:
        return False
    bound = found.thumbprint or "", found.certificate or ""
    said = [possession.prove(AUTHORITY, bound, text, manner, NOW) for manner in manners(holder, text)]
    return any(not isinstance(one, TokenRefusal) for one in said)


def off_the_diagonal():
    """Every pair of a token and a holder that is decided wrongly: nobody's token is everybody's but a key's."""
    wrong = []
    for home, at in itertools.product(PLACES, PLACES):
        free = home[1] == "nobody" and at[0] is home[0] and at[1] not in KEYS
        if accepts(at, TOKENS[home]) is not (at == home or free):
            wrong.append((home, at))
    return wrong


def test_only_the_holder_is_accepted():
    assert off_the_diagonal() == []


def any_match(monkeypatch):
    monkeypatch.setattr(possession.hmac, "compare_digest", lambda *_: True)


def any_token(monkeypatch):
    real = proofs.verify_proof
    monkeypatch.setattr(possession, "verify_proof", lambda text, **said: real(text, **{**said, "token": ""}))


def nothing_bound(monkeypatch):
    real = possession.prove
    monkeypatch.setattr(possession, "prove", lambda a, _, *rest: real(a, ("", ""), *rest))


@pytest.mark.parametrize("fault", [any_match, nothing_bound])
def test_a_planted_fault_turns_the_square_red(fault, monkeypatch):
    fault(monkeypatch)
    assert off_the_diagonal(), f"nothing notices {fault.__name__}"


def test_a_proof_is_for_one_token(monkeypatch):
    one, other = (TOKENS[path, "key a"] for path in TrustPath)
    shown = Manner("dpop", (KEYS["key a"].proof(GIT, one),), "POST", GIT)
    bound = KEYS["key a"].thumb, ""
    assert not isinstance(possession.prove(AUTHORITY, bound, one, shown, NOW), TokenRefusal)
    assert isinstance(possession.prove(AUTHORITY, bound, other, shown, NOW), TokenRefusal)
    any_token(monkeypatch)
    assert not isinstance(possession.prove(AUTHORITY, bound, other, shown, NOW), TokenRefusal), "the fault is noticed"
