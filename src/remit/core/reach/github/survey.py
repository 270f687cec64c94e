"""GitHub: what people, teams, Apps, fine-grained tokens and deploy keys can do in an organisation, as a survey. Pure.

A token does what it was given and its owner may do besides; where what the owner may do was asked in full, no more is
told. Its twin is tests/oracle/github.
"""

from collections.abc import Iterable
from typing import Final

from remit.core.reach.github.export import LEVELS, Export, Holder, Team, level, levels, read
from remit.core.reach.github.people import ADMIN, People
from remit.core.reach.graph import invalid
from remit.core.reach.survey import Gathering, Seen

MOST: Final = 200_000
READS: Final = frozenset({"read", "none"})
ORGANIZATION: Final = frozenset({"members", "blocking", "team_discussions", "announcement_banners"})
"""Permissions on the organisation that do not say so in their names."""
REPOSITORY: Final = frozenset({
    "actions", "actions_variables", "administration", "attestations", "checks", "codespaces",
    "codespaces_lifecycle_admin", "codespaces_metadata", "codespaces_secrets", "contents", "dependabot_secrets",
    "deployments", "discussions",
    "environments", "issues", "merge_queues", "metadata", "packages", "pages", "pull_requests",
    "repository_advisories", "repository_custom_properties", "repository_hooks", "repository_projects",
    "secret_scanning_alerts", "secrets", "security_events", "single_file", "statuses", "vulnerability_alerts",
    "workflows",
})  # fmt: skip
OWNING: Final = frozenset({"members", "organization_administration", "organization_custom_roles",
                           "organization_custom_org_roles"})  # fmt: skip
"""Permissions that, to write, can make somebody an owner, or near it."""
ROLES: Final[dict[str, tuple[tuple[str, str, bool], ...]]] = {
    "read": (("contents", "read", False), ("metadata", "read", False), ("issues", "opens and comments on", True),
             ("pull_requests", "opens and comments on", True)),
    "triage": (("issues", "sorts", True), ("pull_requests", "sorts", True)),
    "write": (("contents", "write", True), ("actions", "write", True), ("deployments", "write", True),
              ("statuses", "write", True)),
    "maintain": (("pages", "write", True),),
    "admin": (("contents", "admin", True), ("administration", "admin", True), ("secrets", "admin", True)),
}  # fmt: skip
"""What each level lets be done in a repository, beside all that the levels before it do."""
COMMENTED: Final = frozenset({"issues", "pull_requests", "discussions"})
"""What whoever can read a repository can write something to."""
ANY: Final = "any repository"
EVERYTHING: Final = "everything"
_OFF: Final = "Suspended, forbidden or expired, and not counted"
_UNTOLD: Final = "What these teams have was not given, and counts as anything"
_PERHAPS: Final = " (perhaps)"
_LONGEST: Final = 500
_NAMED: Final = 12
Node = tuple[str, str]


def survey(data: bytes) -> Seen:
    """What everybody can do, repository by repository (`reach_invalid`)."""
    return _Laying(read(data)).lay()


class _Laying:
    """Lays one organisation into a survey."""

    def __init__(self, form: Export) -> None:
        self.form, self.found, self.people = form, Gathering("github"), People(form)
        self.places = [*form.every(), ANY]
        self.said: dict[str, set[str]] = {}
        holders = len(form.installations or ()) + len(form.personal_access_tokens or ())
        if len(self.places) * max(1, holders) > MOST:
            raise invalid("It has too many repositories for so many Apps and tokens.")

    def lay(self) -> Seen:
        """All nodes and edges."""
        self._people()
        self._roles()
        for team in self.people.teams.values():
            self._team(team)
        for one in self.form.installations or ():
            name = f"app/{one.app_slug or one.id}"
            if one.suspended_at is None:
                self._holder(name, one, "")
            else:
                self._note(_OFF, name)
        for one in self.form.personal_access_tokens or ():
            owner = one.owner.login if one.owner else ""
            name = f"token/{owner}/{one.token_name or one.id}"
            if one.token_expired:
                self._note(_OFF, name)
                continue
            self._holder(name, one, owner)
            if owner:
                self.found.edge(self._node("role", f"user/{owner}"), self._node("role", name), "holds")
        self._keys()
        self._rooms()
        self._secrets()
        self._say()
        return self.found.seen()

    def _say(self) -> None:
        notes = self.found.notes
        notes.extend(f"Not given, so what comes of it is not known: {what}." for what in self.form.missing())
        notes.extend(f"{what}: {', '.join(sorted(names)[:_NAMED])}." for what, names in sorted(self.said.items()))
        notes.append("Rules of branches, approvals of workflows and protected environments are not looked at.")
        notes.append("Classic tokens and OAuth apps are told by their scopes: --source scopes.")

    def _note(self, what: str, name: str) -> None:
        self.said.setdefault(what, set()).add(name)

    def _node(self, kind: str, name: str) -> Node:
        return self.found.node(kind, name[:_LONGEST])

    def _room(self, said: str, place: str) -> Node:
        """What a level lets be done in a repository."""
        return self._node("rights", f"{EVERYTHING if said == ADMIN else said} in {place}")

    def _thing(self, place: str, permission: str) -> Node:
        return self._node("object", f"{place} {permission}")

    def _unknown(self, node: Node, what: str, how: str) -> None:
        """Something that nobody knows: it may be anything."""
        self.found.edge(node, self._node("object", f"whatever {what} is for"), f"{how}{_PERHAPS}", writes=True)

    def _people(self) -> None:
        """Owners, members with what they all have, and collaborators."""
        people, everybody = self.people, ("rights", "members")
        for login in sorted(people.members):
            self.found.edge(self._node("role", f"user/{login}"), self._node(*everybody), "is a member")
        for login in sorted(people.owners):
            self.found.edge(self._node("role", f"user/{login}"), self._node("rights", EVERYTHING), "owns")
        base = self.form.base()
        if people.members and base is None:
            self._unknown(self._node(*everybody), "the base permission", "has")
        for place in self.places if people.members and base not in (None, "none") else ():
            self.found.edge(self._node(*everybody), self._room(base or "", place), "every member has")
        for one in self.form.repositories or ():
            for person in one.collaborators or ():
                self._given(self._node("role", f"user/{person.login}"), one.full_name, *level(person))
            if one.visibility == "internal" and people.members:
                self.found.edge(self._node(*everybody), self._room(LEVELS[0], one.full_name), "is internal")

    def _roles(self) -> None:
        """Roles of the organisation: what each gives everywhere, and who has it."""
        for role in self.form.organization_roles or ():
            node = self._node("rights", f"role {role.name}")
            for user in role.users:
                self.found.edge(self._node("role", f"user/{user.login}"), node, "has the role")
            for team in role.teams:
                self.found.edge(self._node("rights", f"team/{team.slug}"), node, "has the role")
            for place in self.places if role.base_role in LEVELS else ():
                self.found.edge(node, self._room(role.base_role or "", place), "gives everywhere")
            for permission in role.permissions:
                self._unknown(node, permission, "has")

    def _given(self, node: Node, place: str, said: str, sure: bool) -> None:  # noqa: FBT001 - as `level` tells it
        if said:
            self.found.edge(node, self._room(said, place), "has")
        if not sure:
            self._note("Roles of the organisation's own count as if they were for anything", place)
            self._unknown(node, f"its role in {place}", "has")

    def _team(self, team: Team) -> None:
        """A team's members, the team that it is in, and what it has."""
        node = self._node("rights", f"team/{team.slug}")
        for one in team.members or ():
            self.found.edge(self._node("role", f"user/{one.login}"), node, "is in the team")
        for place in team.repositories or ():
            self._given(node, place.full_name, *level(place))
        if team.members is None:
            self._note("Who is in these teams was not given", team.slug)
        if team.repositories is None:
            self._note(_UNTOLD, team.slug)
            self._unknown(node, f"team/{team.slug}", "has")
        if team.parent is not None:
            above = self._node("rights", f"team/{team.parent.slug}")
            self.found.edge(node, above, "is a team of")
            if team.parent.slug not in self.people.teams:
                self._note(_UNTOLD, team.parent.slug)
                self._unknown(above, f"team/{team.parent.slug}", "has")

    def _holder(self, name: str, one: Holder, owner: str) -> None:
        """An App or a token, with what it was given where."""
        node = self._node("role", name)
        places, sure = self._where(name, one)
        held = {what: said for what, said in levels(one.permissions).items() if said != "none"}
        for place in places:
            mine = self._within(name, owner, place, held) if owner else held
            for permission in sorted(mine.keys() & REPOSITORY):
                said = mine[permission]
                label = said if sure else f"{said}{_PERHAPS}"
                self.found.edge(node, self._thing(place, permission), label, writes=said not in READS)
            self._widens(node, mine, place, sure=sure)
        for permission in sorted(held.keys() - REPOSITORY):
            said = held[permission]
            if permission in ORGANIZATION or permission.startswith("organization_"):
                self.found.edge(node, self._thing("organization", permission), said, writes=said not in READS)
            else:
                self._note("Permissions that are not known count as if they let all of them be written", permission)
                self._unknown(node, permission, said)
        makes = sorted(what for what in held.keys() & OWNING if held[what] not in READS)
        if makes:
            self.found.edge(node, self._node("rights", EVERYTHING), f"makes owners ({', '.join(makes)}){_PERHAPS}")

    def _where(self, name: str, one: Holder) -> tuple[list[str], bool]:
        """The repositories that it is for, and whether that is sure."""
        if one.repositories is not None and one.repository_selection != "all":
            return [place.full_name for place in one.repositories], True
        if one.repository_selection == "none":
            return [], True
        if one.repository_selection != "all":
            self._note("These were given some repositories, and which is not told: all count", name)
        return self.places, one.repository_selection == "all"

    def _within(self, name: str, owner: str, place: str, held: dict[str, str]) -> dict[str, str]:
        """What of a token's permissions its owner may use in a repository, where that is known."""
        said, whole = self.people.least(owner, place)
        if not whole:
            self._note("What their owners may do was not asked in full, so these count as they were given", name)
            return held
        rank = LEVELS.index(said) if said else -1
        able = {what: had if rank >= _needed(what, had) else "read" for what, had in held.items()}
        return {what: had for what, had in able.items() if rank >= _needed(what, had)}

    def _widens(self, node: Node, held: dict[str, str], place: str, *, sure: bool) -> None:
        """What comes of what can be written: workflows that run, and keys that are added."""
        write, end = {what for what, said in held.items() if said not in READS}, "" if sure else _PERHAPS
        if {"contents", "workflows"} <= write:
            self.found.edge(node, self._node("code", f"actions of {place}"), f"writes its workflows{end}")
        elif write & {"contents", "actions"}:
            how = f"has its workflows run what it writes{_PERHAPS}"
            self.found.edge(node, self._node("code", f"actions of {place}"), how)
        if "administration" in write:
            self.found.edge(node, self._room(ADMIN, place), f"adds keys, people and rules{end}")

    def _keys(self) -> None:
        """Deploy keys: they push as an administrator does, whoever made them."""
        for place in self.form.repositories or ():
            for one in place.keys or ():
                name = f"key/{place.full_name}/{one.title or 'untitled'} {one.id}"
                if not one.enabled:
                    self._note(_OFF, name)
                    continue
                node, said = self._node("role", name), "read" if one.read_only else "write"
                self.found.edge(node, self._thing(place.full_name, "contents"), said, writes=not one.read_only)
                if not one.read_only:
                    code = self._node("code", f"actions of {place.full_name}")
                    self.found.edge(node, code, "writes its workflows")

    def _rooms(self) -> None:
        """What each level lets be done, in each repository where somebody has it; who owns all has each."""
        rooms = {name for kind, name in self.found.titles if kind == "rights"}
        for place in self.places:
            if EVERYTHING in rooms:
                self.found.edge(("rights", EVERYTHING), self._room(ADMIN, place), "owns")
            above: Node | None = None
            for said in reversed(LEVELS):
                here = f"{EVERYTHING if said == ADMIN else said} in {place}"[:_LONGEST]
                if above is None and here not in rooms and not (said == ADMIN and EVERYTHING in rooms):
                    continue
                node = self._room(said, place)
                if above is not None:
                    self.found.edge(above, node, "is more than")
                for permission, label, writes in ROLES[said]:
                    self.found.edge(node, self._thing(place, permission), label, writes=writes)
                if said == "write":
                    self.found.edge(node, self._node("code", f"actions of {place}"), "writes its workflows")
                above = node

    def _secrets(self) -> None:
        """What runs in a repository reads its secrets."""
        rooms = {name for kind, name in self.found.titles if kind == "code"}
        for one in self.form.secrets or ():
            listed: Iterable[str] = self.places
            if one.repositories is not None:
                listed = [each.full_name for each in one.repositories]
            for place in listed:
                code = f"actions of {place}"[:_LONGEST]
                if code in rooms:
                    self.found.edge(("code", code), self._node("object", f"secret {one.name}"), "can read")


def _needed(permission: str, said: str) -> int:
    """The least level that lets a permission be used; what is not known needs nothing."""
    if permission not in REPOSITORY:
        return -1
    if said in READS or permission in COMMENTED:
        return LEVELS.index("read")
    return LEVELS.index(ADMIN if permission == "administration" else "write")
