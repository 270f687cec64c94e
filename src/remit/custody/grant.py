"""Assertions by which a person's issuer lets an agent act here: ID-JAG, and plain RFC 7523; no other token. Pure.

An ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant) says which client may act. A plain one says who the person
is, for us, and perhaps who may act; else the settings say that. The keys come in; using one up is for others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json
from remit.core.moment import Instant
from remit.custody import jws
from remit.custody.assertion import signed, times
from remit.custody.jwk import PublicKey
from remit.custody.jws import Refused, TokenRefusal
from remit.custody.token import seconds

TYPE: Final = "oauth-id-jag+jwt"
PLAIN: Final = (None, "JWT", "jwt", "authorization-grant+jwt")
OTHERS: Final = ("nonce", "at_hash", "c_hash", "s_hash", "events", "remit_task", "cnf")
"""What stands in other tokens of an issuer (ID tokens, security events, ours) and in no plain assertion."""
LONGEST_S: Final = 60 * 60
"""Seconds: an assertion that ends later is refused."""
NEVER: Final = Instant(0)


@dataclass(frozen=True, slots=True)
class Granted:
    """What was proved. `id` counts once, until `expires`; `scope` and `resources`, if said, are the most it gives."""

    issuer: str
    subject: str
    id: str
    issued: Instant
    expires: Instant
    signed_in: Instant
    strength: str
    scope: frozenset[str] | None
    resources: tuple[str, ...]


def verify_grant(
    text: str, *, issuer: str, ours: str, client: str, now: Instant, keys: Sequence[PublicKey]
) -> Granted | TokenRefusal:
    """Prove an assertion of exactly this issuer, for us alone, for exactly this client, who is its actor, if any."""
    try:
        return _granted(signed(text, keys, (TYPE,)).payload, issuer, ours, client, now)
    except Refused as fault:
        return fault.refusal


def verify_plain(
    text: str, *, issuer: str, ours: str, client: str, now: Instant, keys: Sequence[PublicKey]
) -> Granted | TokenRefusal:
    """Prove a plain assertion (RFC 7523 section 3) of exactly this issuer, for us alone, for this client if for any."""
    try:
        return _plain(signed(text, keys, PLAIN).payload, issuer, ours, client, now)
    except Refused as fault:
        return fault.refusal


def _plain(payload: dict[str, Json], issuer: str, ours: str, client: str, now: Instant) -> Granted:
    if any(name in payload for name in OTHERS):
        raise Refused("grant_claims", "This is another token of its issuer, and no assertion.")
    actors = [payload.get(name, {"sub": client}) for name in ("act", "may_act")]
    named = [payload.get(name, client) for name in ("client_id", "azp")]
    named += [one.get("sub") if isinstance(one, dict) else None for one in actors]
    if any(one != client for one in named):
        raise Refused("grant_client", "The assertion is for another client than the one that shows it.")
    return _granted(payload | {"client_id": client, "act": {"sub": client}}, issuer, ours, client, now)


def kind(text: str) -> str | None:
    """The type that an assertion says it is of; nothing of it is believed by that."""
    try:
        return jws.parse(text).type
    except Refused:
        return None


def _granted(payload: dict[str, Json], issuer: str, ours: str, client: str, now: Instant) -> Granted:
    if payload.get("iss") != issuer:
        raise Refused("grant_issuer", "The assertion is from another issuer.")
    if payload.get("aud") not in (ours, [ours]):
        raise Refused("grant_audience", "The assertion is for another authorization server, or not for ours alone.")
    actor = payload.get("act", {"sub": client})
    if payload.get("client_id") != client or not isinstance(actor, dict) or actor.get("sub") != client:
        raise Refused("grant_client", "The assertion is for another client than the one that shows it.")
    if "cnf" in payload:
        raise Refused("grant_claims", "The assertion is bound to a key, and no proof of one is read with it.")
    if "authorization_details" in payload:
        # They say how little is given, in words that are not read here: without them it would be more.
        raise Refused(
            "grant_claims", "The assertion limits what it gives by authorization_details, which are not read."
        )
    issued, expires = times(payload, now)
    if issued is None or expires * 1000 > now + LONGEST_S * 1000:
        raise Refused("grant_life", "The assertion says no iat, or lives too long.")
    subject, name, acr = payload.get("sub"), payload.get("jti"), payload.get("acr", "")
    if not _text(subject) or not _text(name) or not (acr == "" or _text(acr)):
        raise Refused("grant_claims", "sub, jti and acr of an assertion are texts of up to 255 characters.")
    return Granted(
        issuer=issuer,
        subject=str(subject),
        id=str(name),
        issued=Instant(issued * 1000),
        expires=Instant(expires * 1000),
        signed_in=Instant(seconds(payload, "auth_time") * 1000) if "auth_time" in payload else NEVER,
        strength=str(acr),
        scope=_scope(payload),
        resources=_resources(payload),
    )


def _scope(payload: dict[str, Json]) -> frozenset[str] | None:
    if "scope" not in payload:
        return None
    said = payload["scope"]
    if not isinstance(said, str):
        raise Refused("grant_claims", "scope is a text.")
    return frozenset(said.split())


def _resources(payload: dict[str, Json]) -> tuple[str, ...]:
    said = payload.get("resource", [])
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(_text(one) for one in listed) or ("resource" in payload and not listed):
        raise Refused("grant_claims", "resource is one URL, or a list of them.")
    return tuple(listed)


def _text(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
