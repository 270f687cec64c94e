"""Compact JWS (RFC 7515), the strict subset that Remit reads: one spelling, no extensions, no keys from the header."""

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, read, unb64
from remit.core.errors import RemitError

LONGEST: Final = 8 * 1024
"""Characters: no token, assertion or proof that we read is longer."""

_FOREIGN: Final = ("crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "cty")


@dataclass(frozen=True, slots=True)
class TokenRefusal:
    """Why a token was refused: a stable code, and what is wrong in words that hold nothing of the token."""

    code: str
    what: str


class Refused(Exception):  # noqa: N818 (never leaves custody: every public function turns it into its value)
    """Carries a refusal out of the depths of parsing."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(code)
        self.refusal = TokenRefusal(code, what)


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed token whose signature nobody has checked yet."""

    kid: str | None
    algorithm: str
    type: str | None
    header: dict[str, Json]
    payload: dict[str, Json]
    signed: bytes
    signature: bytes


def parse(text: str, *, chain: bool = False) -> Jws:
    """Parse a compact JWS or raise `Refused`.

    Exactly three segments of canonical base64url, header and payload strict JSON objects, and nothing in the header
    that brings a key, an extension or another encoding with it (RFC 8725 sections 3.1, 3.10). With `chain` a chain of
    certificates may stand there, which the caller proves to lead to a root that it trusts.
    """
    if not text or len(text) > LONGEST:
        raise Refused("token_length", "A token is a text of at most 8 KiB.")
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise Refused("token_malformed", "A token is three base64url segments.")
    try:
        head, body, signature = (unb64(part) for part in parts)
    except RemitError:
        raise Refused("token_encoding", "A segment is not canonical base64url.") from None
    header = _object(head, "header")
    for name in _FOREIGN:
        if name in header and not (chain and name == "x5c"):
            raise Refused("token_header", f"The header member {name} is never accepted.")
    kid, algorithm, kind = header.get("kid"), header.get("alg"), header.get("typ")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or not isinstance(kind, str | None):
        raise Refused("token_header", "The header's alg, kid and typ are texts, and alg is required.")
    payload = _object(body, "payload")
    return Jws(kid, algorithm, kind, header, payload, text[: text.rindex(".")].encode(), signature)


def _object(data: bytes, where: str) -> dict[str, Json]:
    try:
        value = read(data)
    except RemitError as fault:
        raise Refused("token_json", f"The {where} is not strict JSON. {fault.message}") from None
    if not isinstance(value, dict):
        raise Refused("token_json", f"The {where} is not a JSON object.")
    return value
