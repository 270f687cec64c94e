"""What a PostgreSQL catalogue says of rights: roles and memberships, schemas, relations, functions, defaults. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PUBLIC: Final = 0
"""The number of everybody, where roles are granted something."""
Grants = tuple[tuple[int, str], ...]
"""Who was granted which privilege, by the role's number."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role, and what it has that nobody inherits."""

    oid: int
    name: str
    superuser: bool = False
    bypass: bool = False
    replication: bool = False
    login: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """That one role was granted another, and how."""

    role: int
    member: int
    admin: bool
    inherit: bool
    set: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema; of the server's own only `pg_catalog`, with what is closed there or was granted."""

    oid: int
    name: str
    owner: int
    grants: Grants


@dataclass(frozen=True, slots=True)
class Rule:
    """One row policy: its command (`*` is all), if it permits or restricts, and for whom."""

    command: str
    permissive: bool
    roles: frozenset[int]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, foreign table or sequence. `below` is what a view looks at: table and column."""

    oid: int
    schema: int
    name: str
    kind: str
    owner: int
    grants: Grants
    columns: Mapping[str, Grants]
    rules: tuple[Rule, ...] = ()
    guarded: bool = False
    forced: bool = False
    invoker: bool = False
    updatable: frozenset[str] = frozenset()
    below: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Function:
    """A function or procedure, by its whole signature."""

    schema: int
    name: str
    owner: int
    definer: bool
    grants: Grants


@dataclass(frozen=True, slots=True)
class Default:
    """What is granted on what a role will make (`r` tables, `S` sequences, `f` functions), anywhere or in a schema."""

    owner: int
    schema: int
    kind: str
    grants: Grants


@dataclass(frozen=True, slots=True)
class Large:
    """The large objects of one owner that were granted alike."""

    owner: int
    grants: Grants


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of the server that somebody was granted: `set`, or `alter system` for all of it."""

    name: str
    grants: Grants


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was read of one database, in one snapshot."""

    database: str
    owner: int
    login: str
    roles: tuple[Role, ...]
    members: tuple[Member, ...]
    schemas: tuple[Schema, ...]
    relations: tuple[Relation, ...]
    functions: tuple[Function, ...] = ()
    defaults: tuple[Default, ...] = ()
    contains: tuple[tuple[int, int], ...] = ()
    large: tuple[Large, ...] = ()
    parameters: tuple[Parameter, ...] = ()
