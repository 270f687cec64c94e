"""`/ext-authz/{resource}/…`: Envoy's HTTP authorization check, and nginx's `auth_request`. 200 is the only yes.

The data plane asks with its service's token in `X-Remit-Service`; the agent's credential is the request's own token,
bearer or bound. What cannot be read is 400; everything else, whatever failed, is 401 or 403. See
docs/spec/access.md.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control.access import Asked, Door
from remit.core import ids, operation
from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.operation import METHODS
from remit.core.permit import BARE, Manner, Permit, Unknown
from remit.web.access import asked
from remit.web.intake import body
from remit.web.problem import NO_STORE
from remit.web.site import Site

PREFIX: Final = "/ext-authz/"
UNREAD: Final = frozenset(
    {
        "request_ambiguous", "operation_unknown", "operation_ambiguous", "body_refused", "body_unseen", "json_invalid",
        "body_too_large", "body_unfinished", "name_invalid",
    }
)  # fmt: skip
BODILESS: Final = ("GET", "HEAD", "DELETE", "OPTIONS")
PARTIAL: Final = "x-envoy-auth-partial-body"


def routes(site: Site) -> list[Route]:
    """The address that a data plane checks at."""
    door = site.door

    async def check(request: Request) -> Response:
        try:
            return await _check(door, request)
        except RemitError as fault:
            return _no(fault.code, fault.message, 400 if fault.code in UNREAD else 403)
        except Exception as fault:  # noqa: BLE001 - whatever breaks here must read as a no
            return _no("internal", f"Remit failed ({type(fault).__name__}).", 403)

    return [Route(f"{PREFIX}{{rest:path}}", check, methods=list(METHODS))]


async def _check(door: Door, request: Request) -> Response:
    service = door.service(_single(request, "x-remit-service"))
    raw = request.scope.get("raw_path", b"").decode("ascii", "replace")
    resource, slash, path = raw.removeprefix(PREFIX).partition("/")
    ids.name("resource", resource)
    scheme, _, text = _single(request, "authorization").partition(" ")
    manner = _manner(request, scheme.lower(), f"{slash}{path}")
    entry = door.enter(text if scheme.lower() in ("bearer", "dpop") else "", resource, manner)
    if isinstance(entry, Unknown):
        return _challenge(entry)
    call, pin = door.operation(resource, await _read(request, f"{slash}{path}"))
    found = await asked(door, Asked(service, call, entry, pin=pin))
    if isinstance(found, Permit):
        headers = {"x-remit-permit": found.call, "x-remit-leaf": str(found.leaf)}
        # The agent's credential is for this door only; the target must not see it.
        if entry.nonce:
            headers["dpop-nonce"] = entry.nonce
        return Response(headers={**NO_STORE, **headers, "x-envoy-auth-headers-to-remove": "authorization,dpop"})
    if isinstance(found, Deny) and found.code.startswith("proof_"):
        return _challenge(Unknown("invalid_dpop_proof", found.what, found.code))
    told = found.told() if isinstance(found, Deny) else found.what
    return _no(found.code, told, 403)


def _manner(request: Request, scheme: str, path: str) -> Manner:
    """How the agent showed its credential to the data plane, which says in `X-Remit-Origin` where that stands."""
    proofs = tuple(request.headers.getlist("dpop"))
    if scheme == "bearer" and not proofs:
        return BARE
    return Manner(scheme, proofs, request.method, _single(request, "x-remit-origin") + path)


def _challenge(entry: Unknown) -> Response:
    """What the agent is told when its credential does not count, in the words of its scheme."""
    scheme = "DPoP" if "dpop" in entry.error else "Bearer"
    more = {"www-authenticate": f'{scheme} error="{entry.error}"'}
    if entry.nonce:
        more["dpop-nonce"] = entry.nonce
    return _no(entry.code if scheme == "DPoP" else entry.error, entry.what, 401, more)


async def _read(request: Request, path: str) -> operation.Request:
    """The request that is asked about. A body that the data plane did not send whole is refused (`body_unseen`)."""
    partial = request.headers.getlist(PARTIAL)
    if partial not in ([], ["false"]) or (request.method not in BODILESS and not partial):
        raise RemitError(
            "body_unseen",
            "The body of this request was not shown, so it cannot be decided.",
            "Have the data plane send whole bodies: with_request_body, allow_partial_message false.",
        )
    return operation.Request(
        method=request.method,
        path=path,
        query=request.scope["query_string"].decode("ascii", "replace"),
        headers=frozenset(name.lower().replace("_", "-") for name in request.headers),
        kind=request.headers.get("content-type", ""),
        body=await body(request),
    )


def _single(request: Request, name: str) -> str:
    found = request.headers.getlist(name)
    return found[0] if len(found) == 1 else ""


def _no(code: str, what: str, status: int, more: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"code": code, "message": what}, status, {**NO_STORE, **(more or {})})
