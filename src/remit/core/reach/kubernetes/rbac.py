"""Roles and bindings as `kubectl get … -A -o json` writes them, and what they let whom do. Pure.

A role that is bound in a namespace gives its rules there; one that is bound to the cluster, everywhere. Rules only add.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from remit.core.canonical import Json
from remit.core.reach.graph import decoded, invalid

MOST: Final = 100_000
EVERYTHING: Final = "everything"
GROUP: Final = "rbac.authorization.k8s.io"
WANTED: Final = ("ClusterRoleBinding", "RoleBinding", "ServiceAccount")
"""Kinds of which every cluster has some: one that is missing was not asked for, or not let be read."""
ACCOUNT: Final = 2
"""Colons before the name of a service account that is called as a user."""
KINDS: Final = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Pod")


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """What a rule lets be done: verbs on resources of groups, of some names where it lists any; or on addresses."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(name="nonResourceURLs", default=())

    def lets(self, verb: str, group: str, resource: str, name: str) -> bool:
        """Say that it lets a verb be done; with no name, on whatever there is."""
        return (
            (verb in self.verbs or "*" in self.verbs)
            and (group in self.api_groups or "*" in self.api_groups)
            and self.on(resource)
            and (not self.resource_names or name in self.resource_names)
        )

    def touches(self, verb: str, group: str, resource: str) -> bool:
        """Say that it lets a verb be done on something of a kind, be it on some names alone."""
        named = self.resource_names[0] if self.resource_names else ""
        return self.lets(verb, group, resource, named)

    def on(self, resource: str) -> bool:
        """Say that it speaks of a resource: by name, as any, or as any with this part."""
        _, mark, part = resource.partition("/")
        return resource in self.resources or "*" in self.resources or (bool(mark) and f"*/{part}" in self.resources)


ANYTHING: Final = Rule(("*",), ("*",), ("*",), (), ("*",))


class _Meta(msgspec.Struct):
    name: str
    namespace: str = ""
    labels: dict[str, str] | None = None


class _Reference(msgspec.Struct):
    kind: str
    name: str
    namespace: str = ""


class _Selector(msgspec.Struct, rename="camel"):
    match_labels: dict[str, str] = {}
    match_expressions: list[Json] = []


class _Aggregation(msgspec.Struct, rename="camel"):
    cluster_role_selectors: list[_Selector] = []


class _Named(msgspec.Struct):
    name: str = ""


class _Pod(msgspec.Struct, rename="camel"):
    service_account_name: str = "default"


class _Item(msgspec.Struct, rename="camel"):
    kind: str
    metadata: _Meta
    rules: list[Rule] | None = None
    subjects: list[_Reference] | None = None
    role_ref: _Reference | None = None
    aggregation_rule: _Aggregation | None = None
    secrets: list[_Named] | None = None
    spec: msgspec.Raw = msgspec.Raw(b"{}")


class _Pages(msgspec.Struct):
    more: str = msgspec.field(name="continue", default="")


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw]
    metadata: _Pages | None = None


class _Sort(msgspec.Struct):
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A role where it is bound: its kind, name and rules, and the namespace, empty for all of the cluster."""

    role: tuple[str, str, str]
    space: str
    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """How it is called in a survey."""
        kind, space, name = self.role
        text = "/".join(filter(None, self.role))
        if kind == EVERYTHING:
            text = name
        return f"{text} in {self.space}" if self.space and not space else text


@dataclass(slots=True)
class Cluster:
    """What was read: subjects with what is bound to them, service accounts with their stored tokens, and who runs."""

    held: dict[str, list[Held]] = field(default_factory=dict)
    accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    pods: bool = False
    roles: dict[tuple[str, str, str], tuple[Rule, ...]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    lacks: tuple[str, ...] = ()


def cluster(data: bytes) -> Cluster:
    """Read a list of roles, bindings and service accounts (`reach_invalid`); pods, if any, tell who runs."""
    items = _items(data)
    there = {one.kind for one in items}
    found = Cluster(pods="Pod" in there, lacks=tuple(kind for kind in WANTED if kind not in there))
    for one in items:
        _note(found, one, items)
    for one in items:
        if one.kind.endswith("Binding"):
            _bind(found, one)
    for name in found.accounts:
        space = name.split("/")[1]
        for group in ("system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"):
            found.held.setdefault(f"group/{group}", [])
    return found


def _items(data: bytes) -> list[_Item]:
    what = "a list of roles and bindings"
    whole = decoded(data, _Listed, what)
    if whole.metadata is not None and whole.metadata.more:
        raise invalid("It is one page of several: have all of it written.")
    listed = whole.items
    kinds = [decoded(one, _Sort, what).kind for one in listed]
    items = [decoded(one, _Item, what) for one, kind in zip(listed, kinds, strict=True) if kind in KINDS]
    if len(items) > MOST or not any(one.kind.endswith("Binding") for one in items):
        raise invalid("It has no bindings, or too many things.")
    return items


def _note(found: Cluster, one: _Item, items: Iterable[_Item]) -> None:
    """Note a role, a service account, or as which one a pod runs."""
    place = one.metadata
    if one.kind in ("Role", "ClusterRole"):
        space = place.namespace if one.kind == "Role" else ""
        found.roles[one.kind.lower(), space, place.name] = tuple(one.rules or _gathered(one, items))
    elif one.kind == "ServiceAccount":
        name = f"serviceaccount/{place.namespace}/{place.name}"
        found.accounts[name] = tuple(secret.name for secret in one.secrets or ())
    elif one.kind == "Pod":
        account = decoded(one.spec, _Pod, "a list of roles and bindings").service_account_name
        found.running.add(f"serviceaccount/{place.namespace}/{account}")


def _gathered(one: _Item, items: Iterable[_Item]) -> Iterator[Rule]:
    """The rules that a role gathers by labels, where the cluster has not filled them in."""
    for selector in one.aggregation_rule.cluster_role_selectors if one.aggregation_rule else ():
        for other in items:
            labels = other.metadata.labels or {}
            fits = all(labels.get(key) == value for key, value in selector.match_labels.items())
            if other.kind == "ClusterRole" and other is not one and fits:
                yield from other.rules or ()


def _bind(found: Cluster, one: _Item) -> None:
    reference = one.role_ref
    if reference is None or reference.kind not in ("Role", "ClusterRole"):
        raise invalid("A binding names no role.")
    space = one.metadata.namespace if one.kind == "RoleBinding" else ""
    role = (reference.kind.lower(), space if reference.kind == "Role" else "", reference.name)
    rules = found.roles.get(role)
    if rules is None:
        found.unseen.append("/".join(filter(None, role)))
        rules = (ANYTHING,)
    for subject in one.subjects or ():
        if subject.kind == "ServiceAccount":
            name = f"serviceaccount/{subject.namespace or space}/{subject.name}"
            found.accounts.setdefault(name, ())
        else:
            name = f"{subject.kind.lower()}/{subject.name}"
            if subject.name.startswith("system:serviceaccount:") and subject.name.count(":") > ACCOUNT:
                name = _account(found, subject.name)
        found.held.setdefault(name, []).append(Held(role, space, rules))


def _account(found: Cluster, text: str) -> str:
    """A service account that is bound by its name as a user."""
    _, _, space, name = text.split(":", 3)
    found.accounts.setdefault(f"serviceaccount/{space}/{name}", ())
    return f"serviceaccount/{space}/{name}"


def can(held: Iterable[Held], verb: str, space: str, group: str, resource: str, name: str = "") -> bool:
    """Say that what is held lets a verb be done in a namespace; with no namespace, in all of the cluster."""
    return any(rule.lets(verb, group, resource, name) for one in held if one.space in ("", space) for rule in one.rules)


def some(held: Iterable[Held], verb: str, space: str, group: str, resource: str) -> bool:
    """Say that what is held lets a verb be done on something of a kind there, be it on some names alone."""
    return any(rule.touches(verb, group, resource) for one in held if one.space in ("", space) for rule in one.rules)
