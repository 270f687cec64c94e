"""`/signin`: people come in by their company's identity provider, and go out again."""

from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import session
from remit.control.change import Change
from remit.control.session import Proof
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store import payload
from remit.web import idp
from remit.web.bearer import known
from remit.web.console.enter import shown
from remit.web.console.page import at_address, page
from remit.web.console.person import forget, keep, posted, secure
from remit.web.issuers import Known
from remit.web.problem import NO_STORE
from remit.web.settings import Issuer
from remit.web.site import Site

HOME: Final = "/console"
LONGEST: Final = 8192
KEPT: Final = 3800
"""Characters of a cookie, at most: with its name and attributes browsers keep 4096 (RFC 6265 section 6.1)."""


def routes(site: Site) -> list[Route]:
    """The addresses of signing in and out."""
    providers = tuple(one for one in site.settings.issuers if one.sign_in)

    async def choose(request: Request) -> Response:
        at_address(site, request)
        if urlsplit(f"//{request.headers['host']}").hostname != urlsplit(site.authority.issuer).hostname:
            # Another name of this machine: the provider leads back to our own, where this one's cookie is not sent.
            return RedirectResponse(f"{site.authority.issuer}/signin?{request.url.query}", 303, headers=NO_STORE)
        following, named = local(request.query_params.get("next", HOME)), request.query_params.get("at", "")
        issuer = providers[0] if len(providers) == 1 else next((one for one in providers if one.url == named), None)
        if issuer is not None:
            return await _begin(site, issuer, following)
        if not providers:
            raise idp.refused("No identity provider is set up for signing in.")
        ways = [(one.name or one.url, f"/signin?{urlencode({'at': one.url, 'next': following})}") for one in providers]
        return page("signin", ways=ways)

    async def back(request: Request) -> Response:
        at_address(site, request)
        said = {name: value for name, value in request.query_params.multi_items() if len(value) <= LONGEST}
        state = said.get("state", "")
        kept = _cookie(site, state)
        under_way = idp.unwrapped(site, request.cookies.get(kept, ""), state)
        issuer = next((one for one in providers if one.url == under_way.issuer), None)
        if issuer is None or "error" in said or not said.get("code"):
            raise idp.refused("The provider said no.")
        found = await idp.finish(site, issuer, under_way, said["code"], said.get("iss"))
        secret = await site.act("sign-in", lambda change: _enter(change, found, under_way))
        answer = RedirectResponse(under_way.next, 303, headers=NO_STORE)
        keep(site, answer, secret)
        answer.delete_cookie(kept, path="/", secure=secure(site), httponly=True, samesite="lax")
        return answer

    async def leave(request: Request) -> Response:
        who, _ = await posted(site, request)
        await site.act(who.person.id, lambda change: session.end(change, who.session.id, who.person.id))
        answer = page("left")
        forget(site, answer)
        return answer

    return [
        Route("/signin", shown(choose), methods=["GET"]),
        Route(idp.BACK, shown(back), methods=["GET"]),
        Route("/signout", shown(leave), methods=["POST"]),
    ]


def local(path: str) -> str:
    """A page of ours to go to, as it was asked for; the console for anything else."""
    plain = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isascii() and path.isprintable()
    return path if plain and len(path) <= LONGEST and "\\" not in path else HOME


def _cookie(site: Site, state: str) -> str:
    """One cookie for each sign-in under way, so that two windows do not undo each other."""
    word = "".join(one for one in state[:8] if one.isalnum())
    return f"__Host-remit-signin-{word}" if secure(site) else f"remit-signin-{word}"


async def _begin(site: Site, issuer: Issuer, following: str) -> Response:
    where, under_way = await idp.begin(site, issuer, following)
    answer, kept = RedirectResponse(where, 303, headers=NO_STORE), idp.wrapped(site, under_way)
    if len(kept) > KEPT:
        raise RemitError(
            "sign_in_refused",
            "You were not signed in. What led here is longer than what a browser keeps.",
            "Sign in first, at /signin, then begin again where you came from.",
        )
    answer.set_cookie(
        _cookie(site, under_way.state), kept, idp.UNDER_WAY_MS // 1000, path="/",
        secure=secure(site), httponly=True, samesite="lax",
    )  # fmt: skip
    return answer


def _enter(change: Change, found: Known, under_way: idp.UnderWay) -> str:
    """Begin the session, once for each answer of the provider; the person is taken in where the settings say so."""
    change.keep()
    if not payload.spend(change.db, "signin", under_way.state, under_way.until):
        raise idp.refused("This answer was used before.")
    one = found.identity
    proof = Proof(one.issuer, one.signed_in or Instant(0), one.strength or "", one.methods)
    return session.begin(change, known(change, found), proof)
