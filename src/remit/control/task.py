"""Tasks: opened by a dispatcher, planned within the brief, ended by completion, idleness, deadline or revocation."""

import hashlib
from collections.abc import Mapping
from typing import Final

from remit.control import agent as agents
from remit.control import lease as leases
from remit.control import reach as reached
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import b64
from remit.core.errors import RemitError
from remit.core.grant import Refusal, Step, draw
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.replan import Kind, Moved, classify
from remit.core.task import LIFE, Plan, Task
from remit.core.trust import TrustPath
from remit.store import carried, payload
from remit.store.facts import ancestors, principal_live

NOT_CONSENTED: Final = Refusal(
    "plan_outside", "The person did not consent to this.", "Plan within what they consented to, or ask them anew."
)
REQUEST: Final = 20_000
"""How long the words of a request may be, in bytes."""


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
    steps: tuple[Step, ...] | None = None,
    consent: str = "",
    request: str = "",
    watched: bool = False,
    by: str,
) -> Task:
    """Open one errand under a brief, with `steps` as plan version 1: without, the brief's (for a child: its parent's).

    Where the plan's reach is beyond the brief's budget, it is refused (`reach_over`), or held until people say yes.
    `steps` are a plan that is narrower from the start (`plan_outside` when it is not). A person's `consent` is to its
    first plan; no later one goes beyond it. `request` is what the person or dispatcher asked for, in their own words;
    it lies beside the ledger, and its salt is the key of the task's lineage.

    Refuses a requester whom the brief does not list (`dispatcher_refused`, law 4), an agent that it does not list or
    that is not active, a person who is not the requester's own delegation, and a child that is wider or deeper than its
    parent.
    """
    under, actor = change.need(Brief, brief), change.need(Agent, agent)
    _gives(change, under, actor, child=bool(parent))
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
    salt, words = change.authority.random(32), request.encode()
    if len(words) > REQUEST or (above is not None and words):
        raise RemitError(
            "request_invalid",
            "This request is too long, or it is a child task's: that has its parent's.",
            f"Give the request of the person, of at most {REQUEST} bytes, with the task at the top.",
        )
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
        consent=above.consent if above is not None else consent,
        request=b64(hashlib.sha256(salt + words).digest()) if words else "",
        watched=watched,
    )
    if words or (under.lineage is not None and above is None):
        payload.put(change.db, task.id, salt, words)
    ceiling = _ceiling(change, task, under)
    sources = tuple(range(len(ceiling))) if steps is None else _drawn(ceiling, steps)
    planned = ceiling if steps is None else steps
    plan = Plan(task=task.id, version=1, steps=planned, sources=sources, at=change.now)
    over = () if parent else reached.admit(change, under, actor, planned, deadline - change.now)
    if over:
        task = changed(task, state="suspended", held="reach")
    change.record("task.opened", task, by)
    change.record("plan.made", plan, by)
    if not parent:
        carried.put_key(change.db, task.id, change.authority.random(16))
    return task


def _gives(change: Change, under: Brief, actor: Agent, *, child: bool) -> None:
    """Refuse an agent that may do nothing now, or to which the brief gives nothing (`task_refused`)."""
    if lacks := agents.lacking(actor, change.now):
        raise RemitError("task_refused", *lacks)
    if under.state != "live" or not under.gives(actor.id, child=child):
        raise RemitError(
            "task_refused",
            f"The brief {under.name} gives no task to this agent now.",
            "Ask the operator to put the brief in force, or to list the agent in it.",
        )


def plan(change: Change, task_id: str, steps: tuple[Step, ...], by: str) -> Plan:
    """Submit the next version of the plan. Only an equal or narrower one is accepted; the older credential then ends.

    Refuses a step that the ceiling does not cover (`plan_outside`) and one that the version before does not hold
    (`plan_wider`), and leaves all as it was: control/replan does what the brief says of a wider one. What was used
    stays used: `store.apply` carries it on to the new version.
    """
    task = change.need(Task, task_id)
    moved = moves(change, task, steps)
    if not moved.narrows:
        raise beyond(moved, steps)
    made = versioned(change, task, steps, moved, by)
    for child in list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task.id,))):
        end(change, child.id, "plan", by)
    return made


def moves(change: Change, task: Task, steps: tuple[Step, ...]) -> Moved:
    """What these steps are against the plan in force. Refuses a task that takes no plan (`transition_refused`)."""
    LIFE.after(task.state, "planned")
    before = change.need(Plan, f"{task.id}:{task.plan}")
    moved = classify(_ceiling(change, task, change.need(Brief, task.brief)), before.steps, steps)
    if task.consent and not task.parent:
        first = change.need(Plan, f"{task.id}:1")
        if draw(first.steps, steps)[1]:
            return Moved(Kind.OUTSIDE, refusal=NOT_CONSENTED)
    return moved


def beyond(moved: Moved, steps: tuple[Step, ...]) -> RemitError:
    """The fault that refuses a plan which does not narrow."""
    if moved.refusal is not None:
        what, may = moved.refusal.what, moved.refusal.may
        return RemitError("plan_outside", f"This plan is not within the brief: {what}", may or "Plan less.")
    step = steps[(*moved.crossed, *moved.widened, *moved.added)[0]]
    how = "goes another path than" if moved.crossed else "is wider than"
    return RemitError(
        "plan_wider",
        f"This plan {how} the version before it at {step.action} on the {step.path.value} path.",
        "Plan equal or narrower steps.",
    )


def versioned(
    change: Change,
    task: Task,
    steps: tuple[Step, ...],
    moved: Moved,
    by: str,
    *,
    approval: str = "",
    because: str = "",
    lifted: tuple[str, ...] = (),
) -> Plan:
    """Put these steps in force as the next version; `lifted` is where people let it go beyond the budget."""
    made = Plan(
        task=task.id,
        version=task.plan + 1,
        steps=steps,
        sources=moved.sources,
        at=change.now,
        moved=moved.kind.value,
        approval=approval,
        because=because,
    )
    change.record("plan.made", made, by)
    beyond_budget = (*task.lifted, *(one for one in lifted if one not in task.lifted))
    change.record("task.planned", changed(task, plan=made.version, lifted=beyond_budget), by)
    leases.end(change, "plan", by, task=task.id, before=made.version)
    return made


def end(change: Change, task_id: str, because: str, by: str) -> list[Task]:
    """End a task and every task below it, deepest last. What is ended already is left alone. Returns what it ended."""
    task = change.need(Task, task_id)
    if task.state == "ended":
        return []
    ended = [changed(task, state=LIFE.after(task.state, "ended"), because=because)]
    change.record("task.ended", ended[0], by)
    leases.end(change, "task", by, task=task.id)
    for child in list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task.id,))):
        ended += end(change, child.id, "parent", by)
    return ended


def suspend(change: Change, task_id: str, by: str, held: str = "unplanned") -> Task:
    """Hold a task: nothing under it is allowed until it is resumed. Its deadline stays."""
    return _moved(change, task_id, "suspended", by, held)


def resume(change: Change, task_id: str, by: str) -> Task:
    """Let a task that was held go on, under the plan that it has. Refuses one that is not held.

    What waits for a proof or for a yes is not resumed by hand (`task_waits`).
    """
    task = change.need(Task, task_id)
    if task.state == "suspended" and task.held in ("unproven", "reach"):
        what = "the proof that its plan before is ended" if task.held == "unproven" else "a yes to its reach"
        raise RemitError("task_waits", f"This task waits for {what}.", "It goes on by itself then.")
    return _moved(change, task_id, "resumed", by)


def _moved(change: Change, task_id: str, event: str, by: str, held: str = "") -> Task:
    task = change.need(Task, task_id)
    now_is = changed(task, state=LIFE.after(task.state, event), held=held)
    change.record(f"task.{event}", now_is, by)
    if event == "suspended":
        leases.end(change, "held", by, task=task.id)
    return now_is


def proven(change: Change, task_id: str, by: str) -> Task:
    """Let a task go on that waited until the ends of its plan before were proven."""
    return _moved(change, task_id, "resumed", by)


def _drawn(ceiling: tuple[Step, ...], steps: tuple[Step, ...]) -> tuple[int, ...]:
    """For each step the one of the ceiling that covers it (`plan_outside`)."""
    sources, refusals = draw(ceiling, steps)
    if refusals:
        first = refusals[0]
        raise RemitError("plan_outside", f"This plan is not within the brief: {first.what}", first.may or "Plan less.")
    return sources


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
    reached.children(change, above, brief)
    if len(chain) + 1 > brief.depth:
        raise RemitError(
            "depth_exceeded", f"The brief allows {brief.depth} levels below a task.", "Do it in the task itself."
        )
    if requester != above.requester or person != above.person:
        raise RemitError(
            "person_other", "A child task has its parent's requester and person.", "Pass both on unchanged."
        )
