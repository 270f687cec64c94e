"""`/v1/rightsize`: narrower briefs from what was used, replayed, answered, applied, watched and taken back."""

import functools
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import rightsize as sizes
from remit.control.change import Change
from remit.core import ids
from remit.core.canonical import Json
from remit.core.entitled import entitled
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import load
from remit.core.resource import Resource
from remit.core.rightsize import Rightsize, Support
from remit.web.api.listing import answer, page, shown
from remit.web.bearer import OPERATOR, Caller, caller
from remit.web.intake import json_object, query, text, whole
from remit.web.rereading import PART, fails, one_by_one, replayed
from remit.web.site import Site

MONTH: Final = 30 * 86_400_000


def routes(site: Site) -> list[Route]:
    """The proposals' addresses."""
    return [*_seeing(site), *_acting(site), *_reading(site)]


def _seeing(site: Site) -> list[Route]:
    async def show_all(request: Request) -> Response:
        who = (await caller(site, request)).only("operator", "person")
        asked = query(request, "after", "limit", "state", "brief")
        chosen = {name: asked[name] for name in ("state", "brief") if name in asked}
        items, following = page(site, Rightsize, asked, **chosen)
        return answer([shown(one) for one in items if _sees(site, who, one)], following)

    async def show(request: Request) -> Response:
        one = _found(site, (await caller(site, request)).only("operator", "person"), request)
        view = site.authority.view
        body, old = sizes.shown(view, one), sizes.before(view, one)
        told: dict[str, Json] = {**shown(one), "body": body}
        if body is not None and old is not None:
            told["elsewhere"] = entitled(old, load(type(old), body["brief"]), site.reader().where(Resource))
        return JSONResponse(told, headers={"cache-control": "no-store"})

    return [
        Route("/v1/rightsize", show_all, methods=["GET"]),
        Route("/v1/rightsize/{id}", show, methods=["GET"]),
    ]


def _acting(site: Site) -> list[Route]:
    async def say(request: Request) -> Response:
        who = (await caller(site, request)).only("person")
        one, said = _found(site, who, request), await json_object(request, ("answer", "shown"))
        word, digest = text(said, "answer"), text(said, "shown")
        if word not in ("yes", "no"):
            raise RemitError("member_invalid", "This is no answer.", "Say yes or no.")

        def work(change: Change) -> Rightsize:
            who.enter(change)
            return sizes.answer(change, one.id, who.id, yes=word == "yes", digest_shown=digest, via="api")

        return JSONResponse(shown(await site.act(who.id, work)))

    async def apply(request: Request) -> Response:
        one, said = await _operators(site, request, "anyway")
        anyway = said.get("anyway", False) is True
        failing = 0 if anyway else await fails(site, one)
        made, _ = await site.act(OPERATOR, lambda c: sizes.apply(c, one.id, OPERATOR, anyway=anyway, fails=failing))
        return JSONResponse(shown(made))

    async def rollback(request: Request) -> Response:
        one, _ = await _operators(site, request)
        made, _ = await site.act(OPERATOR, lambda c: sizes.undo(c, one.id, OPERATOR))
        return JSONResponse(shown(made))

    async def drop(request: Request) -> Response:
        one, _ = await _operators(site, request)
        return JSONResponse(shown(await site.act(OPERATOR, lambda c: sizes.drop(c, one.id, OPERATOR))))

    return [
        Route("/v1/rightsize/{id}", say, methods=["POST"]),
        Route("/v1/rightsize/{id}/apply", apply, methods=["POST"]),
        Route("/v1/rightsize/{id}/rollback", rollback, methods=["POST"]),
        Route("/v1/rightsize/{id}/drop", drop, methods=["POST"]),
    ]


def _reading(site: Site) -> list[Route]:
    """What reads the whole ledger: one at a time."""

    async def propose(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, (), ("brief", "agent", "since", "calls", "tasks", "days"))
        support = Support(**{name: whole(said, name) or 0 for name in ("calls", "tasks", "days") if name in said})
        since = Instant(whole(said, "since", max(site.now() - MONTH, 0)) or 0)
        brief, agent, view = text(said, "brief", ""), text(said, "agent", ""), site.authority.view
        found, unused = await one_by_one(site, sizes.looking(view, since, support, brief=brief, agent=agent, part=PART))
        told = []
        for one in found:
            made = None
            if one.narrows:
                made = await site.act(OPERATOR, functools.partial(sizes.offer, found=one, by=OPERATOR))
            told.append(sizes.told(one, made))
        return JSONResponse({"briefs": told, "unused": sizes.unused(unused)}, 201)

    async def replay(request: Request) -> Response:
        one, _ = await _operators(site, request)
        tally, beyond = await replayed(site, sizes.again(site.authority.view, one))
        return JSONResponse({**sizes.counts(tally, beyond), "failing": tally.named, "opened": tally.opened})

    async def watch(request: Request) -> Response:
        one, _ = await _operators(site, request)
        tally, _ = await replayed(site, sizes.watched(site.authority.view, one))
        return JSONResponse(
            {"since": one.turned, "allowed": tally.allowed, "refused": tally.open, "calls": tally.opened}
        )

    return [
        Route("/v1/rightsize", propose, methods=["POST"]),
        Route("/v1/rightsize/{id}/replay", replay, methods=["POST"]),
        Route("/v1/rightsize/{id}/watch", watch, methods=["POST"]),
    ]


async def _operators(site: Site, request: Request, *members: str) -> tuple[Rightsize, dict[str, Json]]:
    who = (await caller(site, request)).only("operator")
    said = await json_object(request, (), members)
    return _found(site, who, request), dict(said)


def _found(site: Site, who: Caller, request: Request) -> Rightsize:
    one = site.reader().get(Rightsize, ids.parse("rsz", request.path_params["id"]))
    if one is None or not _sees(site, who, one):
        raise RemitError("not_found", "There is no such proposal.", "List them: GET /v1/rightsize.")
    return one


def _sees(site: Site, who: Caller, one: Rightsize) -> bool:
    """The operator sees all; a person what a group of theirs is asked."""
    person = site.reader().get(Person, who.id)
    return who.kind == "operator" or (person is not None and bool(set(one.groups) & set(person.groups)))
