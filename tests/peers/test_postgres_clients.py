"""Unchanged programs of others through the PostgreSQL gate: psql, asyncpg, SQLAlchemy, node-postgres and pgbench."""

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.kit import peers
from tests.kit.database import ANY, STEPS, database, shop, step

CATALOGS = step("select", {"relation": [{"prefix": "pg_catalog."}], "columns": ANY, "where": ANY})
REFUSED = ["42501", "code argument_refused"]


@pytest.fixture(scope="module")
def target():
    with shop((*STEPS, CATALOGS), catalogs=True) as made:
        yield made


def ran(command, **environment):
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_asyncpg_and_its_pool(target):
    script = peers.KIT / "clients" / "py_sql.py"
    told = json.loads(ran([peers.python("sql"), script, "asyncpg", "127.0.0.1", str(target.port), target.token]))
    assert told == {
        "read": 6.0, "rows": 7, "refused": REFUSED, "cursor": [1, 2, 3], "undone": "42501", "body": "note 1",
    }  # fmt: skip
    assert target.direct("select count(*) from notes where id in (501, 502)") == [(2,)]


def test_sqlalchemy(target):
    script = peers.KIT / "clients" / "py_sql.py"
    told = json.loads(ran([peers.python("sql"), script, "sqlalchemy", "127.0.0.1", str(target.port), target.token]))
    assert told == {"read": 6.0, "rows": 3, "refused": "42501", "undone": 0}
    assert target.direct("select count(*) from notes where id between 600 and 604") == [(5,)]


def test_node_postgres(target):
    script = peers.KIT / "clients" / "js_pg.mjs"
    prefix = str(peers.npm_prefix("pg"))
    words = [peers.node(), script, "127.0.0.1", str(target.port), target.token]
    told = json.loads(ran(words, PEER_PREFIX=prefix))
    assert told == {"read": 6, "rows": 7, "refused": REFUSED, "undone": "42501", "body": "note 1"}


def program(name):
    found = shutil.which(name)
    assert found, f"{name} is not here: install Debian's postgresql-client and postgresql-contrib"
    return found


def test_psql(target):
    words = [program("psql"), "-X", "-A", "-t", "-v", "VERBOSITY=verbose", target.dsn()]
    script = (
        "select total from orders where id = 4;\ndelete from orders;\n"
        "begin;\ninsert into notes values (800, 'x');\nselect pay from hr.pay;\nselect 1;\ncommit;\n"
        "select count(*) from notes where id = 800;\n"
        "\\copy notes (id, body) from stdin\n801\tx\n802\ty\n\\.\n"
        "select id from orders where id = $1 \\bind 3 \\g\n\\dt public.notes\n"
    )
    done = subprocess.run(words, input=script, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines()[:6] == ["6.00", "BEGIN", "INSERT 0 1", "ROLLBACK", "0", "COPY 2"]
    assert done.stderr.count("42501: ") >= 2
    assert "25P02: " in done.stderr
    assert "code argument_refused" in done.stderr


BENCH = """
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
INSERT INTO pgbench_branches VALUES (1, 0, '');
INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, 100000) n;
CREATE SCHEMA hr;
"""


@pytest.mark.parametrize("way", ["simple", "extended", "prepared"])
def test_pgbench_runs_through_the_gate(way):
    read = step("select", {"relation": [{"prefix": "public.pgbench_"}], "columns": ANY, "where": ANY})
    with shop((read,), url=database(BENCH)) as made:
        words = [program("pgbench"), "-n", "-S", "-s", "1", "-M", way, "-c", "4", "-T", "3"]
        told = ran([*words, made.dsn()])
        assert re.search(r"number of failed transactions: 0 ", told), told
        assert float(re.search(r"tps = ([\d.]+)", told)[1]) > 20
        allowed = [action for action, said in made.calls() if said == "allow"]
        assert len(allowed) > 40
