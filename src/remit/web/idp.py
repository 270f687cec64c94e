"""Signing in at the company's identity provider: OpenID Connect code flow with PKCE, state and nonce, as its client.

What is under way stands in a sealed cookie of the browser that began it, so nothing is kept here for strangers.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant, over
from remit.core.session import LASTS
from remit.custody.asserting import TYPE, assertion
from remit.custody.assertion import Identity, groups_in
from remit.custody.jws import TokenRefusal
from remit.web.fetch import answered, unreachable
from remit.web.issuers import Known
from remit.web.settings import Issuer, safe
from remit.web.site import Site

UNDER_WAY_MS: Final = 10 * 60_000
"""How long a sign-in may take."""
BACK: Final = "/signin/back"
_WRAP: Final = "signin"


class UnderWay(msgspec.Struct, frozen=True):
    """A sign-in that has begun: at which provider, with which values of this one try, and where it leads."""

    issuer: str
    state: str
    nonce: str
    verifier: str
    next: str
    until: int


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    authorize: str
    token: str
    names_itself: bool
    userinfo: str


async def begin(site: Site, issuer: Issuer, following: str) -> tuple[str, UnderWay]:
    """Where to send the browser, and what it has to bring back."""
    provider = await _discovered(site, issuer)
    state, nonce, verifier = (b64(site.authority.random(32)) for _ in range(3))
    until = site.now() + UNDER_WAY_MS
    under_way = UnderWay(issuer.url, state, nonce, verifier, following, until)
    asked = {
        "response_type": "code",
        "client_id": issuer.audience,
        "redirect_uri": f"{site.authority.issuer}{BACK}",
        "scope": issuer.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "max_age": str(LASTS // 1000),
    } | ({"acr_values": issuer.acr_values} if issuer.acr_values else {})
    joint = "&" if "?" in provider.authorize else "?"
    return f"{provider.authorize}{joint}{urlencode(asked)}", under_way


def wrapped(site: Site, one: UnderWay) -> str:
    """A sign-in under way, sealed for the browser to keep."""
    return b64(site.authority.vault.wrap(_WRAP, msgspec.json.encode(one)))


def unwrapped(site: Site, text: str, state: str) -> UnderWay:
    """The sign-in that this browser began with this state (`sign_in_refused`)."""
    try:
        data = site.authority.vault.unwrap(_WRAP, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = msgspec.json.decode(data or b"", type=UnderWay)
    except (ValueError, msgspec.MsgspecError) as fault:
        raise refused("This browser did not begin this sign-in.") from fault
    if not hmac.compare_digest(found.state.encode(), state.encode()) or site.now() >= found.until:
        raise refused("This sign-in was begun elsewhere, or too long ago.")
    return found


async def finish(site: Site, issuer: Issuer, one: UnderWay, code: str, named: str | None) -> Known:
    """Turn the provider's answer into a proved identity (OIDC Core 3.1.3). `named` is its `iss` (RFC 9207)."""
    provider = await _discovered(site, issuer)
    if named != issuer.url and (named is not None or provider.names_itself):
        raise refused("The answer is from another provider.")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": f"{site.authority.issuer}{BACK}",
        "code_verifier": one.verifier,
        "client_id": issuer.audience,
    }
    headers: dict[str, str] = {}
    if issuer.key is not None:
        proof = assertion(
            issuer.key, client=issuer.audience, audience=issuer.url, id=b64(site.authority.random(16)), now=site.now()
        )
        form |= {"client_assertion_type": TYPE, "client_assertion": proof}
    elif issuer.secret is not None:
        pair = f"{quote(issuer.audience, safe='')}:{quote(issuer.secret.reveal().decode(), safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    status, said = await answered(provider.token, form, headers)
    text = said.get("id_token") if status == 200 and isinstance(said, dict) else None
    if not isinstance(text, str):
        raise refused("The provider gave no identity for this answer.")
    found = await site.issuers.prove(issuer, text, site.now())
    if isinstance(found, TokenRefusal):
        raise refused(found.what)
    if found.nonce is None or not hmac.compare_digest(found.nonce.encode(), one.nonce.encode()):
        raise refused("The identity is of another sign-in.")
    if issuer.acr_values and found.strength not in issuer.acr_values.split(" "):
        raise refused("The provider did not make as sure of the person as it was asked to.")
    found = _aged(found, site.now())
    if issuer.userinfo and found.groups is None:
        held = said.get("access_token") if isinstance(said, dict) else None
        found = replace(found, groups=await _groups(issuer, provider, found.subject, held))
    return Known(issuer, found, None)


async def _groups(issuer: Issuer, provider: Provider, subject: str, held: Json) -> tuple[str, ...]:
    """The groups that userinfo says of exactly this subject (OIDC Core 5.3). What is wrong there is no "none"."""
    if not isinstance(held, str) or not provider.userinfo:
        raise refused("The provider has no userinfo to read groups from.")
    status, said = await answered(provider.userinfo, None, {"authorization": f"Bearer {held}"})
    if status != 200 or not isinstance(said, dict) or said.get("sub") != subject:
        raise refused("What userinfo answers is not of this person.")
    groups = groups_in(said, issuer.groups_claim)
    if isinstance(groups, TokenRefusal):
        raise refused(groups.what)
    return groups


def _aged(found: Identity, now: int) -> Identity:
    """Refuse a proof that is older than what was asked for with `max_age`."""
    if found.signed_in is not None and over(found.signed_in, Instant(now), LASTS):
        raise refused("The person's proof is too old.")
    return found


async def _discovered(site: Site, issuer: Issuer) -> Provider:
    said = await site.issuers.discovered(issuer)
    authorize, token = _address(said, "authorization_endpoint"), _address(said, "token_endpoint")
    userinfo = _address(said, "userinfo_endpoint") if issuer.userinfo and "userinfo_endpoint" in said else ""
    return Provider(authorize, token, said.get("authorization_response_iss_parameter_supported") is True, userinfo)


def _address(said: dict[str, Json], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not safe(found) or "#" in found:
        raise unreachable()
    return found


def refused(why: str) -> RemitError:
    """A sign-in that came to nothing."""
    return RemitError("sign_in_refused", f"You were not signed in. {why}", "Begin again from the page you came from.")
