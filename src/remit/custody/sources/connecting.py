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
from remit.custody.sources.provider import Provider, endpoint, refused

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
    """What a person gave: the refresh token, and the scopes that the provider says it has."""

    token: Secret
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
    """Turn the provider's code into what is kept. The access token that comes along is given back at once.

    Refuses a code that the provider does not take (`connection_refused`), and an answer without a refresh token.
    """
    provider = Provider(one.client, parts(secret)[0])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
    status, said = provider.post(one.token, form)
    if status != 200:
        raise refused(status, said)
    token, access = said.get("refresh_token"), said.get("access_token")
    scopes = said.get("scope", " ".join(one.scopes))
    kept = isinstance(token, str) and token != ""
    given = Given(Secret(str(token).encode()), tuple(sorted(set(str(scopes).split()))))
    if one.revoke and isinstance(access, str):
        try:
            provider.post(one.revoke, {"token": access, "token_type_hint": "access_token"})
        except BaseException:
            if kept:
                give_back(one, secret, given)
            raise
    if not kept:
        raise RemitError(
            "connection_refused",
            "The provider gave nothing that lasts.",
            "Let the operator ask for it: --set also=offline_access, or what the provider says of refresh tokens.",
        )
    return given


def give_back(one: Way, secret: Secret, given: Given) -> None:
    """Have the provider take back what was given and could not be kept."""
    if one.revoke:
        form = {"token": given.token.reveal().decode(), "token_type_hint": "refresh_token"}
        Provider(one.client, parts(secret)[0]).post(one.revoke, form)
