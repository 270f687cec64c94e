"""`/v1/leases`: what was minted at targets for tasks, what becomes of it, and what an end of it truly does there."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import ladder
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.lease import LIFE, Lease
from remit.core.task import Task
from remit.store import lease as store
from remit.web.api.listing import answer, shown
from remit.web.bearer import caller
from remit.web.intake import limit, query
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """All of them are the operator's to see; a person sees those of the tasks that act for them, an agent none."""

    async def show_all(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        asked = query(request, "after", "limit", "task", "agent", "state", "resource", *person_too(who.kind))
        if asked.get("state", "dead") not in LIFE.table:
            raise RemitError("query_invalid", "This state is not known.", f"Use one of {', '.join(LIFE.table)}.")
        most = limit(asked)
        task, agent, state, place = (asked.get(name, "") for name in ("task", "agent", "state", "resource"))
        person, reader = who.id if who.kind == "person" else asked.get("person", ""), site.reader()
        found = store.page(
            reader, asked.get("after", ""), most + 1, task=task, agent=agent, state=state, resource=place, person=person
        )
        places = ladder.of_leases(site.authority, reader, found[:most])
        items = [{**shown(one), **ladder.told(one, places[one.id])} for one in found[:most]]
        return answer(items, found[most - 1].id if len(found) > most else "")

    async def show(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        reader = site.reader()
        one = reader.get(Lease, parse("lse", request.path_params["id"]))
        task = reader.get(Task, one.task) if one else None
        if one is None or (who.kind == "person" and (task is None or task.person != who.id)):
            raise RemitError("not_found", "There is no such lease.", "List them: GET /v1/leases.")
        place = ladder.of_leases(site.authority, reader, [one])[one.id]
        return JSONResponse({**shown(one), **ladder.told(one, place)})

    async def rungs(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        query(request)
        found = ladder.ladder(site.authority, site.reader())
        items: list[dict[str, Json]] = [{"resource": one.resource, **one.to_json()} for one in found]
        return answer(items, "")

    return [
        Route("/v1/leases", show_all, methods=["GET"]),
        Route("/v1/leases/ladder", rungs, methods=["GET"]),
        Route("/v1/leases/{id}", show, methods=["GET"]),
    ]


def person_too(kind: str) -> tuple[str, ...]:
    """The filter that only an operator may ask by."""
    return ("person",) if kind == "operator" else ()
