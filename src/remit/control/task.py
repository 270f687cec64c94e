"""Tasks: opened by a dispatcher, planned within the brief, ended by completion, idleness, deadline or revocation."""

from collections.abc import Mapping

from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.errors import RemitError
from remit.core.grant import Step, draw
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.task import LIFE, Plan, Task
from remit.core.trust import TrustPath
from remit.store.facts import ancestors, principal_live


def open_task(
    change: Change,
    *,
    brief: str,
    agent: str,
    requester: str,
    person: str = "",
    parent: str = "",
    labels: Mapping[str, str] | None = None,
    purpose: str = "",
    life: int | None = None,
    by: str,
) -> Task:
    """Open one errand under a brief, with the brief's steps as plan version 1 (for a child: its parent's plan).

    Refuses a requester whom the brief does not list (`dispatcher_refused`, law 4), an agent that it does not list or
    that is not active, a person who is not the requester's own delegation, and a child that is wider or deeper than its
    parent.
    """
    under, actor = change.need(Brief, brief), change.need(Agent, agent)
    if under.state != "live" or actor.state != "active" or agent not in under.agents or change.now >= actor.review_due:
        raise RemitError(
            "task_refused",
            f"The brief {brief} gives no task to this agent now.",
            "Ask the operator to list or review it.",
        )
    above = change.need(Task, parent) if parent else None
    if above is None:
        _dispatches(change, under, requester)
    else:
        _child(change, above, under, requester, person)
    if person and above is None and person != requester:
        raise RemitError(
            "person_other", "Nobody can delegate for another person.", "Let the person dispatch the task themselves."
        )
    if not person and any(step.path is TrustPath.DELEGATED for step in under.steps) and requester.startswith("per_"):
        person = requester
    deadline = change.now + min(life or under.life, under.life)
    if above is not None:
        deadline = min(deadline, above.deadline)
    task = Task(
        id=change.authority.make("tsk"),
        brief=brief,
        agent=agent,
        requester=requester,
        person=person,
        parent=parent,
        labels=dict(labels or {}),
        purpose=purpose,
        opened=change.now,
        deadline=Instant(deadline),
        idle=under.idle,
        plan=1,
    )
    ceiling = _ceiling(change, task, under)
    plan = Plan(task=task.id, version=1, steps=ceiling, sources=tuple(range(len(ceiling))), at=change.now)
    change.record("task.opened", task, by)
    change.record("plan.made", plan, by)
    return task


def plan(change: Change, task_id: str, steps: tuple[Step, ...], by: str) -> Plan:
    """Submit the next version of the plan. Only an equal or narrower one is accepted; the older credential then ends.

    Refuses a step that the ceiling does not cover (`plan_outside`) and one that the version before does not hold
    (`plan_wider`): a wider plan needs an approval, and approvals are not open. What was used stays used: `store.apply`
    carries it on to the new version.
    """
    task = change.need(Task, task_id)
    brief = change.need(Brief, task.brief)
    LIFE.after(task.state, "planned")
    before = change.need(Plan, f"{task.id}:{task.plan}")
    ceiling = _ceiling(change, task, brief)
    sources, refusals = draw(ceiling, steps)
    if refusals:
        first = refusals[0]
        raise RemitError("plan_outside", f"This plan is not within the brief: {first.what}", first.may or "Plan less.")
    held = draw(before.steps, steps)[0]
    wider = [step.action for step, old in zip(steps, held, strict=True) if old < 0]
    if wider:
        raise RemitError(
            "plan_wider",
            f"This plan is wider than the version before it at {wider[0]}.",
            "Plan equal or narrower steps; widening needs an approval, and approvals are not open here.",
        )
    made = Plan(task=task.id, version=task.plan + 1, steps=steps, sources=sources, at=change.now)
    change.record("plan.made", made, by)
    change.record("task.planned", changed(task, plan=made.version), by)
    for child in list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task.id,))):
        end(change, child.id, "plan", by)
    return made


def end(change: Change, task_id: str, because: str, by: str) -> list[Task]:
    """End a task and every task below it, deepest last. What is ended already is left alone. Returns what it ended."""
    task = change.need(Task, task_id)
    if task.state == "ended":
        return []
    ended = [changed(task, state=LIFE.after(task.state, "ended"), because=because)]
    change.record("task.ended", ended[0], by)
    for child in list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task.id,))):
        ended += end(change, child.id, "parent", by)
    return ended


def suspend(change: Change, task_id: str, by: str) -> Task:
    """Hold a task: nothing under it is allowed until it is resumed. Its deadline stays."""
    return _moved(change, task_id, "suspended", by)


def resume(change: Change, task_id: str, by: str) -> Task:
    """Let a task that was held go on, under the plan that it has. Refuses one that is not held."""
    return _moved(change, task_id, "resumed", by)


def _moved(change: Change, task_id: str, event: str, by: str) -> Task:
    task = change.need(Task, task_id)
    now_is = changed(task, state=LIFE.after(task.state, event))
    change.record(f"task.{event}", now_is, by)
    return now_is


def _ceiling(change: Change, task: Task, brief: Brief) -> tuple[Step, ...]:
    if not task.parent:
        return brief.steps
    above = change.need(Task, task.parent)
    return change.need(Plan, f"{above.id}:{above.plan}").steps


def _dispatches(change: Change, brief: Brief, requester: str) -> None:
    person = change.reader.get(Person, requester) if requester.startswith("per_") else None
    if requester.startswith("agt_") or not principal_live(change.reader, requester):
        raise RemitError(
            "dispatcher_refused", "Only a person or a service who is here can dispatch.", "Ask a dispatcher."
        )
    if not brief.dispatched_by(requester, person):
        raise RemitError(
            "dispatcher_refused",
            f"The brief {brief.name} does not list this dispatcher.",
            "Ask the operator to list them.",
        )


def _child(change: Change, above: Task, brief: Brief, requester: str, person: str) -> None:
    chain = ancestors(change.reader, above)
    if above.state != "open" or chain is None or brief.name != above.brief:
        raise RemitError("parent_ended", "The task above cannot have children.", "Open it anew, under the same brief.")
    if len(chain) + 1 > brief.depth:
        raise RemitError(
            "depth_exceeded", f"The brief allows {brief.depth} levels below a task.", "Do it in the task itself."
        )
    if requester != above.requester or person != above.person:
        raise RemitError(
            "person_other", "A child task has its parent's requester and person.", "Pass both on unchanged."
        )
