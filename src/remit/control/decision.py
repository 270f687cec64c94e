"""Deciding a call and noting how it ended: the only place where a Permit is made, and only after the commit."""

import json
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from remit.control import approval, flow, lease, lineage, task
from remit.control.authority import Authority
from remit.control.change import Change
from remit.control.policy import current
from remit.control.possession import Ticket
from remit.core.answer import Allow, Ask, Decision, Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.decision import decide, refuse
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.lease import Lease
from remit.core.lineage.source import Heed
from remit.core.permit import Carry, Entry, Fault, Permit, Said
from remit.core.receipt import MERGED, VERSION, decided, digests, outcome
from remit.core.resource import Resource
from remit.core.trust import TrustPath
from remit.store import payload
from remit.store.apply import usage
from remit.store.facts import facts

LIFE_MS: Final = 1_000
FLOOD_EACH_S: Final = 50
Hold = Callable[[Change, Facts, Decision, str], Decision]
"""What a door holds a decision to besides, in its transaction, before its receipt: it may only narrow."""
RESULTS: Final = frozenset({"ok", "error", "cut", "not_sent", "unknown", "withheld"})


class Decided(msgspec.Struct, frozen=True):
    """What the transaction holds of one decision, before anybody may act on it."""

    call: str
    decision: Decision
    leaf: int
    task: str
    steady: int
    target: Resource | None = None
    lease: Lease | None = None
    heed: Heed | None = None
    carry: Carry | None = None
    said: Said | None = None


class Denials:
    """Keeps floods of denials out of the ledger: past 50 a second, an agent's denials are counted and written as one.

    Owned by the authority's writer. Nothing that is allowed ever passes here.
    """

    def __init__(self) -> None:
        self._second: dict[str, tuple[int, int]] = {}
        self._held: dict[tuple[str, str], int] = {}
        self._told: dict[tuple[str, str], int] = {}
        self._in: object = None

    def admits(self, agent: str, code: str, now: int) -> bool:
        """Say whether this denial gets a receipt of its own; count it when not."""
        second, count = self._second.get(agent, (0, 0))
        if second != now // 1000:
            second, count = now // 1000, 0
        self._second[agent] = second, count + 1
        if count < FLOOD_EACH_S:
            return True
        self._held[agent, code] = self._held.get((agent, code), 0) + 1
        return False

    def due(self, now: int, within: object, *, last: bool = False) -> list[tuple[str, str, int]]:
        """Take the counts of agents whose second is over, or with `last` all; `within` is the transaction they go into.

        What went into a transaction that came to nothing is given back when the next one asks.
        """
        if within is not self._in:
            for key, count in self._told.items():
                self._held[key] = self._held.get(key, 0) + count
            self._told.clear()
            self._in = within
        over = [key for key in self._held if last or self._second[key[0]][0] != now // 1000]
        found = [(*key, self._held.pop(key)) for key in over]
        for agent, code, count in found:
            self._told[agent, code] = self._told.get((agent, code), 0) + count
        return found

    def kept(self) -> None:
        """The transaction that took counts last has committed."""
        self._told.clear()


def merged(denials: Denials) -> Callable[[Change], int]:
    """The piece of work that writes down every count that is still held, for a clean stop; returns how many."""

    def run(change: Change) -> int:
        return _merged(change, denials, last=True)

    return run


def _merged(change: Change, denials: Denials, *, last: bool = False) -> int:
    found = denials.due(change.now, change, last=last)
    for agent, code, count in found:
        change.receipt({"v": VERSION, "kind": MERGED, "at": change.now, "agent": agent, "code": code, "count": count})
    return len(found)


def work(
    call: Call,
    entry: Entry,
    origin: str,
    denials: Denials,
    refused: Deny | None = None,
    *,
    service: str = "",
    hold: Hold | None = None,
) -> Callable[[Change], Decided]:
    """The piece of work that decides one call in the batch's transaction, or records what a gate refused by itself.

    `service` is who asked, and `hold` what its door holds the decision to besides.
    """

    def run(change: Change) -> Decided:
        authority, now = change.authority, change.now
        wrong = refused or _spend(change, entry)
        seen = facts(change.reader, entry.credential, call, origin, now, lambda path: current(change, path))
        decision: Decision = decide(call, seen) if wrong is None else refuse(call, seen, wrong)
        steady, errand = authority.clock.steady(), seen.task.id if seen.task else ""
        call_id, salt, asks = authority.make("cal"), authority.random(16), False
        traced = decision.traced
        if isinstance(decision, Ask):
            decision, asks = approval.settle(change, call, seen, decision, call_id, salt, service)
        if hold is not None:
            decision = hold(change, seen, decision, call_id)
        lent: Lease | None = None
        if seen.resource is not None and seen.resource.minting is not None and not service:
            decision, lent = _lent(change, call, seen, decision)
        _merged(change, denials)
        own = _drifted(change, seen, decision) or asks
        if isinstance(decision, Deny) and not own and not denials.admits(entry.agent, decision.code, now):
            return Decided(call_id, decision, -1, errand, steady)
        carry, mixed = flow.carry(change, call, seen, decision)
        said = decided(call, seen, decision, call_id=call_id, salt=salt, service=service, traced=traced, mixed=mixed)
        leaf = change.receipt(said)
        if call.arguments or own:
            payload.put(change.db, call_id, salt, call.text)
        heed = lineage.heed(call, seen) if isinstance(decision, Allow) else None
        return Decided(call_id, decision, leaf, errand, steady, seen.resource, lent, heed, carry, _said(call, seen))

    return run


def _spend(change: Change, entry: Entry) -> Deny | None:
    """Use up the proof that the credential came with, in the transaction that decides: it counts once (RFC 9449)."""
    return entry.ticket.spend(change) if isinstance(entry.ticket, Ticket) else None


def spent(entry: Entry) -> None:
    """The transaction that decided for this entry has committed: further decisions of its request need no new proof."""
    if isinstance(entry.ticket, Ticket):
        entry.ticket.kept()


def _lent(change: Change, call: Call, seen: Facts, decision: Decision) -> tuple[Decision, Lease | None]:
    """Find or intend what an allowed call borrows at its target, in its transaction; without it the call is refused."""
    logs_in = call.kind[0] != "@" or call.action.startswith("sql:")
    if not isinstance(decision, Allow) or not logs_in or seen.task is None or seen.resource is None:
        return decision, None
    path = seen.credential.path if seen.credential else TrustPath.OWN
    found = lease.need(change, seen.task, seen.resource, path)
    return (found, None) if isinstance(found, Deny) else (decision, found)


def _said(call: Call, seen: Facts) -> Said | None:
    """What a transaction token will say of this call; nothing where the target wants none."""
    if seen.resource is None or not seen.resource.transaction or seen.credential is None or seen.task is None:
        return None
    paper, errand = seen.credential, seen.task
    return Said(paper.subject, paper.agent, paper.plan, call.action, errand.requester, errand.brief)


def _drifted(change: Change, seen: Facts, decision: Decision) -> bool:
    """Do to the task what its brief says of an act outside the plan, in the transaction that refuses it."""
    rule = seen.brief.unplanned if seen.brief else "refuse"
    if rule == "refuse" or seen.task is None or not isinstance(decision, Deny) or decision.code != "plan_outside":
        return False
    if rule == "hold":
        task.suspend(change, seen.task.id, "gate")
    else:
        task.end(change, seen.task.id, "plan", "gate")
    return True


def permit(call: Call, entry: Entry, found: Decided | RemitError) -> Permit | Deny | Fault:
    """Turn a committed decision into the answer for the gate."""
    if isinstance(found, RemitError):
        return Fault(found.code, found.message)
    if isinstance(found.decision, Allow):
        return Permit(
            call=found.call,
            digest=call.digest,
            leaf=found.leaf,
            task=found.task,
            path=entry.path,
            resource=call.resource,
            until=found.steady + LIFE_MS,
            visible=found.decision.visible,
            counted=found.decision.counted,
            target=found.target,
            lease=found.lease.id if found.lease else "",
            heed=found.heed,
            carry=found.carry,
            said=found.said,
        )
    if isinstance(found.decision, Deny):
        return found.decision
    return Deny("approval_unavailable", "This needs an approval, and approvals are not open here.")


def note(
    permit: Permit,
    result: Mapping[str, Json],
    held: tuple[int, bytes] | None = None,
    known: flow.Held | None = None,
) -> Callable[[Change], bool]:
    """The piece of work that records how an allowed call ended. `result` names one of `RESULTS`.

    `rows` in it are counted on the steps that limit them, in this transaction; an answer with more than is left is
    recorded as withheld, and the work returns False: it must not leave. `held` is what lineage remembers of the answer,
    `known` what is known again on the other path.
    """

    def run(change: Change) -> bool:
        if result.get("result") not in RESULTS:
            raise RemitError(
                "outcome_invalid", "This is not how a call can end.", f"Use one of {', '.join(sorted(RESULTS))}."
            )
        said = {name: value for name, value in result.items() if name != "answer"}
        rows = said.pop("rows", None)
        fits = True
        if permit.counted and (said["result"] == "ok" or (said["result"] == "error" and rows is not None)):
            count = rows if isinstance(rows, int) and rows >= 0 else None
            fits = count is not None and all(_used(change, one[:3]) + count <= one[3] for one in permit.counted)
            if fits:
                said["rows"] = [{"task": t, "scope": s, "step": n, "rows": count} for t, s, n, _ in permit.counted]
            else:
                said["result"] = "withheld"
        change.receipt(outcome(permit.call, permit.leaf, change.now, said))
        if held is not None and said["result"] == "ok":
            lineage.remember(change, permit, held)
        flow.remember(change, permit, known, seen=said["result"] == "ok")
        return fits

    return run


def _used(change: Change, place: tuple[str, str, int]) -> int:
    used = usage(change.db, *place)
    return used.rows if used else 0


def shown(authority: Authority, call: str) -> dict[str, Json]:
    """The argument values of a call, or the word erased; salted digests stay in its receipt for ever."""
    found = payload.get(authority.view, call)
    if found is None:
        return {"erased": True}
    values = json.loads(found[1])
    return {"arguments": values, "digests": digests(values, found[0])}


def seen_facts(change: Change, credential: str, call: Call) -> Facts:
    """The facts of a call that nobody makes: for `remit can`."""
    return facts(change.reader, credential, call, "", change.now, lambda path: current(change, path))
