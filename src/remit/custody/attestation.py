"""Tokens by which platforms vouch for workloads: OpenID Connect tokens, JWT-SVIDs and X.509-SVIDs. All of it is pure.

The keys come in: fetching them, and using a token up, is for others to do. What comes out is what the token says under
a signature of the attestor's, for exactly our audience, not over yet. Whose agent it is, the binding says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509

from remit.core.attestor import Attestor, spiffe_id
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody import svid
from remit.custody.assertion import signed, times
from remit.custody.jwk import PublicKey, usable
from remit.custody.jws import Refused, TokenRefusal

LONGEST_S: Final = 24 * 60 * 60
"""Seconds: a platform's token that lives longer is refused."""
_TYPES: Final = (None, "JWT", "jwt", "JOSE")
_USES: Final = {"jwt-svid": "sig", "sig": "sig"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an attestor's tokens are proved with: keys of its tokens, and, of a trust domain, its roots."""

    keys: tuple[PublicKey, ...] = ()
    roots: tuple[x509.Certificate, ...] = ()
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Attestation:
    """What was proved: the token's claims, when it was made (0 when it does not say) and when it ends.

    `proof` is what is used up when a token counts once (`once`): the `jti` and issuer, or nothing. What a connection
    `shown` to us proves by its handshake has nothing to use up.
    """

    payload: Mapping[str, Json]
    made: Instant
    expires: Instant
    proof: str
    once: bool = False
    shown: bool = False


def bundle(jwks: Json) -> Bundle:
    """Read a JWK set or a SPIFFE trust bundle: what we do not know is left out; nothing left is a refusal.

    `use: jwt-svid` is SPIFFE's word for signing keys, `x509-svid` for roots (SPIFFE Trust Domain and Bundle section 4).
    """
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    entries = [one for one in listed[:64] if isinstance(one, dict)] if isinstance(listed, list) else []
    tokens = [one | {"use": "sig"} for one in entries if one.get("use", "sig") in _USES]
    roots = [svid.root(one) for one in entries if one.get("use") == "x509-svid"]
    sequence = jwks.get("spiffe_sequence", 0) if isinstance(jwks, dict) else 0
    found = Bundle(
        usable({"keys": [_without_ops(one) for one in tokens]}),
        tuple(one for one in roots if one is not None),
        sequence if type(sequence) is int else 0,
    )
    if not found.keys and not found.roots:
        raise RemitError("bundle_empty", "This key set holds no key that counts here.", "Publish ES256 or RS256 keys.")
    return found


def attest(text: str, *, attestor: Attestor, ours: str, now: Instant, trusted: Bundle) -> Attestation | TokenRefusal:
    """Prove a token of this attestor; `ours` is our issuer identifier, which an assertion with a certificate is for."""
    try:
        if attestor.kind == "spiffe" and svid.carries_chain(text):
            return _x509(text, attestor, ours, now, trusted)
        return _token(signed(text, trusted.keys, _TYPES).payload, attestor, now)
    except Refused as fault:
        return fault.refusal


def attest_shown(
    chain: Sequence[bytes], *, attestor: Attestor, now: Instant, trusted: Bundle
) -> Attestation | TokenRefusal:
    """Prove the X.509-SVID that a connection showed (DER, the leaf first), by the bundle of its trust domain."""
    try:
        subject, made, ends = svid.shown(chain, trusted.roots, attestor.issuer[9:], now)
    except Refused as fault:
        return fault.refusal
    return Attestation({"sub": subject}, Instant(made * 1000), Instant(ends * 1000), "", shown=True)


def _token(payload: Mapping[str, Json], attestor: Attestor, now: Instant) -> Attestation:
    if attestor.kind == "spiffe":
        if spiffe_id(payload.get("sub")) != attestor.issuer[9:]:
            raise Refused("attestation_domain", "The token is of another trust domain.")
    elif payload.get("iss") != attestor.issuer:
        raise Refused("attestation_issuer", "The token is from another issuer.")
    if payload.get("aud") not in (attestor.audience, [attestor.audience]):
        raise Refused("attestation_audience", "The token's audience is not ours, or not ours alone.")
    return _lasting(payload, now, LONGEST_S)


def _x509(text: str, attestor: Attestor, ours: str, now: Instant, trusted: Bundle) -> Attestation:
    """An assertion signed by the key of an X.509-SVID, which stands with its chain in `x5c`."""
    key, subject = svid.leaf(text, trusted.roots, attestor.issuer[9:], now)
    payload = signed(text, (key,), _TYPES, chain=True).payload
    if payload.get("sub") != subject or payload.get("iss") != subject:
        raise Refused("attestation_subject", "iss and sub are the certificate's own SPIFFE id.")
    if payload.get("aud") not in (ours, [ours]):
        raise Refused("attestation_audience", "The assertion is for our issuer identifier and nothing else.")
    found = _lasting(payload, now, 5 * 60)
    if not found.proof:
        raise Refused("token_jti_missing", "An assertion with a certificate has a jti.")
    return replace(found, once=True)


def _lasting(payload: Mapping[str, Json], now: Instant, longest: int) -> Attestation:
    issued, expires = times(dict(payload), now)
    if expires * 1000 > now + longest * 1000:
        raise Refused("attestation_life", "The token lives too long.")
    jti = payload.get("jti")
    proof = f"{payload.get('iss', '')} {jti}" if isinstance(jti, str) and 0 < len(jti) <= 256 else ""
    return Attestation(payload, Instant((issued or 0) * 1000), Instant(expires * 1000), proof)


def _without_ops(key: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in key.items() if name not in ("key_ops", "x5c", "x5t", "x5t#S256")}
