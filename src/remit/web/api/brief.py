"""`/v1/briefs`: the operator's ceilings, applied whole."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import brief
from remit.core import ids
from remit.core.brief import Brief
from remit.core.record import load
from remit.web.api.listing import found, listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object
from remit.web.site import Site

NEEDED = ("name", "purpose", "steps", "dispatchers", "agents", "domains")
ALLOWED = tuple(name for name in Brief.__struct_fields__ if name not in {*NEEDED, "version", "state"})


def routes(site: Site) -> list[Route]:
    """The briefs' addresses."""

    async def show_all(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Brief)

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return JSONResponse(shown(found(site, Brief, ids.name("brief", request.path_params["name"]))))

    async def apply(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, NEEDED, ALLOWED)
        wanted = load(Brief, {"noun": "brief", **said, "version": 1})
        return JSONResponse(shown(await site.act(OPERATOR, lambda c: brief.apply(c, wanted, OPERATOR))), 201)

    return [
        Route("/v1/briefs", show_all, methods=["GET"]),
        Route("/v1/briefs", apply, methods=["POST"]),
        Route("/v1/briefs/{name}", show, methods=["GET"]),
    ]
