"""A transaction around a block, on both stores: all of it or nothing, and what was raised is what is heard."""

import pytest

from tests.kit import stores


@pytest.fixture(params=stores.KINDS)
def db(request, tmp_path):
    made = stores.tables(request.param, tmp_path / "store")
    made.define("CREATE TABLE told (word TEXT)")
    yield made
    made.close()


def words(db):
    return [row[0] for row in db.all("SELECT word FROM told")]


def gone(db, why, work):
    with db.transaction():
        work()
        raise why


def test_it_holds_all_that_was_done_in_it_or_nothing(db):
    with db.transaction():
        db.run("INSERT INTO told VALUES (?)", ("kept",))
    with pytest.raises(KeyboardInterrupt):
        gone(db, KeyboardInterrupt, lambda: db.run("INSERT INTO told VALUES (?)", ("gone",)))
    assert (words(db), db.in_transaction) == (["kept"], False)


def test_what_was_raised_is_heard_though_it_was_rolled_back_already(db):
    with pytest.raises(LookupError):
        gone(db, LookupError, db.rollback)
    assert not db.in_transaction
