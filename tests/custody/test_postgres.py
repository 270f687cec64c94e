"""PostgreSQL as a source, against a real server: roles that hold what the plan holds, and are gone when dropped."""

import functools
import os
import time
from contextlib import closing

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted
from remit.custody.sources.postgres import PostgresSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.nouns import named
from tests.kit.postgres import Postgres

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, owner text, total int, note text);
INSERT INTO orders VALUES (1, 'per_a', 10, 'x'), (2, 'per_b', 20, 'y');
CREATE SCHEMA hr; CREATE TABLE hr.salaries (id int, amount int); CREATE SEQUENCE counted;
CREATE FUNCTION owned_by() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC;
"""
NUMBERS = iter(range(10_000))


@pytest.fixture(scope="module")
def server():
    made = Postgres()
    hba = made.folder / "data" / "pg_hba.conf"
    hba.write_text(
        "local all all trust\nhost all remit,admin 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    with psycopg.connect(made.url(), autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(server):
    url = server.fresh()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(TABLES.format(name))
    return url


@pytest.fixture
def source(place):
    with closing(PostgresSource(Secret(place.encode()), "ledger")) as made:
        yield made


def step(verb="select", relation=("public.orders",), columns=None, path="own"):
    limits = {"relation": [{"one_of": list(relation)}]}
    if columns:
        limits["/columns/*"] = [{"one_of": list(columns)}]
    return Step.from_json({"action": f"sql:crm/{verb}", "path": path, "arguments": limits})


def intent(steps=None, **members):
    number = next(NUMBERS)
    task = named("tsk", "abcdefghijklmnopqrstuvwxyz"[number % 26])
    given = {
        "name": f"remit_{task}_own_{number:08d}",
        "task": TaskId(task),
        "path": TrustPath.OWN,
        "until": Instant(2**41),
    }
    given |= {"life": 60_000, "steps": tuple(steps or (step(),)), "labels": (("task", task), ("ticket", "T-7"))}
    return Intent(**(given | {"random": os.urandom} | members))


def connect(place, lent, **members):
    return psycopg.connect(place, user=lent.user, password=lent.password.reveal().decode(), autocommit=True, **members)


def opens(place, lent):
    try:
        connect(place, lent).close()
    except psycopg.OperationalError:
        return False
    return True


def test_it_does_what_every_source_does(source, place):
    Suite(source, intent, functools.partial(opens, place)).holds()


def test_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, place):
    fails_where_it_must(Suite(source, intent, functools.partial(opens, place)))


def lent(source, *steps, **members):
    minted = source.mint(intent(steps, **members))
    return minted, source.lend(minted)


REFUSED = (
    "SELECT note FROM orders", "SELECT * FROM orders", "DELETE FROM orders", "UPDATE orders SET total = 1",
    "INSERT INTO orders VALUES (3)", "SELECT * FROM hr.salaries", "TRUNCATE orders", "CREATE TABLE mine (x int)",
    "CREATE SCHEMA mine", "CREATE TEMP TABLE users (x int)",
    "CREATE FUNCTION pg_temp.now() RETURNS int LANGUAGE sql AS '1'",
    "CREATE ROLE other", "SET ROLE remit", "SET SESSION AUTHORIZATION remit",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT 99",
    "SELECT setval('counted', 999)", "SELECT nextval('counted')", r"""SELECT U&"s\0065tval"('counted', 999)""",
    "SELECT pg_read_file('/etc/passwd')", "SELECT lo_export(1, '/tmp/probe')", "COPY orders TO PROGRAM 'id'",
    "COPY (SELECT 1) TO '/tmp/probe.out'", "SELECT * FROM pg_authid",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'remit'",
    "SELECT query_to_xml('delete from orders returning 1', true, true, '')", "SELECT 1; COMMIT; DROP TABLE orders;",
    "EXPLAIN ANALYZE DELETE FROM orders", "WITH d AS (DELETE FROM orders RETURNING 1) SELECT * FROM d",
)  # fmt: skip


def test_a_role_can_do_what_the_step_lists_and_nothing_else(source, place):
    minted, login = lent(source, step(columns=["id", "total"]))
    with connect(place, login) as conn:
        assert conn.execute("SELECT id, total FROM orders ORDER BY id").fetchall() == [(1, 10), (2, 20)]
        for statement in REFUSED:
            try:
                conn.execute(statement)
            except psycopg.Error:
                continue
            pytest.fail(f"it could {statement}")
    assert source.reach(minted) == ("select public.orders (id, total)",)
    with psycopg.connect(place) as conn:
        assert conn.execute("SELECT count(*), sum(total) FROM orders").fetchone() == (2, 30)
    source.drop(minted)


def test_a_plan_that_writes_writes_only_where_it_says(source, place):
    minted, login = lent(
        source, step(columns=["id", "total"]), step("update", columns=["total"]), step("insert"), step("delete")
    )
    with connect(place, login) as conn:
        conn.execute("UPDATE orders SET total = 11 WHERE id = 1")
        conn.execute("INSERT INTO orders VALUES (3, 'per_a', 5, 'z')")
        conn.execute("DELETE FROM orders WHERE id = 3")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("UPDATE orders SET note = 'x'")
    source.drop(minted)


SETTINGS = (
    "application_name", "statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
    "default_transaction_read_only", "search_path",
)  # fmt: skip


def test_a_function_is_called_only_where_the_plan_calls_it(source, place):
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute("CREATE FUNCTION bump(n int) RETURNS int LANGUAGE sql AS 'SELECT n'")
        admin.execute("CREATE FUNCTION bump(n text) RETURNS text LANGUAGE sql AS 'SELECT n'")
        admin.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    caller, login = lent(source, step(), step("call", ["public.bump"]))
    other, plain = lent(source, step())
    with connect(place, login) as conn:
        assert conn.execute("SELECT bump(7), bump('x')").fetchone() == (7, "x")
    with connect(place, plain) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT bump(7)")
    for one in (caller, other):
        source.drop(one)


def test_the_session_is_labelled_bounded_and_ends_by_itself(source, place):
    minted, login = lent(source, life=4_000)
    with connect(place, login) as conn:
        shown = {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in SETTINGS}
    assert shown == {
        "application_name": minted.name, "statement_timeout": "30s", "idle_in_transaction_session_timeout": "10s",
        "idle_session_timeout": "10min", "default_transaction_read_only": "on", "search_path": "public",
    }  # fmt: skip
    with psycopg.connect(place) as conn:
        row = conn.execute(
            "SELECT rolconnlimit, rolsuper, rolinherit, rolcreaterole, rolbypassrls,"
            " shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s",
            (minted.name,),
        ).fetchone()
    assert row[:5] == (10, False, False, False, False)
    assert '"ticket": "T-7"' in row[5]
    assert minted.secret.reveal().decode() not in row[5]
    time.sleep(4.1)
    assert not opens(place, login), "VALID UNTIL has passed"
    source.drop(minted)


def test_a_drop_ends_open_sessions_and_what_they_do(source, place):
    minted, login = lent(source)
    with connect(place, login) as conn, psycopg.connect(place, autocommit=True) as admin:
        conn.execute("BEGIN; SELECT 1")
        assert source.probe(minted) is Gone.LIVE
        source.drop(minted)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
        assert admin.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (minted.name,)).fetchone() == (
            0,
        )
    assert source.probe(minted) is Gone.GONE


def test_pg_15_a_role_that_owns_or_was_granted_things_is_dropped_all_the_same(source, place):
    minted, _ = lent(source)
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute(f'CREATE SCHEMA owned AUTHORIZATION "{minted.name}"')
        admin.execute(f'CREATE TABLE owned.things (x int); ALTER TABLE owned.things OWNER TO "{minted.name}"')
        admin.execute(f'GRANT ALL ON hr.salaries TO "{minted.name}"')
        admin.execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{minted.name}"')
    source.drop(minted)
    assert source.probe(minted) is Gone.GONE


def test_pg_15_a_role_that_cannot_be_dropped_is_a_fault_and_its_log_in_is_ended(source, place, server):
    minted, login = lent(source)
    other = server.fresh()
    with psycopg.connect(other, autocommit=True) as admin:
        admin.execute(f'CREATE TABLE held (x int); ALTER TABLE held OWNER TO "{minted.name}"')
    assert refused(source.drop, minted) == "target_declined"
    assert source.probe(minted) is Gone.LIVE
    assert not opens(place, login)
    with psycopg.connect(other, autocommit=True) as admin:
        admin.execute("DROP TABLE held")
    source.drop(minted)
    assert source.probe(minted) is Gone.GONE


HOSTILE = 'x"; DROP ROLE remit; --'


def test_pg_12_names_are_quoted_in_mint_and_in_drop(source, place):
    assert refused(source.mint, intent([step(relation=[HOSTILE])])) == "rights_invalid"
    name = f"remit_{HOSTILE}"
    hostile = intent(name=name, labels=(("ledger", "x"), ("ticket", "'; DROP TABLE orders; --")))
    minted = source.mint(hostile)
    with psycopg.connect(place) as conn:
        assert conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", (name,)).fetchone() == (1,)
    assert name in source.found()
    source.drop(minted)
    assert source.probe(minted) is Gone.GONE
    with psycopg.connect(place) as conn:
        assert conn.execute("SELECT count(*) FROM orders").fetchone() == (2,)


ROOMS = st.lists(
    st.tuples(
        st.sampled_from(["select", "insert", "update", "delete", "truncate"]),
        st.sets(st.sampled_from(["public.a", "public.b", "side.c"]), min_size=1),
        st.none() | st.sets(st.sampled_from(["x", "y", "z"]), min_size=1),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def rooms(server):
    url = server.fresh()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA side; REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for one in ("public.a", "public.b", "side.c", "side.d"):
            conn.execute(f"CREATE TABLE {one} (x int, y int, z int)")
    with closing(PostgresSource(Secret(url.encode()), "ledger")) as made:
        yield made, url


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(ROOMS)
def test_the_rights_are_those_that_the_database_itself_sees(rooms, wanted):
    """The oracle is PostgreSQL: has_table_privilege and has_column_privilege on every table, verb and column."""
    source, url = rooms
    minted = source.mint(
        intent([step(verb, sorted(tables), columns and sorted(columns)) for verb, tables, columns in wanted])
    )
    try:
        with psycopg.connect(url) as conn:
            for table in ("public.a", "public.b", "side.c", "side.d"):
                for verb in ("select", "insert", "update", "delete", "truncate", "references", "trigger"):
                    mine = [cols for v, tables, cols in wanted if v == verb and table in tables]
                    whole = bool(mine) and (verb in ("delete", "truncate") or None in mine)
                    asked = "SELECT has_table_privilege(%s, %s, %s)"
                    assert conn.execute(asked, (minted.name, table, verb)).fetchone() == (whole,), (table, verb)
                    if verb in ("select", "insert", "update", "references"):
                        listed = set("xyz") if whole else {c for cols in mine for c in cols or ()}
                        seen = "SELECT has_column_privilege(%s, %s, %s, %s)"
                        asked = ((c, conn.execute(seen, (minted.name, table, c, verb)).fetchone()[0]) for c in "xyz")
                        found = {c for c, may in asked if may}
                        assert found == listed, (table, verb)
    finally:
        source.drop(minted)


def test_rows_follow_the_person_whom_the_session_is_for_and_no_other(source, place):
    people = [named("per", letter) for letter in "ab"]
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute("CREATE TABLE mine (who text, what text)")
        admin.execute("INSERT INTO mine VALUES (%s, 'a'), (%s, 'b')", people)
    step_ = step(relation=["public.mine"], path="delegated")
    logins = [lent(source, step_, person=one, path=TrustPath.DELEGATED) for one in people]
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute("ALTER TABLE mine ENABLE ROW LEVEL SECURITY")
        admin.execute("CREATE POLICY own ON mine USING (who = remit.person())")
    for (_, login), what in zip(logins, "ab", strict=True):
        with connect(place, login) as conn:
            assert conn.execute("SELECT what FROM mine").fetchall() == [(what,)]
            for game in ("UPDATE remit.lease SET person = 'x'", "SELECT * FROM remit.lease", "DELETE FROM remit.lease"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                    conn.execute(game)
            conn.execute("SET search_path = pg_temp, public; SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("UPDATE remit.lease SET person = 'x'")
            conn.execute("SET remit.person = 'per_b'")
            assert conn.execute("SELECT what FROM mine").fetchall() == [(what,)]
    for minted, _ in logins:
        source.drop(minted)
    with psycopg.connect(place) as admin:
        assert admin.execute("SELECT count(*) FROM remit.lease").fetchone() == (0,)


def test_an_admin_who_is_no_superuser_is_enough(server):
    url = server.fresh()
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS admin")
        conn.execute("CREATE ROLE admin LOGIN CREATEROLE PASSWORD 'x'")
        conn.execute(f"GRANT ALL ON DATABASE {name} TO admin WITH GRANT OPTION; GRANT pg_signal_backend TO admin")
        conn.execute("GRANT ALL ON SCHEMA public TO admin WITH GRANT OPTION")
        conn.execute("SET ROLE admin; CREATE TABLE orders (id int)")
    place = url.replace("//remit@", "//admin@")
    with closing(PostgresSource(Secret(place.encode()), "ledger")) as source:
        Suite(source, intent, functools.partial(opens, place)).holds()


def test_two_ledgers_on_one_server_never_see_each_others_names(source, place):
    with closing(PostgresSource(Secret(place.encode()), "another")) as other:
        minted, foreign = source.mint(intent()), other.mint(intent())
        assert foreign.name not in source.found()
        assert minted.name not in other.found()
        for one in (minted, foreign):
            source.drop(one)


def test_a_mint_that_reaches_the_target_late_is_refused_by_the_targets_own_clock(source):
    ran = []

    def paused():
        ran.append(1)
        return 1

    late = intent(left=paused)
    source._people = lambda conn: time.sleep(0.05)
    assert (
        refused(source.mint, Intent(**{f: getattr(late, f) for f in late.__slots__} | {"person": named("per")}))
        == "mint_late"
    )
    assert source.probe(Minted(late.name, late.until, None)) is Gone.GONE


@pytest.mark.parametrize("bad", ["0", "-1", "x", "1e9", ""])
def test_a_setting_that_cannot_be_is_refused(bad):
    assert refused(lambda: PostgresSource(Secret(b"x"), "ledger", {"connections": bad})) == "setting_invalid"


def test_a_server_that_is_away_is_a_fault_and_never_a_proof(place):
    gone = place.replace("//remit@127.0.0.1:", "//remit@127.0.0.1:1")
    with closing(PostgresSource(Secret(b"postgresql://remit@127.0.0.1:1/none"), "ledger")) as source:
        minted = Minted("remit_x", Instant(1), None)
        for verb in (
            source.drop,
            source.probe,
            source.reach,
            lambda _: source.mint(intent()),
            lambda _: source.found(),
        ):
            assert refused(verb, minted) == "target_unavailable"
        assert refused(source.lend, minted) == "lease_ended"
    assert gone


def test_150_open_sessions_are_ended_with_their_role(server, place):
    with closing(PostgresSource(Secret(place.encode()), "ledger", {"connections": "150"})) as source:
        took = []
        for _ in range(2):
            minted, login = lent(source)
            sessions = [connect(place, login) for _ in range(150)]
            start = time.monotonic()
            source.drop(minted)
            assert source.probe(minted) is Gone.GONE
            took.append(time.monotonic() - start)
            for one in sessions:
                with pytest.raises(psycopg.OperationalError):
                    one.execute("SELECT 1")
                one.close()
        assert min(took) < 5, "they are ended one after the other"
