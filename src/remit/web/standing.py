"""What became of a credential: revocation (RFC 7009), introspection (RFC 7662), for its agent or the operator."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import credential
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.credential import Credential
from remit.core.trust import TrustPath
from remit.custody.token import acting
from remit.web import bearer
from remit.web.client import Client, authenticate
from remit.web.intake import Form, form, one_of
from remit.web.metadata import DETAILS
from remit.web.problem import NO_STORE, faults
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The endpoints that look at, or end, what was issued."""

    async def revoke(request: Request) -> Response:
        asked = await form(request)
        who = _caller(site, request, asked)
        text = one_of(asked, "token")

        def work(change: Change) -> None:
            by = who.enter(change).id if who else "operator"
            one = bearer.ours(site, text)
            if one is not None and (who is None or one.agent == by):
                credential.end(change, one.id, by, "revoked by its holder" if who else "")

        await site.act(who.agent.id if who else "operator", work)
        return Response(status_code=200, headers=NO_STORE)

    async def introspect(request: Request) -> Response:
        asked = await form(request)
        who = _caller(site, request, asked)
        text = one_of(asked, "token")

        def work(change: Change) -> dict[str, Json]:
            by = who.enter(change).id if who else ""
            one = bearer.ours(site, text)
            standing = bearer.stands(change.reader, one, change.now) if one else False
            if one is None or not standing or (who is not None and one.agent != by):
                return {"active": False}
            return _told(site, change, one)

        return JSONResponse(await site.act(who.agent.id if who else "operator", work), headers=NO_STORE)

    return [
        Route("/oauth/revoke", faults(revoke), methods=["POST"]),
        Route("/oauth/introspect", faults(introspect), methods=["POST"]),
    ]


def _caller(site: Site, request: Request, asked: Form) -> Client | None:
    """The agent that asks; None for an operator with the admin token (`invalid_client` for anyone else)."""
    if "client_assertion" not in asked and bearer.operator(site, request.headers.get("authorization", "")):
        return None
    return authenticate(site, asked)


def _told(site: Site, change: Change, one: Credential) -> dict[str, Json]:
    said: dict[str, Json] = {
        "active": True,
        "iss": site.authority.issuer,
        "sub": one.subject,
        "client_id": one.agent,
        "aud": [credential.audience(site.authority.issuer, name) for name in one.audience],
        "iat": one.issued // 1000,
        "exp": one.expires // 1000,
        "jti": one.id,
        "token_type": "DPoP" if one.thumb else "Bearer",
        "authorization_details": [{"type": DETAILS, "task": one.task, "plan": one.plan, "path": one.path.value}],
    }
    if one.path is TrustPath.DELEGATED:
        said["act"] = acting(credential.acting(change, one))
    if one.bound:
        said["cnf"] = {"jkt": one.thumb} if one.thumb else {"x5t#S256": one.certificate}
    return said
