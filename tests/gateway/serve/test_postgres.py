"""The PostgreSQL gate over real sockets, before a real PostgreSQL, with clients that know nothing of Remit."""

import threading
import time

import psycopg
import pytest

from remit.gateway.serve.postgres.gate import PARTIAL_S
from tests.kit.database import READ, shop, step
from tests.kit.pgwire import SYNC, Client, bind, codes, error, execute, frame, hello, parse, query


@pytest.fixture(scope="module")
def target():
    with shop() as made:
        yield made


@pytest.fixture
def wire(target):
    client = Client(target.port).log_in(target.token)
    yield client
    client.close()


def refused(conn, text, *given):
    """The SQLSTATE and our code of a refusal."""
    with pytest.raises(psycopg.Error) as why:
        conn.execute(text, given or None)
    return why.value.sqlstate, why.value.diag.message_detail


def test_an_unchanged_client_reads_writes_and_is_refused(target):
    with target.connect() as conn:
        assert conn.execute("select id, total::float from orders where id = %s", (4,)).fetchall() == [(4, 6.0)]
        assert conn.execute("insert into refunds (order_id, amount) values (%s, 30) returning id", (1,)).fetchone()
        conn.commit()
        assert refused(conn, "delete from orders") == ("42501", "code argument_refused")
        conn.rollback()
        assert refused(conn, "insert into refunds (order_id, amount) values (%s, %s)", 1, 50.5)[0] == "42501"
        conn.rollback()
        assert refused(conn, "insert into refunds (order_id, amount) values (1, 25 + 26)")[1] == "code argument_refused"
        conn.rollback()
        assert refused(conn, "select pay from hr.pay")[1] == "code argument_refused"
        conn.rollback()
        assert conn.execute("select bump(2)").fetchone() == (2,)
        conn.rollback()
        assert refused(conn, "select bump(4)")[1] == "code argument_refused"
    assert target.direct("select count(*) from refunds where amount = 30") == [(1,)]
    assert target.direct("select count(*) from orders") == [(20,)]


REPORT = """
with recent as (
  select id, total, status from orders where status <> 'drop table orders; delete from orders'
), ranked as (
  select id, total, row_number() over (partition by status order by total desc, id) as place from recent
)
select r.id, r.total::float, l.id /* nested /* ; drop */ comment */
from ranked r left join lateral (select o.id from orders o where o.id < r.id order by o.id desc limit 1) l on true
where r.place <= 50 and $tag$it's; -- no comment$tag$ <> ''
"""


def test_ctrl_03_a_report_that_only_looks_dangerous_is_a_read_with_its_rows(target):
    text = REPORT + "".join(f"  and r.id <> {-n} -- line {n};\n" for n in range(1, 200)) + "order by r.id"
    with target.connect() as conn:
        assert conn.execute(text).fetchall() == target.direct(text)
        assert len(target.direct(text)) == 20


def test_cursors_copy_and_pipelines_pass(target):
    with target.connect() as conn:
        with conn.cursor(name="c") as cursor:
            cursor.execute("select id from orders order by id")
            assert [row[0] for row in cursor.fetchmany(3)] == [1, 2, 3]
            assert [row[0] for row in cursor.fetchmany(2)] == [4, 5]
        with conn.cursor() as cursor:
            with cursor.copy("copy notes (id, body) from stdin") as copy:
                for number in (101, 102):
                    copy.write_row((number, "x"))
            assert cursor.rowcount == 2
            with cursor.copy("copy (select id from notes where id > 100 order by id) to stdout") as copy:
                assert b"".join(bytes(part) for part in copy) == b"101\n102\n"
        conn.commit()
        with conn.pipeline():
            found = [conn.execute("select id from orders where id = %s", (n,)) for n in (1, 2, 3)]
        assert [one.fetchone()[0] for one in found] == [1, 2, 3]
        conn.commit()
        conn.execute("prepare p (int) as select total::float from orders where id = $1")
        assert conn.execute("execute p(2)").fetchone() == (3.0,)
        conn.execute("deallocate p")
        conn.commit()
        assert refused(conn, "execute p(2)")[0] == "26000"


def test_a_refusal_fails_the_transaction_as_the_database_itself_would(target):
    with target.connect() as conn:
        conn.execute("insert into notes values (200, 'kept?')")
        assert refused(conn, "drop table notes")[0] == "42501"
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        assert refused(conn, "select id from orders")[0] == "25P02"
        conn.commit()
        assert conn.execute("select count(*) from notes where id = 200").fetchone() == (0,)
        conn.execute("savepoint here")
        assert refused(conn, "select pay from hr.pay")[0] == "42501"
        conn.execute("rollback to savepoint here")
        assert conn.execute("select count(*) from orders").fetchone() == (20,)


def test_pg_01_several_statements_are_decided_whole_or_nothing_is_sent(target, wire):
    for text in ("select 1; commit; drop table notes;", "select 1; drop table notes", "begin; select 1; commit"):
        assert codes(wire.send(query(text)).until())[-1] == "ZI"
    before = target.direct("select count(*) from refunds")
    sent = "insert into refunds (order_id, amount) values (1, 1); select pay from hr.pay"
    assert codes(wire.send(query(sent)).until()) == ["argument_refused", "ZI"]
    assert target.direct("select count(*) from refunds") == before
    assert codes(wire.send(query("select 1; select id from orders where id = 1")).until()) == [
        "T", "D", "C", "T", "D", "C", "ZI",
    ]  # fmt: skip
    assert codes(wire.send(query("")).until()) == ["I", "ZI"]
    assert codes(wire.send(query("-- nothing")).until()) == ["I", "ZI"]
    # What a pool sends when a connection comes back to it.
    reset = "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;"
    assert codes(wire.send(query(reset)).until())[-1] == "ZI"


def test_pg_09_a_name_never_means_what_it_meant_before(target, wire):
    read, write = "select id from notes where id = 1", "insert into notes values (300, 'x')"
    wire.send(parse("s", read), bind("", "s"), execute(), SYNC)
    assert codes(wire.until()) == ["1", "2", "D", "C", "ZI"]
    # The error makes the database skip the second Parse; the gate must not take it for done.
    wire.send(parse("t", write), bind("", "nowhere"), execute(), frame(b"C", b"Ss\0"), parse("s", write), SYNC)
    assert codes(wire.until()) == ["1", "prepared_unknown", "ZI"]
    found = codes(wire.send(bind("", "s"), execute(), SYNC).until())
    assert found in (["2", "D", "C", "ZI"], ["26000", "ZI"]), found
    assert target.direct("select count(*) from notes where id = 300") == [(0,)]
    # Close and Parse of another statement under the same name, in one go: decided as what it is now.
    wire.send(parse("u", read), frame(b"C", b"Su\0"), parse("u", "delete from orders"), bind("", "u"), execute(), SYNC)
    assert codes(wire.until()) == ["1", "3", "1", "2", "argument_refused", "ZI"]
    assert target.direct("select count(*) from orders") == [(20,)]


def test_pg_09_every_execution_is_decided_by_itself():
    with shop((step("select", READ.to_json()["arguments"], uses=2),)) as made:
        wire = Client(made.port).log_in(made.token)
        wire.send(parse("s", "select id from notes where id = 1"), bind("p", "s"), SYNC)
        assert codes(wire.until()) == ["1", "2", "ZI"]
        again = [codes(wire.send(bind("", "s"), execute(), SYNC).until()) for _ in range(3)]
        assert again == [["2", "D", "C", "ZI"], ["2", "D", "C", "ZI"], ["2", "uses_spent", "ZI"]]
        wire.close()


def test_pg_09_the_fast_path_late_rows_and_strange_messages_do_nothing(target, wire):
    call = frame(b"F", b"\0\0\x05\x49\0\0\0\0\0\0")
    assert codes(wire.send(call).until()) == ["statement_refused", "ZI"]
    wire.send(frame(b"d", b"1\tx\n"), frame(b"c"), query("select 1"))
    assert codes(wire.until()) == ["T", "D", "C", "ZI"]
    assert codes(wire.send(frame(b"y", b"")).until()) == ["frame_invalid", ""]


def test_a_pipeline_after_a_refusal_is_skipped_up_to_sync(target, wire):
    wire.send(
        parse("", "insert into notes values (400, 'x')"), bind("", ""), execute(),
        parse("", "delete from orders"), bind("", ""), execute(),
        parse("", "insert into notes values (401, 'x')"), bind("", ""), execute(), SYNC,
    )  # fmt: skip
    assert codes(wire.until()) == ["1", "2", "C", "1", "2", "argument_refused", "ZI"]
    assert target.direct("select count(*) from notes where id in (400, 401)") == [(0,)]
    wire.send(parse("", "select id from notes where id = 1"), bind("", ""), execute(), SYNC)
    assert codes(wire.until()) == ["1", "2", "D", "C", "ZI"]


HEADS = [
    b"Q\xff\xff\xff\xff", b"Q\0\0\0\x03", b"Q\x80\0\0\0", b"Q\x7f\xff\xff\xff", b"Q\0\0\0\0",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_pg_10_a_length_that_cannot_be_ends_the_session(wire, head):
    assert codes(wire.send(head, b"x" * 10).until()) == ["frame_invalid", ""]


@pytest.mark.parametrize("head", [b"\xff\xff\xff\xff", b"\0\0\0\x03", b"\x7f\xff\xff\xff", b"\0\0\x40\0"])
def test_pg_10_so_does_one_at_the_start(target, head):
    client = Client(target.port).send(head, b"\0\x03\0\0")
    assert codes(client.until()) == ["frame_invalid", ""]
    client.close()


def test_pg_10_who_has_not_logged_in_sends_nothing_long(target):
    client = Client(target.port).send(hello(user="remit", database="shop"))
    assert client.frame() == (b"R", b"\0\0\0\x03")
    assert codes(client.send(b"p" + (1024 * 1024).to_bytes(4)).until()) == ["frame_invalid", ""]
    client.close()


def test_pg_10_gss_is_declined_and_what_comes_before_tls_is_refused(target):
    client = Client(target.port).send(hello(80877104))
    assert client.exactly(1) == b"N"
    client.close()
    client = Client(target.port).log_in(target.token)
    assert codes(client.send(query("select 1")).until()) == ["T", "D", "C", "ZI"]
    client.close()


def test_pg_10_a_message_that_does_not_arrive_whole_is_not_waited_for(target, wire, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.postgres.gate.PARTIAL_S", 0.2)
    began = time.monotonic()
    assert codes(wire.send(b"Q\0\0\x01\0sel").until()) == ["frame_invalid", ""]
    assert time.monotonic() - began < PARTIAL_S / 2


STARTS = [
    {"options": "-c role=postgres -c session_preload_libraries=x"},
    {"replication": "database"},
    {"search_path": "pg_temp"},
    {"role": "postgres"},
    {"session_preload_libraries": "x"},
    {"client_encoding": "SJIS"},
]


@pytest.mark.parametrize("more", STARTS, ids=[next(iter(one)) for one in STARTS])
def test_pg_11_start_up_parameters_are_an_allow_list(target, more):
    client = Client(target.port).send(hello(user="remit", database="shop", **more))
    assert codes(client.until()) == ["startup_refused", ""]
    client.close()


def test_pg_11_a_user_is_no_authority_and_a_credential_is_for_its_resource(target):
    for user, database in (("postgres", "shop"), ("gate_role", "shop"), ("", "shop")):
        client = Client(target.port).send(hello(user=user, database=database))
        assert codes(client.until()) == ["startup_refused", ""]
        client.close()
    for token, database in ((target.token, "notes"), (target.token, "nowhere"), ("x", "shop"), ("", "shop")):
        client = Client(target.port).send(hello(user="remit", database=database))
        assert client.frame()[0] == b"R"
        client.send(frame(b"p", token.encode() + b"\0"))
        assert error(client.frame()[1])["C"] in ("28P01", "28000")
        client.close()


SLOW = "select count(*) from generate_series(1, 300000000) a, orders"
RUNS = (
    "select 1 from pg_stat_activity where state = 'active' and datname = current_database()"
    " and query like '%generate_series(1, 300000000)%' and application_name like 'remit/%'"
)


def until_slow_runs(target):
    """Wait until the database works on the slow statement: before that there is nothing to cancel or to cut."""
    end = time.monotonic() + 60
    while not target.direct(RUNS):
        assert time.monotonic() < end, "the statement does not run"
        time.sleep(0.02)


def test_pg_11_only_its_own_session_is_cancelled(target, wire):
    number, key = wire.number[:4], wire.number[4:]
    wire.send(query(SLOW))
    until_slow_runs(target)
    for tried in (number + bytes(4), bytes(4) + key, number + key[::-1]):
        Client(target.port).send((16).to_bytes(4), (80877102).to_bytes(4), tried).close()
    time.sleep(0.3)
    wire.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        wire.frame()
    wire.socket.settimeout(60)
    Client(target.port).send((16).to_bytes(4), (80877102).to_bytes(4), wire.number).close()
    assert codes(wire.until()) == ["57014", "ZI"]


def test_an_unchanged_client_cancels(target):
    with target.connect(autocommit=True) as conn:
        cancels = threading.Thread(target=lambda: (until_slow_runs(target), conn.cancel_safe()))
        cancels.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute(SLOW)
        cancels.join()
        assert conn.execute("select 1").fetchone() == (1,)


def test_what_ended_is_cut_within_two_seconds_and_its_statement_stops():
    with shop() as made:
        idle, busy = made.connect(autocommit=True), Client(made.port).log_in(made.token)
        busy.send(query(SLOW))
        until_slow_runs(made)
        began = time.monotonic()
        made.revoke()
        told = codes(busy.until())
        assert told == ["cut", ""]
        assert time.monotonic() - began < 2
        with pytest.raises(psycopg.OperationalError):
            idle.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            made.connect()
        outcomes = [one for one in made.entries() if one["kind"] == "call.outcome"]
        assert [one["result"] for one in outcomes].count("cut") == 1
        end = time.monotonic() + 60
        while made.direct(
            "select 1 from pg_stat_activity where application_name like 'remit/%' and datname = current_database()"
        ):
            assert time.monotonic() < end, "the session still runs at the database"
            time.sleep(0.05)
        busy.close()


def test_rows_are_counted_and_an_answer_with_too_many_never_leaves():
    limited = step("select", READ.to_json()["arguments"], rows={"max": 5})
    with shop((limited,)) as made:
        wire = Client(made.port).log_in(made.token)
        assert codes(wire.send(query("select id from orders where id < 4")).until()) == ["T", "D", "D", "D", "C", "ZI"]
        assert codes(wire.send(query("select id from orders")).until()) == ["rows_exceeded", ""]
        wire.close()


def test_every_statement_stands_in_the_ledger_before_its_answer_leaves(target, wire):
    before = len(target.calls())
    wire.send(query("select id from orders where id = 3")).until()
    wire.send(query("select pay from hr.pay")).until()
    assert target.calls()[before:] == [("sql:shop/select", "allow"), ("sql:shop/select", "argument_refused")]
    last = [one for one in target.entries() if one["kind"] == "call.outcome"][-1]
    assert (last["result"], last.get("rows")) == ("ok", None)


def test_the_agent_never_sees_how_the_gate_logs_in(target, wire):
    told = b"".join(body for _, body in wire.send(query("show is_superuser")).until())
    assert b"gate-password" not in told
    for text in ("select usename from pg_stat_activity", "select passwd from pg_shadow", "show hba_file"):
        assert codes(wire.send(query(text)).until())[0] in ("relation_unknown", "setting_refused")


def test_a_fault_in_the_gate_ends_the_session_alone_and_says_nothing_of_what_was_sent(target, wire, monkeypatch):
    other = Client(target.port).log_in(target.token)
    monkeypatch.setattr("remit.gateway.serve.postgres.session.read", lambda *_: 1 / 0)
    assert codes(wire.send(query("select 'hidden'")).until()) == ["internal", ""]
    monkeypatch.undo()
    assert codes(other.send(query("select 1")).until()) == ["T", "D", "C", "ZI"]
    other.close()
