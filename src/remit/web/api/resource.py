"""`/v1/resources`: the operator's targets behind a URL. Programs are registered on the machine that runs them, only."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import resource
from remit.control.change import Change
from remit.core import connector, ids
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.record import load
from remit.core.resource import Injection, Resource, Tool, Upstream
from remit.web.api.listing import found, listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text, texts
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The resources' addresses."""

    async def show_all(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Resource)

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        one = found(site, Resource, ids.name("resource", request.path_params["name"]))
        tools = [shown(tool) for tool in site.reader().where(Tool, "resource = ?", (one.name,))]
        return JSONResponse({**shown(one), "tools": tools})

    async def add(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(
            request, ("name", "url", "domain", "owner", "tools"), ("reads", "labels", "injections", "connector")
        )
        offered, injected = said["tools"], said.get("injections", [])
        if not isinstance(offered, list) or not all(_named(one) for one in offered):
            raise RemitError(
                "member_invalid", "tools is a list of MCP tool definitions.", "Send what tools/list answered."
            )
        tools = {one["name"]: one for one in offered}
        if len(tools) != len(offered) or not isinstance(injected, list):
            raise RemitError(
                "member_invalid", "Two tools have one name, or injections is no list.", "Correct the member."
            )
        injections = tuple(load(Injection, one) for one in injected)
        shapes = connector.read(said["connector"]) if "connector" in said else {}

        def work(change: Change) -> Resource:
            return resource.add(
                change,
                name=text(said, "name"),
                upstream=Upstream(url=text(said, "url")),
                domain=text(said, "domain"),
                owner=ids.parse("per", said["owner"]),
                tools=tools,
                reads=frozenset(texts(said, "reads")),
                shapes=shapes,
                labels=texts(said, "labels"),
                injections=injections,
                by=OPERATOR,
            )

        return JSONResponse(shown(await site.act(OPERATOR, work)), 201)

    return [
        Route("/v1/resources", show_all, methods=["GET"]),
        Route("/v1/resources", add, methods=["POST"]),
        Route("/v1/resources/{name}", show, methods=["GET"]),
    ]


def _named(tool: Json) -> bool:
    return isinstance(tool, dict) and isinstance(tool.get("name"), str)
