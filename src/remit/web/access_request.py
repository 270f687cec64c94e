"""`/access/v1/requests`: the AuthZEN Access Request and Approval Profile (draft 1), over Remit's own approvals.

The ask was made when the evaluation was denied; a submission only gives the asking service its task handle. The handle
says how far people are. Approved means: evaluate again, and only that says yes.
"""

from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.core import ids
from remit.core.answer import Deny
from remit.core.approval import Approval
from remit.core.canonical import Json, b64
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.evaluation import question
from remit.web.api.poll import INTERVAL_S, standing
from remit.web.intake import json_object
from remit.web.once import Sender, heeding
from remit.web.problem import NO_STORE, Endpoint
from remit.web.site import Site

REQUESTS: Final = "/access/v1/requests"
CAPABILITY: Final = "urn:openid:authzen:capability:access-request"
URN: Final = "urn:openid:authzen:access-request:error:"
STATUS: Final = {"invalid_request": 400, "invalid_denial_binding": 400, "expired_denial": 400, "duplicate_request": 409,
                 "unknown_task": 404}  # fmt: skip
KINDS: Final = {"id_invalid": "unknown_task", "idempotency_key_reused": "duplicate_request"}
INVALID: Final = ("evaluation_invalid", "member_invalid", "json_invalid", "media_type", "idempotency_key_invalid")
STATES: Final = {"void": "cancelled"}
ALLOWED: Final = ("context", "requested_access", "client")


def requestable(site: Site, approval: str) -> dict[str, Json]:
    """What a denial that people may turn says besides: that it can be asked about, where, and until when."""
    one = site.reader().get(Approval, approval)
    if one is None or site.now() >= one.until or one.state != "pending":
        return {}
    return {
        "evaluation_id": one.id,
        "reason": "approval_required",
        "next_action": "request",
        "access_request": {"endpoint": f"{site.authority.issuer}{REQUESTS}", "expires_at": stamp(one.until)},
    }


def routes(site: Site) -> list[Route]:
    """The access request endpoint and the task status endpoint."""

    async def sender(request: Request) -> Sender:
        return Sender("access", site.door.service(_token(request)).id)

    async def submit(request: Request) -> Response:
        service = site.door.service(_token(request)).id
        said = await json_object(request, ("subject", "resource", "action", "denial"), ALLOWED)
        told = _told(site, _bound(site, service, said))
        return JSONResponse(told, 202, {**NO_STORE, "location": told["task"]["status_endpoint"]})

    async def status(request: Request) -> Response:
        service = site.door.service(_token(request)).id
        one = site.reader().get(Approval, ids.parse("apr", request.path_params["id"]))
        if one is None or one.service != service:
            raise RemitError("unknown_task", "There is no such task.", "Use the handle that a submission gave.")
        return JSONResponse(_told(site, one), headers={**NO_STORE, "retry-after": str(INTERVAL_S)})

    return [
        Route(REQUESTS, _problems(heeding(site, submit, sender)), methods=["POST"]),
        Route(f"{REQUESTS}/{{id}}", _problems(status), methods=["GET"]),
    ]


def stamp(instant: int) -> str:
    """An instant as RFC 3339 writes it."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bound(site: Site, service: str, said: dict[str, Json]) -> Approval:
    """The ask that a denial of this service's was about, if it was about exactly this (`invalid_denial_binding`)."""
    denial = said["denial"]
    named = denial.get("evaluation_id") if isinstance(denial, dict) else None
    reader = site.reader()
    one = reader.get(Approval, named) if isinstance(named, str) and len(named) <= 64 else None
    held = reader.get(Credential, one.credential) if one is not None else None
    context = said.get("context", {})
    if one is None or held is None or one.service != service or not isinstance(context, dict):
        raise _unbound()
    asked = question({**said, "context": {"credential": "-", **context}})
    same = not isinstance(asked, Deny) and asked.subject == held.subject and asked.call.action == one.action
    if isinstance(asked, Deny) or not same or (one.digest and b64(asked.call.digest) != one.digest):
        raise _unbound()
    if denial.get("expires_at") != stamp(one.until):
        raise _unbound()
    if site.now() >= one.until:
        raise RemitError("expired_denial", "This denial can be asked about no more.", "Evaluate again.")
    return one


def _told(site: Site, one: Approval) -> dict[str, Json]:
    issuer, state = site.authority.issuer, standing(site, one)
    task: dict[str, Json] = {
        "id": one.id,
        "status": STATES.get(state, state),
        "status_endpoint": f"{issuer}{REQUESTS}/{one.id}",
        "expires_at": stamp(one.until),
        "links": {"review": f"{issuer}/console/approvals/{one.id}"},
    }
    if state != "approved":
        return {"task": task}
    approval = {"id": one.id, "approved_at": stamp(one.answered), "approved_until": stamp(one.until)}
    return {"task": task, "result": {"mode": "reevaluate", "approval": approval}}


def _problems(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose faults are problems of the profile (RFC 9457); others are told as everywhere."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RemitError as fault:
            kind = "invalid_request" if fault.code in INVALID else KINDS.get(fault.code, fault.code)
            if kind not in STATUS:
                raise
            said = {"type": URN + kind, "title": fault.message, "detail": fault.remedy, "status": STATUS[kind]}
            return JSONResponse(said, STATUS[kind], NO_STORE, "application/problem+json")

    return answer


def _token(request: Request) -> str:
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _unbound() -> RemitError:
    return RemitError("invalid_denial_binding", "This is not what was denied.", "Send the denied evaluation unchanged.")
