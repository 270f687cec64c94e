"""Security event tokens (RFC 8417): those of others proved strictly, or refused; our own signed. Pure; keys come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, b64, canon
from remit.core.moment import Instant, ahead, forgettable
from remit.custody.assertion import signed
from remit.custody.jwk import PublicKey
from remit.custody.jws import Refused, TokenRefusal
from remit.custody.signer import EVENT_PURPOSES, Signer
from remit.custody.token import seconds

TYPE: Final = "secevent+jwt"
OLDEST_S: Final = 7 * 24 * 60 * 60
"""Seconds: an event that is older is not taken; a `jti` is remembered for as long."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as its transmitter tells it. `until` is when its `jti` may be forgotten."""

    id: str
    kind: str
    said: Mapping[str, Json]
    subject: Json
    told: Instant
    until: Instant


def verify_event(
    text: str, *, issuer: str, audience: str, now: Instant, keys: Sequence[PublicKey]
) -> Event | TokenRefusal:
    """Prove a security event token of exactly this issuer, for exactly this audience, with exactly one event.

    It has a type of its own, `iat` and `jti`, and neither `exp` nor `sub`: no other token is ever taken for one.
    """
    try:
        return _event(signed(text, keys, (TYPE,)).payload, issuer, audience, now)
    except Refused as fault:
        return fault.refusal


def issue(payload: Mapping[str, Json], signer: Signer, algorithm: str = "ES256") -> str:
    """Sign an event of ours with the key of this algorithm that signs nothing else (`key_missing`)."""
    key = signer.active(EVENT_PURPOSES[algorithm])
    text = f"{b64(canon({'alg': algorithm, 'kid': key.kid, 'typ': TYPE}))}.{b64(canon(payload))}"
    return f"{text}.{b64(key.sign(text.encode()))}"


def _event(payload: Mapping[str, Json], issuer: str, audience: str, now: Instant) -> Event:
    if payload.get("iss") != issuer:
        raise Refused("event_issuer", "The event is from another issuer.")
    if payload.get("aud") not in (audience, [audience]):
        raise Refused("event_audience", "The event is for another audience, or not for ours alone.")
    if "exp" in payload or "sub" in payload:
        raise Refused("event_claims", "A security event has neither exp nor sub.")
    told = seconds(dict(payload), "iat")
    if ahead(told * 1000, now) or told * 1000 < now - OLDEST_S * 1000:
        raise Refused("event_time", "The event is of the future, or older than a week.")
    name, events = payload.get("jti"), payload.get("events")
    if not isinstance(name, str) or not 0 < len(name) <= 256 or not name.isprintable():
        raise Refused("event_jti", "An event has a jti of up to 256 characters.")
    if not isinstance(events, dict) or len(events) != 1 or not isinstance(next(iter(events.values())), dict):
        raise Refused("event_one", "A security event token holds exactly one event.")
    kind, said = next(iter(events.items()))
    about = payload.get("sub_id", said.get("subject"))
    return Event(name, kind, said, about, Instant(told * 1000), forgettable((told + OLDEST_S) * 1000))
