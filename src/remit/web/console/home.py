"""The console's first page: what is here, what is open, what was refused, what is wrong."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from remit.control import login
from remit.core.agent import Agent
from remit.core.task import Task
from remit.store import log
from remit.web.console import reviews, view
from remit.web.console.enter import HOME, cookie, posted, session, shown
from remit.web.console.page import at_address, page
from remit.web.console.person import person_of
from remit.web.console.view import Viewer, name
from remit.web.health import flaws
from remit.web.problem import NO_STORE
from remit.web.site import Site

MOST: Final = 100
LOOKED: Final = 500
"""How many of the newest receipts are looked through for refusals."""
REFUSALS: Final = 20


def routes(site: Site) -> list[Route]:
    """The addresses of the first page and its buttons."""

    async def home(request: Request) -> Response:
        if cookie(site) not in request.cookies and person_of(site, request) is not None:
            at_address(site, request)
            return RedirectResponse("/console/approvals", 303, headers=NO_STORE)
        _, word = session(site, request)
        return page("home", token="", **view.told(site, Viewer(None, word), "home"), **told(site))

    async def token(request: Request) -> Response:
        await posted(site, request)
        secret = await site.act("login", lambda change: login.issue(change, "token", "operator"))
        _, word = session(site, request)
        return page("home", token=secret, **view.told(site, Viewer(None, word), "home"), **told(site))

    async def end(request: Request) -> Response:
        await posted(site, request)
        await site.act("login", lambda change: login.end_all(change, "operator"))
        return page("left")

    return [
        Route(HOME, shown(home), methods=["GET"]),
        Route("/console/token", shown(token), methods=["POST"]),
        Route("/console/end", shown(end), methods=["POST"]),
    ]


def told(site: Site) -> dict[str, Any]:
    """What the page shows, read now."""
    view, reader = site.authority.view, site.reader()
    return {
        "address": site.authority.issuer,
        "head": log.newest(view),
        "reviews": reviews.open_now(site),
        "agents": [(one, name(site, one.owner)) for one in reader.where(Agent, most=MOST)],
        "tasks": list(reader.where(Task, "state = 'open'", most=MOST)),
        "refusals": refusals(site),
        "flaws": flaws(site),
    }


def refusals(site: Site) -> list[dict[str, Any]]:
    """The latest refusals among the newest receipts, newest first."""
    view = site.authority.view
    size = log.newest(view).size
    found = [msgspec.json.decode(body) for body in log.entries(view, max(0, size - LOOKED), size)]
    denied = [one for one in found if one["kind"] == "call.decided" and one["decision"] == "deny"]
    return denied[: -REFUSALS - 1 : -1]
