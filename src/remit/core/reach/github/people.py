"""What each of an organisation's people may do in a repository, by everything that was asked of GitHub. Pure.

A member has what all members have, what it was let into by name, what its teams have and the teams that those are in,
and its roles of the organisation; an owner everything. Whether that is all is only known where all of it was asked.
"""

from collections.abc import Iterator

from remit.core.reach.github.export import LEVELS, Export, Repository, Team, level

ADMIN = LEVELS[-1]


class People:
    """The people of one export. Owned by one laying."""

    def __init__(self, form: Export) -> None:
        self.form = form
        self.teams: dict[str, Team] = {one.slug: one for one in form.teams or ()}
        self.owners = {one.login for one in form.owners or ()}
        self.members = {one.login for one in form.members or ()} | self.owners
        self.places: dict[str, Repository] = {one.full_name: one for one in form.repositories or ()}
        self._within: dict[str, set[str]] = {}
        self._has: dict[tuple[str, str], list[tuple[str, bool]]] = {}
        self._roles: dict[str, list[tuple[str, bool]]] = {}
        self._index()
        self.base = form.base()
        whole = form.members, form.owners, form.teams, form.organization_roles, self.base
        self._whole = None not in whole and all(
            one.members is not None
            and one.repositories is not None
            and (not one.parent or one.parent.slug in self.teams)
            for one in self.teams.values()
        )

    def _index(self) -> None:
        """Gather what each is given by name, and who is in which teams."""
        for team in self.teams.values():
            for one in team.members or ():
                self._within.setdefault(one.login, set()).update(self.above(team.slug))
            for place in team.repositories or ():
                self._has.setdefault((f"team/{team.slug}", place.full_name), []).append(level(place))
        for here in self.form.repositories or ():
            for person in here.collaborators or ():
                self._has.setdefault((f"user/{person.login}", here.full_name), []).append(level(person))
        for role in self.form.organization_roles or ():
            given = (role.base_role or "") if role.base_role in LEVELS else "", not role.permissions
            for name in (*(f"user/{one.login}" for one in role.users), *(f"team/{one.slug}" for one in role.teams)):
                self._roles.setdefault(name, []).append(given)

    def above(self, slug: str) -> Iterator[str]:
        """A team, and the teams that it is in."""
        done: set[str] = set()
        here: str | None = slug
        while here is not None and here not in done:
            done.add(here)
            yield here
            team = self.teams.get(here)
            here = team.parent.slug if team and team.parent else None

    def least(self, login: str, place: str) -> tuple[str, bool]:
        """What somebody may do in a repository as far as it is told (empty: nothing), and whether that is all."""
        if login in self.owners:
            return ADMIN, True
        sure = self._whole and (place not in self.places or self.places[place].collaborators is not None)
        best = -1
        for said, whole in self._given(login, place):
            best = max(best, LEVELS.index(said) if said else -1)
            sure = sure and whole
        return LEVELS[best] if best >= 0 else "", sure

    def _given(self, login: str, place: str) -> Iterator[tuple[str, bool]]:
        here, base = self.places.get(place), self.base
        if login in self.members and base not in (None, "none"):
            yield base or "", True
        if here and (here.visibility == "public" or (here.visibility == "internal" and login in self.members)):
            yield LEVELS[0], True
        for name in (f"user/{login}", *(f"team/{slug}" for slug in self._within.get(login, ()))):
            yield from self._has.get((name, place), ())
            yield from self._roles.get(name, ())
