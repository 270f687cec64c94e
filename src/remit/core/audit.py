"""Audit: what is wrong with the content of a file of evidence, once each of its entries is known to be in the ledger.

Nothing is taken on trust: no decision of the task may be missing, no outcome without its decision, no allowance without
the records that it names, and what lies beside must be what the receipts' digests say.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from remit.core import evidence
from remit.core.approval import shown
from remit.core.canonical import Json, b64, canon, digest, unb64
from remit.core.errors import RemitError
from remit.core.evidence import Evidence
from remit.core.receipt import DECIDED, MADE, OUTCOME, decode, digests, faulty
from remit.core.record import load

Wrong = tuple[int | None, str]
"""The number of the entry at fault, if it is one, and what is wrong."""
NAMED: Final = {"task": "task", "agent": "agent", "credential": "credential", "approval": "approval"}
"""What an allowance names that must be recorded before it, by the member that names it."""


def audit(task: str, entries: Sequence[tuple[int, bytes]], beside: Mapping[str, Json]) -> Wrong | None:
    """Say what is wrong first, or None. `entries` are numbers and bytes, in the file's order."""
    try:
        return _ordered(entries) or _content(task, entries, beside)
    except (RemitError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None, "it does not have the form that evidence has"


def _ordered(entries: Sequence[tuple[int, bytes]]) -> Wrong | None:
    last, at = -1, 0
    for number, body in entries:
        why = faulty(body)
        if why is not None:
            return number, why
        receipt = decode(body)
        if number <= last or receipt["at"] < at:
            return number, "it stands before the entry above it"
        last, at = number, receipt["at"]
    return None


def _content(task: str, entries: Sequence[tuple[int, bytes]], beside: Mapping[str, Json]) -> Wrong | None:
    receipts = {number: decode(body) for number, body in entries}
    number = max(receipts, default=-1)
    last = receipts.get(number, {})
    if last.get("kind") != MADE or last["record"]["task"] != task:
        return None, "its last entry does not say what evidence of this task there is"
    says = load(Evidence, last["record"])
    known = frozenset(says.tasks)
    return (
        _chained(receipts, known)
        or _counted(number, receipts, says)
        or _founded(receipts)
        or _beside(number, receipts, says, beside)
    )


def _chained(receipts: Mapping[int, Json], tasks: frozenset[str]) -> Wrong | None:
    """Each decision follows its task's decision before it, each outcome its decision."""
    before: dict[str, int] = {}
    for number, one in receipts.items():
        if one["kind"] == DECIDED and one.get("task") in tasks:
            if one["prev"] != before.get(one["task"], -1):
                return one["prev"], "it is a decision of this task, and is missing"
            before[one["task"]] = number
        if one["kind"] == OUTCOME and receipts.get(one["leaf"], {}).get("call") != one["call"]:
            return one["leaf"], "it is a decision whose outcome is here, and is missing"
    return None


def _counted(number: int, receipts: Mapping[int, Json], says: Evidence) -> Wrong | None:
    numbers = [one for one in receipts if one != number]
    if says.count != len(numbers):
        return None, f"{says.count} entries spoke of this task when it was taken, and here are {len(numbers)}"
    if says.leaves != evidence.leaves(numbers):
        return None, "these are not the entries that spoke of this task when it was taken"
    return None


def _founded(receipts: Mapping[int, Json]) -> Wrong | None:
    """What an allowance names was recorded before it."""
    recorded: set[tuple[str, str]] = set()
    for number, one in receipts.items():
        record = one.get("record")
        if isinstance(record, dict):
            name = f"{record['task']}:{record['version']}" if record["noun"] == "plan" else record.get("id")
            recorded.add((record["noun"], str(name or record.get("name"))))
        if one["kind"] == DECIDED and one["decision"] == "allow":
            wanted = {(noun, one[member]) for member, noun in NAMED.items() if member in one}
            wanted |= {("plan", f"{one['task']}:{one['plan']}"), ("brief", one["brief"])}
            lacking = sorted(wanted - recorded)
            if lacking:
                return number, f"it rests on {lacking[0][0]} {lacking[0][1]}, which is recorded nowhere before it"
    return None


def _beside(number: int, receipts: Mapping[int, Json], says: Evidence, beside: Mapping[str, Json]) -> Wrong | None:
    """Values, cards and policies are those of the receipts' digests; all of it is what the last receipt binds."""
    if set(beside) != set(evidence.PARTS):
        return None, "what lies beside does not have the form that it has in evidence"
    for leaf, one in receipts.items():
        record = one.get("record", {})
        held = beside["calls"].get(one.get("call")) if one["kind"] == DECIDED else None
        if held is not None and digests(held["arguments"], unb64(held["salt"])) != one["args"]:
            return leaf, "the values beside it are not those that were decided"
        held = beside["cards"].get(record.get("id")) if record.get("noun") == "approval" else None
        if held is not None and shown(held["card"], unb64(held["salt"])) != record["shown"]:
            return leaf, "the card beside it is not what was shown"
        text = beside["policies"].get(record.get("digest")) if record.get("noun") == "policy" else None
        if text is not None and b64(digest(text)) != record["digest"]:
            return leaf, "the policy beside it is not the one that was applied"
    for name in evidence.PARTS:
        if evidence.part(beside[name]) != says.beside[name]:
            return number, f"what lies beside in {name} is not what it binds"
    return None


def canonical(data: bytes, value: Json) -> bool:
    """Say whether these bytes are the value's canonical form: a file of evidence has one spelling."""
    return canon(value) == data
