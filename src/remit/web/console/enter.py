"""The way into the console: a link that counts once, a session in a cookie that no script can read, and the way out."""

import hashlib
import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from remit.control import login
from remit.control import session as people
from remit.control.change import Change
from remit.control.session import Proof
from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.login import LASTS, Login
from remit.web.console.page import at_home, page, style, trouble
from remit.web.console.person import keep
from remit.web.intake import FIELDS, form, json_object, one_of, text
from remit.web.problem import NO_STORE, Endpoint, faults
from remit.web.site import Site

HOME: Final = "/console"


def routes(site: Site) -> list[Route]:
    """The addresses of the door. A link is used up by a button, never by merely being fetched."""

    async def ask(request: Request) -> Response:
        at_home(site, request)
        return page("enter", code=request.path_params["code"])

    async def enter(request: Request) -> Response:
        at_home(site, request)
        code = request.path_params["code"]
        whose, secret = await site.act("login", lambda change: _entered(change, code))
        answer = RedirectResponse(HOME, 303, headers=NO_STORE)
        if whose:
            keep(site, answer, secret)
            return answer
        secure = site.authority.issuer.startswith("https:")
        answer.set_cookie(
            cookie(site), secret, LASTS["session"] // 1000, path="/", secure=secure, httponly=True, samesite="strict"
        )
        return answer

    async def leave(request: Request) -> Response:
        session, _ = await posted(site, request)
        await site.act("login", lambda change: login.end(change, session.id, "operator"))
        answer = page("left")
        # A cookie of a `__Host-` name is taken away only by one that is as strict as it was.
        secure = site.authority.issuer.startswith("https:")
        answer.delete_cookie(cookie(site), path="/", secure=secure, httponly=True, samesite="strict")
        return answer

    async def token(request: Request) -> Response:
        asked = await json_object(request, ["code"])
        code = text(asked, "code", longest=login.MOST)
        secret = await site.act("login", lambda change: login.enter(change, code, "token"))
        return JSONResponse({"token": secret, "until": site.now() + LASTS["token"]}, 201, NO_STORE)

    return [
        Route("/console/style.css", style, methods=["GET"]),
        Route("/console/enter/{code}", shown(ask), methods=["GET"]),
        Route("/console/enter/{code}", shown(enter), methods=["POST"]),
        Route("/console/leave", shown(leave), methods=["POST"]),
        Route("/v1/login", token, methods=["POST"]),
    ]


def _entered(change: Change, code: str) -> tuple[str, str]:
    """Whose link it was, empty for the operator's, and the secret of the session that it opens."""
    link = login.use(change, code)
    if link.person:
        return link.person, people.begin(change, link.person, Proof(issuer="link", amr=("link",)))
    return "", login.issue(change, "session", "operator")


def shown(answer: Endpoint) -> Endpoint:
    """An endpoint whose faults are pages."""
    return faults(answer, trouble)


def cookie(site: Site) -> str:
    """The session cookie's name; on https one that no other host can set (RFC 6265bis section 4.1.3.2)."""
    return "__Host-remit" if site.authority.issuer.startswith("https:") else "remit"


def session(site: Site, request: Request) -> tuple[Login, str]:
    """The session that a request shows, and the word that its forms carry (`unauthenticated`)."""
    at_home(site, request)
    secret = request.cookies.get(cookie(site), "")
    found = login.stands(site.reader(), secret, "session", site.now())
    if found is None:
        how = "Print a link: remit up --admin --no-serve, or remit person link."
        raise RemitError("unauthenticated", "You are not signed in here.", how)
    return found, b64(hashlib.sha256(b"form " + secret.encode()).digest())


async def posted(site: Site, request: Request, most: int = FIELDS) -> tuple[Login, dict[str, list[str]]]:
    """The session and the form of a button that was pressed on one of its own pages (`forbidden`)."""
    found, word = session(site, request)
    asked = await form(request, most)
    if not hmac.compare_digest(one_of(asked, "word").encode(), word.encode()):
        raise RemitError("forbidden", "This was not asked from the console itself.", "Go back, and press it again.")
    return found, asked
