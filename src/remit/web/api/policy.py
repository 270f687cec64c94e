"""`/v1/policies`: the three layers in force, and a new set: applied whole, with its tests, or not at all."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import policy
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.policy_tests import parse_tests, require
from remit.core.receipt import PolicyRecord
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The policies' address."""

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        held: dict[str, Json] = {}
        for name in policy.LAYERS:
            record = site.reader().get(PolicyRecord, name)
            if record is not None:
                held[name] = {"digest": record.digest, "files": policy.texts(site.authority, name)}
        return JSONResponse(held)

    async def apply(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, (*policy.LAYERS, "tests"))
        layers = {name: _files(said[name]) for name in policy.LAYERS}
        tests = parse_tests(_files(said["tests"]))

        def work(change: Change) -> list[str]:
            for path, held in policy.check(change.reader, layers).items():
                require(held, [one for one in tests if one.path == path])
            return policy.apply(change, layers, len(tests), OPERATOR)

        return JSONResponse({"changed": await site.act(OPERATOR, work)})

    return [
        Route("/v1/policies", show, methods=["GET"]),
        Route("/v1/policies", apply, methods=["PUT"]),
    ]


def _files(value: Json) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise RemitError("member_invalid", "A layer is an object of file names and texts.", "Correct this member.")
    return value
