"""`/v1/tasks/{id}/evidence`: all that the ledger says of a task, in one file that is checked without us."""

import asyncio
import functools
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.control import evidence
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.web.bearer import caller
from remit.web.intake import json_object
from remit.web.site import Site

AGAIN: Final = 5
"""How often a task that goes on meanwhile is read again."""


def routes(site: Site) -> list[Route]:
    """The address of a task's evidence. It is posted to: taking evidence leaves a receipt."""

    async def take(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        await json_object(request)
        return attached(await taken(site, request.path_params["id"]), request.path_params["id"])

    return [Route("/v1/tasks/{id}/evidence", take, methods=["POST"])]


async def taken(site: Site, task_id: str) -> bytes:
    """Take evidence while other requests are answered between its parts (`evidence_moved`, `not_found`)."""
    task = parse("tsk", task_id)
    for _ in range(AGAIN):
        one = evidence.begin(site.authority, task)
        for _ in one.read():
            await asyncio.sleep(0)
        try:
            await site.act("evidence", functools.partial(evidence.made, taking=one))
        except RemitError as fault:
            if fault.code != "evidence_moved":
                raise
        else:
            return evidence.written(one)
    raise RemitError("evidence_moved", "The task went on while its evidence was taken.", "Take it again.")


def attached(data: bytes, name: str) -> Response:
    """The file, to be kept and not shown."""
    headers = {"content-disposition": f'attachment; filename="{name}.json"', "cache-control": "no-store"}
    return Response(data, media_type="application/json", headers=headers)
