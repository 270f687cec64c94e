"""Proposals: what a brief asks people about besides calls. Bound to exactly what was shown, carried out with the yes.

What is proposed lies beside the ledger, with its salt; the approval holds digests. It is judged again in the
transaction of the last yes, against what is in force then.
"""

import json
from typing import Final

from remit.control import task, withdrawal
from remit.control.change import Change
from remit.core import approval as rules
from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.canonical import Json, b64, canon, digest
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.proposal import plan_card
from remit.core.record import changed
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.store import approval as store
from remit.store import payload

PLAN: Final = "plan"


def ask(change: Change, one: Task, about: str, body: Json) -> Approval:
    """Ask the brief's approvers about this; refuses a task that has too many asks waiting (`approval_flood`)."""
    brief = change.need(Brief, one.brief)
    if store.waiting(change.db, one.id, change.now) >= rules.MOST:
        raise RemitError("approval_flood", "Too much of this task waits for people.", "Wait for answers.")
    terms, salt, held = brief.approval, change.authority.random(16), change.authority.make("cal")
    blank = Approval(
        id=change.authority.make("apr"),
        task=one.id,
        call=held,
        credential="",
        action=about,
        digest=b64(digest(body)),
        shown="",
        groups=brief.approvers,
        asked=change.now,
        until=Instant(min(change.now + terms.life, one.deadline)),
        need=terms.need,
        bar=terms.bar,
        about=about,
    )
    payload.put(change.db, held, salt, canon(body))
    found = _card(change, blank, body)
    if found is not None:
        payload.put_card(change.db, held, canon(found))
    made = changed(blank, shown=rules.shown(found, salt))
    change.record("approval.asked", made, "gate")
    return made


def waiting(change: Change, one: Task, about: str, body: Json) -> Approval | None:
    """The approval that was asked for exactly this and is not over: pending, or refused by a person."""
    found = store.candidates(change.db, one.id, about, b64(digest(body)), change.now)
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
    errand, steps = change.need(Task, one.task), _steps(json.loads(held[1]))
    moved = task.moves(change, errand, steps)
    withdrawal.withdraw(change, errand.id, by)
    task.versioned(change, errand, steps, moved, by, approval=one.id)
    if withdrawal.unproven(change, errand.id):
        task.suspend(change, errand.id, by, "unproven")


def _shows(change: Change, one: Approval) -> bool:
    return show(change, one)[1] == one.shown


def _card(change: Change, one: Approval, body: Json) -> Json:
    errand = change.reader.get(Task, one.task)
    if errand is None or errand.state != "open" or change.now >= errand.deadline:
        return None
    brief, agent = change.reader.get(Brief, errand.brief), change.reader.get(Agent, errand.agent)
    before = change.reader.get(Plan, f"{errand.id}:{errand.plan}")
    if brief is None or brief.state != "live" or brief.replan != "ask" or agent is None or before is None:
        return None
    if agent.state != "active":
        return None
    now_is = changed(one, groups=brief.approvers, need=brief.approval.need, bar=brief.approval.bar)
    steps = _steps(body)
    moved = task.moves(change, errand, steps)
    if moved.narrows or moved.refusal is not None:
        return None
    return dict(plan_card(now_is, errand, agent, brief, before, steps, moved))


def _steps(body: Json) -> tuple[Step, ...]:
    return tuple(Step.from_json(one) for one in body["steps"])
