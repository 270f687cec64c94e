"""`/v1/approvals`: what waits for people, exactly as it is bound, and their answers."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import approval
from remit.control.change import Change
from remit.core import ids
from remit.core.approval import Approval
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.principal import Person
from remit.core.task import Task
from remit.store.record import Reader
from remit.web.api import poll
from remit.web.api.listing import answer, page, shown
from remit.web.bearer import Caller, caller
from remit.web.intake import json_object, query, text
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The approvals' addresses."""

    async def show_all(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        asked = query(request, "after", "limit", "state", "task")
        chosen = {name: asked[name] for name in ("state", "task") if name in asked}
        found, following = page(site, Approval, asked, **chosen)
        reader = site.reader()
        return answer([shown(one) for one in found if _sees(reader, who, one)], following)

    async def show(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        one = _found(site, who, request)

        def work(change: Change) -> dict[str, Json]:
            now_is = change.need(Approval, one.id)
            card, digest = approval.show(change, now_is)
            return {**shown(now_is), "card": card, "card_digest": digest}

        return JSONResponse(await site.act(who.id, work), headers={"cache-control": "no-store"})

    async def say(request: Request) -> Response:
        who = (await caller(site, request)).only("person")
        one = _found(site, who, request)
        said = await json_object(request, ("answer", "shown"), ("because",))
        word, digest, because = text(said, "answer"), text(said, "shown"), text(said, "because", "", 500)
        if word not in ("yes", "no"):
            raise RemitError("member_invalid", "This is no answer.", "Say yes or no.")

        def work(change: Change) -> Approval:
            who.enter(change)
            return approval.answer(change, one.id, who.id, yes=word == "yes", shown=digest, via="api", because=because)

        return JSONResponse(shown(await site.act(who.id, work)))

    return [
        Route("/v1/approvals", show_all, methods=["GET"]),
        Route("/v1/approvals/{id}", show, methods=["GET"]),
        Route("/v1/approvals/{id}", say, methods=["POST"]),
        *poll.routes(site),
    ]


def _found(site: Site, who: Caller, request: Request) -> Approval:
    reader = site.reader()
    one = reader.get(Approval, ids.parse("apr", request.path_params["id"]))
    if one is None or not _sees(reader, who, one):
        raise RemitError("not_found", "There is no such approval.", "List what waits: GET /v1/approvals.")
    return one


def _sees(reader: Reader, who: Caller, one: Approval) -> bool:
    """The operator sees all; a person what a group of theirs is asked, and what their own tasks ask."""
    if who.kind == "operator":
        return True
    person, task = reader.get(Person, who.id), reader.get(Task, one.task)
    return (person is not None and bool(set(one.groups) & set(person.groups))) or (task is not None and who.sees(task))
