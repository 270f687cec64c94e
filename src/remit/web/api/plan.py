"""`/v1/tasks/{id}/plan` and `/flow`: the plan that an agent wants now; the errand, rebuilt from its records."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import replan
from remit.control.change import Change
from remit.control.flow import flow
from remit.core.blended import risk
from remit.core.canonical import Json
from remit.web.api.listing import shown
from remit.web.api.task import read_steps, seen
from remit.web.bearer import caller
from remit.web.intake import json_object
from remit.web.problem import NO_STORE
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The plans' addresses."""

    async def plan(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "agent")
        one = seen(site, who, request)
        steps = read_steps((await json_object(request, ("steps",)))["steps"])

        def work(change: Change) -> replan.Submitted:
            who.enter(change)
            return replan.submit(change, one.id, steps, who.id)

        made = await site.act(who.id, work)
        if made.refused is not None:
            raise made.refused
        found: dict[str, Json] = {**shown(made.plan), "digest": made.plan.digest, "is": made.kind.value}
        if made.approval is None:
            return JSONResponse(found, 201)
        return JSONResponse({**found, "approval": made.approval.id, "until": made.approval.until}, 202)

    async def show_flow(request: Request) -> Response:
        one = seen(site, await caller(site, request), request)
        found = flow(site.reader(), one)
        return JSONResponse({**asdict(found), "risk": risk(blended=found.blended > 0)}, headers=NO_STORE)

    return [
        Route("/v1/tasks/{id}/plan", plan, methods=["POST"]),
        Route("/v1/tasks/{id}/flow", show_flow, methods=["GET"]),
    ]
