"""PostgreSQL: everything that roles can do in a database, as a survey. Pure.

A role has two nodes: `role`, who acts, and `rights`, what is inherited of it. Memberships lead from acting to acting
(SET, ADMIN) and from rights to rights (INHERIT), so that they chain as the server lets them. What only several roles'
rights give together stands at the role that can unite them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from remit.core.reach.catalogue import PUBLIC, Catalogue, Default, Member, Relation, Role
from remit.core.reach.rights import BY_COLUMN, SYSTEM, VIEWS, Acting, Judge
from remit.core.reach.survey import Gathering, Seen

EVERYTHING: Final = ("rights", "everything")
SERVER: Final = ("code", "server")
FILES: Final = ("object", "files of the server")
DATABASE: Final = "the whole database"
WRITES: Final = frozenset(
    {
        "insert", "update", "delete", "truncate", "own", "create", "advance", "execute", "drop", "set", "alter system",
    }
)  # fmt: skip
READERS: Final = re.compile(r"(?:pg_read_file|pg_read_binary_file|pg_ls_dir|pg_stat_file|lo_import|be_lo_import)\(")
WRITERS: Final = re.compile(r"(?:lo_export|be_lo_export)\(")
"""Functions of the server that nobody but a superuser has, unless somebody is granted them."""
RUNS: Final = re.compile(r".*_command|.*_library|.*_libraries|.*_library_path|extension_control_path|jit_provider")
"""Settings that say what the server runs or loads."""
_PLAIN: Final = re.compile(r"[a-z0-9_]+", re.ASCII)
_SHOWN: Final = 8


def survey(catalogue: Catalogue) -> Seen:
    """Everything that roles can do in this database, each right at the role that it comes from."""
    judge, found = Judge(catalogue), Gathering("postgres", catalogue.login)
    names = {one.oid: one.name for one in catalogue.roles} | {PUBLIC: "PUBLIC"}
    whole = _everything(judge, found)
    each: dict[int, Mapping[str, str]] = {}

    def rights_of(oid: int) -> Mapping[str, str]:
        if oid not in each:
            each[oid] = _able(judge, Acting(judge.rights(oid)))
        return each[oid]

    for oid, name in names.items():
        room = found.node("rights", name)
        above = sorted(judge.inherits.get(oid, ()))
        for other in above:
            found.edge(room, found.node("rights", names[other]), "inherits")
        _give(found, room, rights_of(oid), [rights_of(other) for other in above])
    for role in catalogue.roles:
        _person(judge, found, role, rights_of(role.oid))
        _combined(judge, found, role)
    for one in catalogue.members:
        _membership(judge, found, names, one)
    holder = judge.named.get("pg_database_owner")
    if holder is not None and catalogue.owner in names:
        found.edge(("role", names[catalogue.owner]), ("role", "pg_database_owner"), "owns the database")
    _between(judge, found, names, whole)
    _outside(judge, found)
    return found.seen()


def _able(judge: Judge, who: Acting) -> dict[str, str]:
    """Each object with what can be done on it, as one label."""
    found: dict[str, str] = {}
    for one in judge.catalogue.relations:
        verbs = judge.relation(who, one)
        if verbs:
            found[relation_name(judge, one)] = ", ".join(
                _verb(verb, columns, one) for verb, columns in sorted(verbs.items())
            )
    for function in judge.catalogue.functions:
        acts = [verb for verb, able in (("drop", judge.drops), ("execute", judge.calls)) if able(who, function)]
        if acts:
            found[_name(judge, function.schema, function.name)] = ", ".join(acts)
    for schema in judge.catalogue.schemas:
        if judge.makes(who, schema):
            found[f"schema {schema.name}"] = "create"
    for default in judge.catalogue.defaults:
        will = judge.will(who, default)
        if will and default.owner not in who.rights:
            found[future_name(judge, default)] = ", ".join(sorted(will))
    return found | _of_the_server(judge, who)


def _of_the_server(judge: Judge, who: Acting) -> dict[str, str]:
    """What lies in no schema: large objects, settings, and the database itself."""
    catalogue = judge.catalogue
    found: dict[str, set[str]] = {}
    for large in catalogue.large:
        found.setdefault(f"large objects of {judge.roles[large.owner].name}", set()).update(judge.stored(who, large))
    for one in catalogue.parameters:
        found[f"setting {one.name}"] = set(judge.tunes(who, one))
    if who.superuser or catalogue.owner in who.rights:
        found[DATABASE] = {"drop"}
    return {name: ", ".join(sorted(verbs)) for name, verbs in found.items() if verbs}


def relation_name(judge: Judge, one: Relation) -> str:
    """How a relation is called in the survey."""
    return _name(judge, one.schema, one.name)


def future_name(judge: Judge, one: Default) -> str:
    """How what a role will make is called."""
    kind = {"r": "tables", "S": "sequences", "f": "functions"}[one.kind]
    place = judge.schemas[one.schema].name if one.schema else "any schema"
    return f"future {kind} of {judge.roles[one.owner].name} in {place}"


def _name(judge: Judge, schema: int, name: str) -> str:
    return f"{judge.schemas[schema].name}.{name}"


def _verb(verb: str, columns: frozenset[str], one: Relation) -> str:
    """A verb, with its columns where they are not all."""
    if verb not in BY_COLUMN or columns == frozenset(one.columns) or one.kind == "S":
        return verb
    names = sorted(columns)
    if len(names) > _SHOWN or not all(_PLAIN.fullmatch(name) for name in names):
        return f"{verb}({len(names)} columns)"
    return f"{verb}({' '.join(names)})"


def _give(
    found: Gathering, room: tuple[str, str], mine: Mapping[str, str], others: Iterable[Mapping[str, str]]
) -> None:
    """Give a node what it has by itself, beyond what it inherits."""
    held = list(others)
    for name, label in mine.items():
        if not any(other.get(name) == label for other in held):
            writes = any(verb.partition("(")[0] in WRITES for verb in label.split(", "))
            found.edge(room, ("object", name), label, writes=writes)


def _everything(judge: Judge, found: Gathering) -> Mapping[str, str]:
    """What a superuser has: every verb on every object, every role, and the server's programs."""
    whole = _able(judge, Acting(frozenset(judge.roles), superuser=True, bypass=True))
    found.node(*EVERYTHING, "all that a superuser can do")
    found.node(*SERVER, "programs of the database server")
    _give(found, EVERYTHING, whole, ())
    for role in judge.catalogue.roles:
        found.edge(EVERYTHING, found.node("role", role.name), "may become")
    found.edge(EVERYTHING, SERVER, "runs programs on the server")
    found.edge(SERVER, EVERYTHING, "owns the server's files")
    return whole


def _person(judge: Judge, found: Gathering, role: Role, inherited: Mapping[str, str]) -> None:
    """What a role has by acting itself, that nobody inherits."""
    node, room = found.node("role", role.name), found.node("rights", role.name)
    found.edge(node, room, "has")
    if role.superuser:
        found.edge(node, EVERYTHING, "is a superuser")
    elif role.bypass:
        _give(found, node, _able(judge, judge.acting(role.oid)), [inherited])
    if role.replication:
        found.edge(node, found.node("object", "the whole server, by replication"), "replicates")
    for name, target in (("pg_execute_server_program", SERVER), ("pg_write_server_files", SERVER),
                         ("pg_read_server_files", FILES)):  # fmt: skip
        if judge.named.get(name) == role.oid:
            found.edge(room, target, name.removeprefix("pg_").replace("_", " "))


def _combined(judge: Judge, found: Gathering, role: Role) -> None:
    """What a role can do only by rights of several roles together, once it has given itself what it may."""
    actors = judge.actors(role.oid)
    if role.superuser or all(rights == judge.rights(one) for one, rights in actors.items()):
        return
    apart = [_able(judge, judge.acting(one)) for one in actors]
    for one, rights in actors.items():
        powers = judge.roles.get(one)
        who = Acting(rights, bypass=powers is not None and powers.bypass, given=actors)
        _give(found, ("role", role.name), _able(judge, who), apart)


def _membership(judge: Judge, found: Gathering, names: Mapping[int, str], one: Member) -> None:
    """What a membership gives beyond inheriting: to become the role, and to give it to oneself."""
    target = ("role", names[one.role])
    if one.set:
        found.edge(("role", names[one.member]), target, "may become")
    if one.admin and not judge.roles[one.role].superuser:
        found.edge(("rights", names[one.member]), target, "may give itself")


def _outside(judge: Judge, found: Gathering) -> None:
    """What leads out of the database: functions of the server's own, and settings that say what it runs."""
    for function in judge.catalogue.functions:
        if judge.schemas[function.schema].name == SYSTEM:
            at = ("object", _name(judge, function.schema, function.name))
            if READERS.match(function.name):
                found.edge(at, FILES, "reads files of the server")
            if WRITERS.match(function.name):
                found.edge(at, SERVER, "writes files of the server")
    for one in judge.catalogue.parameters:
        if RUNS.fullmatch(one.name):
            found.edge(("object", f"setting {one.name}"), SERVER, "says what the server runs (perhaps)")


def _between(judge: Judge, found: Gathering, names: Mapping[int, str], whole: Mapping[str, str]) -> None:
    """What leads from object to object: views show, functions run as their owners, parents contain."""
    for one in judge.catalogue.relations:
        if one.kind == VIEWS and not one.invoker and judge.shows(one):
            for base, _ in one.below:
                if base in judge.relations:
                    below = relation_name(judge, judge.relations[base])
                    found.edge(("object", relation_name(judge, one)), ("object", below), "shows")
    for parent, child in judge.catalogue.contains:
        if parent in judge.relations and child in judge.relations:
            names_ = [relation_name(judge, judge.relations[one]) for one in (parent, child)]
            found.edge(("object", names_[0]), ("object", names_[1]), "contains")
    definers = [one for one in judge.catalogue.functions if one.definer]
    for function in definers:
        name = _name(judge, function.schema, function.name)
        if name in whole:
            found.edge(("object", name), ("role", names[function.owner]), "runs as its owner")
    if definers:
        found.notes.append(f"{len(definers)} functions run as their owners, and count as all that those can do.")
    found.notes.append(
        "Not covered: triggers, rules other than views', foreign servers, event triggers, publications and"
        " subscriptions, statistics of others' sessions, and extensions' own functions."
    )
