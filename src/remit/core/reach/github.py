"""GitHub: what Apps and fine-grained tokens can do in an organisation, from what its REST API lists, as a survey. Pure.

One object with lists as GitHub answers them: `installations` (of Apps, each with `repositories` where it was given
some), `personal_access_tokens` (likewise), `repositories`, and where they are known `secrets` (of Actions, with the
`repositories` that may read each; for all of them when none are listed).
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from remit.core.reach.graph import decoded, invalid
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
ANY: Final = "any repository"
_NAMED: Final = 12


class _Named(msgspec.Struct):
    login: str = ""


class _Repository(msgspec.Struct):
    full_name: str


class _Holder(msgspec.Struct):
    id: int
    app_slug: str = ""
    token_name: str = ""
    owner: _Named | None = None
    repository_selection: str = "all"
    permissions: dict[str, str | dict[str, str]] = {}
    repositories: list[_Repository] | None = None
    suspended_at: str | None = None
    token_expired: bool = False


class _Secret(msgspec.Struct):
    name: str
    repositories: list[_Repository] | None = None


class _Export(msgspec.Struct):
    installations: list[_Holder] = []
    personal_access_tokens: list[_Holder] = []
    repositories: list[_Repository] = []
    secrets: list[_Secret] = []


def survey(data: bytes) -> Seen:
    """What each App and token can do, repository by repository (`reach_invalid`)."""
    form = decoded(data, _Export, "what GitHub lists of an organisation")
    if not form.installations and not form.personal_access_tokens:
        raise invalid("It lists no installations and no tokens.")
    return _Laying(form).lay()


class _Laying:
    """Lays one organisation into a survey."""

    def __init__(self, form: _Export) -> None:
        self.form, self.found = form, Gathering("github")
        listed = [*form.installations, *form.personal_access_tokens]
        given = [one for holder in listed for one in holder.repositories or ()]
        self.repositories = sorted({one.full_name for one in (*form.repositories, *given)})
        self.unknown: set[str] = set()
        self.vague: set[str] = set()
        if len(self.repositories) * max(1, len(listed)) > MOST:
            raise invalid("It has too many repositories for so many Apps and tokens.")

    def lay(self) -> Seen:
        """All nodes and edges."""
        for one in self.form.installations:
            if one.suspended_at is None:
                self._holder(f"app/{one.app_slug or one.id}", one)
        for one in self.form.personal_access_tokens:
            if not one.token_expired:
                owner = one.owner.login if one.owner else ""
                self._holder(f"token/{owner}/{one.token_name or one.id}", one)
        self._secrets()
        notes = self.found.notes
        for what, names in (
            ("Permissions that are not known count as if they let all of them be written", self.unknown),
            ("These were given some repositories, and which is not told: all count", self.vague),
        ):
            if names:
                notes.append(f"{what}: {', '.join(sorted(names)[:_NAMED])}.")
        notes.append("Rules of branches, approvals of workflows and protected environments are not looked at.")
        notes.append("Classic tokens and OAuth apps are told by their scopes: --source scopes.")
        return self.found.seen()

    def _holder(self, name: str, one: _Holder) -> None:
        node = self.found.node("role", name[:500])
        places, sure = self._places(name, one)
        levels = dict(_levels(one.permissions))
        for permission, level in sorted(levels.items()):
            if level == "none":
                continue
            writes, label = level not in READS, level if sure else f"{level} (perhaps)"
            if permission in REPOSITORY:
                for place in places:
                    self.found.edge(node, self.found.node("object", f"{place} {permission}"), label, writes=writes)
            elif permission in ORGANIZATION or permission.startswith("organization_"):
                self.found.edge(node, self.found.node("object", f"organization {permission}"), level, writes=writes)
            else:
                self.unknown.add(permission)
                thing = self.found.node("object", f"whatever {permission} is for")
                self.found.edge(node, thing, f"{level} (perhaps)", writes=True)
        self._widens(node, levels, places)

    def _places(self, name: str, one: _Holder) -> tuple[list[str], bool]:
        """The repositories that it is for, and whether that is sure."""
        if one.repositories is not None:
            return [place.full_name for place in one.repositories], True
        if one.repository_selection == "all":
            return [*self.repositories, ANY], True
        if one.repository_selection == "selected":
            self.vague.add(name)
            return [*self.repositories, ANY], False
        return [], True

    def _widens(self, node: tuple[str, str], levels: dict[str, str], places: Iterable[str]) -> None:
        """What comes of what can be written: workflows that run, keys and owners that are added."""
        write = {name for name, level in levels.items() if level not in READS}
        for place in places:
            code = ("code", f"actions of {place}")
            if {"contents", "workflows"} <= write:
                self.found.edge(node, self.found.node(*code), "writes its workflows")
            elif write & {"contents", "actions"}:
                self.found.edge(node, self.found.node(*code), "has its workflows run what it writes (perhaps)")
            if "administration" in write:
                everything = self.found.node("rights", f"everything in {place}")
                self.found.edge(node, everything, "adds keys, people and rules")
        if write & OWNING:
            whole = self.found.node("rights", "everything")
            self.found.edge(node, whole, f"makes owners ({', '.join(sorted(write & OWNING))}) (perhaps)")

    def _secrets(self) -> None:
        """What runs in a repository reads its secrets; who owns it, or all of them, has everything there."""
        places = [*self.repositories, ANY]
        rooms = {name for kind, name in self.found.titles if kind in ("code", "rights")}
        for one in self.form.secrets:
            listed = [each.full_name for each in one.repositories] if one.repositories else places
            for place in listed:
                if f"actions of {place}" in rooms or "everything" in rooms or f"everything in {place}" in rooms:
                    secret = self.found.node("object", f"secret {one.name}")
                    self.found.edge(("code", f"actions of {place}"), secret, "can read")
        for place in places:
            room = ("rights", f"everything in {place}")
            if "everything" in rooms:
                self.found.edge(("rights", "everything"), room, "owns")
            if "everything" in rooms or room[1] in rooms:
                self.found.edge(room, self.found.node("code", f"actions of {place}"), "writes its workflows")
                for permission in ("contents", "administration", "secrets"):
                    self.found.edge(room, self.found.node("object", f"{place} {permission}"), "admin", writes=True)


def _levels(permissions: dict[str, str | dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Permissions with their levels; those of tokens stand in groups."""
    for name, level in permissions.items():
        if isinstance(level, dict):
            yield from level.items()
        else:
            yield name, level
