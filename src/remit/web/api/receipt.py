"""`/v1/receipts`: what happened, read from the ledger: a task's entries, and any one with its proof."""

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control.receipt import prove
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.task import Task
from remit.store import log
from remit.web.api import evidence
from remit.web.bearer import caller
from remit.web.intake import query
from remit.web.site import Site

SPAN: Final = 20_000


def routes(site: Site) -> list[Route]:
    """The receipts' addresses."""

    async def show_all(request: Request) -> Response:
        who = await caller(site, request)
        asked = query(request, "task", "after")
        task = site.reader().get(Task, parse("tsk", asked.get("task", who.task)))
        if task is None or not who.sees(task):
            raise RemitError("not_found", "There is no such task.", "Name a task of yours: ?task=tsk_…")
        after, size = _number(asked.get("after", "-1")), log.newest(site.authority.view).size
        rows = log.of_task(site.authority.view, task.id, after, SPAN)
        items = [{"number": number, "receipt": json.loads(body)} for number, body in rows]
        more = {"next": str(after + SPAN)} if after + SPAN < size - 1 else {}
        return JSONResponse({"items": items, **more})

    async def show(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        number = _number(request.path_params["number"])
        proof = prove(site.authority, number)
        body = next(iter(log.entries(site.authority.view, number, number + 1)))
        return JSONResponse({"number": number, "receipt": json.loads(body), "proof": proof.decode()})

    return [
        Route("/v1/receipts", show_all, methods=["GET"]),
        Route("/v1/receipts/{number}", show, methods=["GET"]),
        *evidence.routes(site),
    ]


def _number(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 15:
        raise RemitError("query_invalid", "This is not the number of an entry.", "Count from 0.")
    return max(-1, int(text))
