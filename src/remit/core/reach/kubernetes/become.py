"""Whose place what is held in a cluster gives: accounts by pods and tokens, whom it acts as, roles to bind. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from remit.core.reach.kubernetes.rbac import EVERYTHING, GROUP, Cluster, Held, can, some

WORKLOADS: Final = (
    ("", "pods"), ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "daemonsets"),
    ("apps", "statefulsets"), ("apps", "replicasets"), ("batch", "jobs"), ("batch", "cronjobs"),
)  # fmt: skip
INTO: Final = (("create", "pods/exec"), ("get", "pods/exec"), ("create", "pods/attach"), ("get", "pods/attach"),
               ("update", "pods/ephemeralcontainers"), ("patch", "pods/ephemeralcontainers"))  # fmt: skip
CHANGING: Final = ("update", "patch")
READING: Final = ("get", "list", "watch")
NODES: Final = "nodes"
"""The machines that pods run on: where admission lets a pod have its node, that has every token of what runs there."""
MASTERS: Final = "group/system:masters"


@dataclass(frozen=True, slots=True)
class Step:
    """That one can take another's place, or its rights: how, and if that is sure."""

    to: str
    how: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class _Ways:
    """What is held in a namespace that gives accounts there: asked once, for all of them."""

    starts: bool
    changes: bool
    enters: bool
    reads: bool
    stores: bool
    running: bool


class Becoming:
    """Tells what follows from what is held in one cluster."""

    def __init__(self, of: Cluster) -> None:
        self.of = of
        self.spaces = sorted({name.split("/")[1] for name in of.accounts})

    def steps(self, held: Iterable[Held]) -> list[Step]:
        """Everybody whose place can be taken, and every role that can be bound."""
        mine = list(held)
        ways = {space: self._ways(mine, space) for space in self.spaces}
        found = [step for name in sorted(self.of.accounts) for step in self._account(mine, name, ways)]
        if any(one.starts or one.changes for one in ways.values()):
            found.append(Step(NODES, "starts pods that may have their", sure=False))
        return [*found, *self._acting(mine), *self._binding(mine)]

    def runs(self, held: Iterable[Held]) -> list[str]:
        """The namespaces in whose pods programs can be run."""
        mine = list(held)
        return [space for space in self.spaces if self._starts(mine, space) or self._enters(mine, space)]

    def _starts(self, held: list[Held], space: str) -> bool:
        return any(can(held, "create", space, group, resource) for group, resource in WORKLOADS)

    def _changes(self, held: list[Held], space: str) -> bool:
        """Whether what starts pods can be changed, and with it as whom they run; a pod itself keeps its account."""
        return any(
            some(held, verb, space, group, one) for verb in CHANGING for group, one in WORKLOADS if one != "pods"
        )

    def _enters(self, held: list[Held], space: str) -> bool:
        """Whether some pod can be got into, be it one that is named."""
        into = any(some(held, verb, space, "", resource) for verb, resource in INTO)
        changing = any(some(held, verb, space, "", "pods") for verb in CHANGING) or self._changes(held, space)
        return into or changing or any(some(held, verb, "", "", "nodes/proxy") for verb in ("get", "create"))

    def running(self) -> list[str]:
        """The accounts that pods run as; all of them where no pods were given."""
        return sorted(self.of.running if self.of.pods else self.of.accounts)

    def _ways(self, held: list[Held], space: str) -> _Ways:
        return _Ways(
            self._starts(held, space),
            self._changes(held, space),
            self._enters(held, space),
            any(can(held, verb, space, "", "secrets") for verb in READING),
            can(held, "create", space, "", "secrets"),
            any(one.split("/")[1] == space for one in self.of.running),
        )

    def _account(self, held: list[Held], name: str, ways: dict[str, _Ways]) -> Iterator[Step]:
        _, space, short = name.split("/", 2)
        way = ways[space]
        if can(held, "create", space, "", "serviceaccounts/token", short):
            yield Step(name, "makes a token of")
        if way.starts:
            yield Step(name, "starts a pod as")
        elif way.changes:
            yield Step(name, "has what starts pods run as", sure=way.running)
        if any(can(held, verb, space, "", "secrets", one) for one in self.of.accounts[name] for verb in READING):
            yield Step(name, "reads a stored token of")
        if way.reads and way.stores:
            yield Step(name, "has a token stored, and reads it, of")
        elif way.reads:
            # Which secrets are tokens is not told: an account lists none of those that were made by hand.
            yield Step(name, "may read a stored token of", sure=False)
        if way.enters and (name in self.of.running or not self.of.pods):
            yield Step(name, "gets into a pod of", sure=name in self.of.running)

    def _acting(self, held: list[Held]) -> Iterator[Step]:
        """Who may be acted as: impersonation is told by kinds of their own."""
        for name in sorted({*self.of.held, *self.of.accounts, MASTERS}):
            kind, _, short = name.partition("/")
            space, _, account = short.partition("/") if kind == "serviceaccount" else ("", "", short)
            if can(held, "impersonate", space, "", f"{kind}s", account):
                # A group is acted as along with a user: any that can be.
                sure = kind != "group" or can(held, "impersonate", "", "", "users")
                yield Step(EVERYTHING if name == MASTERS else name, f"acts as {short}", sure)

    def _binding(self, held: list[Held]) -> Iterator[Step]:
        """Roles that can be bound, in all of the cluster or in a namespace, without being held."""
        for role in sorted(self.of.roles):
            kind, space, name = role
            resource = f"{kind}s"
            if kind == "clusterrole" and self._binds(held, "", "clusterrolebindings", resource, name):
                yield Step(Held(role, "", ()).name, "binds itself to")
            for place in (space,) if space else self.spaces:
                if self._binds(held, place, "rolebindings", resource, name):
                    yield Step(Held(role, place, ()).name, "binds itself to")

    def _binds(self, held: list[Held], space: str, bindings: str, roles: str, name: str) -> bool:
        writes = any(can(held, verb, space, GROUP, bindings) for verb in ("create", *CHANGING))
        return writes and can(held, "bind", space, GROUP, roles, name)

    def escalates(self, held: Iterable[Held]) -> bool:
        """Say that some role can be written beyond what its writer has: asked before every role is."""
        return any("escalate" in rule.verbs or "*" in rule.verbs for one in held for rule in one.rules)

    def writes(self, held: Iterable[Held], role: tuple[str, str, str]) -> bool:
        """Say that a role can be written beyond what its writer has."""
        mine = list(held)
        kind, space, name = role
        able = {verb for verb in (*CHANGING, "delete", "escalate") if can(mine, verb, space, GROUP, f"{kind}s", name)}
        anew = "delete" in able and can(mine, "create", space, GROUP, f"{kind}s")
        return "escalate" in able and (anew or bool(able & set(CHANGING)))
