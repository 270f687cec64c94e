"""`/v1/people` and `/v1/services`: the principals, registered and read by the operator; a person sees themselves."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import principal
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.principal import Person, Service
from remit.web.api.listing import found, listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text, texts
from remit.web.problem import NO_STORE
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The principals' addresses."""

    async def people(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Person)

    async def person(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        identity = who.id if request.path_params["id"] == "me" else parse("per", request.path_params["id"])
        if who.kind == "person" and identity != who.id:
            raise RemitError("not_found", "There is no such person.", "A person sees themselves only.")
        return JSONResponse(shown(found(site, Person, identity)))

    async def add_person(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, ("issuer", "subject", "name"), ("groups",))
        issuer, subject, name = text(said, "issuer"), text(said, "subject"), text(said, "name")
        groups = texts(said, "groups")
        one = await site.act(OPERATOR, lambda c: principal.add_person(c, issuer, subject, name, groups, OPERATOR))
        return JSONResponse(shown(one), 201)

    async def services(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Service)

    async def service(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return JSONResponse(shown(found(site, Service, parse("svc", request.path_params["id"]))))

    async def add_service(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, ("name", "owner"))
        name, owner = text(said, "name"), parse("per", said["owner"])
        one = await site.act(OPERATOR, lambda c: principal.add_service(c, name, owner, (), OPERATOR))
        return JSONResponse(shown(one), 201)

    async def give_token(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        identity = parse("svc", request.path_params["id"])
        one, given = await site.act(OPERATOR, lambda c: principal.give_token(c, identity, OPERATOR))
        return JSONResponse({**shown(one), "text": given}, headers=NO_STORE)

    return [
        Route("/v1/people", people, methods=["GET"]),
        Route("/v1/people", add_person, methods=["POST"]),
        Route("/v1/people/{id}", person, methods=["GET"]),
        Route("/v1/services", services, methods=["GET"]),
        Route("/v1/services", add_service, methods=["POST"]),
        Route("/v1/services/{id}", service, methods=["GET"]),
        Route("/v1/services/{id}/token", give_token, methods=["POST"]),
    ]
