"""The server that the tests of the shared store stand on: durable, and the same after a crash."""

import psycopg
import pytest

from tests.kit.postgres import Postgres, fresh


@pytest.fixture
def server():
    one = Postgres()
    yield one
    one.close()


def test_it_flushes_what_it_commits(server):
    with psycopg.connect(server.url()) as connection:
        said = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
        assert said == [("on",), ("on",)]
        assert connection.info.server_version >= 150_000


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_what_is_committed_is_there_after_it_comes_back(server, how):
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("INSERT INTO t VALUES (7)")
    server.stop(how)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url())
    server.start()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]


def test_each_fresh_database_is_empty():
    one, other = fresh(), fresh()
    with psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE t (n int)")
    with psycopg.connect(other) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)
