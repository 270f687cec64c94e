"""`/v1/consents`, `/v1/clients`, `/v1/sessions`: what people let agents do, by which programs, and who is signed in."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import session
from remit.control.change import Change
from remit.core.client import Client
from remit.core.consent import Consent
from remit.core.ids import parse
from remit.core.session import Session
from remit.web.api.listing import listed
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """Consents are also their person's to see; clients and sessions are the operator's."""

    async def consents(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        if who.kind == "person":
            return listed(site, request, Consent, person=who.id)
        return listed(site, request, Consent, "person", "task", "state")

    async def clients(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Client, "agent", "state")

    async def sessions(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Session, "person", "state")

    async def end(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        identity = parse("ses", request.path_params["id"])
        because = text(await json_object(request, (), ("because",)), "because", "", 500)

        def work(change: Change) -> None:
            session.end(change, identity, OPERATOR, because)

        await site.act(OPERATOR, work)
        return JSONResponse({"ended": [identity]})

    return [
        Route("/v1/consents", consents, methods=["GET"]),
        Route("/v1/clients", clients, methods=["GET"]),
        Route("/v1/sessions", sessions, methods=["GET"]),
        Route("/v1/sessions/{id}/end", end, methods=["POST"]),
    ]
