"""Delegation: a sub-agent exchanges the credential of the task above for one of a child task of its own, narrower.

The credential that it shows says for which task and on which path; who acts is the agent that proved itself. The chain
comes from the tree of tasks, never from the request.
"""

from dataclasses import dataclass
from typing import Final

from remit.control import credential, task
from remit.control.change import Change
from remit.control.credential import Issued, Proved
from remit.control.decision import seen_facts
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.credential import Credential
from remit.core.decision import refuse
from remit.core.delegation import handed
from remit.core.errors import RemitError
from remit.core.grant import Step, draw
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store.facts import ancestors

MOST: Final = 32
"""Open child tasks of one task that were handed on."""
_STANDS: Final = Deny("giver_ended", "The subject token hands nothing on.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sub-agent asks for: a new child task with these steps (all that can be handed on), or one it has."""

    task: str = ""
    steps: tuple[Step, ...] | None = None
    purpose: str = ""
    resources: tuple[str, ...] = ()
    thumb: str = ""
    proved: Proved | None = None


def hand_on(change: Change, giver_id: str, agent_id: str, wanted: Wanted) -> Issued:
    """Give a sub-agent a credential of a child task of the one that `giver_id` is for, on the same path.

    Refuses a credential by which no call would be allowed now (`giver_ended`), one that is bound to a key for one that
    would not be (`binding_lost`), a chain that comes back to an agent (`delegation_loop`), too many children
    (`delegation_flood`), and all that opening a task and issuing refuse.
    """
    giver = change.need(Credential, giver_id)
    if giver.bound and not wanted.thumb:
        raise RemitError(
            "binding_lost", "What is bound to a key is handed on to a key only.", "Send a DPoP proof of your own key."
        )
    _stands(change, giver)
    above = change.need(Task, giver.task)
    chain = [above.agent, *(one.agent for one in ancestors(change.reader, above) or ())]
    if agent_id in chain:
        raise RemitError(
            "delegation_loop",
            f"This agent stands in the chain already, {chain.index(agent_id) + 1} above.",
            "Hand on to another agent, or do it in the task itself.",
        )
    child = (
        _existing(change, above, agent_id, wanted) if wanted.task else _opened(change, giver, above, agent_id, wanted)
    )
    return credential.give(
        change,
        task_id=child.id,
        agent_id=agent_id,
        path=giver.path,
        person_id=giver.subject if giver.path is TrustPath.DELEGATED else "",
        resources=wanted.resources,
        thumb=wanted.thumb,
        giver=giver,
        proved=wanted.proved,
    )


def _stands(change: Change, giver: Credential) -> None:
    """Refuse a credential that counts for nothing now, by the same rules as a call with it."""
    call = Call(f"mcp:{giver.audience[0]}/@session", {})
    why = refuse(call, seen_facts(change, giver.id, call), _STANDS)
    if why is not _STANDS:
        raise RemitError("giver_ended", f"The subject token hands nothing on. {why.what}", "Show one that counts.")


def _existing(change: Change, above: Task, agent_id: str, wanted: Wanted) -> Task:
    """The child task of this agent under the very task that the shown credential is for."""
    child = change.reader.get(Task, wanted.task)
    if child is None or child.parent != above.id or child.agent != agent_id:
        raise RemitError("not_found", "There is no such child task of this agent.", "Leave the task out for a new one.")
    return child


def _opened(change: Change, giver: Credential, above: Task, agent_id: str, wanted: Wanted) -> Task:
    plan = change.need(Plan, f"{above.id}:{above.plan}")
    most = handed(plan.steps, giver)
    steps = most if wanted.steps is None else wanted.steps
    refusals = draw(most, steps)[1]
    if refusals or not steps:
        what = refusals[0].what if refusals else "It holds no step that can be handed on."
        raise RemitError("plan_outside", f"This is not within what is handed on: {what}", "Ask for less.")
    open_now = change.reader.where(Task, "parent = ? AND state != 'ended'", (above.id,), MOST)
    if sum(1 for _ in open_now) >= MOST:
        raise RemitError("delegation_flood", f"This task has {MOST} open child tasks.", "Close those that are done.")
    return task.open_task(
        change,
        brief=above.brief,
        agent=agent_id,
        requester=above.requester,
        person=above.person,
        parent=above.id,
        labels=above.labels,
        purpose=wanted.purpose or above.purpose,
        steps=steps,
        by=above.agent,
    )
