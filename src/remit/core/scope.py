"""Scope: which receipts concern a task. Reads the ledger in order and keeps nothing but ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from remit.core.canonical import Json
from remit.core.receipt import DECIDED, MADE, OUTCOME
from remit.core.resource import split
from remit.core.step import Step

ALWAYS: Final = frozenset({"policy", "path", "key"})
"""Nouns that every decision rests on: all their receipts concern every task."""


@dataclass(slots=True)
class Scope:
    """What a task rests on, by id. `concerns` reads the ledger's receipts in order, from the first one.

    `tasks` are the task and those below it, `above` those over it; `others` are ids and names of agents, people,
    services, briefs, resources and tools.
    """

    tasks: frozenset[str]
    above: frozenset[str] = frozenset()
    others: frozenset[tuple[str, str]] = frozenset()
    calls: set[str] = field(default_factory=set)

    def concerns(self, receipt: Mapping[str, Json]) -> bool:
        """Say whether a receipt concerns the task: it is of it, or of what its decisions rest on."""
        kind = receipt["kind"]
        if kind == DECIDED:
            mine = receipt.get("task") in self.tasks
            if mine:
                self.calls.add(receipt["call"])
            return mine
        if kind == OUTCOME:
            return receipt["call"] in self.calls
        record = receipt.get("record")
        if not isinstance(record, dict):
            return ("agent", str(receipt.get("agent"))) in self.others
        noun, name = record["noun"], str(record.get("id") or record.get("name"))
        if kind == MADE:
            return record["task"] in self.tasks
        if noun in ALWAYS or {name, record.get("task"), record.get("target")} & self.tasks:
            return True
        if noun == "tool":
            name = f"{record['resource']}/{record['name']}"
        if noun == "revocation":
            return (record["kind"], record["target"]) in self.others or record["kind"] == "path"
        return (noun, name) in self.others or (noun in {"task", "plan"} and _of(record) in self.above)


def _of(record: Mapping[str, Json]) -> str:
    return str(record["task"] if record["noun"] == "plan" else record["id"])


def targets(steps: Iterable[Step]) -> frozenset[tuple[str, str]]:
    """The resources and tools that steps name."""
    found: set[tuple[str, str]] = set()
    for step in steps:
        place, kind = split(step.action)
        found |= {("resource", place), ("tool", f"{place}/{kind}")}
    return frozenset(found)
