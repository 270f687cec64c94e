"""What if: the recorded calls of a brief decided again as if another version of it had been in force.

A world holds what would have been so under that brief: the plans, and what would have been used up. Everything else a
decision looks at is as it was recorded. The decision itself is that of core/decision, and no other. The slow twin is
tests/oracle/rightsize.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from remit.core.answer import Allow, Charge, Decision
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.decision import brief_place, consumes
from remit.core.facts import Facts
from remit.core.grant import Usage, plan_within
from remit.core.limit.counts import MOST_RATE, add
from remit.core.policy import Answer, Ask, PolicySet, Verdict
from remit.core.record import changed
from remit.core.replan import inherits, together
from remit.core.step import Step
from remit.core.task import Plan

GONE: Final = 1 << 20
"""The number of a step that is not there."""
NAMED: Final = 100
"""So many calls that would fail are named."""
Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Permitted(PolicySet):
    """The set in force of a recorded call that it permitted: asked of that call once more, it says so once more."""

    def evaluate(self, ask: Ask) -> Verdict:  # noqa: ARG002 - what it was asked then is what it is asked now
        """Permit it."""
        return _YES


_YES: Final = Verdict(Answer.ALLOW)


@dataclass(slots=True)
class Counts:
    """What has been used, by task, scope and step, as `store.apply` keeps it in its table."""

    used: dict[Place, Usage] = field(default_factory=dict)

    def charge(self, place: Place, uses: int, amounts: tuple[Decimal, ...], at: int) -> None:
        """Use up what one allowed call took."""
        before = self.used.get(place)
        if before is None:
            self.used[place] = Usage(uses, amounts, (at,))  # type: ignore[arg-type]
            return
        zero = (Decimal(0),) * len(amounts)
        totals = tuple(add(old, new) for old, new in zip(before.totals or zero, amounts, strict=True))
        recent = () if place[1].startswith("budget:") else (*before.recent[1 - MOST_RATE :], at)
        self.used[place] = Usage(before.uses + uses, totals, recent, before.rows)  # type: ignore[arg-type]

    def rows(self, place: Place, rows: int) -> None:
        """Count the rows of an answer."""
        one = self.used.get(place, Usage())
        self.used[place] = Usage(one.uses, one.totals, one.recent, one.rows + rows)

    def carry(self, before: Plan, plan: Plan) -> None:
        """Give each step of a new plan what the steps that it goes on from have used."""
        scope = f"plan:{before.version}"
        for number, sources in enumerate(inherits(before.steps, plan.steps)):
            spent = [(before.steps[one], self.used.get((plan.task, scope, one))) for one in sources]
            used = together(plan.steps[number], [(step, one) for step, one in spent if one is not None])
            if used is not None:
                self.used[plan.task, f"plan:{plan.version}", number] = used

    def forget(self, tasks: Sequence[str]) -> None:
        """Let go of what tasks used that are over."""
        gone = set(tasks)
        for place in [one for one in self.used if one[0] in gone]:
            del self.used[place]


@dataclass(slots=True)
class World:
    """As if `brief` had been in force in the place of `base`; `moved` says where each step of `base` went, or -1.

    `plans` holds, by the recorded plan's id, the plan that there would have been, and where each recorded step went.
    `beyond` counts plans that, as they were sent, would not have been within the brief.
    """

    brief: Brief
    base: Brief
    moved: tuple[int, ...]
    counts: Counts = field(default_factory=Counts)
    plans: dict[str, tuple[Plan, tuple[int, ...], Plan]] = field(default_factory=dict)
    counted: dict[str, tuple[tuple[str, str, int, int], ...]] = field(default_factory=dict)
    beyond: int = 0
    _sets: dict[PolicySet, PolicySet] = field(default_factory=dict)

    def planned(self, plan: Plan, above: str, under: Brief) -> None:
        """A plan was recorded, of a task below the one whose plan is `above` (empty for none), under `under`.

        One that was its ceiling as a whole follows it; of any other each step draws on what its own became.
        """
        held = self.plans.get(above)
        if held is None:
            ceiling, became, mine = under.steps, self._became(under), self.brief.steps
        else:
            ceiling, became, mine = held[2].steps, held[1], held[0].steps
        if plan.steps == ceiling and plan.sources == tuple(range(len(ceiling))):
            made = changed(plan, steps=mine, sources=tuple(range(len(mine))))
            where = became
        else:
            made = changed(plan, sources=tuple(_at(became, one) for one in plan.sources))
            where = tuple(range(len(plan.steps)))
            if held is None and plan_within(mine, plan.steps):
                self.beyond += 1
        key = f"{plan.task}:{plan.version}"
        self.plans[key] = made, where, plan
        before = self.plans.get(f"{plan.task}:{plan.version - 1}")
        if before is not None:
            self.counts.carry(before[0], made)

    def facts(self, seen: Facts) -> Facts:
        """What a decision would have looked at; absent plans stay absent, and refuse.

        Of what was seen only plans and brief matter; so it holds until one of them changes. What was used up is read
        as it is when the decision is made.
        """
        plan = self._plan(seen.plan)
        above = tuple(one for one in (self._plan(each) for each in seen.above) if one is not None)
        brief = self.brief if seen.brief is not None and seen.brief.state == "live" else seen.brief
        return replace(seen, brief=brief, plan=plan, above=above, usage=self.counts.used)

    def settled(self, seen: Facts) -> Facts:
        """The same for a call that was allowed without a yes, by the policy set that is seen: its permit is known.

        A set answers from what it is asked alone, and of the brief it sees the data domains and, where lineage is
        followed, its rules: where these are the same its answer is, and need not be worked out again.
        """
        found, held, then = self.facts(seen), seen.policy, seen.brief
        if held is None or then is None or (then.domains, then.lineage, self.brief.lineage) != (
            self.brief.domains, None, None,
        ):  # fmt: skip
            return found
        known = self._sets.get(held)
        if known is None:
            known = self._sets[held] = Permitted(held.path, held.statements, held.schema, held.digest)
        return replace(found, policy=known)

    def took(
        self, call: str, charges: tuple[Charge, ...], counted: tuple[tuple[str, str, int, int], ...], at: int
    ) -> None:
        """A call was allowed in this world: use up what it takes, and remember where its rows are counted."""
        for one in charges:
            self.counts.charge((one.task, one.scope, one.number), one.used.uses, one.used.amounts, at)
        if counted:
            self.counted[call] = counted

    def answered(self, call: str, rows: int) -> None:
        """An answer of so many rows left."""
        for task, scope, step, _ in self.counted.pop(call, ()):
            self.counts.rows((task, scope, step), rows)

    def assume(self, said: Mapping[str, Json], seen: Facts) -> None:
        """Use up what a call took that cannot be decided again: by its receipt, on what its steps became."""
        charges: Sequence[Mapping[str, Json]] = said.get("charges", ())
        for scope, number, step in self._chain(said, seen):
            held = (one["amounts"] for one in charges if (one["task"], one["scope"]) == scope)
            known = tuple(Decimal(one) for one in next(held, ()))
            if len(known) != len(step.totals):
                known = (Decimal(0),) * len(step.totals)
            if consumes(step):
                self.counts.charge((*scope, number), 1, known, said["at"])
        for one in charges:
            if not one["scope"].startswith(("plan:", "brief:")):
                amounts = tuple(Decimal(text) for text in one["amounts"])
                self.counts.charge((one["task"], one["scope"], one["step"]), one["uses"], amounts, said["at"])

    def _chain(self, said: Mapping[str, Json], seen: Facts) -> list[tuple[tuple[str, str], int, Step]]:
        """The steps that a recorded call drew on, as they are in this world: of its plan, those above, the brief."""
        found: list[tuple[tuple[str, str], int, Step]] = []
        held = self.plans.get(f"{said.get('task')}:{said.get('plan')}")
        if held is None or "step" not in said:
            return found
        number, root = _at(held[1], said["step"]), held[0].task
        for plan in (held[0], *(one for one in (self._plan(each) for each in seen.above) if one is not None)):
            if number >= len(plan.steps):
                return found
            found.append(((plan.task, f"plan:{plan.version}"), number, plan.steps[number]))
            root, number = plan.task, plan.sources[number]
        if number < len(self.brief.steps):
            scope, place = brief_place(self.brief, number)
            found.append(((root, scope), place, self.brief.steps[number]))
        return found

    def forget(self, tasks: Sequence[str], plans: Sequence[str]) -> None:
        """Let go of tasks that are over."""
        self.counts.forget(tasks)
        for one in plans:
            self.plans.pop(one, None)

    def _plan(self, plan: Plan | None) -> Plan | None:
        held = self.plans.get(f"{plan.task}:{plan.version}") if plan is not None else None
        return held[0] if held is not None else None

    def _became(self, under: Brief) -> tuple[int, ...]:
        """Where each step of the brief above a plan is now: by its place in `base`, else the first alike."""
        if under.steps == self.base.steps:
            return tuple(_at(self.moved, number) for number in range(len(under.steps)))
        return tuple(map(self._moved, under.steps))

    def _moved(self, step: Step) -> int:
        if step in self.base.steps:
            return _at(self.moved, self.base.steps.index(step))
        same = (n for n, one in enumerate(self.brief.steps) if (one.action, one.path) == (step.action, step.path))
        return next(same, GONE)


@dataclass(slots=True)
class Tally:
    """What a replay found. `named` are the calls that would fail, `opened` those refused then and allowed now."""

    allowed: int = 0
    fail: int = 0
    refused: int = 0
    open: int = 0
    erased: int = 0
    unlike: int = 0
    named: list[dict[str, Json]] = field(default_factory=list)
    opened: list[dict[str, Json]] = field(default_factory=list)

    def judge(self, said: Mapping[str, Json], leaf: int, then: Callable[[], Decision], now: Decision) -> None:
        """Put one recorded call where it belongs. `then` decides it under the brief that was in force."""
        allows = isinstance(now, Allow)
        if said["decision"] == "allow":
            if allows:
                self.allowed += 1
            elif isinstance(then(), Allow):
                self.fail += 1
                _name(self.named, said, leaf, getattr(now, "code", "approval_needed"))
            else:
                self.unlike += 1
        elif not allows or isinstance(then(), Allow):
            # What its own brief would have allowed was refused by something else, which stays: a proof, a lease.
            self.refused += 1
        else:
            self.open += 1
            _name(self.opened, said, leaf, said.get("code", ""))

    def add(self, other: "Tally") -> None:
        """Take in what another part of the same ledger gave."""
        for name in ("allowed", "fail", "refused", "open", "erased", "unlike"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.named = sorted([*self.named, *other.named], key=_leaf)[:NAMED]
        self.opened = sorted([*self.opened, *other.opened], key=_leaf)[:NAMED]


def _leaf(one: Mapping[str, Json]) -> int:
    return int(one["leaf"])


def _name(found: list[dict[str, Json]], said: Mapping[str, Json], leaf: int, code: str) -> None:
    if len(found) < NAMED:
        found.append(
            {
                "leaf": leaf, "call": said["call"], "task": said.get("task", ""), "action": said["action"],
                "at": said["at"], "code": code,
            }
        )  # fmt: skip


def _at(became: Sequence[int], number: int) -> int:
    found = became[number] if 0 <= number < len(became) else -1
    return found if found >= 0 else GONE
