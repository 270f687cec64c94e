"""What every grant shares: one credential for one task, for resources by their exact URL, bound to the key proved.

The task is named by `authorization_details` (RFC 9396), resources by RFC 8707, the key by RFC 9449.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.requests import Request

from remit.control import credential
from remit.control.change import Change
from remit.control.credential import Issued
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.facts import NEVER
from remit.core.ids import parse
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store import payload
from remit.web import proving
from remit.web.bearer import SHOWN, known, shown
from remit.web.client import Client
from remit.web.intake import Form, one_of
from remit.web.issuers import Known
from remit.web.metadata import DETAILS
from remit.web.oauth.request import resources_of as request_of
from remit.web.site import Site

Make = Callable[[Change, str], tuple[Issued, Plan]]
"""Issues a credential bound to this key or certificate ("" for none), for the plan that it is for."""


def unspent(_: Change) -> RemitError | None:
    """Nothing was shown beside the client's own proof."""
    return None


async def give(
    site: Site, request: Request, asked: Form, client: Client, person: Known | None, text: str = ""
) -> dict[str, Json]:
    """Give this client a credential for the task that it names: for `person` on the delegated path, else its own.

    `text` is the token by which the person was proved: from now on it is known to be in an agent's hands.
    """
    task, resources = _task(asked), resources_of(site, asked)
    path = TrustPath.DELEGATED if person else TrustPath.OWN

    def give(change: Change, thumb: str) -> tuple[Issued, Plan]:
        subject = known(change, person) if person else ""
        found = _found(change, task, client.agent.id)
        plan = change.need(Plan, f"{found.id}:{found.plan}")
        scope(asked, plan, path)
        proved = client.proved(change)
        if person:
            proved = replace(
                proved, signed_in=person.identity.signed_in or NEVER, strength=person.identity.strength or ""
            )
        made = credential.give(
            change, task_id=task, agent_id=found.agent, path=path, person_id=subject, resources=resources, thumb=thumb,
            proved=proved,
        )  # fmt: skip
        return made, plan

    def seen(change: Change) -> RemitError | None:
        if person is not None and person.issuer.acts:
            payload.spend(change.db, SHOWN, shown(text), person.identity.expires)
        return None

    return await answer(site, request, client, give, seen)


async def answer(
    site: Site, request: Request, client: Client, make: Make, spend: Callable[[Change], RemitError | None] = unspent
) -> dict[str, Json]:
    """Use up what the client showed, have `make` issue a credential in the same transaction, and say what it is.

    `spend` uses up what was shown beside the client's own proof, or says why it does not count.
    """
    proof = proving.proof(site, request)

    def work(change: Change) -> list[tuple[Issued, Plan] | RemitError]:
        client.enter(change)
        fresh = proving.once(change, proof)
        # What was shown is used up even when what it was shown for is refused (RFC 7523 section 3, RFC 9449 11.1).
        spent = spend(change)
        if not fresh or spent is not None:
            return [proving.SPENT if not fresh or spent is None else spent]
        thumb = proof.thumb if proof else proving.held(request)
        return [change.part(lambda within: make(within, thumb))]

    (given,) = await site.act(client.agent.id, work)
    if isinstance(given, RemitError):
        raise given
    return told(site, *given)


def told(site: Site, made: Issued, plan: Plan, parameters: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """What a token response says of a credential (RFC 6749 section 5.1, RFC 9396 section 7).

    `parameters` are those that the person agreed to: no later plan of the task goes beyond them.
    """
    one, path = made.credential, made.credential.path
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
                **({"parameters": dict(parameters)} if parameters else {}),
            }
        ],
    }


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
            raise details_invalid()
        if value[0].keys() != {"type", "task"} or value[0]["type"] != DETAILS:
            raise details_invalid()
        return parse("tsk", value[0]["task"])
    except RemitError as fault:
        if fault.code in ("json_invalid", "id_invalid"):
            raise details_invalid() from fault
        raise


def details_invalid() -> RemitError:
    """What is said of authorization_details that are not understood."""
    return RemitError(
        "invalid_authorization_details",
        "authorization_details names one task.",
        "Send one object with type remit_task and the task's id.",
    )


def resources_of(site: Site, asked: Form) -> tuple[str, ...]:
    """The resources asked for, by the exact URL of their gates (RFC 8707; `invalid_target`)."""
    return request_of(site, asked.get("resource", []))


def _actions(plan: Plan, path: TrustPath) -> list[str]:
    return sorted({step.action for step in plan.steps if step.path is path})


def scope(asked: Form, plan: Plan, path: TrustPath) -> None:
    """A scope, when sent, is all that the plan does on this path: for less, narrow the plan; more is refused."""
    if "scope" in asked and sorted(set(asked["scope"][0].split(" "))) != _actions(plan, path):
        raise RemitError(
            "invalid_scope",
            "A scope, when sent, names every action of the plan on this path and no other.",
            "Leave scope out; submit a narrower plan to get less.",
        )
