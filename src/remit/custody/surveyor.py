"""Looking at a PostgreSQL database: its whole catalogue of rights, in one read-only snapshot. Any login can look."""

from collections.abc import Iterable
from typing import Any, Final

import psycopg

from remit.core.errors import RemitError
from remit.core.reach.catalogue import (
    PUBLIC,
    Catalogue,
    Default,
    Function,
    Grants,
    Large,
    Member,
    Parameter,
    Relation,
    Role,
    Rule,
    Schema,
)
from remit.custody.secret import Secret

OLDEST: Final = 160_000
PATIENCE_S: Final = 5
_START: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 60000;"
    " SET LOCAL search_path = pg_catalog"
)
_DATABASE: Final = (
    "SELECT datname::text, datdba::bigint, session_user::text, current_setting('server_version_num')::int"
    " FROM pg_database WHERE datname = current_database()"
)
_ROLES: Final = "SELECT oid::bigint, rolname::text, rolsuper, rolbypassrls, rolreplication, rolcanlogin FROM pg_roles"
_MEMBERS: Final = """
SELECT roleid::bigint, member::bigint, bool_or(admin_option), bool_or(inherit_option), bool_or(set_option)
FROM pg_auth_members GROUP BY 1, 2
"""
_SCHEMAS: Final = """
SELECT n.oid::bigint, n.nspname::text, n.nspowner::bigint,
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text
             FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x)
FROM pg_namespace n
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' OR n.nspname = 'pg_catalog'
"""
_CLOSED: Final = """
SELECT c.oid FROM pg_class c
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND (
    c.relname IN ('pg_authid', 'pg_largeobject', 'pg_subscription', 'pg_user_mapping')
    OR c.relacl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i
       WHERE i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0)
    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS DISTINCT FROM (
       SELECT i.initprivs FROM pg_init_privs i
       WHERE i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = a.attnum)))
"""
"""Of the server's own relations: what a reader of all data reads and others do not, and what somebody was granted."""
_RELATIONS: Final = """
SELECT c.oid::bigint, c.relnamespace::bigint, c.relname::text, c.relkind::text, c.relowner::bigint,
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text FROM aclexplode(coalesce(
             c.relacl, acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))) x),
       c.relrowsecurity, c.relforcerowsecurity,
       coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false),
       CASE c.relkind WHEN 'v' THEN pg_relation_is_updatable(c.oid, true) ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (NOT starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema' OR c.oid = ANY(%s))
"""
_COLUMNS: Final = """
SELECT a.attrelid::bigint, a.attname::text,
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text FROM aclexplode(a.attacl) x)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (NOT starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema' OR c.oid = ANY(%s))
"""
_RULES: Final = "SELECT polrelid::bigint, polcmd::text, polpermissive, polroles::bigint[] FROM pg_policy"
_BELOW: Final = """
SELECT DISTINCT r.ev_class::bigint, d.refobjid::bigint, coalesce(a.attname::text, '')
FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE r.rulename = '_RETURN'
"""
_FUNCTIONS: Final = """
SELECT p.pronamespace::bigint, format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
       p.proowner::bigint, p.prosecdef AND NOT (n.nspname = 'remit' AND p.proname = 'person'
         AND p.prosrc = 'SELECT person FROM remit.lease WHERE role = session_user'),
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text
             FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  OR n.nspname = 'pg_catalog' AND p.proacl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i
     WHERE i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0)
"""
_LARGE: Final = """
SELECT lomowner::bigint,
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text
             FROM aclexplode(coalesce(lomacl, acldefault('L', lomowner))) x),
       current_setting('lo_compat_privileges')::bool
FROM pg_largeobject_metadata GROUP BY lomowner, lomacl
"""
_PARAMETERS: Final = """
SELECT parname, ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text FROM aclexplode(paracl) x)
FROM pg_parameter_acl
"""
_DEFAULTS: Final = """
SELECT defaclrole::bigint, defaclnamespace::bigint, defaclobjtype::text,
       ARRAY(SELECT ROW(x.grantee::bigint, lower(x.privilege_type))::text FROM aclexplode(defaclacl) x)
FROM pg_default_acl WHERE defaclobjtype IN ('r', 'S', 'f')
"""
_CONTAINS: Final = "SELECT inhparent::bigint, inhrelid::bigint FROM pg_inherits"
ANYBODY: Final[Grants] = ((PUBLIC, "select"), (PUBLIC, "update"))
"""What everybody has of large objects where the server does not ask (`lo_compat_privileges`)."""
_BITS: Final = {4: "update", 8: "insert", 16: "delete"}


def look(url: Secret) -> Catalogue:
    """Read the catalogue (`target_unavailable`, `survey_unsupported` below PostgreSQL 16)."""
    try:
        with psycopg.connect(
            url.reveal().decode(), connect_timeout=PATIENCE_S, application_name="remit", prepare_threshold=None
        ) as conn:
            conn.execute(_START)
            database, owner, login, version = conn.execute(_DATABASE).fetchone() or ("", 0, "", 0)
            if version < OLDEST:
                raise RemitError(
                    "survey_unsupported",
                    "This PostgreSQL is older than 16.",
                    "Survey a database of PostgreSQL 16 or newer.",
                )
            return _read(conn, database, owner, login)
    except psycopg.Error as fault:
        raise RemitError(
            "target_unavailable",
            f"The database could not be looked at ({type(fault).__name__}).",
            "Check where it is and that the login gets in.",
        ) from None


def _read(conn: psycopg.Connection[Any], database: str, owner: int, login: str) -> Catalogue:
    def rows(statement: str, *given: Any) -> list[tuple[Any, ...]]:
        return conn.execute(statement.encode(), given or None).fetchall()

    closed = [oid for (oid,) in rows(_CLOSED)]
    columns: dict[int, dict[str, Grants]] = {}
    for relation, name, acl in rows(_COLUMNS, closed):
        columns.setdefault(relation, {})[name] = _grants(acl)
    rules: dict[int, list[Rule]] = {}
    for relation, command, permissive, roles in rows(_RULES):
        rules.setdefault(relation, []).append(Rule(command, permissive, frozenset(roles)))
    below: dict[int, set[tuple[int, str]]] = {}
    for view, base, column in rows(_BELOW):
        below.setdefault(view, set()).add((base, column))
    return Catalogue(
        database=database,
        owner=owner,
        login=login,
        roles=tuple(Role(*row) for row in rows(_ROLES)),
        members=tuple(Member(*row) for row in rows(_MEMBERS)),
        schemas=tuple(Schema(oid, name, by, _grants(acl)) for oid, name, by, acl in rows(_SCHEMAS)),
        relations=tuple(
            Relation(
                oid=oid,
                schema=schema,
                name=name,
                kind=kind,
                owner=by,
                grants=_grants(acl),
                columns=columns.get(oid, {}),
                rules=tuple(rules.get(oid, ())),
                guarded=guarded,
                forced=forced,
                invoker=invoker,
                updatable=frozenset(verb for bit, verb in _BITS.items() if bits & bit),
                below=frozenset(below.get(oid, ())),
            )
            for oid, schema, name, kind, by, acl, guarded, forced, invoker, bits in rows(_RELATIONS, closed)
        ),
        functions=tuple(
            Function(schema, name, by, definer, _grants(acl)) for schema, name, by, definer, acl in rows(_FUNCTIONS)
        ),
        defaults=tuple(Default(by, schema, kind, _grants(acl)) for by, schema, kind, acl in rows(_DEFAULTS)),
        contains=tuple((parent, child) for parent, child in rows(_CONTAINS)),
        large=tuple(Large(by, _grants(acl) + (ANYBODY if open_ else ())) for by, acl, open_ in rows(_LARGE)),
        parameters=tuple(Parameter(name, _grants(acl)) for name, acl in rows(_PARAMETERS)),
    )


def _grants(acl: Iterable[str]) -> Grants:
    """Who was granted what, from rows as PostgreSQL writes them: `(16384,select)`."""
    found = []
    for text in acl:
        grantee, _, privilege = text.strip("()").partition(",")
        found.append((int(grantee), privilege.strip('"')))
    return tuple(found)
