"""What GitHub's REST API lists of one organisation, in one object; a list that is not there is not known. Pure.

A missing list is `None` and an empty one is empty: nobody was let in, or it was not asked, are not the same.
"""

from typing import Final

import msgspec

from remit.core.reach.graph import decoded, invalid

LEVELS: Final = ("read", "triage", "write", "maintain", "admin")
"""What somebody may do in a repository, each with all that is before it."""
_WORDS: Final = {"pull": "read", "push": "write"}
_KINDS: Final = {
    "installations": "Apps", "personal_access_tokens": "fine-grained tokens", "members": "members", "owners": "owners",
    "teams": "teams", "organization_roles": "roles of the organisation", "secrets": "secrets of Actions",
}  # fmt: skip


class Named(msgspec.Struct):
    """Somebody."""

    login: str = ""


class Place(msgspec.Struct):
    """A repository by its name, and in the list of a team or a collaborator, what is given there."""

    full_name: str
    role_name: str = ""
    permissions: dict[str, bool] = {}


class Collaborator(msgspec.Struct):
    """Somebody who was let into a repository by name."""

    login: str
    role_name: str = ""
    permissions: dict[str, bool] = {}


class Key(msgspec.Struct):
    """A deploy key; `enabled` is false where the organisation forbids them."""

    id: int
    title: str = ""
    read_only: bool = False
    enabled: bool = True


class Repository(msgspec.Struct):
    """A repository, with whom was let in by name (`affiliation=direct`) and its deploy keys, where they were asked."""

    full_name: str
    visibility: str = ""
    collaborators: list[Collaborator] | None = None
    keys: list[Key] | None = None


class Holder(msgspec.Struct):
    """An installation of an App, or a fine-grained token."""

    id: int
    app_slug: str = ""
    token_name: str = ""
    owner: Named | None = None
    repository_selection: str = "all"
    permissions: dict[str, str | dict[str, str]] = {}
    repositories: list[Place] | None = None
    suspended_at: str | None = None
    token_expired: bool = False


class Secret(msgspec.Struct):
    """A secret of Actions; every repository's, where none are listed."""

    name: str
    repositories: list[Place] | None = None


class Above(msgspec.Struct):
    """The team that a team is in."""

    slug: str


class Team(msgspec.Struct):
    """A team, with its members and repositories where they were asked."""

    slug: str
    parent: Above | None = None
    members: list[Named] | None = None
    repositories: list[Place] | None = None


class Role(msgspec.Struct):
    """A role of the organisation: what it gives in every repository, and who has it."""

    name: str
    base_role: str | None = None
    permissions: list[str] = []
    users: list[Named] = []
    teams: list[Above] = []


class Organization(msgspec.Struct):
    """The organisation itself, as whoever owns it is told."""

    login: str = ""
    default_repository_permission: str | None = None


class Export(msgspec.Struct):
    """All of it."""

    organization: Organization | None = None
    installations: list[Holder] | None = None
    personal_access_tokens: list[Holder] | None = None
    repositories: list[Repository] | None = None
    secrets: list[Secret] | None = None
    members: list[Named] | None = None
    owners: list[Named] | None = None
    teams: list[Team] | None = None
    organization_roles: list[Role] | None = None

    def every(self) -> list[str]:
        """Every repository that is named."""
        listed = [*(self.installations or ()), *(self.personal_access_tokens or ()), *(self.secrets or ())]
        given = [one for holder in (*listed, *(self.teams or ())) for one in holder.repositories or ()]
        return sorted({one.full_name for one in (*(self.repositories or ()), *given)})

    def missing(self) -> list[str]:
        """What was not asked, in words: of the organisation, and of single repositories."""
        found = [said for name, said in _KINDS.items() if getattr(self, name) is None]
        if self.base() is None:
            found.append("what members may do everywhere (default_repository_permission)")
        listed = self.repositories or ()
        told = [", ".join(found)] if found else []
        for name, said in (("collaborators", "collaborators"), ("keys", "deploy keys")):
            without = sorted(one.full_name for one in listed if getattr(one, name) is None)
            if without or self.repositories is None:
                whole = len(without) == len(listed)
                told.append(said if whole else f"{said} of {', '.join(without[:5])}")
        return told

    def base(self) -> str | None:
        """What every member may do in every repository; None where that is not known."""
        said = self.organization.default_repository_permission if self.organization else None
        return said if said in ("none", *LEVELS) else None


def read(data: bytes) -> Export:
    """Read it (`reach_invalid`)."""
    form = decoded(data, Export, "what GitHub lists of an organisation")
    holders = (form.installations, form.personal_access_tokens, form.members, form.owners, form.teams)
    inside = any(one.keys or one.collaborators for one in form.repositories or ())
    if not any(holders) and not inside:
        raise invalid("It lists no installations, tokens, people, teams or keys.")
    return form


def level(one: Place | Collaborator) -> tuple[str, bool]:
    """What somebody is given in a repository, and whether that is all: a role of the organisation's own may be more."""
    given = [_WORDS.get(name, name) for name, has in one.permissions.items() if has]
    named = [_WORDS.get(one.role_name, one.role_name)] if one.role_name else []
    known = [name for name in (*given, *named) if name in LEVELS]
    sure = bool(known) and all(name in LEVELS for name in named)
    return max(known, key=LEVELS.index, default=""), sure


def levels(permissions: dict[str, str | dict[str, str]]) -> dict[str, str]:
    """Permissions with their levels; those of tokens stand in groups. Of one that is in several, the widest."""
    found: dict[str, str] = {}
    order = ("none", "read", "write", "admin")
    for name, said in permissions.items():
        for each, held in said.items() if isinstance(said, dict) else [(name, said)]:
            ranks = [order.index(one) if one in order else len(order) for one in (held, found.get(each, "none"))]
            found[each] = held if ranks[0] >= ranks[1] else found[each]
    return found
