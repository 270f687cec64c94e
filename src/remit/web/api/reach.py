"""`/v1/reach`: how far something reaches if it turns, by which ways, and through what."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.web.bearer import caller
from remit.web.intake import query
from remit.web.reaching import one_view
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """For the operator alone: an answer names systems, secrets and people of everybody."""

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        asked = query(request, "of", "view", "without", "to")
        view, of = one_view(asked.get("view", "")), asked.get("of", "")
        if of:
            found = await site.reaching.of(of, view, without=asked.get("without", ""), to=asked.get("to", ""))
            return JSONResponse(found.to_json(), headers={"cache-control": "no-store"})
        if asked.keys() - {"view"}:
            raise RemitError("query_invalid", "Nothing is asked about.", "Say of whom: ?of=KIND:NAME.")
        made, rows = await site.reaching.agents(view)
        agents: Json = [{"agent": key, "title": title, "numbers": numbers} for key, title, numbers in rows]
        data = {"view": view, "at": made.land.now, "items": agents}
        return JSONResponse(data, headers={"cache-control": "no-store"})

    return [Route("/v1/reach", show, methods=["GET"])]
