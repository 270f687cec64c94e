"""Login of an agent by SASL OAUTHBEARER (RFC 7628) as libpq 18 speaks it: the credential is the bearer token."""

import json
import re
from typing import Final

from remit.core.errors import RemitError
from remit.gateway.postgres.frame import Body, frame, text

NAME: Final = "OAUTHBEARER"
DISCOVER: Final = ""
"""What a client shows that has no token yet and wants to know where to get one."""
_MESSAGE: Final = re.compile(r"[ny],(?:a=[^,]*)?,\x01((?:[A-Za-z]+=[^\x01]*\x01)*)\x01")
_BEARER: Final = re.compile(r"[Bb]earer +([A-Za-z0-9\-._~+/]+=*) *")


def offer() -> bytes:
    """AuthenticationSASL with the one mechanism that there is."""
    return frame(b"R", (10).to_bytes(4) + text(NAME) + b"\0")


def token(body: bytes) -> str:
    """The token in a SASLInitialResponse; `DISCOVER` when the client has none yet (`credential_missing`)."""
    parts = Body(body)
    if parts.text() != NAME:
        raise _refused("Only OAUTHBEARER was offered.")
    size = parts.long()
    if size < 0:
        raise _refused("The login has no initial response.")
    data = parts.octets(size)
    parts.end()
    try:
        found = _MESSAGE.fullmatch(data.decode("ascii"))
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise _refused("This is no OAUTHBEARER message.")
    pairs = [part.partition("=")[::2] for part in found[1].split("\x01") if part]
    shown = [value for name, value in pairs if name == "auth"]
    if len(shown) != 1:
        raise _refused("An OAUTHBEARER message has one auth part.")
    if not shown[0]:
        return DISCOVER
    bearer = _BEARER.fullmatch(shown[0])
    if bearer is None:
        raise _refused("The auth part is no bearer token.")
    return bearer[1]


def challenge(issuer: str) -> bytes:
    """Where to get a token: AuthenticationSASLContinue with the error that RFC 7628 section 3.2.2 describes."""
    said = {
        "status": "invalid_token",
        "scope": "",
        "openid-configuration": f"{issuer}/.well-known/oauth-authorization-server",
    }
    return frame(b"R", (11).to_bytes(4) + json.dumps(said).encode())


def _refused(what: str) -> RemitError:
    return RemitError("credential_missing", what, "Send the credential of your task as a bearer token.")
