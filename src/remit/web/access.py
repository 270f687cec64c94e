"""`/access/v1`: AuthZEN 1.0 decisions for whoever forwards calls by themselves, and the outcomes that they tell of.

A service asks with its token; the agent's credential is in the context. An allow is one permit for one call: it is not
to be kept, and says by which id its outcome is noted. See docs/spec/access.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import access
from remit.control.access import Asked, Door
from remit.core import ids
from remit.core.answer import Deny
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.evaluation import Semantic, parts, question
from remit.core.permit import Fault, Permit, Unknown
from remit.core.principal import Service
from remit.web import access_request
from remit.web.intake import body, json_object, text, whole
from remit.web.problem import NO_STORE, problem
from remit.web.site import Site

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
OUTCOME: Final = "/access/v1/outcome"
LONGEST_ID: Final = 256


def routes(site: Site) -> list[Route]:
    """The decision point's addresses."""
    door = site.door

    async def evaluation(request: Request) -> Response:
        service = asking(door, request)
        return _answer(request, await _one(site, door, service, await _json(request)))

    async def evaluations(request: Request) -> Response:
        service, value = asking(door, request), await _json(request)
        listed = parts(value)
        if listed is None:
            return _answer(request, await _one(site, door, service, value))
        return _answer(request, {"evaluations": await _each(site, door, service, *listed)})

    async def outcome(request: Request) -> Response:
        service = asking(door, request)
        said = await json_object(request, ("permit", "result"), ("status", "bytes", "ms"))
        call = ids.parse("cal", said["permit"])
        result: dict[str, Json] = {"result": text(said, "result", longest=16)}
        result |= {name: whole(said, name) for name in ("status", "bytes", "ms") if name in said}
        leaf = await site.act(f"note:{service.id}", access.note(service, call, result))
        return _answer(request, {"permit": call, "leaf": leaf})

    async def metadata(_: Request) -> Response:
        return JSONResponse(described(site.authority.issuer), headers={"cache-control": "public, max-age=300"})

    return [
        Route(EVALUATION, _told(evaluation), methods=["POST"]),
        Route(EVALUATIONS, _told(evaluations), methods=["POST"]),
        Route(OUTCOME, _told(outcome), methods=["POST"]),
        Route("/.well-known/authzen-configuration", metadata, methods=["GET"]),
        *access_request.routes(site),
    ]


def described(issuer: str) -> dict[str, Json]:
    """What this decision point says of itself (AuthZEN 1.0 section 9). There is no search, so none is named."""
    return {
        "policy_decision_point": issuer,
        "access_evaluation_endpoint": f"{issuer}{EVALUATION}",
        "access_evaluations_endpoint": f"{issuer}{EVALUATIONS}",
        "access_request_endpoint": f"{issuer}{access_request.REQUESTS}",
        "capabilities": [access_request.CAPABILITY],
        "remit_outcome_endpoint": f"{issuer}{OUTCOME}",
    }


def asking(door: Door, request: Request) -> Service:
    """The service that asks, by its token in the Authorization header (`unauthenticated`)."""
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    return door.service(token if scheme.lower() == "bearer" else "")


async def asked(door: Door, one: Asked) -> Permit | Deny | Fault:
    """Ask, and wait for the commit."""
    future: asyncio.Future[Permit | Deny | Fault] = asyncio.get_running_loop().create_future()

    def done(found: Permit | Deny | Fault) -> None:
        if not future.done():
            future.set_result(found)

    door.ask(one, done)
    return await future


async def _each(
    site: Site, door: Door, service: Service, semantic: Semantic, items: list[Json]
) -> list[dict[str, Json]]:
    if semantic is Semantic.ALL:
        return list(await asyncio.gather(*(_item(site, door, service, one) for one in items)))
    said: list[dict[str, Json]] = []
    for one in items:
        said.append(await _item(site, door, service, one))
        if said[-1]["decision"] is (semantic is Semantic.PERMIT):
            break
    return said


async def _item(site: Site, door: Door, service: Service, value: Json) -> dict[str, Json]:
    """One of a list: what would be an error by itself is a decision of false that says which."""
    try:
        return await _one(site, door, service, value)
    except RemitError as fault:
        return _no(fault.code, fault.message, fault.remedy)


async def _one(site: Site, door: Door, service: Service, value: Json) -> dict[str, Json]:
    said = question(value)
    if isinstance(said, Deny):
        return _no(said.code, said.what, said.may)
    entry = door.enter(said.credential, said.call.resource, said.manner)
    if isinstance(entry, Unknown):
        refusal = _no(entry.error, entry.what)
        if entry.nonce:
            refusal["context"]["nonce"] = entry.nonce
        return refusal
    found = await asked(door, Asked(service, said.call, entry, said.subject, said.agent))
    if isinstance(found, Fault):
        if found.code == "unauthenticated":
            raise RemitError(found.code, found.what, "Send the token that the service was given.")
        return _no(found.code, found.what)
    if isinstance(found, Deny):
        refusal = _no(found.code, found.what, found.may)
        if found.code == "approval_pending":
            refusal["context"] |= access_request.requestable(site, found.approval)
        return refusal
    issuer = site.authority.issuer
    permit = {"permit": found.call, "leaf": found.leaf, "life_ms": door.left(found), "outcome": f"{issuer}{OUTCOME}"}
    return {"decision": True, "context": permit}


def _no(code: str, what: str, may: str = "") -> dict[str, Json]:
    return {"decision": False, "context": {"code": code, "what": what, **({"may": may} if may else {})}}


async def _json(request: Request) -> Json:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise RemitError("evaluation_invalid", "The body is not JSON.", "Send Content-Type: application/json.")
    return read(await body(request))


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose faults are answered with the request's id too."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RemitError as fault:
            said = problem(fault)
            said.headers.update(_echo(request))
            return said

    return answer


def _answer(request: Request, said: Json) -> Response:
    return JSONResponse(said, headers={**NO_STORE, **_echo(request)})


def _echo(request: Request) -> dict[str, str]:
    """The request's id, as section 10 of the specification has it given back; none that no header may hold."""
    given = request.headers.get("x-request-id", "")
    plain = given.isascii() and given.isprintable() and 0 < len(given) <= LONGEST_ID
    return {"x-request-id": given} if plain else {}
