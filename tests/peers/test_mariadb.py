"""MariaDB and MySQL as sources, against real servers: users hold what the plan holds, and are gone when dropped."""

import os
import time
from contextlib import closing

import pymysql
import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Minted
from remit.custody.sources.mariadb import MariaSource
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit.mariadb import PASSWORD, SERVERS, MySQL
from tests.kit.nouns import named

NUMBERS = iter(range(10_000))
TABLES = (
    "CREATE TABLE orders (id int PRIMARY KEY, owner varchar(64), total int, note text)",
    "INSERT INTO orders VALUES (1, 'per_a', 10, 'x'), (2, 'per_b', 20, 'y')",
    "CREATE TABLE hr.salaries (id int, amount int)",
    "CREATE FUNCTION answer() RETURNS int DETERMINISTIC RETURN 42",
)
LOGIN = {"mariadb": "CONNECTION ADMIN", "mysql": "CONNECTION_ADMIN"}
ALLOW = {"allow.list_orders": "select orders(id, total)", "allow.pay": "select,update orders; insert orders(id, total)"}


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
    made = SERVERS[request.param]("--event-scheduler=ON")
    with closing(made.connect()) as conn, conn.cursor() as cursor:
        for one in TABLES:
            cursor.execute(one)
    yield made
    made.close()


@pytest.fixture
def source(server):
    with closing(opened(server)) as made:
        yield made


def opened(server, owner="ledger", settings=ALLOW):
    return MariaSource(Secret(server.url().encode()), owner, settings, server.kind)


def step(action="mcp:crm/list_orders", relation=(), columns=None, path="own"):
    limits = {"relation": [{"one_of": list(relation)}]} if relation else {}
    if columns:
        limits["/columns/*"] = [{"one_of": list(columns)}]
    return Step.from_json({"action": action, "path": path, "arguments": limits})


def intent(*steps, **members):
    number = next(NUMBERS)
    task = named("tsk", "abcdefghijklmnopqrstuvwxyz"[number % 26])
    given = {"name": f"remit_{task}_own_{number:08d}", "task": TaskId(task), "path": TrustPath.OWN}
    given |= {"until": Instant(2**41), "life": 60_000, "steps": steps or (step(),)}
    given |= {"labels": (("task", task), ("ticket", "T-7 'x'; --")), "random": os.urandom}
    return Intent(**(given | members))


def connect(server, lent, database="crm"):
    return server.connect(lent.user, lent.password.reveal().decode(), database)


def opens(server):
    def check(lent):
        try:
            connect(server, lent).close()
        except pymysql.err.OperationalError:
            return False
        return True

    return check


def rows(conn, text):
    with conn.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def test_it_does_what_every_source_does(source, server):
    Suite(source, intent, opens(server)).holds()


def test_the_suite_fails_on_a_drop_that_does_nothing_and_a_reach_that_is_not_told(source, server):
    fails_where_it_must(Suite(source, intent, opens(server)))


REFUSED = (
    "SELECT note FROM orders", "SELECT * FROM orders", "DELETE FROM orders", "UPDATE orders SET total = 1",
    "INSERT INTO orders VALUES (3, '', 1, '')", "SELECT * FROM hr.salaries", "TRUNCATE orders", "DROP TABLE orders",
    "CREATE TABLE mine (x int)", "CREATE DATABASE mine", "CREATE USER other", "SELECT * FROM mysql.global_priv",
    "SELECT * FROM remit.lease", "UPDATE remit.lease SET person = 'x'", "SELECT 1 INTO OUTFILE '/tmp/remit-probe'",
    "GRANT SELECT ON crm.* TO CURRENT_USER", "SET GLOBAL max_connections = 1", "SET ROLE admin", "SHUTDOWN",
    "CREATE EVENT mine ON SCHEDULE AT NOW() DO SELECT 1", "SELECT answer()", "LOCK TABLES orders WRITE",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE orders", "ALTER USER CURRENT_USER WITH MAX_USER_CONNECTIONS 0",
    "CREATE TEMPORARY TABLE orders (id int)",
)  # fmt: skip


def test_a_user_can_do_what_the_step_lists_and_nothing_else(source, server):
    minted = source.mint(intent())
    with closing(connect(server, source.lend(minted))) as conn:
        assert rows(conn, "SELECT id, total FROM orders ORDER BY id") == [(1, 10), (2, 20)]
        for statement in REFUSED:
            with pytest.raises(pymysql.Error):
                rows(conn, statement)
        user = rows(conn, "SELECT USER()")[0][0].partition("@")[0]
        assert minted.name[10:36] in user, "the server's own log leads to the task"
    assert source.reach(minted) == ("select crm.orders (id, total)",)
    with closing(server.connect()) as conn:
        assert rows(conn, "SELECT count(*), sum(total) FROM orders") == [(2, 30)]
        ((name, task, labels),) = rows(conn, f"SELECT name, task, labels FROM remit.lease WHERE account = '{user}'")
        assert (name, task in minted.name) == (minted.name, True)
        assert "T-7 'x'; --" in labels
    source.drop(minted)


def test_rights_are_those_of_the_steps_whether_told_by_sql_or_by_a_setting(source, server):
    told = source.mint(intent(step("mcp:crm/pay")))
    assert source.reach(told) == ("insert crm.orders (id, total)", "select crm.orders", "update crm.orders")
    asked = source.mint(
        intent(
            step("sql:crm/select", ["orders", "hr.salaries"], ["orders.id", "hr.salaries.amount"]),
            step("sql:crm/call", ["answer"]),
        )
    )
    assert source.reach(asked) == ("call crm.answer", "select crm.orders (id)", "select hr.salaries (amount)")
    for one in (told, asked):
        source.drop(one)


@pytest.mark.parametrize("action", ["mcp:crm/other", "sql:crm/truncate"])
def test_a_plan_that_nothing_bounds_gets_no_user(source, action):
    one = intent(step(action, ["orders"] if action.startswith("sql") else ()))
    assert refused(source.mint, one) == "rights_unbounded"
    assert one.name not in source.found()


@pytest.mark.parametrize("place", ["mysql.global_priv", "remit.lease", "sys.x", "information_schema.tables"])
def test_what_is_the_servers_own_is_in_no_plan(source, place):
    assert refused(source.mint, intent(step("sql:crm/select", [place]))) == "rights_unbounded"


def test_a_drop_ends_open_sessions_and_what_they_do(source, server):
    minted = source.mint(intent())
    lent = source.lend(minted)
    sessions = [connect(server, lent) for _ in range(10)]
    with pytest.raises(pymysql.err.OperationalError):
        connect(server, lent)
    start = time.monotonic()
    source.drop(minted)
    took = time.monotonic() - start
    for one in sessions:
        with pytest.raises(pymysql.err.OperationalError):
            rows(one, "SELECT 1")
    assert source.probe(minted) is Gone.GONE
    assert took < 2


def test_a_user_whom_nobody_drops_is_ended_by_the_server_itself(source, server):
    minted = source.mint(intent(life=1_500))
    lent, until = source.lend(minted), time.monotonic() + 20
    assert opens(server)(lent)
    while opens(server)(lent):
        assert time.monotonic() < until
        time.sleep(0.1)
    source.drop(minted)
    assert source.probe(minted) is Gone.GONE


def test_a_mint_whose_last_word_reaches_the_server_late_lets_nobody_in_and_leaves_nothing(source, server):
    late = intent(left=lambda: 1)
    made = source._there
    source._there = lambda conn, name: (rows(conn, "SELECT SLEEP(0.1)"), made(conn, name))[1]
    assert refused(source.mint, late) == "mint_late"
    assert source.probe(Minted(late.name, late.until, None)) is Gone.GONE
    assert late.name not in source.found()


def test_rows_follow_the_person_whom_the_session_is_for(source, server):
    with closing(server.connect()) as conn:
        rows(
            conn,
            "CREATE OR REPLACE SQL SECURITY DEFINER VIEW mine AS SELECT id FROM orders WHERE owner = remit.person()",
        )
    people = [named("per", letter) for letter in "ab"]
    with closing(server.connect()) as conn:
        for number, one in enumerate(people, 1):
            rows(conn, f"UPDATE orders SET owner = '{one}' WHERE id = {number}")
    for number, one in enumerate(people, 1):
        wanted = step("sql:crm/select", ["mine"], path="delegated")
        minted = source.mint(intent(wanted, person=one, path=TrustPath.DELEGATED))
        with closing(connect(server, source.lend(minted))) as conn:
            assert rows(conn, "SELECT id FROM mine") == [(number,)]
        source.drop(minted)


def test_two_ledgers_on_one_server_never_see_each_others_names(source, server):
    with closing(opened(server, "another")) as other:
        minted, foreign = source.mint(intent()), other.mint(intent())
        assert (foreign.name in source.found(), minted.name in other.found()) == (False, False)
        source.drop(minted)
        other.drop(foreign)


def test_a_server_that_is_away_is_a_fault_and_never_a_proof():
    with closing(MariaSource(Secret(b"mysql://remit:x@127.0.0.1:1/crm"), "ledger", ALLOW)) as source:
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


def test_the_other_of_the_two_is_refused_by_name(server):
    other = next(kind for kind in SERVERS if kind != server.kind)
    with closing(MariaSource(Secret(server.url().encode()), "ledger", ALLOW, other)) as source:
        assert refused(source.mint, intent()) == "target_declined"


def test_a_login_with_just_what_the_guide_lists_is_enough(server):
    """The list of `docs/guide/targets.md`; one privilege less, and something of it fails."""
    with closing(server.connect()) as conn:
        for one in (
            f"CREATE USER 'keeper'@'%' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT CREATE USER, PROCESS, EVENT, {LOGIN[server.kind]} ON *.* TO 'keeper'@'%'",
            "GRANT SELECT ON mysql.* TO 'keeper'@'%'",
            "GRANT ALL ON remit.* TO 'keeper'@'%'",
            "GRANT SELECT, INSERT, UPDATE ON crm.* TO 'keeper'@'%' WITH GRANT OPTION",
        ):
            rows(conn, one)
    url = server.url().replace("remit:", "keeper:").encode()
    with closing(MariaSource(Secret(url), "ledger", ALLOW, server.kind)) as source:
        Suite(source, intent, opens(server)).holds()


def test_what_mysql_gives_or_withholds_from_every_user_is_not_passed_over():
    settings = ALLOW | {"statement_s": "5"}
    assert refused(lambda: MariaSource(Secret(b"mysql://a:b@127.0.0.1/x"), "l", settings, "mysql")) == "setting_invalid"
    with closing(MySQL("--event-scheduler=OFF", "--mandatory-roles=everybody")) as server:
        with closing(server.connect()) as conn:
            rows(conn, "CREATE ROLE everybody")
        with closing(opened(server, settings={"allow.list_orders": "select orders"})) as source:
            assert refused(source.mint, intent()) == "target_declined"
            assert source.found() == ()
