"""Kubernetes: everything that roles and bindings let whom do in a cluster, as a survey. Pure."""

from typing import Final

from remit.core.reach.kubernetes.become import MASTERS, NODES, Becoming, Step
from remit.core.reach.kubernetes.rbac import ANYTHING, EVERYTHING, Cluster, Held, Rule, cluster
from remit.core.reach.survey import Gathering, Seen

READS: Final = frozenset({"get", "list", "watch"})
WHOLE: Final = (EVERYTHING, "", EVERYTHING)
_LONGEST: Final = 900
_NAMED: Final = 12
_ALWAYS: Final = (
    "Which groups a user is in is told by whoever signs it in, not by the cluster.",
    "Admission, webhooks, certificates' approval and what controllers do with what is written are not covered.",
    "A secret that is read by its name alone may be a token; a node of the control plane has everything: not told.",
)
Atom = tuple[str, str, str, str]
"""A namespace (empty for the cluster), a group, a resource, and a name (empty for all)."""


def survey(data: bytes) -> Seen:
    """Everything in one cluster, from a list of its roles, bindings and service accounts."""
    return _Laying(cluster(data)).lay()


class _Laying:
    """Lays one cluster into a survey."""

    def __init__(self, of: Cluster) -> None:
        self.of, self.becoming, self.found = of, Becoming(of), Gathering("kubernetes")
        self.rooms: dict[str, Held] = {}
        self.leads: dict[str, set[str]] = {}
        self.gained: dict[str, set[str]] = {}
        self.atoms: set[Atom] = set()

    def lay(self) -> Seen:
        """All nodes and edges."""
        self._rooms()
        self._atoms()
        self.leads[NODES] = set()
        for name in self.becoming.running():
            self._lead(NODES, Step(name, "run pods as"))
        used = {one.name for held in self.of.held.values() for one in held}
        for name in sorted(used | {_whole(place).name for place in ("", *self.becoming.spaces)}):
            self._enter(name)
        for name in sorted({*self.of.held, *self.of.accounts}):
            self._subject(name)
        before = -1
        while before != sum(map(len, self.leads.values())):
            before = sum(map(len, self.leads.values()))
            for name in sorted(self.leads):
                self._widen(name)
        self._say()
        return self.found.seen()

    def _say(self) -> None:
        if self.of.unseen:
            said = "Roles that are bound and not there count as everything"
            self.found.notes.append(f"{said}: {', '.join(sorted(set(self.of.unseen))[:_NAMED])}.")
        if self.of.lacks:
            self.found.notes.append(f"Not given, so what comes of it is not known: {', '.join(self.of.lacks)}.")
        if not self.of.pods:
            self.found.notes.append("No pods were given: whoever gets into pods may get into those of any account.")
        self.found.notes.extend(_ALWAYS)

    def _rooms(self) -> None:
        """Every role in every place where it is bound, or could be."""
        for role, rules in self.of.roles.items():
            for place in [role[1]] if role[1] else ["", *self.becoming.spaces]:
                self._room(Held(role, place, rules))
        for held in self.of.held.values():
            for one in held:
                self._room(one)
        for place in ("", *self.becoming.spaces):
            self._room(_whole(place))

    def _room(self, one: Held) -> None:
        self.rooms.setdefault(one.name, one)

    def _node(self, name: str) -> tuple[str, str]:
        if name == NODES:
            return self.found.node("code", NODES)
        kind = "role" if name.partition("/")[0] in ("serviceaccount", "user", "group") else "rights"
        return self.found.node(kind, name[:_LONGEST])

    def _atoms(self) -> None:
        """Each thing that some rule that is bound speaks of, where it is bound."""
        for held in self.of.held.values():
            for one in held:
                for rule in one.rules:
                    names = rule.resource_names or ("",)
                    self.atoms |= {
                        (one.space, group, resource, name)
                        for group in rule.api_groups for resource in rule.resources for name in names
                    } | {(one.space, "url", url, "") for url in rule.non_resource_urls}  # fmt: skip
        self.atoms.add(("", "*", "*", ""))

    def _enter(self, name: str) -> None:
        """What a role gives where it is bound: things, and whose place it lets be taken."""
        if name in self.leads:
            return
        self.leads[name] = set()
        one = self.rooms[name]
        for atom in sorted(self.atoms):
            verbs = _verbs(one, atom)
            if verbs:
                writes = not verbs <= READS
                self.found.edge(
                    self._node(name), self.found.node("object", _called(atom)[:_LONGEST]), ", ".join(sorted(verbs)),
                    writes=writes,
                )  # fmt: skip
        self._follow(name, [one], set())
        if one.role == WHOLE and not one.space:
            for other in sorted({*self.of.held, *self.of.accounts}):
                self._lead(name, Step(other, "may act as"))
            for space in self.becoming.spaces:
                self._lead(name, Step(_whole(space).name, "is"))

    def _follow(self, name: str, held: list[Held], there: set[str]) -> None:
        for step in self.becoming.steps(held):
            if step.to not in there:
                self._lead(name, step)
        for space in self.becoming.runs(held):
            code = self.found.node("code", f"pods of {space}")
            if not any((self._node(one), code, "runs programs in") in self.found.links for one in sorted(there)):
                self.found.edge(self._node(name), code, "runs programs in")

    def _lead(self, name: str, step: Step) -> None:
        if step.to in self.leads[name] or step.to == name:
            return
        self.leads[name].add(step.to)
        if step.to in self.rooms:
            self.gained.setdefault(name, set()).add(step.to)
            self._enter(step.to)
        how = step.how if step.sure else f"{step.how} (perhaps)"
        self.found.edge(self._node(name), self._node(step.to), how)

    def _subject(self, name: str) -> None:
        """A subject: its groups, the roles that are bound to it, and what only several of them give together."""
        node = self._node(name)
        mine = list(self.of.held.get(name, ()))
        self.leads[name] = set()
        if name.startswith("serviceaccount/"):
            space = name.split("/")[1]
            for group in ("system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"):
                self.leads[name].add(f"group/{group}")
                self.found.edge(node, self._node(f"group/{group}"), "is in the group")
                mine += self.of.held.get(f"group/{group}", ())
        elif name.startswith("user/"):
            group = "group/system:authenticated"
            if group in self.of.held:
                self.leads[name].add(group)
                self.found.edge(node, self._node(group), "is in the group")
                mine += self.of.held[group]
        if name == MASTERS:
            self._lead(name, Step(_whole("").name, "is"))
        for one in self.of.held.get(name, ()):
            self.leads[name].add(one.name)
            self.found.edge(node, self._node(one.name), "is bound to")
        there = {other for one in mine for other in self.leads.get(one.name, ())} | {one.name for one in mine}
        if len({one.name for one in mine}) > 1:
            self._follow(name, mine, there)

    def _widen(self, name: str) -> None:
        """Who can write a role that it has, or may come to have, has everything where that is bound.

        What can be bound at all can be bound to whoever asks, beside what it has.
        """
        reached = self._reached(name)
        if _whole("").name in reached:
            return
        gained = [self.rooms[one] for one in sorted(set().union(*(self.gained.get(one, ()) for one in reached)))]
        rooms = [self.rooms[one] for one in sorted(reached & self.rooms.keys())]
        for actor in sorted(reached):
            held = [*self._holds(actor), *gained] if actor not in self.rooms else self._holds(actor)
            for one in rooms if self.becoming.escalates(held) else ():
                if one.role in self.of.roles and self.becoming.writes(held, one.role):
                    self._lead(name, Step(_whole(one.space).name, f"writes {one.name}, which it has"))
        if gained and name not in self.rooms:
            self._follow(name, [*self._holds(name), *gained], reached)

    def _holds(self, name: str) -> list[Held]:
        if name in self.rooms:
            return [self.rooms[name]]
        groups = [one for one in self.leads.get(name, ()) if one.startswith("group/")] if name.startswith(
            ("serviceaccount/", "user/")) else []  # fmt: skip
        return [held for one in (name, *groups) for held in self.of.held.get(one, ())]

    def _reached(self, name: str) -> set[str]:
        found, waiting = {name}, [name]
        for one in waiting:
            for other in self.leads.get(one, ()):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found


def _whole(space: str) -> Held:
    """Everything, in the cluster or in a namespace."""
    return Held(WHOLE, space, (ANYTHING,))


def _verbs(one: Held, atom: Atom) -> set[str]:
    """What a role that is bound somewhere lets be done with all of a thing."""
    space, group, resource, name = atom
    if one.space not in ("", space):
        return set()
    found: set[str] = set()
    for rule in one.rules:
        if group == "url":
            if any(url in ("*", resource) or (url.endswith("*") and resource.startswith(url[:-1]))
                   for url in rule.non_resource_urls):  # fmt: skip
                found.update(rule.verbs)
        elif _covers(rule, group, resource, name):
            found.update(rule.verbs)
    return {"*"} if "*" in found else found


def _covers(rule: Rule, group: str, resource: str, name: str) -> bool:
    groups = group in rule.api_groups or "*" in rule.api_groups
    return groups and rule.on(resource) and (not rule.resource_names or name in rule.resource_names)


def _called(atom: Atom) -> str:
    """How a thing is called: its namespace, or `*`; its resource and group; its name."""
    space, group, resource, name = atom
    if group == "url":
        return f"url {resource}"
    kind = resource if group in ("", "*") else f"{resource}.{group}"
    return "/".join(filter(None, (space or "*", kind, name)))
