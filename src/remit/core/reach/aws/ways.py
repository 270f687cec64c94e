"""What follows for whom in an account from whose policies it can write, and whose boundary it can lift. Pure.

Every actor has a number, and sets of them are the bits of one: who reaches whom is told in rounds, until nothing is
added. Everything that limits leave is one node for all to whom the same limits say the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from remit.core.reach.aws.account import Account
from remit.core.reach.aws.become import Becoming, Powers, Step, said
from remit.core.reach.aws.judge import Actor, Judge
from remit.core.reach.aws.policy import ANYTHING, Context, Statement
from remit.core.reach.survey import Gathering

EVERYTHING: Final = "everything"
Mark = tuple[object, ...]


class Laid(Protocol):
    """What is laid of an account so far."""

    account: Account
    judge: Judge
    becoming: Becoming
    found: Gathering
    actors: dict[str, Actor]
    arns: dict[str, str]
    leads: dict[str, set[str]]
    holders: dict[str, set[str]]

    def node(self, name: str) -> tuple[str, str]:
        """The node of an actor."""

    def alike(self, name: str) -> set[str]:
        """The policies that one has, where they stand at nodes of their own."""

    def give(self, name: str) -> None:
        """Lay what an actor can do."""


@dataclass(slots=True)
class _Might:
    """What one actor can do to others: the first step by whom it is done to, and all of them as a set."""

    steps: dict[str, Step]
    mask: int = 0

    def mark(self, known: dict[str, int]) -> None:
        """Tell whom it is done to: each as it is, and without its boundary."""
        found = 0
        for name in self.steps:
            found |= known.get(name, 0) | known.get(f"unbound: {name}", 0)
        self.mask = found


@dataclass(slots=True)
class Ways:
    """Follows who becomes whom until nothing is added. Owned by one laying."""

    laying: Laid
    powers: dict[str, Powers] = field(default_factory=dict)
    bits: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    masks: dict[str, int] = field(default_factory=dict)
    might: dict[str, tuple[_Might, _Might]] = field(default_factory=dict)
    wide: dict[Mark, str] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    done: dict[tuple[str, int], int] = field(default_factory=dict)
    trusts: list[Statement] = field(default_factory=list)

    def follow(self) -> None:
        """Add the edges of every way: first of policies, then of who has them, then of what follows."""
        laying = self.laying
        leads = laying.leads
        self._classes()
        policies = [name for name in laying.actors if name.startswith("policy/")]
        for name in (*policies, *laying.arns, *(f"member: {one}" for one in laying.account.groups)):
            self._enter(name)
        for name in policies:
            self._stands(name)
        before = -1
        while before != sum(map(len, leads.values())):
            before = sum(map(len, leads.values()))
            self._close()
            listed = sorted(self.powers)
            users = sum(self._bit(name) for name in leads if name.startswith("user/"))
            for name in listed:
                self._widen(name, listed, users)

    def _bit(self, name: str) -> int:
        held = self.bits.get(name)
        if held is None:
            held = self.bits[name] = 1 << len(self.names)
            self.names.append(name)
        return held

    def _close(self) -> None:
        """Tell of each whom it leads to in the end."""
        leads, masks = self.laying.leads, self.masks
        for name in leads:
            masks[name] = masks.get(name, 0) | self._bit(name)
        changed = True
        while changed:
            changed = False
            for name, there in leads.items():
                mask = masks[name]
                for other in there:
                    mask |= masks.get(other) or self._bit(other)
                if mask != masks[name]:
                    masks[name], changed = mask, True
        for writes, lifts in self.might.values():
            writes.mark(self.bits)
            lifts.mark(self.bits)

    def _enter(self, name: str) -> None:
        """Tell an actor's own steps, but those that its policies lead to by themselves."""
        laying = self.laying
        powers = laying.becoming.powers(laying.actors[name], laying.arns.get(name, ""))
        self.powers[name] = powers
        self.might[name] = _Might(_first(powers.writes)), _Might(_first(powers.lifts))
        laying.leads.setdefault(name, set())
        alike = laying.alike(name)
        there = set().union(*(laying.leads[one] for one in alike))
        inside = {step.to for one in alike for step in self.powers[one].runs}
        for step in powers.takes:
            if step.to not in there:
                self._lead(name, step.to, said(step))
        for step in powers.runs:
            if step.to not in inside:
                laying.found.edge(laying.node(name), laying.found.node("code", step.to), said(step))

    def _lead(self, name: str, to: str, how: str) -> None:
        leads = self.laying.leads[name]
        if to != name and to not in leads:
            leads.add(to)
            self.laying.found.edge(self.laying.node(name), self.laying.node(to), how)

    def _stands(self, policy: str) -> None:
        """Whoever has a policy that lets each of them write its own can do everything by it: it stands for that."""
        holders, written = self.laying.holders.get(policy), self.might[policy][0].steps
        if holders and holders <= written.keys():
            self._lead(policy, EVERYTHING, said(written[min(holders)]))

    def _widen(self, name: str, listed: Iterable[str], users: int) -> None:
        """What follows for one, of whoever it may become: whose policies it writes, whose boundary it lifts."""
        reached = self.masks[name]
        if reached & self._bit(EVERYTHING):
            return
        for one in listed:
            if not reached & self.bits[one]:
                continue
            for kind, might in enumerate(self.might[one]):
                self._follows(name, kind, might, might.mask & reached)
            for step in self.powers[one].joins if reached & users else ():
                self._lead(name, step.to, said(step))

    def _follows(self, name: str, kind: int, might: _Might, hit: int) -> None:
        """Lead one to what each of these becomes, rewritten or without its boundary; each once."""
        rest = hit & ~self.done.get((name, kind), 0)
        if not rest:
            return
        self.done[name, kind] = self.done.get((name, kind), 0) | rest
        while rest:
            to = self.names[(rest & -rest).bit_length() - 1]
            rest &= rest - 1
            step = might.steps[to.removeprefix("unbound: ")]
            self._lead(name, self._lifted(to) if kind else self._whole(to), f"{step.to}: {said(step)}")

    def _whole(self, name: str) -> str:
        """What an actor is once its policies say everything: all, or all that its limits leave."""
        held = self.whole.get(name)
        if held is None:
            actor, held = self.laying.actors[name], EVERYTHING
            if not all(self._open(limit, actor.context) for limit in actor.limits):
                wide = self.wide.setdefault(self._mark(actor), f"whole: {name}")
                held = self._made(Actor(wide, (ANYTHING,), actor.boundary, actor.controls, actor.context))
            self.whole[name] = held
        return held

    def _open(self, limit: Iterable[Statement], context: Context) -> bool:
        """Say that a limit surely leaves everything to somebody."""
        heard = [self.laying.judge.heard(one, context) for one in limit]
        whole = (one.one for one in heard if one.one.allow and one.holds)
        lets = any("*" in one.actions and "*" in one.resources and not one.but for one in whole)
        return lets and all(one.holds is False for one in heard if not one.one.allow)

    def _lifted(self, name: str) -> str:
        """What an actor is without its boundary."""
        actor = self.laying.actors[name]
        if actor.boundary is None:
            return name
        return self._made(Actor(f"unbound: {name}", actor.statements, None, actor.controls, actor.context))

    def _made(self, actor: Actor) -> str:
        if actor.name not in self.laying.actors:
            self.laying.actors[actor.name] = actor
            self.laying.give(actor.name)
            self._enter(actor.name)
        return actor.name

    def _classes(self) -> None:
        """Name everything that limits leave by the first in name of those to whom they leave the same."""
        trusts = [one for role in self.laying.account.principals for one in role.trust]
        self.trusts = [one for one in trusts if self.laying.judge.keys(one)]
        for name, actor in sorted(self.laying.actors.items()):
            if actor.limits and name in self.laying.arns:
                self.wide.setdefault(self._mark(actor), f"whole: {name}")

    def _mark(self, actor: Actor) -> Mark:
        """What everything that an actor's limits leave rests on: what they say to it, and what each trust does."""
        judge = self.laying.judge
        limits = [one for limit in actor.limits for one in limit if judge.keys(one)]
        heard = [judge.heard(one, actor.context) for one in (*limits, *self.trusts)]
        said_so = tuple((id(one.one), one.holds, tuple(one.where)) for one in heard)
        return id(actor.boundary) if actor.boundary is not None else 0, said_so


def _first(steps: Iterable[Step]) -> dict[str, Step]:
    found: dict[str, Step] = {}
    for step in steps:
        found.setdefault(step.to, step)
    return found
