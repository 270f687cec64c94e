"""`/v1/revocations`: the operator says stop; when the answer comes, no later call is allowed."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control.revocation import open_path, revoke
from remit.core.errors import RemitError
from remit.core.revocation import Revocation
from remit.core.trust import TrustPath
from remit.web.api.listing import listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The revocations' addresses."""

    async def show_all(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Revocation, "kind", "target")

    async def add(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, ("kind", "target"), ("because",))
        kind, target, because = text(said, "kind"), text(said, "target"), text(said, "because", "", 500)
        ended = await site.act(OPERATOR, lambda c: revoke(c, kind, target, OPERATOR, because))
        body = {
            **shown(ended.revocation),
            "tasks": list(ended.tasks),
            "agents": list(ended.agents),
            "in_flight": [asdict(one) for one in ended.in_flight],
        }
        return JSONResponse(body, 201)

    async def reopen(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        await json_object(request)
        name = request.path_params["path"]
        if name not in list(TrustPath):
            raise RemitError("not_found", "There is no such trust path.", "Use delegated or own.")
        gate = await site.act(OPERATOR, lambda c: open_path(c, TrustPath(name), OPERATOR))
        return JSONResponse(shown(gate))

    return [
        Route("/v1/revocations", show_all, methods=["GET"]),
        Route("/v1/revocations", add, methods=["POST"]),
        Route("/v1/paths/{path}/open", reopen, methods=["POST"]),
    ]
