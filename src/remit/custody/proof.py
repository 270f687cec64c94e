"""Proof of possession: a DPoP proof (RFC 9449 section 4.3), checked. Consuming its `id` once is for others to do."""

import hashlib
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, b64, read, unb64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.jwk import read_key
from remit.custody.jws import LONGEST, TokenRefusal
from remit.custody.token import SKEW

_HEADER: Final = frozenset({"typ", "alg", "jwk"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What a good proof shows: the RFC 7638 thumbprint of the key that made it, and its single-use id."""

    thumb: str
    id: str
    until: Instant


def verify_proof(text: str, *, method: str, url: str, now: Instant, token: str = "") -> Proof | TokenRefusal:
    """Check a proof for exactly this method and URL (without query), made within a minute of now.

    With `token`, its `ath` must be that token's digest. Refuses a key that is symmetric or has private members.
    """
    wrong = TokenRefusal("dpop_proof_invalid", "This DPoP proof is not one that RFC 9449 allows.")
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3 or not text.isascii():
        return wrong
    try:
        head, body, signature = read(unb64(parts[0])), read(unb64(parts[1])), unb64(parts[2])
        if not isinstance(head, dict) or not isinstance(body, dict) or head.keys() != _HEADER:
            return wrong
        key = read_key(head["jwk"])
    except RemitError:
        return wrong
    if head["typ"] != "dpop+jwt" or head["alg"] not in key.algorithms:
        return wrong
    if not key.verifies(f"{parts[0]}.{parts[1]}".encode(), signature):
        return TokenRefusal("proof_signature", "The signature of this DPoP proof is wrong.")
    return _said(body, key.thumbprint, method, url, now, token)


def _said(body: dict[str, Json], thumb: str, method: str, url: str, now: Instant, token: str) -> Proof | TokenRefusal:
    made, name = body.get("iat"), body.get("jti")
    if body.get("htm") != method or body.get("htu") != url:
        return TokenRefusal("proof_elsewhere", "This DPoP proof is for another method or URL.")
    if type(made) is not int or abs(made * 1000 - now) > SKEW * 1000:
        return TokenRefusal("proof_time", "This DPoP proof was not made within a minute of now.")
    if not isinstance(name, str) or not 0 < len(name) <= 256 or not name.isprintable():
        return TokenRefusal("dpop_proof_invalid", "A DPoP proof needs a jti of up to 256 characters.")
    if token and body.get("ath") != b64(hashlib.sha256(token.encode()).digest()):
        return TokenRefusal("proof_other_token", "This DPoP proof is not for this token.")
    return Proof(thumb, name, Instant((made + 2 * SKEW) * 1000))
