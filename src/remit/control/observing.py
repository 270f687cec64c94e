"""Observing: the ledger read from its first entry, to see what was used of briefs."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from remit.control.rerun import Walk
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.observed import Used
from remit.core.task import Plan, Task
from remit.store.db import Database
from remit.store.past import PART, Past


@dataclass(slots=True)
class Seen:
    """What was seen under each brief: its steps by number, and the agents; and of all, the actions and credentials."""

    used: dict[str, dict[int, Used]] = field(default_factory=dict)
    agents: dict[str, set[str]] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)
    holders: set[str] = field(default_factory=set)

    def add(self, other: "Seen") -> None:
        """Take in what was seen in other errands."""
        for brief, steps in other.used.items():
            mine = self.used.setdefault(brief, {})
            for number, used in steps.items():
                mine.setdefault(number, Used()).add(used)
        for brief, agents in other.agents.items():
            self.agents.setdefault(brief, set()).update(agents)
        self.actions |= other.actions
        self.holders |= other.holders


@dataclass(slots=True)
class Observer:
    """Learns from what was allowed under some briefs since an instant. Owned by one walk."""

    past: Past
    briefs: Mapping[str, Brief]
    since: int
    seen: Seen = field(default_factory=Seen)
    _place: dict[str, tuple[str, int]] = field(default_factory=dict)

    def planned(self, plan: Plan, above: str, under: Brief) -> None:  # noqa: ARG002 - see Hearer
        """Nothing is learned from a plan."""
        return

    def decided(self, leaf: int, said: Mapping[str, Json], call: Call | None) -> None:  # noqa: ARG002 - see Hearer
        """Learn from an allowed call."""
        if said["at"] < self.since or said["decision"] != "allow":
            return
        brief, seen = said["brief"], self.seen
        seen.actions.add(said["action"])
        seen.holders.add(said["credential"])
        agents = seen.agents.setdefault(brief, set())
        agents.add(said["agent"])
        for task in (said["task"], *said.get("above", ())):
            found = self.past.get(Task, task)
            if found is not None:
                agents.add(found.agent)
        number = self._number(said)
        if number is None:
            return
        root = self.past.roots[said["task"]]
        steps = seen.used.setdefault(brief, {})
        one = steps.get(number)
        if one is None:
            one = steps[number] = Used()
        one.see(self.briefs[brief].steps[number], root, said["at"], None if call is None else call.arguments)
        if said.get("charges"):
            self._place[said["call"]] = brief, number

    def answered(self, said: Mapping[str, Json]) -> None:
        """Learn how many rows an answer held."""
        place = self._place.pop(said["call"], None)
        if place is not None and said["rows"]:
            one, root = self.seen.used[place[0]][place[1]], said["rows"][-1]["task"]
            root = self.past.roots.get(root, root)
            one.rows[root] = one.rows.get(root, 0) + said["rows"][0]["rows"]

    def over(self, tasks: list[str], plans: list[str]) -> None:  # noqa: ARG002 - see Hearer
        """Nothing hangs on a task."""
        return

    def _number(self, said: Mapping[str, Json]) -> int | None:
        """Which step of the brief, as it is now, an allowed call drew on; None when it is there no more."""
        task, version = self.past.get(Task, said["task"]), said.get("plan", 0)
        number: int = said.get("step", 0)
        while task is not None:
            plan = self.past.get(Plan, f"{task.id}:{version}")
            if plan is None or number >= len(plan.sources):
                return None
            number = plan.sources[number]
            if not task.parent:
                break
            task = self.past.get(Task, task.parent)
            version = task.plan if task else 0
        then, now = self.past.get(Brief, said["brief"]), self.briefs[said["brief"]]
        if then is None or number >= len(then.steps):
            return None
        step = then.steps[number]
        if (step.action, step.path.value) != (said["action"], said["path"]):
            return None
        if number < len(now.steps) and now.steps[number] == step:
            return number
        alike = (n for n, one in enumerate(now.steps) if (one.action, one.path) == (step.action, step.path))
        return now.steps.index(step) if step in now.steps else next(alike, None)


def observing(
    db: Database,
    briefs: Mapping[str, Brief],
    since: int,
    size: int,
    part: int = PART,
    of: tuple[int, int] = (0, 1),
) -> Generator[None, None, Seen]:
    """See what was used of these briefs, a part at each step."""
    walk = Walk(db, briefs, size, of)
    found = Observer(walk.past, briefs, since)
    yield from walk.run(found, part)
    return found.seen
