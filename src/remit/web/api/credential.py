"""`/v1/credentials`: what was issued, without its text; ended by the operator or by who holds the task."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import credential
from remit.control.change import Change
from remit.core.credential import LIFE, Credential
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.task import Task
from remit.web.api.listing import answer, shown
from remit.web.bearer import Caller, caller
from remit.web.intake import json_object, limit, query, text
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The credentials' addresses."""

    async def show_all(request: Request) -> Response:
        who = await caller(site, request)
        named = request.query_params.get("task", who.task)
        if who.kind != "operator" or named:
            _task(site, who, parse("tsk", named))
            return _listed(site, query(request, "after", "limit", "task"), named)
        return _listed(site, query(request, "after", "limit", "task", "state"), "")

    async def end(request: Request) -> Response:
        who = await caller(site, request)
        one = site.reader().get(Credential, parse("crd", request.path_params["id"]))
        if one is None:
            raise _none()
        _task(site, who, one.task)
        because = text(await json_object(request, (), ("because",)), "because", "", 500)

        def work(change: Change) -> bool:
            who.enter(change)
            return credential.end(change, one.id, who.id, because) is not None

        return JSONResponse({"ended": [one.id] if await site.act(who.id, work) else []})

    return [
        Route("/v1/credentials", show_all, methods=["GET"]),
        Route("/v1/credentials/{id}/end", end, methods=["POST"]),
    ]


def _listed(site: Site, asked: dict[str, str], task: str) -> JSONResponse:
    """A page of them. What is over by its time or with its task is `ended`, though no receipt says so of itself."""
    reader, now, most, state = site.reader(), site.now(), limit(asked), asked.get("state", "")
    if state not in ("", *LIFE.table):
        raise RemitError("member_invalid", "A credential is active or ended.", "Ask for one of the two.")
    found = credential.page(reader, now, asked.get("after", ""), most + 1, task=task, state=state)
    gone = {one.id for one in found if credential.over(reader, one, now)}
    items = [shown(one) | ({"state": "ended"} if one.id in gone else {}) for one in found[:most]]
    return answer(items, found[most - 1].id if len(found) > most else "")


def _task(site: Site, who: Caller, identity: str) -> None:
    task = site.reader().get(Task, identity)
    if task is None or not who.sees(task):
        raise _none()


def _none() -> RemitError:
    return RemitError("not_found", "There is no such credential or task.", "List your tasks.")
