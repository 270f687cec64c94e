"""The PostgreSQL gate with leases: an agent's statements run as a role of its task, and end with it there."""

import time

import psycopg
import pytest

from remit.control import resource, revocation
from remit.control.lessor import Lessor
from remit.core.resource import Minting
from remit.custody.secret import Secret
from tests.kit.database import NAME, database, shop

ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'remit\\_tsk%'"


@pytest.fixture
def minted():
    url = database()
    with shop(url=url) as made:
        made.act(lambda c: resource.put_secret(c, "shop-admin", Secret(url.encode())))
        made.act(lambda c: resource.mint_at(c, NAME, Minting(kind="postgres", secret="shop-admin"), "operator"))
        lessor = Lessor(made.world.authority, made.world.batch, made.loop.call_soon_threadsafe)
        made.world.gate._lessor, made.world.batch.moved = lessor, lessor.look
        yield made
        lessor.close()


def roles(shop):
    return [name for (name,) in shop.direct(ROLES) if shop.task.id in name]


def test_statements_run_as_a_role_of_the_task_and_the_role_ends_with_it(minted):
    with minted.connect(autocommit=True) as conn:
        assert len(conn.execute("SELECT id, total FROM orders LIMIT 2").fetchall()) == 2
        (name,) = roles(minted)
        assert minted.direct(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{name}'")[0][0] >= 1
        conn.execute("INSERT INTO refunds (order_id, amount) VALUES (1, 5)")
        minted.act(lambda c: revocation.revoke(c, "task", minted.task.id, "operator"))
        until = time.monotonic() + 60
        while roles(minted) and time.monotonic() < until:
            time.sleep(0.01)
        assert roles(minted) == []
        with pytest.raises(psycopg.Error):
            conn.execute("SELECT id FROM orders")
