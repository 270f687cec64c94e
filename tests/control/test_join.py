"""A real PostgreSQL log against the ledger: what was decided is explained, what was not is a gap."""

import time

import psycopg
import pytest

from remit.control import revocation
from remit.control.join import join
from remit.core.target_log import read
from tests.control.test_lessor import CALL, Shop, called
from tests.kit.nouns import TASK
from tests.kit.postgres import Postgres


@pytest.fixture(scope="module")
def server():
    made = Postgres(
        "logging_collector=on", "log_destination='csvlog,jsonlog'", "log_directory='logs'", "log_statement='all'",
        "log_timezone='UTC'", "log_filename='target'",
    )  # fmt: skip
    yield made
    made.close()


def written(log, user):
    """The log once its last act is in it: the server's collector writes it a little later."""
    for _ in range(200):
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        if lines[-1].endswith("\n") and any("/* again */" in one and user in one for one in lines):
            return "".join(lines)
        time.sleep(0.05)
    raise AssertionError("the act never came into the log")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_statement_that_nobody_decided_is_a_gap(server, tmp_path, form):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    url = server.fresh()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE orders (id int, total int)")
    shop = Shop(place, url).settle()
    errand, permit = called(shop)
    lent = shop.gate.borrow(permit)
    given = {"user": lent.user, "password": lent.password.decode(), "autocommit": True}
    with psycopg.connect(url, **given) as conn:
        conn.execute("SELECT id FROM orders WHERE id = %s", (1,))
        shop.note(permit)
        conn.execute("SELECT /* again */ id FROM orders")
    kind, acts = read(written(server.folder / "data" / "logs" / f"target.{form}", lent.user))
    found = join(shop.authority.view, [one for one in acts if one.name in ("", lent.user)])
    assert kind == f"postgres-{form}"
    assert [act.what for act, _ in found.explained] == ["SELECT id FROM orders WHERE id = $1"]
    assert [(one.act.what, one.why) for one in found.gaps] == [
        ("SELECT /* again */ id FROM orders", "no allowed call of its task is left that did this then")
    ]
    assert found.others >= 3
    shop.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    assert shop.settle_targets()
    died = shop.leases()[0].died
    late = [one.__class__(one.line, died + 5_000, one.name, one.user, one.verb, one.what) for one in acts if one.name]
    assert {one.why for one in join(shop.authority.view, late).gaps if one.act.name == lent.user} == {
        "its lease was proven dead before"
    }
    stranger = late[0].__class__(1, died, f"remit_{TASK}_own_aaaaaaaa", "x", "select", "SELECT 1")
    assert [one.why for one in join(shop.authority.view, [stranger]).gaps] == ["no lease of this ledger has this name"]
    shop.close()
    assert CALL.kind == "select"
