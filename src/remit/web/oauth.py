"""OAuth 2.1 for agents: `/oauth/token` on both trust paths, revocation, introspection, keys and metadata.

Own path: client credentials with `private_key_jwt` (RFC 7523). Delegated path: token exchange of a person's ID token
(RFC 8693); who acts is the authenticated client, never a parameter. Each credential is for one task, named by
`authorization_details` (RFC 9396), and for resources named by their exact URL (RFC 8707).
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import credential, principal
from remit.control.change import Change
from remit.control.credential import Issued
from remit.core.canonical import Json, read
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.resource import Resource
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.jws import TokenRefusal
from remit.custody.proof import Proof, verify_proof
from remit.store import payload
from remit.web import bearer
from remit.web.client import Client, authenticate
from remit.web.intake import form
from remit.web.issuers import Known
from remit.web.problem import NO_STORE, oauth_problem
from remit.web.site import Site

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
SUBJECTS: Final = frozenset(
    {"urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"}
)
DETAILS: Final = "remit_task"
NEVER: Final = frozenset({"actor_token", "actor_token_type", "act", "may_act"})
Form = Mapping[str, list[str]]


def routes(site: Site) -> list[Route]:
    """The endpoints of the authorization server."""

    async def token(request: Request) -> Response:
        asked = await form(request)
        grant = _one(asked, "grant_type")
        if grant == "client_credentials":
            return JSONResponse(await _give(site, request, asked, None), headers=NO_STORE)
        if grant != EXCHANGE:
            raise RemitError("unsupported_grant_type", "This grant type is not offered.", "Use client_credentials or token exchange.")
        return JSONResponse(await _exchange(site, request, asked), headers=NO_STORE)

    async def revoke(request: Request) -> Response:
        asked = await form(request)
        who = _caller(site, request, asked)
        text = _one(asked, "token")

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
        text = _one(asked, "token")

        def work(change: Change) -> dict[str, Json]:
            by = who.enter(change).id if who else ""
            one = bearer.ours(site, text)
            standing = bearer.stands(change.reader, one, change.now) if one else False
            if one is None or not standing or (who is not None and one.agent != by):
                return {"active": False}
            return _told(site, one)

        return JSONResponse(await site.act(who.agent.id if who else "operator", work), headers=NO_STORE)

    async def jwks(_: Request) -> Response:
        found = site.authority.signer.jwks(site.now())
        return JSONResponse(found, headers={"cache-control": "public, max-age=60"}, media_type="application/jwk-set+json")

    async def server(_: Request) -> Response:
        return JSONResponse(metadata(site.authority.issuer), headers={"cache-control": "public, max-age=300"})

    async def protected(request: Request) -> Response:
        name = request.path_params["resource"]
        found = site.reader().get(Resource, name)
        if found is None or found.state != "active":
            raise RemitError("not_found", "There is no such resource.", "Check the address of the gate.")
        issuer = site.authority.issuer
        said = {
            "resource": credential.audience(issuer, name),
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
            "resource_name": name,
            "authorization_details_types_supported": [DETAILS],
        }
        return JSONResponse(said, headers={"cache-control": "public, max-age=300"})

    return [
        Route("/oauth/token", _faults(token), methods=["POST"]),
        Route("/oauth/revoke", _faults(revoke), methods=["POST"]),
        Route("/oauth/introspect", _faults(introspect), methods=["POST"]),
        Route("/oauth/jwks", jwks, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", server, methods=["GET"]),
        Route("/.well-known/oauth-protected-resource/mcp/{resource}", protected, methods=["GET"]),
    ]


def metadata(issuer: str) -> dict[str, Json]:
    """What this authorization server says of itself (RFC 8414)."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials", EXCHANGE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
        "revocation_endpoint_auth_methods_supported": ["private_key_jwt"],
        "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
        "authorization_details_types_supported": [DETAILS],
        "client_id_metadata_document_supported": False,
    }


async def _exchange(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Exchange a person's ID token for a credential on the delegated path (RFC 8693 section 2)."""
    if not NEVER.isdisjoint(asked):
        raise RemitError("invalid_request", "Who acts is the authenticated client, never a parameter.", "Leave actor_token and act out.")
    if _one(asked, "requested_token_type", ACCESS) != ACCESS or _one(asked, "subject_token_type") not in SUBJECTS:
        raise RemitError("invalid_request", "These token types are not exchanged.", "Send an ID token; ask for an access token.")
    if "audience" in asked:
        raise RemitError("invalid_target", "Targets are named by resource, not by audience.", "Send resource, the gate's URL.")
    text = _one(asked, "subject_token")
    client = authenticate(site, asked)
    found = await site.issuers.identify(text, site.now())
    if isinstance(found, TokenRefusal):
        raise RemitError("invalid_request", f"The subject token was refused. {found.what}", "Let the person sign in again.")
    may = found.may_act
    if may is not None and (not isinstance(may, dict) or may.get("sub") != client.agent.id):
        raise RemitError("invalid_request", "The subject token lets somebody else act.", "Ask for a token that names this agent.")
    given = await _give(site, request, asked, found, client)
    return {"issued_token_type": ACCESS, **given}


async def _give(
    site: Site, request: Request, asked: Form, person: Known | None, client: Client | None = None
) -> dict[str, Json]:
    client = client or authenticate(site, asked)
    task, resources = _task(asked), _resources(site, asked)
    proof = _proof(site, request)
    path = TrustPath.DELEGATED if person else TrustPath.OWN

    def work(change: Change) -> tuple[Issued, Plan]:
        agent = client.enter(change)
        if proof is not None and not payload.spend(change.db, "dpop", f"{proof.thumb} {proof.id}", proof.until):
            raise RemitError("invalid_dpop_proof", "This DPoP proof was used before.", "Make a new proof for each request.")
        subject = known(change, person) if person else ""
        made = _made(change, task, agent.id, path, subject, resources, proof.thumb if proof else "")
        plan = change.need(Plan, f"{made.credential.task}:{made.credential.plan}")
        _scope(asked, plan, path)
        return made, plan

    made, plan = await site.act(client.agent.id, work)
    one = made.credential
    return {
        "access_token": made.text,
        "token_type": "DPoP" if one.thumb else "Bearer",
        "expires_in": max(1, (one.expires - max(one.issued, site.now())) // 1000),
        "scope": " ".join(_actions(plan, path)),
        "authorization_details": [
            {
                "type": DETAILS,
                "task": one.task,
                "plan": one.plan,
                "path": path.value,
                "locations": [credential.audience(site.authority.issuer, name) for name in one.audience],
                "actions": _actions(plan, path),
            }
        ],
    }


def _made(
    change: Change, task: str, agent: str, path: TrustPath, person: str, resources: tuple[str, ...], thumb: str
) -> Issued:
    """Give, and let no stranger learn whether a task exists: another's is answered as none."""
    found = change.reader.get(Task, task)
    if found is None or found.agent != agent:
        raise RemitError("invalid_grant", "There is no such open task of this agent.", "Ask for the task again.")
    return credential.give(
        change, task_id=task, agent_id=agent, path=path, person_id=person, resources=resources, thumb=thumb
    )


def known(change: Change, person: Known) -> str:
    """The id of a proved person: known, or taken in when the issuer's settings say so; groups as the token says."""
    identity = person.identity
    found = payload.person_at(change.db, identity.issuer, identity.subject)
    if found is None and not person.issuer.auto_register:
        raise RemitError("invalid_request", "This person is not known here.", "Ask the operator to add them.")
    if found is not None and not person.issuer.groups:
        return found
    # Groups that no brief could name are left out; they cannot matter.
    groups = tuple(one for one in identity.groups if _named(one))
    by = found or "issuer"
    return principal.add_person(change, identity.issuer, identity.subject, identity.subject, groups, by).id


def _named(group: str) -> bool:
    return len(group) <= 63 and group.isascii() and group[0].isalnum() and all(c.islower() or c.isdigit() or c == "-" for c in group)


def _one(asked: Form, name: str, default: str = "") -> str:
    found = asked.get(name, [default])[0]
    if not found:
        raise RemitError("invalid_request", f"The parameter {name} is missing.", "Send it once, not empty.")
    return found


def _task(asked: Form) -> str:
    """The task that the credential is for, from `authorization_details` or `task`."""
    detail = asked.get("authorization_details")
    try:
        if detail is None:
            return parse("tsk", _one(asked, "task"))
        value = read(detail[0].encode())
        if "task" in asked or not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
            raise _details()
        if value[0].keys() != {"type", "task"} or value[0]["type"] != DETAILS:
            raise _details()
        return parse("tsk", value[0]["task"])
    except RemitError as fault:
        if fault.code in ("json_invalid", "id_invalid"):
            raise _details() from fault
        raise


def _details() -> RemitError:
    return RemitError(
        "invalid_authorization_details",
        "authorization_details names one task.",
        "Send one object with type remit_task and the task's id.",
    )


def _resources(site: Site, asked: Form) -> tuple[str, ...]:
    """The resources asked for, by the exact URL of their gates (RFC 8707)."""
    start = credential.audience(site.authority.issuer, "")
    found = []
    for url in asked.get("resource", []):
        name = url.removeprefix(start)
        one = site.reader().get(Resource, name) if url.startswith(start) else None
        if one is None or one.state != "active" or credential.audience(site.authority.issuer, one.name) != url:
            raise RemitError("invalid_target", "A resource is not one of ours.", "Send the exact URL of its gate.")
        found.append(name)
    return tuple(found)


def _proof(site: Site, request: Request) -> Proof | None:
    """The key that the credential is to be bound to, when the client proves one (RFC 9449 section 5)."""
    texts = request.headers.getlist("dpop")
    if not texts:
        return None
    url = f"{site.authority.issuer}/oauth/token"
    found = verify_proof(texts[0], method="POST", url=url, now=site.now()) if len(texts) == 1 else None
    if not isinstance(found, Proof):
        why = found.what if found else "One DPoP header is sent, not several."
        raise RemitError("invalid_dpop_proof", why, "Make a new proof as RFC 9449 says.")
    return found


def _actions(plan: Plan, path: TrustPath) -> list[str]:
    return sorted({step.action for step in plan.steps if step.path is path})


def _scope(asked: Form, plan: Plan, path: TrustPath) -> None:
    """A scope, when one is asked for, is all that the plan does on this path: less is a narrower plan, more is refused."""
    if "scope" in asked and sorted(set(asked["scope"][0].split(" "))) != _actions(plan, path):
        raise RemitError(
            "invalid_scope",
            "A scope, when sent, names every action of the plan on this path and no other.",
            "Leave scope out; submit a narrower plan to get less.",
        )


def _caller(site: Site, request: Request, asked: Form) -> Client | None:
    """The agent that asks; None for an operator with the admin token (`invalid_client` for anyone else)."""
    if "client_assertion" not in asked and bearer.operator(site, request.headers.get("authorization", "")):
        return None
    return authenticate(site, asked)


def _told(site: Site, one: Credential) -> dict[str, Json]:
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
        said["act"] = {"sub": one.agent}
    if one.thumb:
        said["cnf"] = {"jkt": one.thumb}
    return said


def _faults(endpoint: Callable[[Request], object]) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)  # type: ignore[misc, no-any-return]
        except RemitError as fault:
            return oauth_problem(fault)

    return answer

