"""The ways by which the gate gets a token of its own: one function per grant, each a list of forms to be posted."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.same import same
from remit.gateway.upstream.oauth.discovery import Server

BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name
ID_JAG: Final = "urn:ietf:params:oauth:token-type:id-jag"

Browser = Callable[[str], Awaitable[str]]
"""Takes a person to a URL; returns the URL that they were sent back to."""
Assertion = Callable[[str], Awaitable[str]]
"""Gets an assertion of who the gate is, for this issuer."""


@dataclass(frozen=True, slots=True)
class Want:
    """What a token is wanted for: the resource's identifier, and the scopes."""

    resource: str
    scopes: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """As they stand in a form."""
        found = {"resource": self.resource}
        return found | ({"scope": " ".join(self.scopes)} if self.scopes else {})


Grant = Callable[[Server, str, Want], Awaitable[dict[str, str]]]
"""Prepares the form that gets a token of a server, as this client; raises what refuses it."""


def credentials() -> Grant:
    """The gate's own authority at the target: client credentials (RFC 6749 section 4.4)."""

    async def form(_: Server, _client: str, want: Want) -> dict[str, str]:
        return {"grant_type": "client_credentials", **want.fields()}

    return form


def assertion(get: Assertion) -> Grant:
    """A workload's own identity token, or another assertion, as the grant (RFC 7523 section 2.1)."""

    async def form(server: Server, client: str, want: Want) -> dict[str, str]:
        return {"grant_type": BEARER, "assertion": await get(server.issuer), "client_id": client, **want.fields()}

    return form


def code(browser: Browser, redirect: str) -> Grant:
    """A person's consent (OAuth 2.1): code with PKCE S256, `state` and `iss` compared exactly.

    Refuses a server that does not say S256, and an answer from another issuer or to another request
    (`upstream_consent`).
    """

    async def form(server: Server, client: str, want: Want) -> dict[str, str]:
        if not server.authorize or not server.pkce:
            raise _refused("The authorization server does not offer a code with PKCE S256.")
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        asked = {
            "response_type": "code", "client_id": client, "redirect_uri": redirect, "state": state,
            "code_challenge": b64(sha256(verifier.encode()).digest()), "code_challenge_method": "S256", **want.fields(),
        }  # fmt: skip
        mark = "&" if urlsplit(server.authorize).query else "?"
        back = urlsplit(await browser(f"{server.authorize}{mark}{urlencode(asked)}"))
        said = {name: values[0] for name, values in parse_qs(back.query).items() if len(values) == 1}
        if back.geturl().partition("?")[0] != redirect or not same(said.get("state"), state):
            raise _refused("The answer is not to this request.")
        if said.get("iss", server.issuer) != server.issuer or (server.says_issuer and "iss" not in said):
            raise _refused("The answer is from another authorization server.")
        if "error" in said or "code" not in said:
            raise _refused("Consent was not given.")
        return {
            "grant_type": "authorization_code", "code": said["code"], "code_verifier": verifier,
            "redirect_uri": redirect, "client_id": client, "resource": want.resource,
        }  # fmt: skip

    return form


def _refused(why: str) -> RemitError:
    return RemitError("upstream_consent", f"No token for the target. {why}", "Connect it again; nothing was kept.")
