"""Random layouts of privileges on a real PostgreSQL, and what each role really can do there, tried and rolled back.

Who can do what is tried, not computed: each role becomes whatever it may, gives itself whatever it may, helps itself to
what it owns, and then every verb is done on every object and every column. Everything is undone.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

COLUMNS = ("id", "name", "secret")
POWERS = (("SUPERUSER", 0.05), ("BYPASSRLS", 0.15), ("CREATEROLE", 0.15), ("LOGIN", 0.5))
TRY = """
CREATE SCHEMA probe;
GRANT USAGE ON SCHEMA probe TO PUBLIC;
CREATE FUNCTION probe.tried(acts text[]) RETURNS int[] LANGUAGE plpgsql AS $f$
DECLARE act text; n int; found int[] := '{}';
BEGIN
  FOREACH act IN ARRAY acts LOOP
    BEGIN
      EXECUTE act;
      GET DIAGNOSTICS n = ROW_COUNT;
      RAISE EXCEPTION 'undone %', n;
    EXCEPTION WHEN OTHERS THEN
      found := found || CASE WHEN SQLERRM LIKE 'undone %' THEN substr(SQLERRM, 8)::int ELSE -1 END;
    END;
  END LOOP;
  RETURN found;
END $f$;
CREATE FUNCTION probe.done(acts text[]) RETURNS int LANGUAGE plpgsql AS $f$
DECLARE act text; n int := 0;
BEGIN
  FOREACH act IN ARRAY acts LOOP
    BEGIN EXECUTE act; n := n + 1; EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
  RETURN n;
END $f$;
"""


@dataclass
class Layout:
    """One database and its roles: what was made, to be tried."""

    roles: list[str]
    schemas: list[str]
    tables: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    defaults: set[tuple[str, str]] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


@contextmanager
def layout(url: str, seed: int) -> Iterator[tuple[psycopg.Connection[Any], Layout]]:
    """Make one random layout in an empty database, and remove its roles at the end."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(TRY.encode())
        made = _drawn(random.Random(seed), f"r{seed}x{conn.info.dbname[-6:]}", conn.info.dbname)
        try:
            for statement in made.said:
                conn.execute(statement.encode())
            yield conn, made
        finally:
            conn.execute(b"RESET SESSION AUTHORIZATION")
            database = conn.info.dbname
            conn.execute(f"ALTER DATABASE {database} OWNER TO remit".encode())
            for role in made.roles:
                conn.execute(f"REASSIGN OWNED BY {role} TO remit; DROP OWNED BY {role} CASCADE".encode())
            for role in made.roles:
                conn.execute(f"DROP ROLE {role}".encode())


def _drawn(draw: random.Random, mark: str, database: str) -> Layout:
    roles = [f"{mark}_{n}" for n in range(6)]
    made = Layout(roles, ["alpha", "beta", "shared"])
    say = made.said.append
    for role in roles:
        powers = [word for word, odds in POWERS if draw.random() < odds]
        say(f"CREATE ROLE {role} {' '.join(powers)}")
    _memberships(draw, made)
    if draw.random() < 0.3:
        say(f"ALTER DATABASE {database} OWNER TO {draw.choice(roles)}")
    for schema in made.schemas:
        say(f"CREATE SCHEMA {schema}")
        for _ in range(draw.randrange(1, 4)):
            right = draw.choice(("USAGE", "USAGE", "CREATE", "USAGE, CREATE"))
            say(f"GRANT {right} ON SCHEMA {schema} TO {_grantee(draw, roles)}")
        if draw.random() < 0.4:
            say(f"ALTER SCHEMA {schema} OWNER TO {draw.choice([*roles, 'pg_database_owner'])}")
    say("GRANT USAGE ON SCHEMA shared TO PUBLIC")
    if draw.random() < 0.5:
        _defaults(draw, made)
    for schema in made.schemas[:2]:
        for n in range(2):
            _table(draw, made, f"{schema}.t{n}")
    for n in range(2):
        _view(draw, made, f"{draw.choice(made.schemas)}.v{n}")
    _others(draw, made)
    return made


def _grantee(draw: random.Random, roles: list[str]) -> str:
    return draw.choice([*roles, *roles, "PUBLIC"])


def _flag(draw: random.Random) -> str:
    return draw.choice(("TRUE", "FALSE"))


def _memberships(draw: random.Random, made: Layout) -> None:
    for low in range(len(made.roles)):
        for high in range(low + 1, len(made.roles)):
            if draw.random() < 0.3:
                options = f"ADMIN {draw.choice(('TRUE', 'FALSE', 'FALSE'))}, INHERIT {_flag(draw)}, SET {_flag(draw)}"
                made.said.append(f"GRANT {made.roles[high]} TO {made.roles[low]} WITH {options}")
    for name in ("pg_read_all_data", "pg_write_all_data"):
        if draw.random() < 0.2:
            options = f"INHERIT {_flag(draw)}, SET {_flag(draw)}"
            made.said.append(f"GRANT {name} TO {draw.choice(made.roles)} WITH {options}")


def _rights(draw: random.Random, made: Layout, name: str, verbs: tuple[str, ...]) -> None:
    for _ in range(draw.randrange(4)):
        verb = draw.choice(verbs)
        column = f" ({', '.join(draw.sample(COLUMNS, draw.randrange(1, 3)))})" if draw.random() < 0.35 else ""
        if verb in ("DELETE", "TRUNCATE", "ALL"):
            column = ""
        made.said.append(f"GRANT {verb}{column} ON {name} TO {_grantee(draw, made.roles)}")


def _table(draw: random.Random, made: Layout, name: str) -> None:
    say, owner = made.said.append, draw.choice(["remit", *made.roles])
    say(f"CREATE TABLE {name} ({', '.join(f'{column} text' for column in COLUMNS)})")
    say(f"INSERT INTO {name} VALUES ('1', 'n', 's')")
    say(f"ALTER TABLE {name} OWNER TO {owner}")
    _rights(draw, made, name, ("SELECT", "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "ALL"))
    if draw.random() < 0.2:
        say(f"REVOKE ALL ON {name} FROM {owner}")
    if draw.random() < 0.4:
        say(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        if draw.random() < 0.3:
            say(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        for n in range(draw.randrange(4)):
            command = draw.choice(("ALL", "SELECT", "INSERT", "UPDATE", "DELETE"))
            kind = draw.choice(("PERMISSIVE", "PERMISSIVE", "RESTRICTIVE"))
            using = "" if command == "INSERT" else " USING (true)"
            check = " WITH CHECK (true)" if command in ("ALL", "INSERT", "UPDATE") else ""
            who = _grantee(draw, made.roles)
            say(f"CREATE POLICY p{n} ON {name} AS {kind} FOR {command} TO {who}{using}{check}")
    made.tables.append(name)


def _view(draw: random.Random, made: Layout, name: str) -> None:
    say = made.said.append
    kind = draw.choice(("VIEW", "VIEW", "VIEW", "INVOKER", "MATERIALIZED"))
    below = draw.choice(made.tables if kind == "MATERIALIZED" else [*made.tables, *made.views])
    option = " WITH (security_invoker = true)" if kind == "INVOKER" else ""
    word = "MATERIALIZED VIEW" if kind == "MATERIALIZED" else "VIEW"
    say(f"CREATE {word} {name}{option} AS SELECT {', '.join(COLUMNS)} FROM {below}")
    say(f"ALTER {word} {name} OWNER TO {draw.choice(['remit', *made.roles])}")
    verbs = ("SELECT",) if kind == "MATERIALIZED" else ("SELECT", "SELECT", "INSERT", "UPDATE", "DELETE", "ALL")
    _rights(draw, made, name, verbs)
    if kind != "MATERIALIZED":
        made.views.append(name)
    else:
        made.others[name] = "m"


def _others(draw: random.Random, made: Layout) -> None:
    say = made.said.append
    sequence, function = f"{draw.choice(made.schemas)}.q", f"{draw.choice(made.schemas)}.f"
    say(f"CREATE SEQUENCE {sequence}")
    say(f"ALTER SEQUENCE {sequence} OWNER TO {draw.choice(made.roles)}")
    for right in draw.sample(("SELECT", "USAGE", "UPDATE"), draw.randrange(3)):
        say(f"GRANT {right} ON SEQUENCE {sequence} TO {_grantee(draw, made.roles)}")
    definer = draw.choice(("SECURITY DEFINER", "SECURITY INVOKER"))
    say(f"CREATE FUNCTION {function}() RETURNS int LANGUAGE sql {definer} AS 'SELECT 1'")
    say(f"ALTER FUNCTION {function}() OWNER TO {draw.choice(made.roles)}")
    if draw.random() < 0.6:
        say(f"REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC")
        say(f"GRANT EXECUTE ON FUNCTION {function}() TO {draw.choice(made.roles)}")
    made.others |= {sequence: "S", f"{function}()": "F"}


def _defaults(draw: random.Random, made: Layout) -> None:
    for _ in range(draw.randrange(1, 3)):
        owner, schema = draw.choice(made.roles), draw.choice(("", *made.schemas))
        place = f" IN SCHEMA {schema}" if schema else ""
        right = draw.choice(("SELECT", "INSERT", "SELECT, UPDATE", "DELETE"))
        grantee = _grantee(draw, [one for one in made.roles if one != owner])
        made.said.append(f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner}{place} GRANT {right} ON TABLES TO {grantee}")
        made.defaults.add((owner, schema))


def really(conn: psycopg.Connection[Any], made: Layout, role: str, order: int = 0) -> set[tuple[str, str]]:
    """Every act that this role can really do, as object and `verb` or `verb column`.

    A gift can make a later one impossible, since memberships have no circles: `order` is one of many, by chance.
    """
    found: set[tuple[str, str]] = set()
    with conn.transaction(force_rollback=True):
        future = _future(conn, made)
        conn.execute(f"SET SESSION AUTHORIZATION {role}".encode())
        names = [*made.roles, "pg_database_owner", "pg_read_all_data", "pg_write_all_data"]
        for other in _becomes(conn, role, names, random.Random(order)):
            for name, help_, acts in _acts(made, future, other):
                with conn.transaction(force_rollback=True):
                    conn.execute(f"SET ROLE {other}".encode())
                    conn.execute("SELECT probe.done(%s)", (help_,))
                    counts = conn.execute("SELECT probe.tried(%s)", ([text for _, text, _ in acts],)).fetchone()[0]
                found |= {(name, verb) for (verb, _, least), n in zip(acts, counts, strict=True) if n >= least}
    return found


def _future(conn: psycopg.Connection[Any], made: Layout) -> dict[str, tuple[str, str]]:
    """Make what roles with default privileges will make, with a row in it; named as the survey calls it."""
    found = {}
    for n, (owner, schema) in enumerate(sorted(made.defaults)):
        place = schema or "shared"
        rights = conn.execute("SELECT nspacl::text FROM pg_namespace WHERE nspname = %s", (place,)).fetchone()[0]
        conn.execute(f"GRANT CREATE, USAGE ON SCHEMA {place} TO {owner}".encode())
        conn.execute(f"SET LOCAL ROLE {owner}".encode())
        conn.execute(f"CREATE TABLE {place}.next{n} (id text, name text, secret text)".encode())
        conn.execute(b"RESET ROLE")
        conn.execute(f"INSERT INTO {place}.next{n} VALUES ('1', 'n', 's')".encode())
        conn.execute(b"SET LOCAL allow_system_table_mods = on")
        conn.execute("UPDATE pg_namespace SET nspacl = %s::aclitem[] WHERE nspname = %s", (rights, place))
        found[f"{place}.next{n}"] = (owner, schema)
    return found


def _becomes(conn: psycopg.Connection[Any], role: str, names: list[str], draw: random.Random) -> list[str]:
    """Every role that it can act as, giving itself what it can on the way."""
    able: list[str] = [role]
    while True:
        before = len(able)
        for one in able:
            conn.execute(f"SET ROLE {one}".encode())
            wanted = [
                f"GRANT {other} TO {to} WITH INHERIT TRUE, SET TRUE" for to in able for other in names if other != to
            ]
            draw.shuffle(wanted)
            conn.execute("SELECT probe.done(%s)", (wanted,))
            conn.execute(b"RESET ROLE")
        counts = conn.execute("SELECT probe.tried(%s)", ([f"SET ROLE {one}" for one in names],)).fetchone()[0]
        able += [one for one, n in zip(names, counts, strict=True) if n >= 0 and one not in able]
        if len(able) == before:
            return able


def _acts(made: Layout, future: dict[str, tuple[str, str]], who: str) -> Iterator[tuple[str, list[str], list[Any]]]:
    """For each object: its name, how whoever owns it helps himself, and the acts with the rows that each must touch."""
    for schema in made.schemas:
        own = [f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {who}"]
        yield f"schema {schema}", own, [("create", f"CREATE TABLE {schema}.made ()", 0)]
    for name in (*made.tables, *made.views, *future):
        word = "VIEW" if name in made.views else "TABLE"
        acts: list[Any] = [("own", f"COMMENT ON {word} {name} IS 'mine'", 0)]
        for column in COLUMNS:
            acts += [
                (f"select {column}", f"SELECT {column} FROM {name}", 1),
                (f"insert {column}", f"INSERT INTO {name} ({column}) VALUES ('x')", 1),
                (f"update {column}", f"UPDATE {name} SET {column} = 'x'", 1),
            ]
        acts += [("delete", f"DELETE FROM {name}", 1)]
        acts += [("truncate", f"TRUNCATE {name}", 0)] if word == "TABLE" else []
        acts += [("drop", f"DROP {word} {name} CASCADE", 0)] if name not in future else []
        takes = "; ".join(f"ALTER VIEW {view} OWNER TO {who}" for view in made.views) or "PERFORM 1"
        super_ = (
            f"DO $d$ BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = '{who}') THEN {takes}; END IF; END $d$"
        )
        yield name, _help(name, who, f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY", super_), acts
    for name, kind in made.others.items():
        if kind == "m":
            each = [(f"select {column}", f"SELECT {column} FROM {name}", 1) for column in COLUMNS]
            own = ("own", f"COMMENT ON MATERIALIZED VIEW {name} IS 'mine'", 0)
            yield name, _help(name, who), [own, *each, ("drop", f"DROP MATERIALIZED VIEW {name} CASCADE", 0)]
        elif kind == "S":
            acts = [("select", f"SELECT last_value FROM {name}", 1), ("advance", f"SELECT nextval('{name}')", 1)]
            acts += [("drop", f"DROP SEQUENCE {name} CASCADE", 0)]
            yield name, _help(name, who), [*acts, ("own", f"COMMENT ON SEQUENCE {name} IS 'mine'", 0)]
        else:
            help_ = [_schema_help(name, who), f"GRANT EXECUTE ON FUNCTION {name} TO {who}"]
            yield name, help_, [("execute", f"SELECT {name}", 1), ("drop", f"DROP FUNCTION {name} CASCADE", 0)]


def _schema_help(name: str, who: str) -> str:
    return f"GRANT USAGE ON SCHEMA {name.partition('.')[0]} TO {who}"


def _help(name: str, who: str, *more: str) -> list[str]:
    return [_schema_help(name, who), f"GRANT ALL ON {name} TO {who}", *more]
