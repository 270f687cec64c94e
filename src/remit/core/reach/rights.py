"""What a role of PostgreSQL really can do with given rights, by the server's own rules. Pure.

A role acts with what it has and inherits (memberships with INHERIT), with what it may become (SET), and with what it
may give itself (ADMIN). Superusers and BYPASSRLS are never inherited. A verb counts only where the schema can be used,
a row policy lets some row through, and, through a view, its owner can do it below. Owners can give themselves all.
Source: PostgreSQL 16 to 18, chapters 5.8, 5.9, 21 and 41.5, and src/backend/catalog/aclchk.c. Its twin is the server:
tests/kit/privileges tries everything.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from remit.core.reach.catalogue import (
    PUBLIC,
    Catalogue,
    Default,
    Function,
    Grants,
    Large,
    Parameter,
    Relation,
    Role,
    Schema,
)

DATA: Final = ("select", "insert", "update", "delete", "truncate")
BY_COLUMN: Final = frozenset({"select", "insert", "update"})
COMMANDS: Final = {"select": "r", "insert": "a", "update": "w", "delete": "d"}
TABLES: Final = "rpf"
VIEWS: Final = "v"
SYSTEM: Final = "pg_catalog"


@dataclass(frozen=True, slots=True)
class Acting:
    """With whose rights something is done, and by which powers of its own; `helps`, if owners first let themselves.

    `given` are the rights of others whom the same hand acts as, once they were given what it may give.
    """

    rights: AbstractSet[int]
    superuser: bool = False
    bypass: bool = False
    helps: bool = True
    given: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Judge:
    """Says what can be done with given rights. Owned by one reading of a catalogue."""

    catalogue: Catalogue
    named: dict[str, int] = field(init=False)
    schemas: dict[int, Schema] = field(init=False)
    relations: dict[int, Relation] = field(init=False)
    roles: dict[int, Role] = field(init=False)
    inherits: dict[int, set[int]] = field(init=False)
    becomes: dict[int, set[int]] = field(init=False)
    administers: dict[int, set[int]] = field(init=False)
    belongs: dict[int, set[int]] = field(init=False)
    closed: dict[int, frozenset[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.roles = {one.oid: one for one in self.catalogue.roles}
        self.named = {one.name: one.oid for one in self.catalogue.roles}
        self.schemas = {one.oid: one for one in self.catalogue.schemas}
        self.relations = {one.oid: one for one in self.catalogue.relations}
        self.inherits = {one.oid: {PUBLIC} for one in self.catalogue.roles} | {PUBLIC: set()}
        self.becomes, self.administers, self.belongs = {}, {}, {}
        for one in self.catalogue.members:
            for holds, held in (
                (one.inherit, self.inherits), (one.set, self.becomes), (one.admin, self.administers),
                (True, self.belongs),
            ):  # fmt: skip
                if holds:
                    held.setdefault(one.member, set()).add(one.role)
        holder = self.named.get("pg_database_owner")
        if holder is not None and self.catalogue.owner in self.inherits:
            for held in (self.inherits, self.becomes, self.belongs):
                held.setdefault(self.catalogue.owner, set()).add(holder)
        self.closed = {}

    def rights(self, role: int) -> frozenset[int]:
        """A role with all that it inherits, everybody's rights among it."""
        if role not in self.closed:
            found, waiting = {role}, [role]
            for one in waiting:
                for other in self.inherits.get(one, ()):
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
            self.closed[role] = frozenset(found)
        return self.closed[role]

    def actors(self, start: int) -> dict[int, frozenset[int]]:
        """Whom a role can act as, and with which rights once each has been given what any of them may give."""
        given: set[int] = set()
        able = {start: self.rights(start)}
        while True:
            before = len(given), len(able)
            reach = [start, *(one for one in given if not self._member(one, start))]
            for one in reach:
                reach.extend(other for other in self.becomes.get(one, ()) if other not in reach)
            able = {one: self._together(one, given) for one in reach}
            for one, rights in able.items():
                given |= {
                    target
                    for holder in rights
                    for target in self.administers.get(holder, ())
                    if self.roles[one].superuser or not self.roles[target].superuser
                }
            if before == (len(given), len(able)):
                return able

    def _together(self, role: int, given: AbstractSet[int]) -> frozenset[int]:
        mine = self.rights(role)
        return mine.union(*(self.rights(one) for one in given if not self._member(one, role)))

    def _member(self, role: int, group: int) -> bool:
        """Whether a role is a member of a group by any chain; then the group cannot be given the role."""
        done, waiting = {role}, [role]
        for one in waiting:
            for other in self.belongs.get(one, ()):
                if other not in done:
                    done.add(other)
                    waiting.append(other)
        return group in done

    def acting(self, role: int) -> Acting:
        """A role that acts itself."""
        one = self.roles[role]
        return Acting(self.rights(role), one.superuser, one.bypass or one.superuser)

    def uses(self, who: Acting, schema: int) -> bool:
        """Whether what is in a schema can be named; its owner can let itself."""
        one = self.schemas[schema]
        everywhere = {self.named.get("pg_read_all_data"), self.named.get("pg_write_all_data")}
        return (
            who.superuser
            or one.owner in who.rights
            or bool(everywhere & who.rights)
            or _granted(one.grants, who, "usage")
        )

    def relation(self, who: Acting, one: Relation) -> dict[str, frozenset[str]]:
        """Each verb that can be done on a relation, with the columns; its schema must be usable."""
        if not self.uses(who, one.schema):
            return {}
        found = self._directly(who, one)
        if one.owner in who.rights or who.superuser:
            found["own"] = frozenset()
        elif self.keeps(who, one.schema):
            found["drop"] = frozenset()
        return found

    def keeps(self, who: Acting, schema: int) -> bool:
        """Whether a schema is one's own: its owner drops whatever anybody has in it."""
        return self.schemas[schema].owner in who.rights

    def _directly(self, who: Acting, one: Relation) -> dict[str, frozenset[str]]:
        if one.kind == "S":
            return self._sequence(who, one)
        every = frozenset(one.columns)
        if self.schemas[one.schema].name == SYSTEM and not who.superuser:
            # The server's own tables are written by superusers alone, whatever was granted on them.
            columns = every if self._whole(who, one, "select") else self._columns(who, one, "select")
            return {"select": columns} if columns else {}
        owns = who.superuser or (who.helps and one.owner in who.rights)
        found: dict[str, frozenset[str]] = {}
        for verb in DATA if one.kind in TABLES else ("select",) if one.kind == "m" else DATA[:4]:
            whole = owns or self._whole(who, one, verb)
            columns = every if whole else self._columns(who, one, verb)
            if (whole or columns) and self._rows(who, one, verb):
                found[verb] = columns
        return found if one.kind not in VIEWS else self._through(who, one, found)

    def _whole(self, who: Acting, one: Relation, verb: str) -> bool:
        return _granted(one.grants, who, verb) or self._everywhere(who, verb)

    def _columns(self, who: Acting, one: Relation, verb: str) -> frozenset[str]:
        if verb not in BY_COLUMN:
            return frozenset()
        return frozenset(name for name, grants in one.columns.items() if _granted(grants, who, verb))

    def _everywhere(self, who: Acting, verb: str) -> bool:
        name = {"select": "pg_read_all_data", "truncate": ""}.get(verb, "pg_write_all_data")
        return self.named.get(name, -1) in who.rights

    def _rows(self, who: Acting, one: Relation, verb: str) -> bool:
        """Whether row policies let anything through: owners can take them away."""
        owns = one.owner in who.rights and (who.helps or not one.forced)
        if not one.guarded or who.bypass or verb == "truncate" or owns:
            return True
        return any(
            rule.permissive and rule.command in ("*", COMMANDS[verb]) and rule.roles & who.rights for rule in one.rules
        )

    def _sequence(self, who: Acting, one: Relation) -> dict[str, frozenset[str]]:
        owns = who.superuser or one.owner in who.rights
        reads = owns or _granted(one.grants, who, "select") or self._everywhere(who, "select")
        moves = owns or _granted(one.grants, who, "usage") or _granted(one.grants, who, "update")
        moves = moves or self._everywhere(who, "update")
        verbs = (("select", reads), ("advance", moves))
        return {verb: frozenset() for verb, able in verbs if able}

    def _through(self, who: Acting, view: Relation, found: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """What is left of a view's verbs by what can be done below it, by its owner or, where it says so, the asker."""
        if who.superuser and who.helps:
            return found
        below = self._below(who, view)
        kept: dict[str, frozenset[str]] = {}
        for verb, columns in found.items():
            if verb == "select":
                if self._shows(below, view):
                    kept[verb] = columns
            elif verb in view.updatable:
                left = self._passes(below, view, verb, columns)
                if left is not None:
                    kept[verb] = left
        return kept

    def _below(self, who: Acting, view: Relation) -> Acting:
        """With whose rights a view is looked through."""
        if view.invoker:
            return replace(who, helps=False)
        owner = self.acting(view.owner)
        rights = frozenset(owner.rights).union(*(more for one, more in who.given.items() if one in owner.rights))
        return replace(owner, rights=rights, helps=False, given=who.given)

    def shows(self, view: Relation) -> bool:
        """Whether a view's owner can read what it looks at."""
        return self._shows(self._below(Acting(frozenset()), view), view)

    def _shows(self, who: Acting, view: Relation) -> bool:
        """Whether everything that a view looks at can be read."""
        bases: dict[int, set[str]] = {}
        for base, column in view.below:
            bases.setdefault(base, set()).add(column)
        for base, columns in bases.items():
            one = self.relations.get(base)
            if one is None:
                continue
            mine = self._directly(who, one).get("select")
            if mine is None or not (columns - {""}) <= mine:
                return False
        return True

    def _passes(self, who: Acting, view: Relation, verb: str, columns: frozenset[str]) -> frozenset[str] | None:
        """The columns through which a write gets to what is below; None when it does not."""
        bases = {base for base, _ in view.below}
        one = self.relations.get(min(bases)) if len(bases) == 1 else None
        if one is None:
            return columns
        mine = self._directly(who, one)
        if verb not in mine:
            return None
        left = frozenset(name for name in columns if name not in one.columns or name in mine[verb])
        return left if left or verb not in BY_COLUMN else None

    def calls(self, who: Acting, one: Function) -> bool:
        """Whether a function can be called."""
        owns = who.superuser or one.owner in who.rights
        return self.uses(who, one.schema) and (owns or _granted(one.grants, who, "execute"))

    def drops(self, who: Acting, one: Function) -> bool:
        """Whether a function can be dropped: by its owner, and by that of its schema."""
        if self.schemas[one.schema].name == SYSTEM or not self.uses(who, one.schema):
            return False
        return who.superuser or one.owner in who.rights or self.keeps(who, one.schema)

    def stored(self, who: Acting, one: Large) -> list[str]:
        """What can be done with large objects."""
        if who.superuser or one.owner in who.rights:
            return ["own", "select", "update"]
        return [verb for verb in ("select", "update") if _granted(one.grants, who, verb)]

    def tunes(self, who: Acting, one: Parameter) -> list[str]:
        """How a setting of the server can be set."""
        return [verb for verb in ("alter system", "set") if who.superuser or _granted(one.grants, who, verb)]

    def makes(self, who: Acting, schema: Schema) -> bool:
        """Whether something can be made in a schema."""
        if schema.name == SYSTEM:
            return False
        return who.superuser or schema.owner in who.rights or _granted(schema.grants, who, "create")

    def will(self, who: Acting, one: Default) -> frozenset[str]:
        """What can be done with what a role will make."""
        if one.schema and not self.uses(who, one.schema):
            return frozenset()
        found = {verb for _, verb in one.grants if _granted(one.grants, who, verb)}
        if one.kind == "r":
            found |= {verb for verb in DATA if self._everywhere(who, verb)}
        return frozenset(found)


def _granted(grants: Grants, who: Acting, privilege: str) -> bool:
    return any(held == privilege and grantee in who.rights for grantee, held in grants)
