"""`/v1/reviews`: what scans put forward, for the operator to approve or refuse, all of it or one by one."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import review
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.ids import parse
from remit.core.moment import instant
from remit.core.review import Review
from remit.web.api.listing import found, listed, shown
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text, texts
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The reviews' addresses."""

    async def show_all(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        return listed(site, request, Review, "state")

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        one = found(site, Review, parse("rvw", request.path_params["id"]))
        body = review.shown(site.authority.view, one)
        waits = list(review.waiting(site.reader(), one, body))
        told: dict[str, Json] = {**shown(one), "body": body, "waits": waits}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    async def answer(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        identity = parse("rvw", request.path_params["id"])
        said = await json_object(request, ("shown", "review_due"), ("approve", "refuse"))

        def work(change: Change) -> tuple[Review, dict[str, str]]:
            return review.answer(
                change,
                identity,
                OPERATOR,
                approve=texts(said, "approve"),
                refuse=texts(said, "refuse"),
                digest_shown=text(said, "shown"),
                review_due=instant(said["review_due"]),
            )

        done, left = await site.act(OPERATOR, work)
        return JSONResponse({**shown(done), "left": left})

    return [
        Route("/v1/reviews", show_all, methods=["GET"]),
        Route("/v1/reviews/{id}", show, methods=["GET"]),
        Route("/v1/reviews/{id}", answer, methods=["POST"]),
    ]
