"""PostgreSQL: what a survey says each role can do is what it really can do, tried on a real server."""

import re
from functools import cache

import psycopg
import pytest

from remit.core.errors import RemitError
from remit.core.reach import rights as rules
from remit.core.reach.postgres import survey
from remit.core.reach.survey import read, usable
from remit.custody.secret import Secret
from remit.custody.surveyor import look
from tests.kit import postgres
from tests.kit.privileges import COLUMNS, Layout, layout, really

SOME = range(5)
ORDERS = 8
"""How many orders of gifts are tried before a right that was not found counts as one that is not there."""


def said(seen, role):
    """Every act that a survey says a role can do: what it is, has, inherits, may become and may give itself."""
    leaving = {}
    for source, target, label, _ in seen.edges:
        leaving.setdefault(source, []).append((target, label))
    start = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", role)]
    found, waiting, done = set(), list(start), set(start)
    for one in waiting:
        for target, label in leaving.get(one, ()):
            kind, name, _ = seen.nodes[target]
            if kind == "object":
                found |= {(name, verb) for part in label.split(", ") for verb in acts(part)}
            elif kind in ("role", "rights") and target not in done:
                done.add(target)
                waiting.append(target)
    return found


def acts(part):
    verb, _, columns = part.partition("(")
    if verb in ("select", "insert", "update"):
        return [f"{verb} {column}" for column in (columns.rstrip(")").split() if columns else COLUMNS)]
    return [verb]


def expected(seen, made: Layout, role):
    """What the survey says, in the words of the trial: sequences have no columns, and what will be is made."""
    found = {
        (name, re.sub(" .*", "", verb) if made.others.get(name) == "S" else verb) for name, verb in said(seen, role)
    }
    known = {*made.tables, *made.views, *made.others, *(f"schema {one}" for one in made.schemas)}
    kept = {(name, verb) for name, verb in found if name in known}
    will = {}
    for name, verb in found:
        match = re.fullmatch(r"future tables of (\S+) in (any schema|\S+)", name)
        if match:
            will.setdefault((match[1], "" if match[2] == "any schema" else match[2]), set()).add(verb)
    return kept, will


def differences(url, seed):
    """Where survey and trial differ, for one layout."""
    wrong = []
    with layout(url, seed) as (conn, made):
        seen = read(survey(look(Secret(url.encode()))).written())
        for role in made.roles:
            kept, will = expected(seen, made, role)
            tried = really(conn, made, role)
            for order in range(1, ORDERS):
                tried |= really(conn, made, role, order) if kept - tried else set()
            now = {(name, verb) for name, verb in tried if ".next" not in name}
            # An owner drops what it owns, and that is not told twice.
            kept, now = (
                {one for one in each if one[1] != "drop" or (one[0], "own") not in each} for each in (kept, now)
            )
            wrong += [(role, "said, not so", one) for one in sorted(kept - now)]
            wrong += [(role, "so, not said", one) for one in sorted(now - kept)]
            wrong += future(made, role, will, tried)
    return wrong


def future(made, role, will, tried):
    """Who is granted what a role will make can use it once it is made, and nobody else who does not own it then."""
    wrong = []
    for n, (owner, schema) in enumerate(sorted(made.defaults)):
        name = f"{schema or 'shared'}.next{n}"
        mine = {verb for place, verb in tried if place == name}
        here, anywhere = will.get((owner, schema or "shared"), set()), will.get((owner, ""), set())
        if "own" not in mine:
            # What is promised for any schema holds where the schema can be used, as everybody can use this one.
            sure = here if schema else here | anywhere
            wrong += [(role, "promised, not so", (name, verb)) for verb in sorted(sure - mine)]
            wrong += [(role, "so, not promised", (name, verb)) for verb in sorted(mine - here - anywhere)]
    return wrong


@cache
def shared():
    return postgres.server()


@pytest.mark.parametrize("seed", SOME)
def test_a_survey_says_what_each_role_really_can_do(seed):
    assert differences(shared().fresh(), seed) == []


def test_a_planted_fault_is_seen(monkeypatch):
    monkeypatch.setattr(rules.Judge, "_rows", lambda *_: True)
    assert any(differences(shared().fresh(), seed) for seed in SOME)


def test_a_database_that_cannot_be_looked_at_says_so():
    with pytest.raises(RemitError) as fault:
        look(Secret(b"postgresql://nobody@127.0.0.1:1/none"))
    assert fault.value.code == "target_unavailable"


def test_looking_changes_nothing():
    url = shared().fresh()
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE kept (id int)")
    assert look(Secret(url.encode())) == look(Secret(url.encode()))


SERVER = """
CREATE ROLE {m}_reads; CREATE ROLE {m}_files; CREATE ROLE {m}_hashes; CREATE ROLE {m}_stores; CREATE ROLE {m}_tunes;
CREATE ROLE {m}_keeps; CREATE ROLE {m}_none;
GRANT pg_read_all_data TO {m}_reads;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {m}_files;
GRANT EXECUTE ON FUNCTION lo_export(oid, text) TO {m}_files;
GRANT SELECT (rolname, rolpassword) ON pg_authid TO {m}_hashes;
GRANT UPDATE ON pg_authid TO {m}_hashes;
SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO {m}_stores;
GRANT ALTER SYSTEM ON PARAMETER archive_command TO {m}_tunes;
GRANT SET ON PARAMETER log_min_duration_statement TO {m}_tunes;
CREATE SCHEMA kept AUTHORIZATION {m}_keeps;
CREATE TABLE kept.orders (id int); INSERT INTO kept.orders VALUES (1);
CREATE FUNCTION kept.sum() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
GIVEN = [
    ("reads", "pg_catalog.pg_authid", {"select"}, "SELECT rolpassword FROM pg_authid"),
    ("reads", "pg_catalog.pg_largeobject", {"select"}, "SELECT data FROM pg_largeobject"),
    ("hashes", "pg_catalog.pg_authid", {"select(rolname rolpassword)"}, "SELECT rolpassword FROM pg_authid"),
    ("files", "pg_catalog.pg_read_file(text)", {"execute"}, "SELECT pg_read_file('PG_VERSION')"),
    ("stores", "large objects of remit", {"select"}, "SELECT lo_get(4711)"),
    ("tunes", "setting archive_command", {"alter system"}, ""),
    ("tunes", "setting log_min_duration_statement", {"set"}, "SET log_min_duration_statement = 1"),
    ("keeps", "kept.orders", {"drop"}, "DROP TABLE kept.orders"),
    ("keeps", "kept.sum()", {"drop", "execute"}, "DROP FUNCTION kept.sum()"),
]


def test_what_the_server_itself_lets_whom_do_is_told_and_is_so():
    """Passwords' verifiers, files, large objects, settings, and what others have in one's own schema: each is tried."""
    url = shared().fresh()
    mark = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    roles = [f"{mark}_{one}" for one in ("reads", "files", "hashes", "stores", "tunes", "keeps", "none")]
    with psycopg.connect(url, autocommit=True) as conn:
        try:
            conn.execute(SERVER.format(m=mark).encode())
            seen = survey(look(Secret(url.encode())))
            for role, name, verbs, act in GIVEN:
                can = usable(seen, f"{mark}_{role}")
                assert can.get(name) == verbs, (role, name, can)
                assert name not in usable(seen, f"{mark}_none")
                if act:
                    for who in (f"{mark}_none", f"{mark}_{role}"):
                        assert tried(conn, who, act) is (who == f"{mark}_{role}"), (who, act)
            assert not tried(conn, f"{mark}_hashes", "UPDATE pg_authid SET rolconnlimit = 3")
            links = {(seen.nodes[a][:2], seen.nodes[b][:2]) for a, b, _, _ in seen.edges}
            assert (("object", "pg_catalog.pg_read_file(text)"), ("object", "files of the server")) in links
            assert (("object", "setting archive_command"), ("code", "server")) in links
            assert any("pg_catalog.lo_export(" in name and b == ("code", "server") for (_, name), b in links)
        finally:
            conn.execute("ALTER SCHEMA kept OWNER TO CURRENT_USER; SELECT lo_unlink(4711)")
            for role in roles:
                conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def tried(conn, role, act):
    """Whether a role can do this; undone."""
    with conn.transaction(force_rollback=True):
        conn.execute(f"SET LOCAL ROLE {role}".encode())
        try:
            with conn.transaction():
                conn.execute(act)
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True


def test_who_owns_the_database_can_drop_it_and_what_lies_in_public():
    url = shared().fresh()
    mark = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as conn:
        try:
            conn.execute(f"CREATE ROLE {mark}_owns; ALTER DATABASE {mark} OWNER TO {mark}_owns".encode())
            conn.execute("CREATE TABLE public.orders (id int)")
            can = usable(survey(look(Secret(url.encode()))), f"{mark}_owns")
            assert (can["the whole database"], can["public.orders"]) == ({"drop"}, {"drop"})
            assert tried(conn, f"{mark}_owns", "DROP TABLE public.orders")
        finally:
            conn.execute(f"ALTER DATABASE {mark} OWNER TO CURRENT_USER; DROP ROLE {mark}_owns".encode())
