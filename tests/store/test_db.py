import os
import sqlite3
import stat
import threading
import time

import pytest

from remit.core.errors import RemitError
from remit.store import fault
from remit.store import sqlite as module
from remit.store.sqlite import APPLICATION, TIMEOUT_MS, refuse_unsafe
from remit.store.sqlite import open_sqlite as open_db


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store" / "remit.db"


@pytest.fixture
def db(path):
    opened = open_db(path)
    opened.run("CREATE TABLE fact (n INTEGER PRIMARY KEY, body TEXT) STRICT")
    yield opened
    opened.close()


def code(call, *args, **named):
    with pytest.raises(RemitError) as caught:
        call(*args, **named)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value.code


def test_a_new_store_is_durable_marked_and_private(db, path):
    assert db.one("PRAGMA journal_mode") == ("wal",)
    assert db.one("PRAGMA synchronous") == (2,)
    assert db.one("PRAGMA foreign_keys") == (1,)
    assert db.one("PRAGMA application_id") == (APPLICATION,)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert db.check() == []


@pytest.mark.parametrize("weak", ["off", "normal"])
def test_a_store_that_does_not_read_back_as_durable_is_refused(path, monkeypatch, weak):
    settings = tuple((name, weak if name == "synchronous" else value) for name, value in module.SETTINGS)
    monkeypatch.setattr(module, "SETTINGS", settings)
    assert code(open_db, path) == "store_not_durable"


def test_a_store_that_cannot_use_the_wal_is_refused(path, monkeypatch):
    settings = tuple((name, "delete" if name == "journal_mode" else value) for name, value in module.SETTINGS)
    monkeypatch.setattr(module, "SETTINGS", settings)
    assert code(open_db, path) == "store_not_durable"


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2", "3.6.23"])
def test_a_library_with_the_wal_reset_defect_is_refused(version):
    assert code(refuse_unsafe, version) == "sqlite_unsafe"


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_mended_library_is_accepted(version):
    refuse_unsafe(version)


def test_open_asks_for_the_version_of_the_library_in_use(path, monkeypatch):
    monkeypatch.setattr(module.apsw, "sqlite_lib_version", lambda: "3.45.0")
    assert code(open_db, path) == "sqlite_unsafe"


@pytest.mark.parametrize(("place", "mode"), [("", 0o620), ("", 0o602), ("..", 0o770), ("..", 0o707)])
def test_a_store_that_others_can_write_is_refused(path, place, mode):
    open_db(path).close()
    (path.parent if place else path).chmod(mode)
    assert code(open_db, path) == "store_exposed"


def test_a_store_that_others_can_read_is_a_flaw(db, path):
    path.chmod(0o644)
    assert [flaw.code for flaw in db.check()] == ["store_exposed"]


def test_a_full_disk_is_a_flaw(db, monkeypatch):
    monkeypatch.setattr(fault, "FREE_BYTES", 2**63)
    assert [flaw.code for flaw in db.check()] == ["store_full"]


def test_a_file_that_is_no_database_is_corrupt(path):
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    assert code(open_db, path) == "store_corrupt"


def test_the_database_of_another_program_is_refused_and_left_alone(path):
    path.parent.mkdir(mode=0o700)
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (n)")
    other.close()
    path.chmod(0o600)
    before = path.read_bytes()
    assert code(open_db, path) == "store_foreign"
    assert path.read_bytes() == before


def test_a_damaged_page_is_found(db, path):
    with db.transaction():
        db.many("INSERT INTO fact VALUES (?, ?)", [(n, "x" * 500) for n in range(200)])
    db.close()
    data = bytearray(path.read_bytes())
    data[8192:8292] = os.urandom(100)
    path.write_bytes(data)
    db.reopen()
    assert "store_corrupt" in {flaw.code for flaw in db.check()}


def test_an_orphaned_row_is_found(db):
    db.run("CREATE TABLE child (parent INTEGER REFERENCES fact) STRICT")
    db.all("PRAGMA foreign_keys=OFF")
    db.run("INSERT INTO child VALUES (7)")
    found = [flaw.message for flaw in db.check()]
    assert any("child" in message for message in found)
    assert any("not enforced" in message for message in found)


def test_a_place_that_cannot_be_made_is_told(tmp_path):
    assert code(open_db, tmp_path / "no" / "such" / "remit.db") == "store_unavailable"


def test_one_writer_at_a_time(db, path):
    other = open_db(path)
    assert db.try_begin()
    start = time.monotonic()
    assert not other.try_begin()
    assert time.monotonic() - start < TIMEOUT_MS / 1000, "it waited"
    assert code(other.begin, 50) == "store_busy"
    assert other.usable
    db.rollback()
    other.begin()
    other.rollback()
    other.close()


def test_a_writer_that_waits_gets_its_turn(db, path):
    other = open_db(path)
    db.begin()
    threading.Timer(0.1, db.commit).start()
    other.begin(60_000)
    other.rollback()
    other.close()


def test_marks_nest_and_undo_only_their_own(db):
    with db.transaction():
        db.mark()
        db.run("INSERT INTO fact VALUES (1, 'kept')")
        db.mark()
        db.run("INSERT INTO fact VALUES (2, 'undone')")
        db.undo()
        db.release()
        db.mark()
        db.run("INSERT INTO fact VALUES (3, 'kept')")
        db.release()
    assert db.all("SELECT n FROM fact") == [(1,), (3,)]


def test_a_body_that_raises_is_rolled_back(db):
    def body():
        with db.transaction():
            db.run("INSERT INTO fact VALUES (1, '')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    assert not db.in_transaction
    assert db.all("SELECT n FROM fact") == []


def test_run_counts_the_rows_it_changed(db):
    db.many("INSERT INTO fact VALUES (?, ?)", [(1, "a"), (2, "b")])
    assert db.run("UPDATE fact SET body = 'c'") == 2
    assert db.run("UPDATE fact SET body = 'c' WHERE n = 9") == 0
    assert db.one("SELECT body FROM fact WHERE n = ?", (1,)) == ("c",)
    assert db.one("SELECT body FROM fact WHERE n = ?", (9,)) is None
    assert code(db.one, "SELECT n FROM fact") == "store_statement"


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        ("SELEC", (), "store_statement"),
        ("SELECT ?", (), "store_statement"),
        ("SELECT ?", (2**70,), "store_statement"),
        ("SELECT ?", (object(),), "store_statement"),
        ("SELECT ?", ("\ud800",), "store_statement"),
        ("INSERT INTO fact VALUES (1, x'00')", (), "store_constraint"),
        ('SELECT "no such column"', (), "store_statement"),
    ],
)
def test_a_statement_that_fails_has_a_code_and_leaves_the_connection_usable(db, sql, params, expected):
    assert code(db.all, sql, params) == expected
    assert code(db.run, sql, params) == expected
    assert db.usable
    assert db.all("SELECT 1") == [(1,)]


def test_no_bound_value_is_told(db):
    db.run("INSERT INTO fact VALUES (1, 'hidden-value')")
    with pytest.raises(RemitError) as caught:
        db.run("INSERT INTO fact VALUES (?, ?)", (1, "hidden-value"))
    assert "hidden-value" not in str(caught.value)


def test_a_commit_of_broken_references_is_unknown_and_keeps_nothing(db):
    db.run("CREATE TABLE child (parent INTEGER REFERENCES fact DEFERRABLE INITIALLY DEFERRED) STRICT")
    db.begin()
    db.run("INSERT INTO child VALUES (7)")
    assert code(db.commit) == "commit_unknown"
    assert code(db.all, "SELECT 1") == "store_dropped"
    db.reopen()
    assert db.all("SELECT * FROM child") == []


def test_the_commit_may_run_on_another_thread(db, path):
    for n in range(20):
        db.begin()
        db.run("INSERT INTO fact VALUES (?, '')", (n,))
        thread = threading.Thread(target=db.commit)
        thread.start()
        thread.join()
        assert not db.in_transaction
    other = open_db(path)
    assert other.one("SELECT count(*) FROM fact") == (20,)
    other.close()


def test_a_closed_store_says_so(db):
    db.close()
    db.close()
    assert code(db.all, "SELECT 1") == "store_dropped"


def test_the_wal_grows_until_it_is_copied_and_then_starts_again(db, path):
    wal = path.with_name("remit.db-wal")
    for n in range(50):
        db.run("INSERT INTO fact VALUES (?, ?)", (n, "x" * 3000))
    assert db.wal_pages > 50
    assert not db.checkpoint(10_000)
    assert db.checkpoint()
    assert db.wal_pages == 0
    size = wal.stat().st_size
    for n in range(10):
        db.run("UPDATE fact SET body = 'y' WHERE n = ?", (n,))
    assert wal.stat().st_size == size
    assert 0 < db.wal_pages < 50


def test_a_reader_in_the_way_postpones_the_copy(db, path):
    reader = open_db(path)
    db.run("INSERT INTO fact VALUES (1, '')")
    reader.all("BEGIN")
    reader.all("SELECT * FROM fact")
    db.run("INSERT INTO fact VALUES (2, '')")
    assert not db.checkpoint()
    assert db.wal_pages > 0
    reader.rollback()
    assert db.checkpoint()
    reader.close()


def test_erased_bytes_are_gone_from_the_files_after_the_copy(db, path):
    db.run("INSERT INTO fact VALUES (1, ?)", ("erase-me" * 50,))
    db.checkpoint()
    db.run("DELETE FROM fact")
    db.reopen()
    assert all(b"erase-me" not in file.read_bytes() for file in path.parent.iterdir())
