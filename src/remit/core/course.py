"""Course: what a task did, told in order from its receipts alone, for pages that people read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from remit.core.canonical import Json
from remit.core.receipt import DECIDED, OUTCOME

ENDED: Final = {
    "ok": ("done", "done"),
    "error": ("failed", "the target answered with an error"),
    "cut": ("unknown", "cut while it ran"),
    "not_sent": ("unsent", "nothing was sent"),
    "unknown": ("unknown", "outcome unknown"),
    "withheld": ("failed", "the answer was withheld"),
}
"""What an outcome makes of its call."""
SAID: Final[Mapping[str, tuple[str, str]]] = {
    "task.opened": ("opened", "Task opened"),
    "task.planned": ("planned", "Plan moved"),
    "task.suspended": ("held", "Task held"),
    "task.resumed": ("opened", "Task resumed"),
    "task.ended": ("ended", "Task ended"),
    "plan.made": ("planned", "Plan made"),
    "credential.issued": ("given", "Credential issued"),
    "credential.ended": ("ended", "Credential ended"),
    "approval.asked": ("waits", "People were asked"),
    "approval.heard": ("heard", "A first yes"),
    "approval.approved": ("approved", "Approved"),
    "approval.denied": ("denied", "Denied"),
    "approval.voided": ("void", "Approval void"),
    "revocation.made": ("revoked", "Revoked"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened. `what` is a word of a small set that a page gives a shape; `call` names the call."""

    leaf: int
    at: int
    what: str
    title: str
    note: str = ""
    path: str = ""
    plan: int = 0
    code: str = ""
    call: str = ""
    task: str = ""
    who: str = ""
    approval: str = ""
    grounds: tuple[str, ...] = ()


def course(receipts: Iterable[tuple[int, Mapping[str, Json]]], *, every: bool = False) -> list[Row]:
    """The rows of these receipts, in their order; an outcome stands in its call's row.

    Changes that are not the task's own (its agent's, its policies') are left out, unless `every`.
    """
    rows: dict[int, Row] = {}
    for leaf, one in receipts:
        if one["kind"] == DECIDED:
            rows[leaf] = _decided(leaf, one)
        elif one["kind"] == OUTCOME:
            if one["leaf"] in rows:
                rows[one["leaf"]] = _ended(rows[one["leaf"]], one)
        elif one["kind"] in SAID or (every and "record" in one) or _leased(one):
            rows[leaf] = _changed(leaf, one)
    return list(rows.values())


def _leased(one: Mapping[str, Json]) -> bool:
    """What a target was asked for or gave up, for this task."""
    return str(one["kind"]).startswith("lease.")


def _decided(leaf: int, one: Mapping[str, Json]) -> Row:
    allowed, code = one["decision"] == "allow", one.get("code", "")
    asked = code == "approval_pending"
    what = "open" if allowed else "asked" if asked else "refused"
    note = "outcome unknown" if allowed else one.get("what", "")
    return Row(
        leaf, one["at"], what, one["action"], note, one.get("path", ""), one.get("plan", 0), code, one["call"],
        one.get("task", ""), one.get("subject", ""), one.get("approval", ""), tuple(one.get("grounds", ())),
    )  # fmt: skip


def _ended(row: Row, one: Mapping[str, Json]) -> Row:
    what, note = ENDED.get(one["result"], ("unknown", one["result"]))
    took = f" in {one['ms']} ms" if isinstance(one.get("ms"), int) else ""
    return replace(row, what=what, note=f"{note}{took}")


def _changed(leaf: int, one: Mapping[str, Json]) -> Row:
    record = one["record"]
    what, title = SAID.get(one["kind"], ("changed", one["kind"].replace(".", " ")))
    noun, because = record["noun"], one.get("because") or record.get("because", "")
    approval = record["id"] if noun == "approval" else ""
    task = record.get("task") or (record["id"] if noun == "task" else "")
    name = record.get("action") or record.get("name") or ""
    if noun == "plan":
        name = f"version {record['version']}, {len(record['steps'])} steps"
    if noun == "revocation":
        name = f"{record['kind']} {record['target']}"
    if noun == "lease":
        what = one["kind"].removeprefix("lease.")
        name = " · ".join(part for part in (record["resource"], record.get("proof") or record.get("trouble")) if part)
    path = str(record.get("path", "")) if noun == "credential" else ""
    note = " · ".join(part for part in (str(name), because) if part)
    return Row(
        leaf, one["at"], what, title, note, path, record.get("plan", 0) if noun == "credential" else 0, "",
        "", task, one["by"], approval,
    )  # fmt: skip
