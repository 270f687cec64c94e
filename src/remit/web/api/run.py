"""`/v1/runs`: tasks for one command each, opened, watched and ended by the operator who runs it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import forward, run, task
from remit.control.change import Change
from remit.control.credential import Issued
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.task import Task
from remit.web.api.listing import shown
from remit.web.api.task import read_steps
from remit.web.bearer import OPERATOR, caller
from remit.web.intake import json_object, text, whole
from remit.web.problem import NO_STORE
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The runs' addresses."""

    async def add(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(
            request, ("brief", "agent", "requester"), ("labels", "purpose", "life", "steps", "request")
        )

        def work(change: Change) -> tuple[Issued, Task]:
            return run.begin(
                change,
                brief=text(said, "brief"),
                agent=text(said, "agent"),
                requester=text(said, "requester"),
                labels=_labels(said.get("labels", {})),
                purpose=text(said, "purpose", "", 500),
                life=whole(said, "life"),
                steps=read_steps(said["steps"]) if "steps" in said else None,
                request=text(said, "request", "", task.REQUEST),
                by=OPERATOR,
            )

        issued, made = await site.act(OPERATOR, work)
        left: list[Json] = list(run.left_out(site.reader(), made))
        body = {"task": shown(made), **_given(site, issued), "gates": _gates(site, made), "left_out": left}
        return JSONResponse(body, 201, headers=NO_STORE)

    async def asking(request: Request) -> Response:
        (await caller(site, request)).only("operator")
        said = await json_object(request, ("brief", "agent"))
        if not any(one.sign_in for one in site.settings.issuers):
            raise RemitError(
                "sign_in_missing",
                "Nobody can sign in at this node, so no person can consent there.",
                "Name an identity provider with sign_in = true in its settings: docs/guide/sign-in.md.",
            )
        brief, agent = text(said, "brief"), text(said, "agent")
        made = await site.act(OPERATOR, lambda change: run.asking(change, brief=brief, agent=agent, by=OPERATOR))
        told = {"client": made.id, "issuer": site.authority.issuer, "redirect": made.redirects[0]}
        return JSONResponse(told, headers=NO_STORE)

    async def gates(request: Request) -> Response:
        one = await _one(site, request)
        return JSONResponse({"task": shown(one), "gates": _gates(site, one)}, headers=NO_STORE)

    async def renew(request: Request) -> Response:
        one = await _one(site, request)
        await json_object(request)
        issued = await site.act(OPERATOR, lambda change: run.renew(change, one.id, OPERATOR))
        return JSONResponse(_given(site, issued), headers=NO_STORE)

    async def watch(request: Request) -> Response:
        one = await _one(site, request)
        await json_object(request)
        return JSONResponse({"until_ms": await site.act(OPERATOR, lambda change: run.watch(change, one.id))})

    async def end(request: Request) -> Response:
        one = await _one(site, request)
        await json_object(request)
        ended = await site.act(OPERATOR, lambda change: task.end(change, one.id, "complete", OPERATOR))
        found: list[Json] = [gone.id for gone in ended]
        return JSONResponse({"ended": found})

    async def show(request: Request) -> Response:
        found = run.course(site.reader(), await _one(site, request))
        leases: list[Json] = [
            {"id": one.id, "resource": one.resource, "state": one.state, "proof": one.proof} for one in found.leases
        ]
        return JSONResponse({"task": shown(found.task), "calls": dict(found.calls), "leases": leases})

    return [
        Route("/v1/runs", add, methods=["POST"]),
        Route("/v1/runs/asking", asking, methods=["POST"]),
        Route("/v1/runs/{id}", show, methods=["GET"]),
        Route("/v1/runs/{id}/gates", gates, methods=["GET"]),
        Route("/v1/runs/{id}/watch", watch, methods=["POST"]),
        Route("/v1/runs/{id}/credential", renew, methods=["POST"]),
        Route("/v1/runs/{id}/end", end, methods=["POST"]),
    ]


async def _one(site: Site, request: Request) -> Task:
    (await caller(site, request)).only("operator")
    return run.watched(site.reader(), parse("tsk", request.path_params["id"]))


def _given(site: Site, issued: Issued) -> dict[str, Json]:
    one = issued.credential
    return {"credential": issued.text, "expires_in": max(1, (one.expires - site.now()) // 1000)}


def _gates(site: Site, made: Task) -> dict[str, Json]:
    """Where the resources of the plan are reached: names by kind, and the ports of the gates that have one."""
    kinds: dict[str, list[Json]] = {"mcp": [], "http": [], "postgres": []}
    for place in run.places(site.reader(), made):
        kinds.setdefault(place.kind, []).append(place.name)
    ports: dict[str, Json] = {"postgres": site.settings.postgres_port, "forward": site.settings.forward_port}
    return {**kinds, "ports": ports, "secured": site.settings.secured, "authority": _authority(site, made)}


def _authority(site: Site, made: Task) -> str:
    """What a program trusts that works behind the proxy; nothing where there is none, or nothing to reach over TLS."""
    if not site.settings.forward_port:
        return ""
    try:
        return forward.certificate(site.authority, site.reader(), made.id).decode()
    except RemitError as fault:
        if fault.code == "hosts_none":
            return ""
        raise


def _labels(said: Json) -> Mapping[str, str]:
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise RemitError("member_invalid", "labels is an object of texts.", "Correct this member.")
    return {name: str(value) for name, value in said.items()}
