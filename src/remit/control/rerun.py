"""Rerun: the ledger read from its first entry, to see what was used of briefs, and to decide recorded calls again.

Reads only, outside any transaction, and a part at a time; a large ledger is shared among processes by errand. Nothing
here decides: core/decision does, with facts that are put together as they were then.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeVar

from msgspec.structs import replace

from remit.control.policy import shape
from remit.core.answer import Allow, Decision
from remit.core.brief import Brief
from remit.core.call import Call, kept
from remit.core.canonical import Json
from remit.core.decision import decide
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.policy import COMMON, PolicySet, compile_set
from remit.core.receipt import DECIDED, OUTCOME, PolicyRecord
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.core.whatif import Counts, Tally, World
from remit.store import past as history
from remit.store import payload
from remit.store.db import Database
from remit.store.past import Past

T = TypeVar("T")


class Hearer(Protocol):
    """Whoever is told what a walk through the ledger meets, in order."""

    def planned(self, plan: Plan, above: str, under: Brief) -> None:
        """A plan of a kept errand was made."""

    def decided(self, leaf: int, said: Mapping[str, Json], call: Call | None) -> None:
        """A call was decided; it is None when its values are not there any more."""

    def answered(self, said: Mapping[str, Json]) -> None:
        """The rows of an answer were counted."""

    def over(self, tasks: list[str], plans: list[str]) -> None:
        """An errand has ended."""


class Walk:
    """One walk through the ledger for the errands of some briefs. Owned by whoever runs it."""

    def __init__(self, db: Database, briefs: Mapping[str, Brief], size: int, of: tuple[int, int] = (0, 1)) -> None:
        self.db, self.size = db, size
        self.past = Past(db, frozenset(briefs), self._policy, of)
        self._sets: dict[tuple[str, str, str, int], PolicySet | None] = {}
        self._whole = any(one.lineage is not None for one in briefs.values())

    def run(self, hearer: Hearer, part_of: int = history.PART) -> Iterator[None]:
        """Tell the hearer of everything, so many entries of the ledger at each step."""
        sieve = history.Sieve(self.past.of, whole=self._whole)
        for start in range(0, self.size, part_of):
            end = min(start + part_of, self.size)
            part = history.entries(self.db, start, end, sieve)
            briefs = self.past.briefs
            calls = [
                said["call"] for _, said in part
                if said["kind"] == DECIDED and said["args"] and said.get("brief") in briefs
            ]  # fmt: skip
            values = history.values(self.db, calls)
            for leaf, said in part:
                self._tell(hearer, leaf, said, values)
            yield

    def _tell(self, hearer: Hearer, leaf: int, said: Mapping[str, Json], values: Mapping[str, bytes]) -> None:
        kind = said["kind"]
        if kind == DECIDED:
            if self.past.mine(said):
                hearer.decided(leaf, said, _call(said, values))
                self.past.decided(leaf, said)
        elif kind == OUTCOME:
            if "rows" in said:
                hearer.answered(said)
            self.past.ended(said)
        elif "record" in said:
            found = self.past.fold(said)
            if isinstance(found, Plan):
                task = self.past.get(Task, found.task)
                under = self.past.get(Brief, task.brief) if task else None
                above = self.past.get(Task, task.parent) if task and task.parent else None
                if under is not None:
                    hearer.planned(found, f"{above.id}:{above.plan}" if above else "", under)
            elif isinstance(found, Task) and found.state == "ended":
                hearer.over(*self.past.over(found))

    def _policy(self, path: TrustPath) -> PolicySet | None:
        """The policy set as it was in force; None where none was, or its text is gone."""
        common, own = self.past.get(PolicyRecord, COMMON), self.past.get(PolicyRecord, path.value)
        if common is None or own is None:
            return None
        key = (path.value, common.digest, own.digest, self.past.shapes)
        if key not in self._sets:
            self._sets[key] = self._compiled(path, common, own)
        return self._sets[key]

    def _compiled(self, path: TrustPath, common: PolicyRecord, own: PolicyRecord) -> PolicySet | None:
        bodies = [payload.get_blob(self.db, one.digest) for one in (common, own)]
        if None in bodies:
            return None
        texts = [json.loads(one) for one in bodies if one is not None]
        try:
            return compile_set(path, texts[0], texts[1], shape(self.past))
        except RemitError:
            return None


def _call(said: Mapping[str, Json], values: Mapping[str, bytes]) -> Call | None:
    """The recorded call, when what lies beside its receipt is what its digest says; else None."""
    try:
        return kept(said["action"], values.get(said["call"], b"{}") if said["args"] else b"{}", said["digest"])
    except RemitError:
        return None


@dataclass(slots=True)
class Replayer:
    """Decides each recorded call again in another world, and tallies what differs. Owned by one walk."""

    past: Past
    world: World
    since: int
    tally: Tally = field(default_factory=Tally)
    then: Counts = field(default_factory=Counts)
    _lens: Callable[[Facts], Facts] = field(init=False)
    _settled: Callable[[Facts], Facts] = field(init=False)
    _uses: Callable[[str, str], int] = field(init=False)

    def __post_init__(self) -> None:
        self._lens, self._settled = self.world.facts, self.world.settled
        self._uses = _uses(self.world.counts)

    def planned(self, plan: Plan, above: str, under: Brief) -> None:
        """Make the plan that there would have been."""
        before = self.past.get(Plan, f"{plan.task}:{plan.version - 1}")
        if before is not None:
            self.then.carry(before, plan)
        self.world.planned(plan, above, under)

    def decided(self, leaf: int, said: Mapping[str, Json], call: Call | None) -> None:
        """Decide it again; what cannot be is counted as such, and never as fine."""
        allowed = said["decision"] == "allow"
        if call is None or said["at"] < self.since:
            if said["at"] >= self.since:
                self.tally.erased += 1
            if allowed:
                self.world.assume(said, self.past.facts(said, call or Call(said["action"], {}), self._uses))
        else:
            now = decide(call, self._seen(said, call))
            self.tally.judge(said, leaf, lambda: self._then(said, call), now)
            if isinstance(now, Allow):
                self.world.took(said["call"], now.charges, now.counted, said["at"])
        if allowed:
            for one in said.get("charges", ()):
                amounts = tuple(map(Decimal, one["amounts"]))
                self.then.charge((one["task"], one["scope"], one["step"]), one["uses"], amounts, said["at"])

    def _seen(self, said: Mapping[str, Json], call: Call) -> Facts:
        """What it would have looked at; a permit that its receipt tells, by the set that it names, is taken as told."""
        if said["decision"] == "allow" and "approval" not in said:
            found = self.past.facts(said, call, self._uses, self._settled)
            if found.policy is None or found.policy.digest == said.get("policy"):
                return found
        return self.past.facts(said, call, self._uses, self._lens)

    def answered(self, said: Mapping[str, Json]) -> None:
        """Count the rows in both worlds."""
        for one in said["rows"]:
            if one["task"] in self.past.roots:
                self.then.rows((one["task"], one["scope"], one["step"]), one["rows"])
        if said["rows"]:
            self.world.answered(said["call"], said["rows"][0]["rows"])

    def over(self, tasks: list[str], plans: list[str]) -> None:
        """Let go of what an ended errand used."""
        self.then.forget(tasks)
        self.world.forget(tasks, plans)

    def _then(self, said: Mapping[str, Json], call: Call) -> Decision:
        """Decide it as it was then."""
        seen = self.past.facts(said, call, _uses(self.then))
        return decide(call, replace(seen, usage=self.then.used))


def _uses(counts: Counts) -> Callable[[str, str], int]:
    def uses(task: str, scope: str) -> int:
        one = counts.used.get((task, scope, 0))
        return one.uses if one else 0

    return uses


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be decided again: the brief that takes the place of `base`, from an instant on, up to an entry."""

    brief: Brief
    base: Brief
    moved: tuple[int, ...]
    since: int
    size: int

    def begin(self, db: Database, of: tuple[int, int] = (0, 1)) -> tuple[Walk, Replayer]:
        """A walk for a share of the errands, and who listens to it."""
        walk = Walk(db, {self.base.name: self.base}, self.size, of)
        return walk, Replayer(walk.past, World(self.brief, self.base, self.moved), self.since)


def replaying(
    db: Database, job: Job, of: tuple[int, int] = (0, 1), part: int = history.PART
) -> Generator[None, None, tuple[Tally, int]]:
    """Decide every recorded call of the brief again, a part at each step.

    What was found, and how many plans would not be within it.
    """
    walk, hearer = job.begin(db, of)
    yield from walk.run(hearer, part)
    return hearer.tally, hearer.world.beyond


def finished(work: Generator[None, None, T]) -> T:
    """Do all steps at once."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found


def replay(db: Database, job: Job, of: tuple[int, int] = (0, 1)) -> tuple[Tally, int]:
    """Decide every recorded call of the brief again."""
    return finished(replaying(db, job, of))
