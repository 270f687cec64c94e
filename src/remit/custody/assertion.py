"""Tokens that others signed: an agent's client assertion (RFC 7523) and a person's OIDC ID token. All of it is pure.

The keys come in: an agent's from its registration (`jwk.read_set`), an issuer's from the set it publishes
(`jwk.usable`). Fetching them, and consuming each `jti` once, is for others to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json
from remit.core.moment import Instant, ahead, over
from remit.custody import jws
from remit.custody.jwk import PublicKey, choose
from remit.custody.jws import Jws, Refused, TokenRefusal
from remit.custody.token import seconds

ASSERTION_LIFE: Final = 5 * 60
"""Seconds: a client assertion ends no later than this from now."""
_ASSERTION_TYPES: Final = (None, "JWT", "jwt", "client-authentication+jwt")
_ID_TOKEN_TYPES: Final = (None, "JWT", "jwt")
_LONGEST_LIST: Final = 512
_OTHERS: Final = ("events", "act", "cnf")
"""What stands in no ID token that a person alone holds: in logout tokens and security events (OpenID Connect
Back-Channel Logout 2.4), in what somebody acts by already (RFC 8693 4.1), and in what a key must be proved with."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion that was proved. Its `id` is to be consumed once, before `expires`."""

    client: str
    id: str
    expires: Instant


@dataclass(frozen=True, slots=True)
class Identity:
    """What another issuer says about a person at sign-in. Instants are milliseconds; `groups` is None when unsaid."""

    issuer: str
    subject: str
    audience: tuple[str, ...]
    issued: Instant
    expires: Instant
    signed_in: Instant | None
    strength: str | None
    groups: tuple[str, ...] | None
    nonce: str | None = None
    methods: tuple[str, ...] = ()
    name: str = ""


def verify_assertion(
    text: str, *, client: str, issuer: str, now: Instant, keys: Sequence[PublicKey]
) -> Assertion | TokenRefusal:
    """Prove a `private_key_jwt` assertion of this client (RFC 7523 section 3, RFC 7523bis).

    `aud` is our issuer identifier and nothing else: not the token endpoint, not a list with a second name.
    """
    try:
        return _assertion(signed(text, keys, _ASSERTION_TYPES).payload, client, issuer, now)
    except Refused as fault:
        return fault.refusal


def groups_in(said: dict[str, Json], claim: str) -> tuple[str, ...] | TokenRefusal:
    """The groups that a provider says of a person beside its ID token; none when it says nothing."""
    try:
        return _texts(said.get(claim, []), claim)
    except Refused as fault:
        return fault.refusal


def claimed(text: str, *, chain: bool = False) -> dict[str, Json] | TokenRefusal:
    """Read what an unproved token claims. Only to find the keys that may prove it: nothing here may be believed."""
    try:
        return jws.parse(text, chain=chain).payload
    except Refused as fault:
        return fault.refusal


def verify_identity(
    text: str, *, issuer: str, audience: str, now: Instant, keys: Sequence[PublicKey], groups: str = "groups"
) -> Identity | TokenRefusal:
    """Prove a person's ID token from exactly this issuer for exactly this audience (OIDC Core section 3.1.3.7).

    Type, issuer, audience and key are checked together: an access token, one of ours included, is never an identity.
    With more than one audience, `azp` must name ours. What another acts by, or is bound to a key, is none that counts
    here. `groups` is the claim that holds the person's groups.
    """
    try:
        return _identity(signed(text, keys, _ID_TOKEN_TYPES).payload, issuer, audience, now, groups)
    except Refused as fault:
        return fault.refusal


def _assertion(payload: dict[str, Json], client: str, issuer: str, now: Instant) -> Assertion:
    if payload.get("iss") != client or payload.get("sub") != client:
        raise Refused("assertion_client", "iss and sub of a client assertion are both the client.")
    if payload.get("aud") not in (issuer, [issuer]):
        raise Refused("assertion_audience", "aud of a client assertion is our issuer identifier and nothing else.")
    issued, expires = times(payload, now)
    if issued is not None and over(issued * 1000, now, ASSERTION_LIFE * 1000):
        raise Refused("assertion_life", "A client assertion is no older than five minutes.")
    if expires * 1000 > now + ASSERTION_LIFE * 1000:
        raise Refused("assertion_life", "A client assertion ends within five minutes.")
    return Assertion(client, _text(payload, "jti", 256), Instant(expires * 1000))


def _identity(payload: dict[str, Json], issuer: str, audience: str, now: Instant, groups: str) -> Identity:
    if payload.get("iss") != issuer:
        raise Refused("identity_issuer", "The token is from another issuer.")
    if any(name in payload for name in _OTHERS):
        raise Refused("identity_claims", "This is no ID token, or somebody acts by it, or it is bound to a key.")
    named = payload.get("aud")
    listed = _texts([named] if isinstance(named, str) else named, "aud")
    if audience not in listed:
        raise Refused("identity_audience", "The token is for another audience.")
    if payload.get("azp", audience if len(listed) == 1 else None) != audience:
        raise Refused("identity_audience", "The token has several audiences, or azp does not name ours.")
    issued, expires = times(payload, now)
    if issued is None:
        raise Refused("token_iat_missing", "The claim iat is missing.")
    signed_in = seconds(payload, "auth_time") if "auth_time" in payload else None
    return Identity(
        issuer=issuer,
        subject=_text(payload, "sub", 255),
        audience=listed,
        issued=Instant(issued * 1000),
        expires=Instant(expires * 1000),
        signed_in=None if signed_in is None else Instant(signed_in * 1000),
        strength=_text(payload, "acr", 255) if "acr" in payload else None,
        groups=_texts(payload[groups], groups) if groups in payload else None,
        nonce=_text(payload, "nonce", 255) if "nonce" in payload else None,
        methods=_texts(payload.get("amr", []), "amr"),
        name=_called(payload.get("name")),
    )


def signed(text: str, keys: Sequence[PublicKey], types: tuple[str | None, ...], *, chain: bool = False) -> Jws:
    """Parse and check the signature; header alg, allow-list and the key's own alg must all agree (RFC 8725 3.1)."""
    parsed = jws.parse(text, chain=chain)
    if parsed.type not in types:
        raise Refused("token_type", "The token is of another type than the one asked for.")
    key = keys[0] if chain else choose(keys, parsed.kid)
    if key is None:
        raise Refused("token_key_unknown", "The token names no key that we know.")
    if parsed.algorithm not in key.algorithms:
        raise Refused("token_algorithm", "The token's algorithm is not that of the key it names.")
    if not key.verifies(parsed.signed, parsed.signature):
        raise Refused("token_signature", "The signature is wrong.")
    return parsed


def times(payload: dict[str, Json], now: Instant) -> tuple[int | None, int]:
    """Return iat, if there is one, and exp; refuse what is over, or not yet."""
    expires = seconds(payload, "exp")
    issued = seconds(payload, "iat") if "iat" in payload else None
    begins = seconds(payload, "nbf") if "nbf" in payload else None
    if now >= expires * 1000:
        raise Refused("token_expired", "The token has expired.")
    if issued is not None and ahead(issued * 1000, now):
        raise Refused("token_iat_future", "The token was issued in the future.")
    if begins is not None and (begins >= expires or ahead(begins * 1000, now)):
        raise Refused("token_nbf", "The token is not valid yet, or never will be.")
    return issued, expires


def _called(value: Json) -> str:
    """How the person is called, when the token says it in one short printable line."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 200 else ""


def _text(payload: dict[str, Json], name: str, longest: int) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise Refused("token_claim_invalid", f"{name} is a printable text of at most {longest} characters.")
    return value


def _texts(value: Json, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _LONGEST_LIST or not all(isinstance(v, str) and v for v in value):
        raise Refused("token_claim_invalid", f"{name} is a list of at most 512 texts.")
    return tuple(value)
