"""Who asks at `/ssf`: a receiver by its service's token, or by an access token of ours that is good for some scopes.

A receiver gets one by client credentials (RFC 6749 section 4.4), as its service and with that token as the secret. It
is sealed and kept nowhere; it ends after ten minutes, with the service, or when the service is given another token.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from remit.control.principal import token_digest
from remit.control.stream import Receiver
from remit.core.canonical import Json, b64, unb64
from remit.core.errors import RemitError
from remit.core.principal import Service
from remit.web.intake import Form, basic
from remit.web.problem import Endpoint, faults, problem
from remit.web.rate import limit
from remit.web.site import Site

READ: Final = "ssf.read"
MANAGE: Final = "ssf.manage"
SCOPES: Final = (READ, MANAGE)
MARK: Final = "ssf_"
LIFE_MS: Final = 600_000
Asked = tuple[Service, Receiver]
Work = Callable[[Site, Asked, Request], Awaitable[Response]]
_WRAP: Final = "ssf"


class Held(msgspec.Struct, frozen=True):
    """What a token is of: the service, the digest of its token at that time, what it is good for, and until when."""

    service: str
    token: str
    scopes: tuple[str, ...]
    until: int


def needing(site: Site, scope: str, work: Work) -> Endpoint:
    """An address for receivers whose token is good for this scope; others are told which it is (RFC 6750, 3.1)."""

    async def endpoint(request: Request) -> Response:
        return await work(site, _receiver(site, request, scope), request)

    def said(fault: RemitError) -> Response:
        answer = problem(fault)
        if fault.code == "insufficient_scope":
            answer.headers["www-authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
        return answer

    return faults(endpoint, said)


def names(request: Request, form: Form) -> str:
    """The service that a request to the token endpoint says it is of; empty for every other client."""
    user, _ = _basic(request)
    named = user or form.get("client_id", [""])[0]
    return named if named.startswith("svc_") else ""


def give(site: Site, request: Request, form: Form, named: str) -> dict[str, Json]:
    """A token for a receiver (`invalid_client`, `invalid_scope`); who only says its name takes nothing from it."""
    user, secret = _basic(request)
    if user and ("client_secret" in form or form.get("client_id", [user]) != [user]):
        raise _refused("One way of authentication is used, not two.")
    digest = token_digest(secret if user else form.get("client_secret", [""])[0])
    one = site.reader().get(Service, named)
    good = one is not None and one.state == "active" and one.token and hmac.compare_digest(one.token, digest)
    if one is None or not good or _known(site, one) is None:
        raise _refused("There is no such receiver, or its secret is another one.")
    limit(site.rates, request, one.id)
    if form.get("resource", [_resource(site)]) != [_resource(site)]:
        raise RemitError(
            "invalid_target", "This token is for the streams alone.", f"Name {_resource(site)}, or nothing."
        )
    asked = form.get("scope", [" ".join(SCOPES)])[0].split()
    if not asked or not set(asked) <= set(SCOPES):
        raise RemitError("invalid_scope", "There is no such scope.", f"Ask for {READ}, {MANAGE} or both.")
    scopes = tuple(scope for scope in SCOPES if scope in asked)
    held = Held(one.id, digest, scopes, site.now() + LIFE_MS)
    text = MARK + b64(site.authority.vault.wrap(_WRAP, msgspec.json.encode(held)))
    return {"access_token": text, "token_type": "Bearer", "expires_in": LIFE_MS // 1000, "scope": " ".join(scopes)}


def described(site: Site) -> dict[str, Json]:
    """What the streams say of themselves as a protected resource (RFC 9728)."""
    return {
        "resource": _resource(site),
        "authorization_servers": [site.authority.issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": list(SCOPES),
    }


def _receiver(site: Site, request: Request, scope: str) -> Asked:
    service, scopes = _asking(site, request)
    found = _known(site, service)
    if found is None:
        raise RemitError("forbidden", "This service is told nothing.", "Name it in a [[receivers]] table.")
    if not {scope, MANAGE} & set(scopes):
        raise RemitError("insufficient_scope", "This token is not good for that.", f"Ask for one of the scope {scope}.")
    return service, found


def _asking(site: Site, request: Request) -> tuple[Service, tuple[str, ...]]:
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    if not token.startswith(MARK):
        return site.door.service(token), SCOPES
    held = _opened(site, token)
    one = site.reader().get(Service, held.service) if held is not None else None
    if held is None or one is None or one.state != "active" or not hmac.compare_digest(one.token, held.token):
        return site.door.service(""), ()
    return one, held.scopes


def _opened(site: Site, token: str) -> Held | None:
    try:
        data = site.authority.vault.unwrap(_WRAP, unb64(token.removeprefix(MARK)))
        held = msgspec.json.decode(data or b"", type=Held)
    except (RemitError, ValueError, msgspec.MsgspecError):
        return None
    return held if site.now() < held.until else None


def _known(site: Site, service: Service) -> Receiver | None:
    return next((one for one in site.settings.receivers if one.service == service.name), None)


def _resource(site: Site) -> str:
    return f"{site.authority.issuer}/ssf"


def _basic(request: Request) -> tuple[str, str]:
    """The client and its secret, as HTTP Basic says them; empty where it does not."""
    return basic(request.headers.get("authorization", "")) or ("", "")


def _refused(why: str) -> RemitError:
    return RemitError("invalid_client", why, "Ask as the service, with the token that it was given as its secret.")
