"""What only the shared store can do wrong: locks between nodes, sessions that end, servers that are weak or silent."""

import threading
import time

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from remit.store.wire import BOUNDED, IDLE_MS
from tests.kit import postgres
from tests.kit.nouns import code
from tests.kit.postgres import Postgres

PATIENT_MS = 60_000
"""How long a lock is waited for here: its holder loses it after `IDLE_MS`, and on a busy machine a little later."""
BLOB = "INSERT INTO blob (digest, body) VALUES (?, ?)"


@pytest.fixture
def url():
    return postgres.fresh()


@pytest.fixture
def pair(url):
    """Two nodes' connections to one database with its tables."""
    one = open_db(url)
    migrate(one, Instant(1), packaged())
    two = open_db(url)
    yield one, two
    one.close()
    two.close()


def test_one_node_holds_the_lock_and_the_other_waits_or_goes_without(pair):
    one, two = pair
    one.begin()
    assert not two.try_begin()
    assert not two.in_transaction
    assert code(two.begin, 50) == "store_busy"
    one.commit()
    assert two.try_begin()
    two.rollback()


def test_who_waited_for_the_lock_reads_what_the_holder_wrote(pair):
    one, two = pair
    one.begin()
    found = []

    def wait():
        two.begin()
        found.extend(two.all("SELECT digest FROM blob"))
        two.commit()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    one.put(BLOB, ("d", b"body"))
    one.commit()
    waiting.join()
    assert found == [("d",)]


SILENCES = {
    "after taking the lock": lambda db: None,
    "after a statement": lambda db: db.run(BLOB, ("d", b"body")),
    "after statements that went together": lambda db: (db.put(BLOB, ("d", b"body")), db.flush()),
    "after reads that went together": lambda db: db.ahead([("SELECT 1", ()), ("SELECT 2", ())]),
}


@pytest.mark.parametrize("works", SILENCES.values(), ids=SILENCES)
def test_a_holder_that_falls_silent_anywhere_loses_the_lock(pair, works):
    one, two = pair
    for _ in range(3):
        one.begin()
        works(one)
        two.begin(PATIENT_MS)
        two.rollback()
        one.reopen()


def test_a_node_that_holds_the_lock_in_silence_loses_it(pair):
    one, two = pair
    one.begin()
    one.run(BLOB, ("d", b"body"))
    two.begin(PATIENT_MS)
    assert two.all("SELECT digest FROM blob") == []
    two.commit()
    assert code(one.commit) == "commit_unknown"
    assert not one.usable
    assert code(one.all, "SELECT 1") == "store_dropped"
    one.reopen()
    assert one.usable
    assert IDLE_MS < 2000


def test_a_transaction_that_a_statement_broke_is_never_taken_for_a_commit(pair):
    one, _ = pair
    one.begin()
    assert code(one.all, "SELECT nothing") == "store_statement"
    assert code(one.commit) == "commit_unknown"


def test_a_session_that_the_server_ends_is_in_doubt_and_comes_back(pair):
    one, two = pair
    one.begin()
    pid = one.one("SELECT pg_backend_pid()")[0]
    two.all("SELECT pg_terminate_backend(CAST(? AS INTEGER))", (pid,))
    assert code(one.commit) == "commit_unknown"
    one.reopen()
    assert one.all("SELECT digest FROM blob") == []


def test_the_instant_is_the_servers(pair):
    one, _ = pair
    one.begin()
    assert abs(one.at - time.time() * 1000) < 5_000
    one.rollback()


def test_nodes_that_start_together_make_the_tables_once(url):
    opened, faults = [], []

    def start():
        try:
            db = open_db(url)
            opened.append(db)
            while not made(db):
                pass
        except RemitError as fault:
            faults.append(fault)

    def made(db):
        """Whether the tables are there; a node that starts while another holds the lock for long tries again."""
        try:
            migrate(db, Instant(1), packaged())
        except RemitError as fault:
            if fault.code != "store_busy":
                raise
            return False
        return True

    nodes = [threading.Thread(target=start) for _ in range(6)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert [str(fault) for fault in faults] == []
    assert {db.stamped() for db in opened} == {len(packaged())}
    for db in opened:
        db.close()


def test_texts_are_ordered_byte_by_byte_as_in_the_other_store(pair):
    one, _ = pair
    one.begin()
    for name in ("b", "B", "a-", "a", "Z", "é", "aa"):
        one.put(BLOB, (name, b""))
    held = [row[0] for row in one.all("SELECT digest FROM blob ORDER BY digest")]
    assert held == sorted(held, key=str.encode)
    one.rollback()


def test_a_server_that_is_not_there_is_named_without_its_url():
    with pytest.raises(RemitError) as caught:
        open_db("postgresql://remit:hunter2hunter2@127.0.0.1:1/none")
    assert caught.value.code == "store_unavailable"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("weak", ["synchronous_commit = off", "synchronous_commit = local"])
def test_a_database_that_does_not_wait_for_its_disk_is_refused(url, weak):
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET {weak}".encode())
    assert code(open_db, url) == "store_not_durable"


@pytest.fixture(scope="module")
def weak():
    made = Postgres("fsync=off")
    yield made
    made.close()


def test_a_server_that_does_not_sync_is_refused(weak):
    assert code(open_db, weak.fresh()) == "store_not_durable"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("put", "run")), st.integers(0, 5)),
        st.tuples(st.sampled_from(("mark", "end", "undo", "read")), st.just(0)),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The two stores, side by side."""
    held = (open_db(tmp_path_factory.mktemp("twin") / "store" / "remit.db"), open_db(postgres.fresh()))
    for db in held:
        migrate(db, Instant(1), packaged())
    yield held
    for db in held:
        db.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("mark", 0), ("put", 0), ("mark", 0), ("read", 0), ("end", 0), ("undo", 0)])
def test_marks_and_late_statements_come_to_the_same_on_both_stores(both, steps):
    found = []
    for db in both:
        db.begin()
        depth, reads = 0, []
        for number, (what, which) in enumerate(steps):
            if what == "mark":
                db.mark()
                depth += 1
            elif what in ("end", "undo"):
                if depth:
                    (db.release if what == "end" else db.undo)()
                    depth -= 1
            elif what == "read":
                reads.append(db.all("SELECT digest, body FROM blob ORDER BY digest"))
            else:
                text = f"{BLOB} ON CONFLICT (digest) DO UPDATE SET body=excluded.body"
                getattr(db, what)(text, (str(which), str(number).encode()))
        db.flush()
        reads.append(db.all("SELECT digest, body FROM blob ORDER BY digest"))
        db.rollback()
        found.append(reads)
    assert found[0] == found[1]


def test_one_that_stops_in_the_middle_of_what_it_sends_holds_the_lock_no_longer_than_any_other(pair):
    one, two = pair
    assert one._conn.info.server_version >= BOUNDED
    one.begin(reads=(("SELECT 1", ()),))
    one._conn.pgconn.enter_pipeline_mode()
    one._conn.pgconn.send_query_params(b"SELECT 1", None)
    one._conn.pgconn.send_flush_request()
    one._conn.pgconn.flush()
    two.begin(timeout_ms=IDLE_MS + 1000)
    two.rollback()
    assert code(one.commit) == "commit_unknown"
