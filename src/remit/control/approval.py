"""Approvals: asked in the transaction that refuses the call, answered by people, held against the same call again.

Whoever requested the task never answers. What was shown is put together anew when it is answered and when it is used;
one byte that differs voids it.
"""

import json

from msgspec.structs import replace

from remit.control import proposal
from remit.control.change import Change
from remit.control.policy import current
from remit.core import approval as rules
from remit.core.agent import Agent
from remit.core.answer import Ask, Decision, Deny
from remit.core.approval import Approval, Asked, Terms, Yes
from remit.core.call import Call
from remit.core.canonical import Json, b64, canon
from remit.core.card import card
from remit.core.decision import decide
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.task import Task
from remit.store import approval as store
from remit.store import payload
from remit.store.facts import facts

AGAIN = "Send the very same call again once they have."


def settle(
    change: Change, call: Call, seen: Facts, ask: Ask, call_id: str, salt: bytes, service: str = ""
) -> tuple[Decision, bool]:
    """Decide a call that needs a yes: with an approval that stands, else refused while people are asked.

    The second value says whether this call is the one that asks; `service` is who asked for the decision, if one did.
    """
    if seen.task is None or seen.brief is None or seen.credential is None:
        return Deny("facts_missing", "The decision lacks a fact.", grounds=ask.grounds), False
    for one, used in store.candidates(change.db, seen.task.id, call.action, b64(call.digest), change.now):
        if one.uses > 1 and _sifted(ask):
            continue
        asked = _asked(change, seen, call, one, used, ask)
        verdict = rules.stands(asked, change.now)
        if verdict == "yes":
            return decide(call, replace(seen, asked=asked)), False
        if verdict == "void":
            change.record(
                "approval.voided",
                changed(one, state=rules.LIFE.after(one.state, "voided")),
                "gate",
                "what it showed moved",
            )
        elif verdict == "denied":
            return Deny("approval_denied", "A person said no to this.", "Do without it.", ask.grounds, one.id), False
        elif verdict == "pending":
            return _wait(one, ask), False
    if store.waiting(change.db, seen.task.id, change.now) >= rules.MOST:
        return Deny(
            "approval_flood", "Too much of this task waits for people.", "Wait for answers.", ask.grounds
        ), False
    made = changed(_made(change, call, seen, ask, call_id, salt), service=service)
    change.record("approval.asked", made, "gate")
    return _wait(made, ask), True


def answer(change: Change, identity: str, by: str, *, yes: bool, shown: str, via: str, because: str = "") -> Approval:
    """Take one person's answer to exactly what they were shown (`shown` is its digest).

    Refuses an ask that is over (`approval_closed`), what has moved since (`approval_moved`), the requester and others
    whom the brief bars, and whoever is in no group that is asked (`approver_refused`).
    """
    one = change.need(Approval, identity)
    if not one.waits(change.now):
        raise RemitError("approval_closed", "This ask is over.", "List what waits: remit approvals.")
    found, text = show(change, one)
    if found is None or text != one.shown or shown != one.shown:
        raise RemitError("approval_moved", "What it asks about is not what you were shown.", "Look at it again.")
    group = _group(change, one, by)
    if not yes:
        said = changed(one, no=by, answered=change.now, state=rules.LIFE.after(one.state, "denied"))
        change.record("approval.denied", said, by, because)
        proposal.put_off(change, said, by)
        return said
    said = changed(one, yes=(*one.yes, Yes(by=by, group=group, at=change.now, via=via)))
    whole = not rules.lacking(said, people(change, said), _barred(change, one.task, one.bar))
    said = changed(said, answered=change.now, state=rules.LIFE.after(one.state, "approved" if whole else "heard"))
    change.record("approval.approved" if whole else "approval.heard", said, by, because)
    if whole and said.about != "call":
        proposal.carry_out(change, said, by)
    return said


def show(change: Change, one: Approval) -> tuple[dict[str, Json] | None, str]:
    """What people are shown of an ask as things stand now, and its digest; nothing when a part of it is gone."""
    if one.about != "call":
        return proposal.show(change, one)
    held = payload.get(change.db, one.call)
    task = change.reader.get(Task, one.task)
    if held is None or task is None or task.state != "open" or change.now >= task.deadline:
        return None, ""
    arguments = json.loads(held[1])
    call = Call(one.action, arguments)
    seen = facts(change.reader, one.credential, call, "", change.now, lambda path: current(change, path))
    found = card(seen, one, arguments)
    return found, rules.shown(found, held[0])


def people(change: Change, one: Approval) -> dict[str, Person]:
    """Those who said yes, as they stand now."""
    found = ((each.by, change.reader.get(Person, each.by)) for each in one.yes)
    return {identity: person for identity, person in found if person is not None}


def _asked(change: Change, seen: Facts, call: Call, one: Approval, used: int, ask: Ask) -> Asked:
    """See an approval as this call's decision does: what it would show now, by the rules that hold now."""
    held = payload.get(change.db, one.call)
    terms = seen.brief.approval if seen.brief else Terms()
    uses = 1 if _sifted(ask) else terms.uses(one.action)
    now_is = changed(one, groups=ask.groups, need=terms.need, bar=terms.bar, uses=uses)
    arguments = json.loads(held[1]) if held else {}
    found = card(seen, now_is, arguments) if held else None
    same = rules.fits(dict(call.arguments), rules.shape(arguments)) if one.uses > 1 else one.digest == b64(call.digest)
    return Asked(
        approval=one,
        used=used,
        shown=rules.shown(found, held[0]) if held else "",
        fits=bool(held) and same,
        people=people(change, one),
        barred=_barred(change, one.task, terms.bar),
    )


def _sifted(ask: Ask) -> bool:
    """Whether lineage asks: what it asks about are values, so no yes to a mere shape answers it."""
    return ask.traced is not None and ask.traced.answer == "ask"


def _barred(change: Change, task_id: str, bar: tuple[str, ...]) -> frozenset[str]:
    task = change.need(Task, task_id)
    agent = change.reader.get(Agent, task.agent)
    return rules.barred(bar, task.requester, agent.owner if agent else "", task.person)


def _made(change: Change, call: Call, seen: Facts, ask: Ask, call_id: str, salt: bytes) -> Approval:
    if seen.task is None or seen.brief is None or seen.credential is None:
        raise RemitError("facts_missing", "The decision lacks a fact.", "Report this: it is a defect in Remit.")
    terms = seen.brief.approval
    uses = 1 if _sifted(ask) else terms.uses(call.action)
    blank = Approval(
        id=change.authority.make("apr"),
        task=seen.task.id,
        call=call_id,
        credential=seen.credential.id,
        action=call.action,
        digest="" if uses > 1 else b64(call.digest),
        shown="",
        groups=ask.groups,
        asked=change.now,
        until=Instant(min(change.now + terms.life, seen.task.deadline)),
        need=terms.need,
        uses=uses,
        bar=terms.bar,
    )
    what = card(seen, blank, call.arguments)
    if what is not None:
        payload.put_card(change.db, call_id, canon(what))
    return changed(blank, shown=rules.shown(what, salt))


def _group(change: Change, one: Approval, by: str) -> str:
    """The group for which this person's answer counts."""
    person = change.reader.get(Person, by)
    if person is None or person.state != "active":
        raise _refused("Only a person who is here can answer.")
    if by in _barred(change, one.task, one.bar):
        raise _refused("Who asked for this, or is barred by its brief, cannot answer it.")
    if any(each.by == by for each in one.yes):
        raise _refused("You have answered this already.")
    open_to = [group for group in rules.lacking(one, people(change, one), frozenset()) if group in person.groups]
    if not open_to:
        raise _refused(f"It takes somebody of {' and '.join(one.groups)}.")
    return open_to[0]


def cannot(change: Change, one: Approval, by: str) -> str:
    """Why this person cannot answer an ask that waits; empty when they can."""
    try:
        _group(change, one, by)
    except RemitError as fault:
        return fault.message
    return ""


def _refused(why: str) -> RemitError:
    return RemitError("approver_refused", why, "Let somebody else of these groups answer it.")


def _wait(one: Approval, ask: Ask) -> Deny:
    who = " and ".join(one.groups)
    return Deny("approval_pending", f"This waits for a yes of {who} ({one.id}).", AGAIN, ask.grounds, one.id)
