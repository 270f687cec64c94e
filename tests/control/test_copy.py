import pytest

from remit.control.copy import copy
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.permit import Fault, Permit
from remit.store.log import newest
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from tests.kit import ledger, postgres
from tests.kit.nouns import code
from tests.kit.told import ByHand
from tests.kit.world import World, read_call


@pytest.fixture
def source(tmp_path, time):
    made = World(tmp_path / "store", ByHand(time)).settle()
    yield made
    made.close()


@pytest.fixture
def target():
    url = postgres.fresh()
    db = open_db(url)
    migrate(db, Instant(1), packaged())
    yield url, db
    db.close()


def test_a_copied_store_goes_on_in_the_other_and_takes_nothing_more_itself(source, target, time):
    url, db = target
    task = source.a_task()
    issued = source.a_credential(task.id)
    entry = source.enter(issued.text)
    assert isinstance(source.decide(read_call(), entry), Permit)
    size = newest(source.authority.view).size
    done = copy(source.authority.db, db, source.authority.verifiers())
    assert (done.entries, done.heads > 0, done.rows > size) == (size, True, True)
    assert isinstance(source.decide(read_call(), entry), Fault), "a node that still runs on it is refused"
    assert code(World, source.folder, ByHand(time)) == "store_moved"
    other = World(url, ByHand(time))
    assert isinstance(other.decide(read_call(), other.enter(issued.text)), Permit)
    assert newest(other.authority.view).size == size + 1
    assert ledger.faults(other.authority) == []
    other.close()


def test_a_database_that_holds_something_else_is_refused_and_the_store_goes_on(source, target):
    _, db = target
    with db.transaction():
        db.run("INSERT INTO blob (digest, body) VALUES (?, ?)", ("mine", b"x"))
    assert code(copy, source.authority.db, db, source.authority.verifiers()) == "store_taken"
    source.a_task()


def test_a_ledger_that_does_not_verify_is_not_left(source, target):
    _, db = target
    with source.authority.db.transaction():
        source.authority.db.run("UPDATE leaf SET body = ? WHERE number = 3", (b"{}",))
    assert code(copy, source.authority.db, db, source.authority.verifiers()) == "copy_unproven"
    source.a_task()


def test_a_copy_that_was_cut_short_is_taken_up_again(source, target, monkeypatch):
    _, db = target
    size = newest(source.authority.view).size

    def cut():
        raise RemitError("store_failed", "The disk failed.", "Check it.")

    monkeypatch.setattr(type(source.authority.db), "commit", lambda _: cut())
    assert code(copy, source.authority.db, db, source.authority.verifiers()) == "store_failed"
    monkeypatch.undo()
    source.authority.db.rollback()
    assert newest(db).size == size
    assert copy(source.authority.db, db, source.authority.verifiers()).entries == size
