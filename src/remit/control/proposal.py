"""Proposals: what a brief asks people about besides calls. Bound to exactly what was shown, carried out with the yes.

What is proposed lies beside the ledger, with its salt; the approval holds digests. It is judged again in the
transaction of the last yes, against what is in force then.
"""

import json
from typing import Final

from remit.control import reach, task, withdrawal
from remit.control.change import Change
from remit.core import approval as rules
from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.canonical import Json, b64, canon, digest
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.proposal import opening_card, plan_card
from remit.core.record import changed
from remit.core.step import Step
from remit.core.task import LIFE, Plan, Task
from remit.store import approval as store
from remit.store import payload

PLAN: Final = "plan"
OPENING: Final = "opening"


def ask(change: Change, one: Task, about: str, said: Json) -> Approval:
    """Ask the brief's approvers about this. Whoever calls has asked whether it is `flooded`."""
    brief = change.need(Brief, one.brief)
    terms, salt, held = brief.approval, change.authority.random(16), change.authority.make("cal")
    blank = Approval(
        id=change.authority.make("apr"),
        task=one.id,
        call=held,
        credential="",
        action=about,
        digest=b64(digest(said)),
        shown="",
        groups=_groups(change, one, brief, about, said),
        asked=change.now,
        until=Instant(min(change.now + terms.life, one.deadline)),
        need=terms.need,
        bar=terms.bar,
        about=about,
    )
    payload.put(change.db, held, salt, canon(said))
    found = _card(change, blank, said)
    if found is not None:
        payload.put_card(change.db, held, canon(found))
    made = changed(blank, shown=rules.shown(found, salt))
    change.record("approval.asked", made, "gate")
    return made


def flooded(change: Change, one: Task) -> RemitError | None:
    """The fault that refuses one more ask of a task which has too many waiting already; None while there is room."""
    if store.waiting(change.db, one.id, change.now) < rules.MOST:
        return None
    return RemitError("approval_flood", "Too much of this task waits for people.", "Wait for answers.")


def waiting(change: Change, one: Task, about: str, said: Json) -> Approval | None:
    """The approval that was asked for exactly this and is not over: pending, or refused by a person."""
    found = store.candidates(change.db, one.id, about, b64(digest(said)), change.now)
    return next((each for each, _ in found if each.state in ("pending", "denied") and _shows(change, each)), None)


def show(change: Change, one: Approval) -> tuple[Json, str]:
    """What people are shown of a proposal as things stand now, and its digest; nothing when a part of it is gone."""
    held = payload.get(change.db, one.call)
    if held is None:
        return None, ""
    found = _card(change, one, json.loads(held[1]))
    return found, rules.shown(found, held[0])


def carry_out(change: Change, one: Approval, by: str) -> None:
    """Do what everybody who was asked has said yes to. What was shown was compared in this same transaction."""
    held = payload.get(change.db, one.call)
    if held is None:
        raise RemitError("approval_moved", "What it asks about is gone.", "Send the plan again.")
    body, errand = json.loads(held[1]), change.need(Task, one.task)
    if one.about == OPENING:
        opened = {"state": LIFE.after(errand.state, "admitted"), "held": "", "admitted": one.id}
        change.record("task.admitted", changed(errand, lifted=tuple(body["over"]), **opened), by)
        return
    steps = _steps(body)
    moved = task.moves(change, errand, steps)
    withdrawal.withdraw(change, errand.id, by)
    task.versioned(change, errand, steps, moved, by, approval=one.id, lifted=tuple(body["over"]))
    if withdrawal.unproven(change, errand.id):
        task.suspend(change, errand.id, by, "unproven")


def put_off(change: Change, one: Approval, by: str) -> None:
    """Do what follows from a person's no: a task whose opening was refused ends."""
    if one.about == OPENING:
        task.end(change, one.task, "refused", by)


def body(change: Change, errand: Task, steps: tuple[Step, ...]) -> dict[str, Json]:
    """What is proposed: the steps, what they could reach at worst, and in what that is beyond the brief's budget."""
    brief, agent, life = (
        change.need(Brief, errand.brief),
        change.need(Agent, errand.agent),
        errand.deadline - errand.opened,
    )
    found = reach.of(change.reader, brief, agent, steps, life)
    beyond = () if errand.parent else reach.excess(change.reader, brief, agent, steps, life)
    return {"steps": [step.to_json() for step in steps], "reach": found.to_json(), "over": list(beyond)}


def _shows(change: Change, one: Approval) -> bool:
    return show(change, one)[1] == one.shown


def _card(change: Change, one: Approval, said: Json) -> Json:
    """What it shows now; nothing once the task, its brief or its agent would not let it be carried out."""
    errand = change.reader.get(Task, one.task)
    state = ("suspended", "reach") if one.about == OPENING else ("open", "")
    if errand is None or (errand.state, errand.held) != state or change.now >= errand.deadline:
        return None
    brief, agent = change.reader.get(Brief, errand.brief), change.reader.get(Agent, errand.agent)
    before = change.reader.get(Plan, f"{errand.id}:{errand.plan}")
    if brief is None or brief.state != "live" or agent is None or agent.state != "active" or before is None:
        return None
    steps = _steps(said)
    if body(change, errand, steps) != said:
        return None
    groups = _groups(change, errand, brief, one.about, said)
    now_is = changed(one, groups=groups, need=brief.approval.need, bar=brief.approval.bar)
    if one.about == OPENING:
        return dict(opening_card(now_is, errand, agent, brief, steps, said))
    moved = task.moves(change, errand, steps)
    if moved.narrows or moved.refusal is not None or brief.replan != "ask":
        return None
    return dict(plan_card(now_is, errand, agent, brief, before, steps, moved, said))


def _groups(change: Change, errand: Task, brief: Brief, about: str, said: Json) -> tuple[str, ...]:
    """Who is asked: of each path by which there is something new or wider, its own approvers (law 2)."""
    steps = _steps(said)
    if about == PLAN and not said["over"]:
        moved = task.moves(change, errand, steps)
        new = [steps[number] for number in (*moved.widened, *moved.added)]
        return brief.asked(step.path for step in new or steps)
    return brief.asked(step.path for step in steps)


def _steps(said: Json) -> tuple[Step, ...]:
    return tuple(Step.from_json(one) for one in said["steps"])
