"""Replanning: an agent sends the plan that it wants now, and its brief says what becomes of it.

Equal or narrower: in force at once. Anything else first ends all that the plan in force gave (law 4): its credentials,
its children, what was minted for it. Then the same steps go on as a new version, and the new plan is refused, or
people are asked about it.
"""

from dataclasses import dataclass

from remit.control import proposal, reach, task, withdrawal
from remit.control.change import Change
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.replan import Kind, Moved
from remit.core.step import Step
from remit.core.task import Plan, Task


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a plan was found to be, the plan that is in force now, and what the new one waits for or is refused with."""

    kind: Kind
    plan: Plan
    approval: Approval | None = None
    refused: RemitError | None = None


def submit(change: Change, task_id: str, steps: tuple[Step, ...], by: str) -> Submitted:
    """Take a new plan. A refusal is part of the result, so that what it ended stays ended.

    Refuses by a fault, with nothing done, a task that takes no plan (`transition_refused`).
    """
    errand = change.need(Task, task_id)
    moved = task.moves(change, errand, steps)
    if moved.narrows:
        return Submitted(moved.kind, task.plan(change, task_id, steps, by))
    body: Json = proposal.body(change, errand, steps)
    asked = proposal.waiting(change, errand, proposal.PLAN, body)
    if asked is not None:
        before = change.need(Plan, f"{errand.id}:{errand.plan}")
        return Submitted(moved.kind, before, *_again(asked))
    fault, brief = task.beyond(moved, steps), change.need(Brief, errand.brief)
    kept = _withdrawn(change, errand, by, fault.code)
    if moved.kind is Kind.OUTSIDE or brief.replan == "refuse":
        return Submitted(moved.kind, kept, refused=fault)
    if body["over"] and brief.budget is not None and brief.budget.over == "refuse":
        return Submitted(moved.kind, kept, refused=reach.refusal(tuple(body["over"])))
    if withdrawal.unproven(change, task_id):
        unproven = RemitError(
            "ends_unproven", "What the plan before gave is not proven to be ended.", "Send this plan again later."
        )
        return Submitted(moved.kind, kept, refused=unproven)
    flooded = proposal.flooded(change, errand)
    if flooded is not None:
        return Submitted(moved.kind, kept, refused=flooded)
    return Submitted(moved.kind, kept, proposal.ask(change, change.need(Task, task_id), proposal.PLAN, body))


def _again(asked: Approval) -> tuple[Approval | None, RemitError | None]:
    if asked.state == "pending":
        return asked, None
    return None, RemitError("approval_denied", "A person said no to this plan.", "Go on with the plan in force.")


def _withdrawn(change: Change, errand: Task, by: str, code: str) -> Plan:
    """End all that the plan in force gave, and put its steps in force anew; held while an end is not proven."""
    before = change.need(Plan, f"{errand.id}:{errand.plan}")
    withdrawal.withdraw(change, errand.id, by)
    kept = task.versioned(change, errand, before.steps, Moved(Kind.EQUAL, before.sources), by, because=code)
    if withdrawal.unproven(change, errand.id):
        task.suspend(change, errand.id, by, "unproven")
    return kept
