"""Whose place an actor in an account can take: by assuming, by keys and passwords, by passing roles on. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from remit.core.reach.aws.account import Account, Principal
from remit.core.reach.aws.escalation import (
    ASSUMED,
    JOINED,
    LIFTED,
    PASSED,
    PROVIDED,
    RUNNING,
    SERVICES,
    TAKEN,
    WRITTEN,
)
from remit.core.reach.aws.judge import NO, PERHAPS, YES, Able, Actor, Heard, Judge, says, speaks
from remit.core.reach.aws.pattern import covers
from remit.core.reach.aws.policy import Context, Statement, judged

SERVICE: Final = "iam:passedtoservice"
OWN: Final = ":role/aws-service-role/"
"""Roles that services made for themselves: nobody passes these on."""
Test = Callable[[str], bool]
Layer = list[tuple[Heard, bool]]


@dataclass(frozen=True, slots=True)
class Step:
    """That one can take another's place: how, and if that is sure."""

    to: str
    how: str
    sure: bool


def said(step: Step) -> str:
    """How a step is told."""
    return step.how if step.sure else f"{step.how} (perhaps)"


@dataclass(slots=True)
class Powers:
    """What an actor can do to others: take their place, write their policies, lift their boundary; join; run code."""

    takes: list[Step] = field(default_factory=list)
    writes: list[Step] = field(default_factory=list)
    lifts: list[Step] = field(default_factory=list)
    joins: list[Step] = field(default_factory=list)
    runs: list[Step] = field(default_factory=list)


class Becoming:
    """Tells the powers of actors over the principals of one account."""

    def __init__(self, account: Account, judge: Judge) -> None:
        self.account, self.judge = account, judge
        self._of = {kind: [one for one in account.principals if one.kind == kind] for kind in ("user", "role")}
        self._trust = {
            role.name: [
                one for one in role.trust if any(covers(action.lower(), ASSUMED.lower()) for action in one.actions)
            ]
            for role in self._of["role"]
        }
        self._trusting = {
            service: [(role, trusts) for role in self._of["role"] if (trusts := self.serves(role, service))]
            for service in SERVICES.keys() | RUNNING.keys()
        }
        self._serving: dict[str, list[Principal]] = {}
        self._provided: list[tuple[Principal, str, bool]] = []
        for role in self._of["role"]:
            self._lets(role)
        self._asking = [one for one in self._of["role"] if any(map(_asks, one.trust))]
        self._users = self._holders()

    def powers(self, actor: Actor, arn: str = "") -> Powers:
        """All powers of an actor; one with an ARN can be named by a role's trust."""
        able = self.judge.somewhere(actor)
        found = Powers()
        found.takes += self._takes(actor, able)
        found.takes += self._assumes(actor, arn, able)
        found.takes += self._provides(actor, able)
        found.takes += self._passes(actor, able)
        found.takes += self._hands(actor, able)
        found.writes += self._writes(actor, able)
        found.lifts += self._lifts(actor, able)
        found.joins += self._joins(actor, able)
        found.runs += self.runs(able)
        return found

    def _lets(self, role: Principal) -> None:
        """Note which services a role may be passed to, and whose word of who somebody is it takes."""
        for one in role.trust:
            said = self.judge.heard(one, {}).holds
            for kind, name in one.principals if one.allow and "Principal" not in one.but and said is not False else ():
                if kind == "Service" and OWN not in role.arn:
                    self._serving.setdefault(name, []).append(role)
                elif kind == "Federated" and name.startswith("arn:"):
                    self._provided.append((role, name, said is True))

    def _has(self, able: Able, action: str) -> int:
        number = self.judge.verbs.number(action)
        if number is None or not able.mask >> number & 1:
            return NO
        return PERHAPS if able.perhaps >> number & 1 else YES

    def _ways(self, able: Able, ways: tuple[tuple[str, ...], ...]) -> int:
        return max(min(self._has(able, action) for action in way) for way in ways)

    def _takes(self, actor: Actor, able: Able) -> Iterator[Step]:
        for action, (kind, how) in TAKEN.items():
            if self._has(able, action):
                tell = self.judge.asking(actor, action)
                for one in self._of[kind]:
                    says = tell(one.arn)
                    if says:
                        yield Step(one.name, how, says == YES)

    def _writes(self, actor: Actor, able: Able) -> Iterator[Step]:
        for action, kind in WRITTEN.items():
            tell = self.judge.asking(actor, action) if self._has(able, action) else None
            for place, names in self._users[kind] if tell else ():
                policy = self.account.policies.get(place)
                if action == "iam:SetDefaultPolicyVersion" and policy and policy.versions < 2:
                    continue
                says = tell(place) if tell else NO
                for name in names if says else ():
                    yield Step(name, f"writes its policies ({action})", says == YES)

    def _lifts(self, actor: Actor, able: Able) -> Iterator[Step]:
        for action, kind in LIFTED.items():
            if not self._has(able, action):
                continue
            tell = self.judge.asking(actor, action)
            for one in self._of[kind]:
                says = tell(one.arn) if one.boundary else NO
                if says:
                    yield Step(one.name, f"takes its boundary away ({action})", says == YES)

    def _joins(self, actor: Actor, able: Able) -> Iterator[Step]:
        for group in self.account.groups.values() if self._has(able, JOINED) else ():
            says = self.judge.may(actor, JOINED, group.arn)
            if says:
                yield Step(f"member: {group.name}", f"joins group/{group.name}", says == YES)

    def runs(self, able: Able) -> Iterator[Step]:
        """In which services programs can be run."""
        for service in sorted(SERVICES.keys() | RUNNING.keys()):
            says = self._ways(able, SERVICES.get(service, ()) + RUNNING.get(service, ()))
            if says:
                yield Step(service.partition(".")[0], "runs programs in", says == YES)

    def _passes(self, actor: Actor, able: Able) -> Iterator[Step]:
        """Roles that are passed to something new, and those that something that is there may have."""
        passing = self._has(able, PASSED)
        for service, trusting in sorted(self._trusting.items()):
            short = service.partition(".")[0]
            new = min(passing, self._ways(able, SERVICES[service])) if service in SERVICES else NO
            there = self._ways(able, RUNNING[service]) if service in RUNNING else NO
            if not max(new, there):
                continue
            tell = self.judge.asking(actor, PASSED, {SERVICE: service})
            for role, trusts in trusting:
                says = min(new, trusts)
                if says:
                    says = min(says, tell(role.arn))
                if says:
                    yield Step(role.name, f"passes it to {short}", says == YES)
                elif there and trusts:
                    yield Step(role.name, f"gets into what may run as it in {short}", sure=False)

    def _hands(self, actor: Actor, able: Able) -> Iterator[Step]:
        """Roles that are passed to a service by whatever can be written of it: how each takes one is not known."""
        passing = self.judge.verbs.number(PASSED)
        if passing is None or not self._has(able, PASSED):
            return
        for service, roles in sorted(self._serving.items()):
            short = service.partition(".")[0]
            if able.mask & self.judge.verbs.writing(short) & ~(1 << passing):
                tell = self.judge.asking(actor, PASSED, {SERVICE: service})
                for role in roles:
                    if tell(role.arn):
                        yield Step(role.name, f"may pass it to {short}", sure=False)

    def _provides(self, actor: Actor, able: Able) -> Iterator[Step]:
        """Roles that take a provider's word of who somebody is, where it can be written whose word that is."""
        for action, alone in PROVIDED.items():
            if self._has(able, action):
                tell = self.judge.asking(actor, action)
                for role, provider, sure in self._provided:
                    says = tell(provider)
                    if says:
                        yield Step(role.name, f"writes whose word it takes ({action})", alone and sure and says == YES)

    def _assumes(self, actor: Actor, arn: str, able: Able) -> Iterator[Step]:
        number, leave = self.judge.verbs.number(ASSUMED), self._has(able, ASSUMED)
        if number is None:
            return
        layers = [self.judge.speaking(one, number, actor.context) for one in (actor.statements, *actor.limits)]
        for role in self._asking:
            named, account = self.trusts(role, arn, actor.context)
            if role.arn == arn or not max(named, min(account, leave)):
                continue
            says = self._assumed(actor, arn, role.arn, layers, named, account)
            if says:
                yield Step(role.name, "may assume", says == YES)

    def _assumed(self, actor: Actor, arn: str, place: str, layers: list[Layer], named: int, account: int) -> int:
        """A role that trusts the account needs leave by policy too; one that names who asks does not."""
        found = min(account, *(says(one, place) for one in layers))
        if not named:
            return found
        own, bounds = layers[:1], layers[1 : 1 + (actor.boundary is not None)]
        above = [says(one, place) for one in layers[1 + len(bounds) :]]
        above += [says(one, place) for one in bounds if ":role/" in arn]
        denied = [
            speaks(heard, place, sure=sure) for one in (*own, *bounds) for heard, sure in one if not heard.one.allow
        ]
        open_ = NO if YES in denied else PERHAPS if PERHAPS in denied else YES
        return max(found, min([named, open_, *above]))

    def trusts(self, role: Principal, arn: str, context: Context) -> tuple[int, int]:
        """Whether a role lets an ARN of its account assume it by name, and whether by its account."""

        def by_name(one: str) -> bool:
            session = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
            return bool(arn) and (one in ("*", arn) or (":role/" in arn and one.startswith(f"{session}/")))

        def by_account(one: str) -> bool:
            return one in ("*", self.account.number) or one.endswith(f":iam::{self.account.number}:root")

        return self._trusted(role, "AWS", by_name, context), self._trusted(role, "AWS", by_account, context)

    def serves(self, role: Principal, service: str) -> int:
        """Whether a role lets a service act as it."""
        return self._trusted(role, "Service", lambda one: one == service, {})

    def _trusted(self, role: Principal, kind: str, test: Test, context: Context) -> int:
        found, perhaps = NO, False
        for one in self._trust[role.name]:
            says = _speaks(one, kind, test, self.judge.heard(one, context).holds)
            if one.allow:
                found = max(found, says)
            elif says == YES:
                return NO
            else:
                perhaps = perhaps or says == PERHAPS
        return min(found, PERHAPS) if perhaps else found

    def outside(self, role: Principal) -> Iterator[Step]:
        """Who from elsewhere may assume a role: other accounts, providers of identities, or anybody."""
        for one in role.trust:
            holds = judged(one, {}, self.judge.unjudged)
            for kind, name in one.principals if one.allow and holds is not False else ():
                if "Principal" in one.but or name == "*":
                    yield Step("anybody", "may assume", sure=False)
                elif kind == "Federated":
                    yield Step(f"federated/{name}", "may assume", holds is True)
                elif kind == "AWS" and self.account.number not in name.split(":"):
                    yield Step(f"outside/{name}", "may assume", holds is True)

    def _holders(self) -> dict[str, list[tuple[str, list[str]]]]:
        """For each kind of what policies are written on: the ARNs, each with the actors that have it."""
        account = self.account
        found: dict[str, list[tuple[str, list[str]]]] = {
            kind: [(one.arn, [one.name]) for one in listed] for kind, listed in self._of.items()
        }
        members: dict[str, list[str]] = {name: [f"member: {name}"] for name in account.groups}
        holders: dict[str, list[str]] = {}
        for one in account.principals:
            for name in one.groups:
                members.setdefault(name, []).append(one.name)
            for policy in one.policies:
                holders.setdefault(policy.name, []).append(one.name)
        for group in account.groups.values():
            for policy in group.policies:
                holders.setdefault(policy.name, []).extend(members[group.name])
        found["group"] = [(group.arn, members[group.name]) for group in account.groups.values()]
        own = [(arn, names) for arn, names in sorted(holders.items()) if f"::{account.number}:policy/" in arn]
        found["policy"] = own
        return found


def _asks(one: Statement) -> bool:
    """Say that a statement of a trust lets somebody of the account in, by name or all of it."""
    return one.allow and ("Principal" in one.but or any(kind == "AWS" for kind, _ in one.principals))


def _speaks(one: Statement, kind: str, test: Test, holds: bool | None) -> int:  # noqa: FBT001 - as it was judged
    """Whether a statement of a trust speaks of somebody: NO, PERHAPS or YES."""
    if holds is False:
        return NO
    listed = [name for sort, name in one.principals if sort == kind]
    met = any(test(name) for name in listed) or (kind == "Service" and ("AWS", "*") in one.principals)
    if "Principal" in one.but:
        return NO if met else PERHAPS
    if not met:
        return NO
    return YES if holds else PERHAPS
