"""Proof of possession: a DPoP proof (RFC 9449 section 4.3), checked. Consuming its `id` once is for others to do."""

import hashlib
from dataclasses import dataclass
from typing import Final, final
from urllib.parse import urlsplit

from remit.core.canonical import Json, b64, read, unb64
from remit.core.errors import RemitError
from remit.core.moment import SKEW_MS, Instant, forgettable, near
from remit.core.same import same
from remit.custody import nonce
from remit.custody.jwk import PublicKey, read_key
from remit.custody.jws import LONGEST, TokenRefusal

FAR: Final = 5 * 60
"""Seconds that a client's clock may be off when its proof holds a nonce of ours, which says when it was made."""
REMEMBERED: Final = 2048
_HEADER: Final = frozenset({"typ", "alg", "jwk"})
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a good proof shows: the RFC 7638 thumbprint of the key that made it, and its single-use id.

    Past `until` it is refused by its age alone. `nonce` is the one of ours that it holds, if any.
    """

    thumb: str
    id: str
    until: Instant
    nonce: str = ""


@final
class Parsed:
    """Keys by the exact text of the proof header that brought them: two generations, so it is bounded.

    Only a header under which a signature was right is remembered: nobody fills this with what they cannot sign.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, size: int = REMEMBERED) -> None:
        self._half = max(1, size // 2)
        self._young: dict[str, PublicKey] = {}
        self._old: dict[str, PublicKey] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, header: str) -> PublicKey | None:
        """The key that this header holds, when it was seen to sign before."""
        found = self._young.get(header)
        if found is None:
            found = self._old.pop(header, None)
            if found is not None:
                self.put(header, found)
        return found

    def put(self, header: str, key: PublicKey) -> None:
        """Remember a key; the oldest half is forgotten when full."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[header] = key


_PARSED: Final = Parsed()
_WRONG: Final = TokenRefusal("dpop_proof_invalid", "This DPoP proof is not one that RFC 9449 allows.")


def verify_proof(
    text: str,
    *,
    method: str,
    url: str,
    now: Instant,
    token: str = "",
    nonces: nonce.Keys | None = None,
    required: bool = False,
    parsed: Parsed = _PARSED,
) -> Proof | TokenRefusal:
    """Check a proof for exactly this method and URL (without query), made within a minute of now.

    With `token`, its `ath` must be that token's digest. With `nonces`, a nonce in it must be ours and young, and the
    client's clock may then be five minutes off; `required` refuses a proof without one. Refuses a key that is symmetric
    or has private members.
    """
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3 or not text.isascii():
        return _WRONG
    try:
        body, signature = read(unb64(parts[1])), unb64(parts[2])
        key = parsed.get(parts[0])
        known = key is not None
        if key is None:
            key = _header(parts[0])
    except RemitError:
        return _WRONG
    if key is None or not isinstance(body, dict):
        return _WRONG
    if not key.verifies(text[: -len(parts[2]) - 1].encode(), signature):
        return TokenRefusal("proof_signature", "The signature of this DPoP proof is wrong.")
    if not known:
        parsed.put(parts[0], key)
    if body.get("htm") != method or not _same(body.get("htu"), url):
        return TokenRefusal("proof_elsewhere", "This DPoP proof is for another method or URL.")
    name = body.get("jti")
    if not isinstance(name, str) or not 0 < len(name) <= 256 or not name.isprintable():
        return TokenRefusal("dpop_proof_invalid", "A DPoP proof needs a jti of up to 256 characters.")
    if token and not same(body.get("ath"), b64(hashlib.sha256(token.encode()).digest())):
        return TokenRefusal("proof_other_token", "This DPoP proof is not for this token.")
    return _aged(body, key.thumbprint, name, now, nonces, required=required)


def _header(text: str) -> PublicKey | None:
    head = read(unb64(text))
    if not isinstance(head, dict) or head.keys() != _HEADER or head["typ"] != "dpop+jwt":
        return None
    key = read_key(head["jwk"])
    return key if head["alg"] in key.algorithms else None


def _aged(
    body: dict[str, Json], thumb: str, name: str, now: Instant, nonces: nonce.Keys | None, *, required: bool
) -> Proof | TokenRefusal:
    """Say by its nonce, or else by its own clock, whether a proof was made lately."""
    made, given = body.get("iat"), body.get("nonce")
    if type(made) is not int:
        return TokenRefusal("dpop_proof_invalid", "A DPoP proof needs an iat in whole seconds.")
    if given is None or nonces is None:
        if required:
            return TokenRefusal("proof_nonce", "This DPoP proof needs the nonce that comes with this answer.")
        if not near(made * 1000, now):
            return TokenRefusal("proof_time", "This DPoP proof was not made within a minute of now.")
        return Proof(thumb, name, forgettable(made * 1000 + SKEW_MS))
    until = nonce.end(nonces, given, now) if isinstance(given, str) else None
    if until is None or not isinstance(given, str):
        return TokenRefusal("proof_nonce", "The nonce in this DPoP proof is not one that is good now.")
    if abs(made * 1000 - now) > FAR * 1000:
        return TokenRefusal("proof_time", "The clock of whoever made this DPoP proof is over five minutes off.")
    return Proof(thumb, name, forgettable(until), given)


def _same(said: Json, url: str) -> bool:
    """Say whether a proof's `htu` is this URL, with scheme and host in lower case and without a default port."""
    return said == url or (isinstance(said, str) and _normal(said) == _normal(url) != "")


def _normal(url: str) -> str:
    if not url.isascii() or not url.isprintable() or " " in url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    scheme, host = parts.scheme, parts.hostname
    if scheme not in _PORTS or not host or parts.query or parts.fragment or "@" in parts.netloc:
        return ""
    place = f"[{host}]" if ":" in host else host
    return f"{scheme}://{place}{'' if port in (None, _PORTS[scheme]) else f':{port}'}{parts.path or '/'}"
