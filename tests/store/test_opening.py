import sys

import pytest

from remit.store.opening import open_db, remote
from remit.store.sqlite import Sqlite
from tests.kit.nouns import code


def test_a_path_is_a_file_and_a_url_a_database(tmp_path):
    assert [remote(one) for one in (tmp_path, "postgresql://h/d", "postgres://h/d", "remit.db")] == [
        False,
        True,
        True,
        False,
    ]
    db = open_db(tmp_path / "store" / "remit.db")
    assert isinstance(db, Sqlite)
    db.close()


@pytest.mark.parametrize("gone", ["psycopg", "remit.store.postgres"])
def test_a_driver_that_is_not_installed_is_named(monkeypatch, gone):
    for name in ("psycopg", "remit.store.postgres"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, gone, None)
    assert code(open_db, "postgresql://127.0.0.1/none") == "driver_missing"
