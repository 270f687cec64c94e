"""The web application: one origin, its pages by noun, and the gates' path handed on as it comes.

Every answer says how it may be framed, sniffed and cached. Faults are JSON problems; nothing else leaves a page.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from remit.control.access import Door
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.core.errors import RemitError
from remit.store.opening import Aside
from remit.web import access, ext_authz, health, log, metadata, signal, standing, stream
from remit.web.api import (
    agent,
    approval,
    brief,
    consent,
    credential,
    lease,
    plan,
    policy,
    principal,
    reach,
    receipt,
    resource,
    review,
    revocation,
    rightsize,
    run,
    status,
    task,
)
from remit.web.attestors import Attestors
from remit.web.console import (
    asks,
    connections,
    consents,
    enter,
    home,
    leases,
    reaches,
    reviews,
    rightsizes,
    signin,
    tasks,
)
from remit.web.issuers import Issuers
from remit.web.keysets import KeySets
from remit.web.oauth import authorize, par, register, token
from remit.web.once import once
from remit.web.problem import problem
from remit.web.proving import NONCE
from remit.web.rate import RETRY, Buckets, Rate
from remit.web.reaching import Reaching
from remit.web.settings import WebSettings
from remit.web.site import Site, Watched

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NONE: Final[Mapping[str, int]] = MappingProxyType({})
GATES: Final = ("/mcp/", "/http/")
HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
PARTS: Final = (
    *(token, standing, metadata, log, health, access, ext_authz, signal, stream, enter, home, signin, asks, tasks),
    *(leases, reviews, reaches, rightsizes, connections, consents, authorize, par, register),
)
NOUNS: Final = (
    agent,
    approval,
    brief,
    consent,
    credential,
    lease,
    plan,
    policy,
    principal,
    reach,
    receipt,
    resource,
    review,
    revocation,
    rightsize,
    run,
    status,
    task,
)


def build(
    authority: Authority,
    batch: Batch,
    gate: App,
    settings: WebSettings,
    watched: Watched | None = None,
    turned_away: Mapping[str, int] = NONE,
    aside: Aside | None = None,
) -> App:
    """Build the application. `gate` is the raw app of `/mcp/…`; `watched` is what counts its noise, for the metrics.

    `turned_away` is how many connections were refused, by reason. With `aside` graphs of reach are read over that
    connection, beside the loop.
    Everything runs on the loop that serves it; `batch` must be attached to that same loop.
    """
    door = Door(authority, batch, watched.unknown if watched else None)
    site = Site(
        authority,
        batch,
        settings,
        Issuers(settings.issuers, authority.clock.steady),
        watched,
        door,
        turned_away,
        Attestors(authority.issuer, authority.clock.steady),
        Buckets(settings.client_rate, authority.clock.steady),
        KeySets(authority.clock.steady),
        Reaching(authority, aside),
    )
    routes = [route for part in PARTS for route in part.routes(site)]
    routes.extend(once(site, route) for part in NOUNS for route in part.routes(site))
    handlers: dict[Any, Any] = {RemitError: _fault, HTTPException: _refused, Exception: _broken}
    pages = Starlette(routes=routes, exception_handlers=handlers)
    pages.router.redirect_slashes = False

    rate = Rate(settings.door_rate, authority.clock.steady)

    async def front(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(GATES):
            await gate(scope, receive, send)
            return

        address = (scope.get("client") or ("", 0))[0]
        if scope["type"] == "http" and rate.held(scope["path"], address):
            await problem(TOO_OFTEN)(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                rate.heard(scope["path"], address, message["status"])
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in HEADERS if n not in given)]
                if RETRY in scope.get("state", ()):
                    kept = [one for one in message["headers"] if one[0] != b"retry-after"]
                    message["headers"] = [*kept, (b"retry-after", str(scope["state"][RETRY]).encode())]
                if NONCE in scope.get("state", ()):
                    message["headers"].append((b"dpop-nonce", scope["state"][NONCE].encode()))
            await send(message)

        await pages(scope, receive, headed)

    return front


TOO_OFTEN: Final = RemitError(
    "rate_exceeded", "This address knocked too often.", "Wait a minute, then try again more slowly."
)


async def _fault(_: Request, fault: Exception) -> Response:
    found = fault if isinstance(fault, RemitError) else RemitError("internal", "Remit failed.", "Report this.")
    return problem(found)


async def _refused(_: Request, fault: Exception) -> Response:
    if isinstance(fault, HTTPException) and fault.status_code == 405:
        answer = problem(RemitError("method_refused", "This method is not for this address.", "See docs/spec/api.md."))
        answer.headers.update(fault.headers or {})
        return answer
    return problem(RemitError("not_found", "There is nothing at this address.", "See docs/spec/api.md."))


async def _broken(_: Request, fault: Exception) -> Response:
    what = type(fault).__name__
    return problem(RemitError("internal", f"Remit failed ({what}).", "Nothing was done; report this."))
