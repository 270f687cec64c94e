"""What became of a credential: revocation (RFC 7009), introspection (RFC 7662), for its agent or the operator."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import client as clients
from remit.control import credential, renewal, revocation
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.client import Client
from remit.core.consent import Consent
from remit.core.credential import Credential
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.custody.assertion import claimed
from remit.custody.token import acting
from remit.web import bearer
from remit.web.client import Client as Acting
from remit.web.client import authenticate
from remit.web.intake import Form, form, one_of
from remit.web.metadata import DETAILS
from remit.web.oauth.asking import bound, refused
from remit.web.problem import NO_STORE, faults
from remit.web.rate import limit
from remit.web.site import Site


def routes(site: Site) -> list[Route]:
    """The endpoints that look at, or end, what was issued."""

    async def revoke(request: Request) -> Response:
        asked = await form(request)
        text = one_of(asked, "token")
        if _of_a_client(site, asked):
            client = await bound(site, asked)
            limit(site.rates, request, client.client.id)
            await site.act(client.client.id, lambda change: _given_up(site, change, client.enter(change), text))
            return Response(status_code=200, headers=NO_STORE)
        who = await _caller(site, request, asked)

        def work(change: Change) -> None:
            by = who.enter(change).id if who else "operator"
            one = bearer.ours(site, text)
            if one is not None and (who is None or one.agent == by):
                credential.end(change, one.id, by, "revoked by its holder" if who else "")

        await site.act(who.agent.id if who else "operator", work)
        return Response(status_code=200, headers=NO_STORE)

    async def introspect(request: Request) -> Response:
        asked = await form(request)
        text = one_of(asked, "token")
        if _of_a_client(site, asked):
            client = await bound(site, asked)
            limit(site.rates, request, client.client.id)
            if client.assertion is None:
                raise refused("A client without a key is told nothing of tokens.")
            said = await site.act(client.client.id, lambda change: _seen(site, change, client.enter(change), text))
            return JSONResponse(said, headers=NO_STORE)
        who = await _caller(site, request, asked)

        def work(change: Change) -> dict[str, Json]:
            by = who.enter(change).id if who else ""
            one = bearer.ours(site, text)
            standing = bearer.counts(change.reader, one, change.now) if one else False
            if one is None or not standing or (who is not None and one.agent != by):
                return {"active": False}
            return _told(site, change, one)

        return JSONResponse(await site.act(who.agent.id if who else "operator", work), headers=NO_STORE)

    return [
        Route("/oauth/revoke", faults(revoke), methods=["POST"]),
        Route("/oauth/introspect", faults(introspect), methods=["POST"]),
    ]


def _of_a_client(site: Site, asked: Form) -> bool:
    """Say whether a client of the code flow asks, and no agent and no operator."""
    said = claimed(asked.get("client_assertion", [""])[0])
    named = said.get("sub") if isinstance(said, dict) else asked.get("client_id", [""])[0]
    return isinstance(named, str) and clients.found(site.reader(), named) is not None


def _given_up(site: Site, change: Change, client: Client, text: str) -> None:
    """End what this client holds: a refresh token with all that came of its consent, a credential by itself."""
    held = renewal.held(change, client, text)
    if held is not None:
        if change.need(Consent, held.consent).state == "live":
            revocation.revoke(change, "consent", held.consent, client.agent, "revoked by its client")
        return
    one = bearer.ours(site, text)
    if one is not None and _its(change, client, one):
        credential.end(change, one.id, client.agent, "revoked by its client")


def _seen(site: Site, change: Change, client: Client, text: str) -> dict[str, Json]:
    """What became of what this client holds; of anything else nothing."""
    held, one = renewal.held(change, client, text), bearer.ours(site, text)
    if held is not None:
        if not renewal.good(change, client, held):
            return {"active": False}
        consent = change.need(Consent, held.consent)
        return {"active": True, "iss": site.authority.issuer, "sub": consent.person, "exp": held.until // 1000}
    if one is None or not _its(change, client, one) or not bearer.counts(change.reader, one, change.now):
        return {"active": False}
    return _told(site, change, one)


def _its(change: Change, client: Client, one: Credential) -> bool:
    """Say whether a credential came of a consent by this client."""
    consent = _agreed(change, one)
    return consent is not None and consent.client == client.id


def _agreed(change: Change, one: Credential) -> Consent | None:
    """The consent that a credential's task rests on, if it rests on one."""
    task = change.reader.get(Task, one.task)
    return change.reader.get(Consent, task.consent) if task is not None and task.consent else None


async def _caller(site: Site, request: Request, asked: Form) -> Acting | None:
    """The agent that asks; None for an operator with the admin token (`invalid_client` for anyone else)."""
    if "client_assertion" not in asked and bearer.operator(site, request.headers.get("authorization", "")):
        return None
    return await authenticate(site, request, asked)


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
    }
    detail: dict[str, Json] = {"type": DETAILS, "task": one.task, "plan": one.plan, "path": one.path.value}
    if one.path is TrustPath.DELEGATED:
        said["act"] = acting(credential.acting(change, one))
        consent = _agreed(change, one)
        detail |= {"parameters": consent.parameters} if consent is not None and consent.parameters else {}
    said["authorization_details"] = [detail]
    if one.bound:
        said["cnf"] = {"jkt": one.thumb} if one.thumb else {"x5t#S256": one.certificate}
    return said
