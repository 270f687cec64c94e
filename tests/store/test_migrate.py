import threading

import pytest

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.store.migrate import migrate, packaged, parse, require_current
from remit.store.opening import open_db

NOW = Instant(1_700_000_000_000)
FIRST = ("0001_start.sql", b"CREATE TABLE a (n INTEGER PRIMARY KEY) STRICT; INSERT INTO a VALUES (1);")
SECOND = ("0002_more.sql", b"CREATE TABLE b (n INTEGER REFERENCES a) STRICT;")


@pytest.fixture
def db(tmp_path):
    opened = open_db(tmp_path / "store" / "remit.db")
    yield opened
    opened.close()


def code(call, *args):
    with pytest.raises(RemitError) as caught:
        call(*args)
    return caught.value.code


def test_each_file_is_applied_once_and_recorded(db):
    assert migrate(db, NOW, parse([FIRST])) == (1,)
    assert migrate(db, Instant(NOW + 5), parse([SECOND, FIRST])) == (2,)
    assert migrate(db, NOW, parse([FIRST, SECOND])) == ()
    assert db.all("SELECT number, name, applied FROM migration") == [(1, "start", NOW), (2, "more", NOW + 5)]
    assert db.one("PRAGMA user_version") == (2,)
    require_current(db, parse([FIRST, SECOND]))


@pytest.mark.parametrize(
    "files",
    [
        [("0001_start.sql", FIRST[1] + b" "), SECOND],
        [("0001_begin.sql", FIRST[1]), SECOND],
        [FIRST, ("0002_more.sql", b"SELECT 1;")],
    ],
)
def test_an_edited_or_renamed_file_is_refused(db, files):
    migrate(db, NOW, parse([FIRST, SECOND]))
    assert code(migrate, db, NOW, parse(files)) == "schema_edited"
    assert code(require_current, db, parse(files)) == "schema_edited"


@pytest.mark.parametrize(
    "files",
    [
        [SECOND],
        [FIRST, ("0003_x.sql", b"")],
        [FIRST, ("0001_twice.sql", b"")],
        [("start.sql", b"")],
        [("0001_A.sql", b"")],
    ],
)
def test_numbers_that_do_not_run_on_are_refused(files):
    assert code(parse, files) == "schema_edited"


def test_a_newer_store_is_refused(db):
    migrate(db, NOW, parse([FIRST, SECOND]))
    assert code(migrate, db, NOW, parse([FIRST])) == "schema_newer"
    assert code(require_current, db, parse([FIRST])) == "schema_newer"


def test_an_older_store_is_not_current(db):
    migrate(db, NOW, parse([FIRST]))
    assert code(require_current, db, parse([FIRST, SECOND])) == "schema_older"


@pytest.mark.parametrize("tamper", ["DELETE FROM migration WHERE number = 1", "PRAGMA user_version = 1"])
def test_a_record_with_gaps_is_refused(db, tamper):
    migrate(db, NOW, parse([FIRST, SECOND]))
    db.all(tamper)
    assert code(migrate, db, NOW, parse([FIRST, SECOND])) == "schema_edited"


@pytest.mark.parametrize(
    "sql",
    [
        b"CREATE TABLE c (n) STRICT; nonsense;",
        b"CREATE TABLE c (n INTEGER); INSERT INTO a VALUES (1);",
        b"CREATE TABLE c (n INTEGER REFERENCES a); PRAGMA defer_foreign_keys=ON; INSERT INTO c VALUES (9);",
    ],
)
def test_a_file_that_fails_leaves_no_trace(db, sql):
    migrate(db, NOW, parse([FIRST]))
    assert code(migrate, db, NOW, parse([FIRST, ("0002_bad.sql", sql)])) == "schema_failed"
    assert not db.in_transaction
    assert db.one("SELECT 1 FROM sqlite_schema WHERE name = 'c'") is None
    assert db.all("SELECT number FROM migration") == [(1,)]
    assert db.one("PRAGMA user_version") == (1,)


def test_a_file_that_ends_its_transaction_is_refused(db):
    assert code(migrate, db, NOW, parse([("0001_start.sql", b"CREATE TABLE a (n); COMMIT;")])) == "schema_failed"


def test_nodes_that_start_together_apply_each_file_once(db):
    applied, faults = [], []

    def start():
        node = open_db(db.path)
        try:
            applied.extend(migrate(node, NOW, parse([FIRST, SECOND])))
        except RemitError as fault:
            faults.append(fault)
        finally:
            node.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(applied) == [1, 2]


def test_the_packaged_files_apply_to_a_new_store_and_leave_it_sound(db):
    shipped = packaged()
    assert migrate(db, NOW, shipped) == tuple(range(1, len(shipped) + 1))
    assert db.check() == []
    require_current(db, shipped)
