"""Token exchange of a credential of ours (RFC 8693): a sub-agent takes over a part of the task that it is for.

The subject token says for which task; the client that authenticates is the actor, and its chain is that of the ledger.
`authorization_details` may name the steps of the new child task, or a child task that this agent has already.
"""

from typing import Final

from starlette.requests import Request

from remit.control import delegation
from remit.control.change import Change
from remit.control.credential import Issued
from remit.control.delegation import Wanted
from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.ids import parse
from remit.core.step import Step
from remit.core.task import Plan
from remit.web import bearer
from remit.web.client import authenticate
from remit.web.intake import Form, one_of
from remit.web.metadata import DETAILS
from remit.web.oauth import giving
from remit.web.site import Site

MEMBERS: Final = frozenset({"type", "task", "steps", "purpose"})


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Give the authenticated client a credential of a child task of the one that the subject token is for."""
    client = await authenticate(site, request, asked)
    if "scope" in asked:
        raise RemitError("invalid_scope", "What is handed on is said by steps.", "Send steps in authorization_details.")
    giver = bearer.ours(site, one_of(asked, "subject_token"))
    if giver is None:
        raise RemitError(
            "invalid_request", "The subject token is no credential of ours.", "Send the credential of the task above."
        )
    task, steps, purpose = _detail(asked)
    resources = giving.resources_of(site, asked)

    def make(change: Change, thumb: str) -> tuple[Issued, Plan]:
        wanted = Wanted(task, steps, purpose, resources, thumb, client.proved(change))
        made = delegation.hand_on(change, giver.id, client.agent.id, wanted)
        return made, change.need(Plan, f"{made.credential.task}:{made.credential.plan}")

    return await giving.answer(site, request, client, make)


def _detail(asked: Form) -> tuple[str, tuple[Step, ...] | None, str]:
    """The child task that is meant, the steps of a new one, and what it is for; all may be left out."""
    if "authorization_details" not in asked:
        return (parse("tsk", one_of(asked, "task")) if "task" in asked else ""), None, ""
    try:
        value = read(one_of(asked, "authorization_details").encode())
        one = value[0] if isinstance(value, list) and len(value) == 1 else None
        if "task" in asked or not isinstance(one, dict) or not one.keys() <= MEMBERS or one.get("type") != DETAILS:
            raise giving.details_invalid()
        purpose, steps = one.get("purpose", ""), one.get("steps")
        if "task" in one and (steps is not None or purpose):
            raise giving.details_invalid()
        if not isinstance(purpose, str) or len(purpose) > 500 or not isinstance(steps, list | None):
            raise giving.details_invalid()
        task = parse("tsk", one["task"]) if "task" in one else ""
        return task, None if steps is None else tuple(Step.from_json(each) for each in steps[:201]), purpose
    except RemitError as fault:
        if fault.code == "invalid_authorization_details":
            raise
        raise giving.details_invalid() from fault
