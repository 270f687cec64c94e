"""OAuth 2.1 for agents: `/oauth/token` on both trust paths, revocation, introspection, keys and metadata.

Own path: client credentials with `private_key_jwt` (RFC 7523). Delegated path: token exchange of a person's ID token
(RFC 8693); who acts is the authenticated client, never a parameter. Each credential is for one task, named by
`authorization_details` (RFC 9396), and for resources named by their exact URL (RFC 8707).
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.control import credential
from remit.control.change import Change
from remit.control.credential import Issued
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.resource import Resource
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.jws import TokenRefusal
from remit.custody.proof import Proof, verify_proof
from remit.store import payload
from remit.web.bearer import known
from remit.web.client import Client, authenticate
from remit.web.intake import Form, form, one_of
from remit.web.issuers import Known
from remit.web.metadata import DETAILS, EXCHANGE
from remit.web.problem import NO_STORE, faults
from remit.web.site import Site

ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
SUBJECTS: Final = frozenset({"urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"})
NEVER: Final = frozenset({"actor_token", "actor_token_type", "act", "may_act"})


def routes(site: Site) -> list[Route]:
    """The token endpoint."""

    async def token(request: Request) -> Response:
        asked = await form(request)
        grant = one_of(asked, "grant_type")
        if grant == "client_credentials":
            return JSONResponse(await _give(site, request, asked, None), headers=NO_STORE)
        if grant != EXCHANGE:
            raise RemitError(
                "unsupported_grant_type", "This grant type is not offered.", "Use client_credentials or token exchange."
            )
        return JSONResponse(await _exchange(site, request, asked), headers=NO_STORE)

    return [Route("/oauth/token", faults(token), methods=["POST"])]


async def _exchange(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Exchange a person's ID token for a credential on the delegated path (RFC 8693 section 2)."""
    if not NEVER.isdisjoint(asked):
        raise RemitError(
            "invalid_request",
            "Who acts is the authenticated client, never a parameter.",
            "Leave actor_token and act out.",
        )
    if one_of(asked, "requested_token_type", ACCESS) != ACCESS or one_of(asked, "subject_token_type") not in SUBJECTS:
        raise RemitError(
            "invalid_request", "These token types are not exchanged.", "Send an ID token; ask for an access token."
        )
    if "audience" in asked:
        raise RemitError(
            "invalid_target", "Targets are named by resource, not by audience.", "Send resource, the gate's URL."
        )
    text = one_of(asked, "subject_token")
    client = authenticate(site, asked)
    found = await site.issuers.identify(text, site.now())
    if isinstance(found, TokenRefusal):
        raise RemitError(
            "invalid_request", f"The subject token was refused. {found.what}", "Let the person sign in again."
        )
    may = found.may_act
    if may is not None and (not isinstance(may, dict) or may.get("sub") != client.agent.id):
        raise RemitError(
            "invalid_request", "The subject token lets somebody else act.", "Ask for a token that names this agent."
        )
    given = await _give(site, request, asked, found, client)
    return {"issued_token_type": ACCESS, **given}


async def _give(
    site: Site, request: Request, asked: Form, person: Known | None, client: Client | None = None
) -> dict[str, Json]:
    client = client or authenticate(site, asked)
    task, resources = _task(asked), _resources(site, asked)
    proof = _proof(site, request)
    path = TrustPath.DELEGATED if person else TrustPath.OWN

    def give(change: Change) -> tuple[Issued, Plan]:
        subject = known(change, person) if person else ""
        found = _found(change, task, client.agent.id)
        plan = change.need(Plan, f"{found.id}:{found.plan}")
        _scope(asked, plan, path)
        thumb = proof.thumb if proof else ""
        made = credential.give(
            change, task_id=task, agent_id=found.agent, path=path, person_id=subject, resources=resources, thumb=thumb
        )
        return made, plan

    def work(change: Change) -> list[tuple[Issued, Plan] | RemitError]:
        client.enter(change)
        fresh = proof is None or payload.spend(change.db, "dpop", f"{proof.thumb} {proof.id}", proof.until)
        # What was shown is used up even when what it was shown for is refused (RFC 7523 section 3, RFC 9449 11.1).
        return [change.part(give) if fresh else _SPENT]

    (given,) = await site.act(client.agent.id, work)
    if isinstance(given, RemitError):
        raise given
    made, plan = given
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


_SPENT: Final = RemitError(
    "invalid_dpop_proof", "This DPoP proof was used before.", "Make a new proof for each request."
)


def _found(change: Change, task: str, agent: str) -> Task:
    """The task, and let no stranger learn whether it exists: another's is answered as none."""
    found = change.reader.get(Task, task)
    if found is None or found.agent != agent:
        raise RemitError("invalid_grant", "There is no such open task of this agent.", "Ask for the task again.")
    return found


def _task(asked: Form) -> str:
    """The task that the credential is for, from `authorization_details` or `task`."""
    detail = asked.get("authorization_details")
    try:
        if detail is None:
            return parse("tsk", one_of(asked, "task"))
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
    """A scope, when sent, is all that the plan does on this path: for less, narrow the plan; more is refused."""
    if "scope" in asked and sorted(set(asked["scope"][0].split(" "))) != _actions(plan, path):
        raise RemitError(
            "invalid_scope",
            "A scope, when sent, names every action of the plan on this path and no other.",
            "Leave scope out; submit a narrower plan to get less.",
        )
