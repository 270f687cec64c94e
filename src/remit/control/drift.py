"""Drift: what a task planned, and in order what was done and refused of it. Read from the ledger alone."""

from dataclasses import dataclass
from typing import Final

from remit.core.moment import Instant
from remit.core.receipt import decode
from remit.core.task import Plan, Task
from remit.store import log
from remit.store.apply import flights
from remit.store.facts import last_leaf
from remit.store.record import Reader

MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """One plan version that was made (`action` says which), or one call and what became of it.

    `what` is planned, done, open (allowed, its outcome not known yet) or refused; then `code` says why. A plan that
    only goes on with the steps before has the code with which another one was refused or put off.
    """

    leaf: int
    at: Instant
    what: str
    action: str
    path: str = ""
    plan: int = 0
    step: int = -1
    code: str = ""


def drift(reader: Reader, task: Task, most: int = MOST) -> list[Event]:
    """The newest `most` calls of a task and the plans it had, oldest first; equal denials of a flood are left out."""
    calls: list[Event] = []
    leaf, unfinished = last_leaf(reader, task), {one.call for one in flights(reader.db)}
    while leaf >= 0 and len(calls) < most:
        said = decode(next(log.entries(reader.db, leaf, leaf + 1)))
        allowed = said["decision"] == "allow"
        what = ("open" if said["call"] in unfinished else "done") if allowed else "refused"
        calls.append(
            Event(
                leaf, Instant(said["at"]), what, said["action"], said.get("path", ""), said.get("plan", 0),
                said.get("step", -1), said.get("code", ""),
            )
        )  # fmt: skip
        leaf = said["prev"]
    plans = [
        Event(-1, one.at, "planned", _said(one), plan=one.version, code=one.because)
        for one in reader.where(Plan, "task = ?", (task.id,))
    ]
    return sorted([*plans, *calls], key=lambda one: (one.at, one.plan, one.leaf))


def _said(one: Plan) -> str:
    moved = f", {one.moved.replace('_', ' ')}" if one.moved else ""
    yes = f" by {one.approval}" if one.approval else ""
    return f"version {one.version} with {len(one.steps)} steps{moved}{yes}"
