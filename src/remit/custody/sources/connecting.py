"""Connecting an account: a person's consent at the provider (authorization code, PKCE), and what comes of it.

What binds an answer to the person who asked is kept by the web face; here is what is sent, and what is an answer.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.custody.secret import Secret
from remit.custody.sources.exchanging import parts
from remit.custody.sources.provider import Provider, endpoint, refused, taken

SCOPE: Final = "scope."
OFFLINE: Final = "offline_access"


@dataclass(frozen=True, slots=True)
class Way:
    """How people connect at one resource: the provider, our client there, and all that its steps may ever need.

    `names` says that the provider puts its `issuer` into each answer (RFC 9207).
    """

    authorize: str
    token: str
    revoke: str
    client: str
    issuer: str
    names: bool
    scopes: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where the person will be asked, as they read it."""
        return urlsplit(self.authorize).netloc


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave: the token that lasts, the access token that came along, and the scopes it is said to have."""

    token: Secret | None
    along: Secret | None
    scopes: tuple[str, ...]


def way(settings: Mapping[str, str]) -> Way | None:
    """How people connect with these settings of an oauth source; None where they cannot by themselves."""
    if not settings.get("authorize"):
        return None
    scopes = {scope for name, text in settings.items() if name.startswith(SCOPE) for scope in text.split()}
    return Way(
        endpoint(settings, "authorize"),
        endpoint(settings, "token"),
        endpoint(settings, "revoke", needed=False),
        settings.get("client", ""),
        endpoint(settings, "issuer", needed=False),
        settings.get("names") == "yes",
        tuple(sorted({*scopes, *settings.get("also", "").split()})),
    )


def asks(one: Way, *, redirect: str, state: str, verifier: str) -> str:
    """Where to send the person's browser."""
    asked = {
        "response_type": "code",
        "client_id": one.client,
        "redirect_uri": redirect,
        "scope": " ".join(one.scopes),
        "state": state,
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    } | ({"prompt": "consent"} if OFFLINE in one.scopes else {})
    return f"{one.authorize}{'&' if '?' in one.authorize else '?'}{urlencode(asked)}"


def redeem(one: Way, secret: Secret, *, code: str, redirect: str, verifier: str) -> Given:
    """Turn the provider's code into what it gives for it, all of which is to be kept or given back from here on.

    Refuses a code that the provider does not take (`connection_refused`).
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
    status, said = Provider(one.client, parts(secret)[0]).post(one.token, form)
    if status != 200:
        raise refused(status, said)
    token, along = (
        Secret(text.encode()) if isinstance(text := said.get(name), str) and text else None
        for name in ("refresh_token", "access_token")
    )
    return Given(token, along, tuple(sorted(set(str(said.get("scope", " ".join(one.scopes))).split()))))


def lasting(one: Way, secret: Secret, given: Given) -> Secret:
    """The token that is kept, once what came along is given back. Refuses an answer that does not last."""
    if given.along is not None:
        _revoke(one, secret, given.along, "access_token")
    if given.token is None:
        raise RemitError(
            "connection_refused",
            "The provider gave nothing that lasts.",
            "Let the operator ask for it: --set also=offline_access, or what the provider says of refresh tokens.",
        )
    return given.token


def give_back(one: Way, secret: Secret, given: Given) -> None:
    """Have the provider take back all that it gave (RFC 7009); a fault if it does not. Doing it twice is a success."""
    if given.token is not None:
        _revoke(one, secret, given.token, "refresh_token")
    if given.along is not None:
        _revoke(one, secret, given.along, "access_token")


def _revoke(one: Way, secret: Secret, token: Secret, kind: str) -> None:
    if not one.revoke:
        return
    form = {"token": token.reveal().decode(), "token_type_hint": kind}
    status, said = Provider(one.client, parts(secret)[0]).post(one.revoke, form)
    if not taken(status, said, kind):
        raise refused(status, said)
