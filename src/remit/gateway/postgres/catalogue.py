"""What was registered of a database: its relations with their columns, its functions, its search path.

It is read from the pinned definitions, so that a statement is understood as the person who registered the database saw
it; `OFFERED` asks a database for the same definitions now, and a difference suspends what differs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json, read
from remit.core.errors import RemitError

VERBS: Final = ("select", "insert", "update", "delete", "truncate", "call")
READS: Final = frozenset({"select"})
DATABASE: Final = "database"
"""The name under which what holds for the whole database is pinned."""
SYSTEM: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
_SYSTEM: Final = """
pg_am pg_attrdef pg_attribute pg_class pg_collation pg_constraint pg_database pg_description pg_enum pg_index
pg_inherits pg_namespace pg_opclass pg_operator pg_range pg_sequence pg_tables pg_type pg_views
"""
_SCHEMA: Final = "columns constraint_column_usage key_column_usage schemata table_constraints tables views"
CATALOGS: Final = frozenset(f"pg_catalog.{name}" for name in _SYSTEM.split()) | frozenset(
    f"information_schema.{name}" for name in _SCHEMA.split()
)
"""System relations that describe tables and types; registered only when asked for."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,63}\.[A-Za-z0-9_-]{1,63}", re.ASCII)

OFFERED: Final = """
SELECT 'relation', n.nspname || '.' || c.relname, json_build_object(
  'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' ELSE 'view' END,
  'columns', (SELECT json_agg(json_build_object('name', a.attname,
        'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'text', CASE WHEN c.relkind IN ('v', 'm') AND n.nspname !~ '^(pg_catalog|information_schema)$'
      THEN md5(pg_catalog.pg_get_viewdef(c.oid)) ELSE '' END)::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (string_to_array('{schemas}', ','))
UNION ALL
SELECT 'function', n.nspname || '.' || p.proname, json_build_object('kind', 'function', 'forms', json_agg(
  json_build_object('arguments', pg_catalog.pg_get_function_identity_arguments(p.oid), 'volatile', p.provolatile,
    'definer', p.prosecdef, 'text', md5(p.prosrc)) ORDER BY p.oid::regprocedure::text))::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY (string_to_array('{own}', ',')) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY 1, 2
UNION ALL
SELECT 'database', 'database', json_build_object('search_path', string_to_array('{own}', ','),
  'version', current_setting('server_version_num')::int / 10000,
  'operators', coalesce((SELECT json_agg(DISTINCT o.oprname) FROM pg_catalog.pg_operator o
     JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
     WHERE n.nspname <> 'pg_catalog' AND p.provolatile = 'v'), '[]'::json))::text
""".strip()


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view: `schema.name`, and its columns with their types, in order."""

    name: str
    columns: Mapping[str, str]

    @property
    def schema(self) -> str:
        """The schema it stands in."""
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        """Its name without the schema."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that statements on one resource are understood by. `operators` are refused: what they do has side effects."""

    relations: Mapping[str, Relation]
    functions: frozenset[str] = frozenset()
    path: tuple[str, ...] = ("public",)
    version: int = 18
    operators: frozenset[str] = frozenset()

    def relation(self, schema: str, name: str) -> Relation:
        """The relation that a name means, by the registered search path (`relation_unknown`)."""
        for place in (schema,) if schema else ("pg_catalog", *self.path):
            found = self.relations.get(f"{place}.{name}")
            if found is not None:
                return found
        raise RemitError(
            "relation_unknown", "A relation in this statement is not registered.", "Use those that are registered."
        )

    def function(self, schema: str, name: str) -> str | None:
        """The registered function that a name means, as `schema.name`; None when there is none."""
        for place in (schema,) if schema else self.path:
            if f"{place}.{name}" in self.functions:
                return f"{place}.{name}"
        return None


def schemas(path: Iterable[str], *, catalogs: bool = False) -> str:
    """The question `OFFERED` for these schemas. Refuses a name that is not plain (`resource_invalid`)."""
    own = tuple(path)
    if not own or not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", one, re.ASCII) for one in own):
        raise RemitError(
            "resource_invalid", "A schema's name is letters, digits and _, not first a digit.", "Name such a schema."
        )
    every = (*own, "pg_catalog", "information_schema") if catalogs else own
    return OFFERED.replace("{schemas}", ",".join(every)).replace("{own}", ",".join(own))


def offered(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, str, Json]]:
    """The rows that `OFFERED` answers, with each body read."""
    return [(kind, name, read(body.encode())) for kind, name, body in rows]


def definitions(rows: Iterable[tuple[str, str, Json]]) -> dict[str, Json]:
    """The definitions to pin, from what `OFFERED` answers: the verbs, the database, each relation and function.

    What has a name that is not plain cannot be registered and is left out; the last two count as what is refused.
    """
    found: dict[str, Json] = {verb: verb_definition(verb) for verb in VERBS}
    for kind, name, body in rows:
        if kind == "database":
            found[DATABASE] = body
        elif _PLAIN.fullmatch(name) and (kind == "function" or not _system(name) or name in CATALOGS):
            found[name] = body
    return found


def _system(name: str) -> bool:
    return name.startswith(("pg_catalog.", "information_schema."))


def verb_definition(verb: str) -> Json:
    """What is pinned of a verb: the arguments that policy may look at."""
    properties: dict[str, Json] = {"relation": {"type": "string"}}
    if verb in ("select", "insert", "update"):
        properties["columns"] = {"type": "array", "items": {"type": "string"}}
    return {
        "description": f"{verb.upper()} on one relation",
        "inputSchema": {"type": "object", "properties": properties, "required": sorted(properties)},
    }


def catalogue(pinned: Mapping[str, Json]) -> Catalogue:
    """Read the pinned definitions of a resource. Refuses a set without its database (`resource_invalid`)."""
    database = pinned.get(DATABASE)
    if not isinstance(database, Mapping):
        raise RemitError("resource_invalid", "This database is not registered whole.", "Register it again.")
    relations, functions = {}, set()
    for name, body in pinned.items():
        if "." not in name or not isinstance(body, Mapping):
            continue
        if body.get("kind") == "function":
            functions.add(name)
        else:
            columns = {one["name"]: one["type"] for one in body.get("columns") or ()}
            relations[name] = Relation(name, columns)
    return Catalogue(
        relations,
        frozenset(functions),
        tuple(database.get("search_path", ("public",))),
        int(database.get("version", 18)),
        frozenset(database.get("operators", ())),
    )
