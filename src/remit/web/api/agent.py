"""`/v1/agents`: registered, reviewed, transferred, suspended and retired by the operator; an agent sees itself."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import agent
from remit.control.change import Change
from remit.control.revocation import revoke
from remit.core.agent import Agent
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.moment import instant
from remit.web.api.listing import found, listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text, texts
from remit.web.site import Site

_MAY: Final = {"review": ("ceiling",), "transfer": ()}
"""What else may be sent with an event; with any other, why it was done."""


def routes(site: Site) -> list[Route]:
    """The agents' addresses."""

    async def show_all(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Agent)

    async def show(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "agent")
        one = found(site, Agent, parse("agt", request.path_params["id"]))
        if who.kind == "agent" and who.id != one.id:
            raise RemitError("not_found", "There is no such agent.", "An agent sees itself only.")
        return JSONResponse(shown(one))

    return [
        Route("/v1/agents", show_all, methods=["GET"]),
        Route("/v1/agents/{id}", show, methods=["GET"]),
        *_changes(site),
    ]


def _changes(site: Site) -> list[Route]:
    async def add(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, ("name", "owner", "purpose", "review_due", "ceiling", "keys"), ("tier",))
        keys = said["keys"]
        if not isinstance(keys, list) or not all(_flat(key) for key in keys):
            raise RemitError("member_invalid", "keys is a list of public JWKs.", "Send each with text members only.")

        def work(change: Change) -> Agent:
            return agent.add(
                change,
                name=text(said, "name"),
                owner=parse("per", said["owner"]),
                purpose=text(said, "purpose"),
                review_due=instant(said["review_due"]),
                ceiling=texts(said, "ceiling"),
                keys=tuple(keys),
                tier=text(said, "tier", "medium"),
                by=OPERATOR,
            )

        return JSONResponse(shown(await site.act(OPERATOR, work)), 201)

    async def act(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        identity, event = parse("agt", request.path_params["id"]), request.path_params["event"]
        needed = {"review": ("review_due",), "transfer": ("owner",), "suspend": (), "retire": ()}.get(event)
        if needed is None:
            raise RemitError(
                "not_found", "There is nothing at this address.", "Use review, transfer, suspend or retire."
            )
        said = await json_object(request, needed, _MAY.get(event, ("because",)))
        because = text(said, "because", "", 500)

        def work(change: Change) -> Agent:
            if event == "review":
                ceiling = texts(said, "ceiling") if "ceiling" in said else None
                return agent.review(change, identity, instant(said["review_due"]), OPERATOR, ceiling)
            if event == "transfer":
                return agent.transfer(change, identity, parse("per", said["owner"]), OPERATOR)
            revoke(change, "agent", identity, OPERATOR, because)
            if event == "retire" and change.need(Agent, identity).state != "retired":
                agent.stop(change, identity, "retired", OPERATOR, because)
            return change.need(Agent, identity)

        return JSONResponse(shown(await site.act(OPERATOR, work)))

    return [
        Route("/v1/agents", add, methods=["POST"]),
        Route("/v1/agents/{id}/{event}", act, methods=["POST"]),
    ]


def _flat(key: Json) -> bool:
    return isinstance(key, dict) and all(isinstance(value, str) for value in key.values())
