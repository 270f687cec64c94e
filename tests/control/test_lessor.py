"""The lessor with a real database behind it: a call logs in, a revocation ends its session, a restart goes on."""

import psycopg
import pytest

from remit.control import agent, brief, credential, policy, resource, revocation, task
from remit.control.gate import Gate
from remit.control.lessor import Lessor
from remit.control.target import Inline
from remit.core.call import Call
from remit.core.grant import Step
from remit.core.permit import Fault, Permit
from remit.core.resource import Minting, Upstream
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from tests.kit import postgres
from tests.kit.targets import Lending
from tests.kit.world import DAY, World

STEP = Step.from_json(
    {
        "action": "sql:shop/select",
        "path": "own",
        "arguments": {"relation": [{"one_of": ["public.orders"]}], "/columns/*": [{"one_of": ["id"]}]},
    }
)
CALL = Call("sql:shop/select", {"relation": "public.orders", "columns": ["id"]})


class Shop(Lending):
    """A world with a registered database at which leases are minted."""

    def __init__(self, folder, url, clock=None, life=3_600_000):
        World.__init__(self, folder, clock)
        self.inline = Inline()
        self.lessor = Lessor(self.authority, self.batch, self.inline.post)
        self.gate = Gate(self.authority, self.batch, self.lessor)
        self.batch.moved = self.lessor.look
        self.url, self.life = url, life

    def settle(self):
        World.settle(self)
        at = self.authority.clock.now()
        verbs = {"select": {"type": "object"}, "public.orders": {"type": "object"}}
        self.act(lambda c: resource.put_secret(c, "shop-admin", Secret(self.url.encode())))
        self.act(
            lambda c: resource.add(
                c, name="shop", upstream=Upstream(url=self.url), domain="office", owner=self.owner.id, kind="postgres",
                tools=verbs, reads=frozenset({"select"}), by="operator",
                minting=Minting(kind="postgres", secret="shop-admin", life=self.life),
            )
        )  # fmt: skip
        keeper = self.act(
            lambda c: agent.add(
                c, name="clerk", owner=self.owner.id, purpose="Reads orders.", review_due=at + DAY,
                ceiling=("sql:shop/*",), keys=(), by="operator",
            )
        )  # fmt: skip
        self.agent = keeper
        common = {"base.cedar": '@id("shop") permit(principal, action in Action::"sql:shop", resource);'}
        self.act(lambda c: policy.apply(c, {"common": common, "delegated": {}, "own": {}}, 1, "operator"))
        self.act(lambda c: brief.apply(c, self.a_brief(name="shop", steps=(STEP,), agents=(keeper.id,)), "operator"))
        return self

    def close(self):
        self.lessor.close()
        World.close(self)


@pytest.fixture
def shop(tmp_path):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE orders (id int, total int); INSERT INTO orders VALUES (1, 10)")
    made = Shop(place, url).settle()
    yield made
    made.close()


def called(shop):
    by = shop.owner.id
    errand = shop.act(lambda c: task.open_task(c, brief="shop", agent=shop.agent.id, requester=by, by=by))
    given = shop.act(lambda c: credential.give(c, task_id=errand.id, agent_id=shop.agent.id, path=TrustPath.OWN))
    permit = shop.decide(CALL, shop.enter(given.text, "shop"))
    assert isinstance(permit, Permit), permit
    return errand, permit


def test_a_call_logs_in_as_its_task_and_its_end_is_the_end_of_the_session(shop):
    errand, permit = called(shop)
    lent = shop.gate.borrow(permit)
    assert lent.password in lent.hidden
    with psycopg.connect(shop.url, user=lent.user, password=lent.password.decode(), autocommit=True) as conn:
        assert conn.execute("SELECT id FROM orders").fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT total FROM orders")
        shop.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
        assert shop.settle_targets()
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT id FROM orders")
    (one,) = shop.leases()
    assert (one.state, one.proof, one.rights != "") == ("dead", "gone", True)
    assert one.took < 2_000
    assert isinstance(shop.gate.borrow(permit), Fault)


def test_what_a_node_left_is_ended_by_the_next_and_the_secret_goes_with_it(shop):
    errand, permit = called(shop)
    name = shop.leases()[0].name
    shop.lessor.close()
    shop.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    assert shop.authority.lending.holds("lease", permit.lease)
    shop.lessor = Lessor(shop.authority, shop.batch, shop.inline.post)
    assert shop.settle_targets()
    assert [one.state for one in shop.leases()] == ["dead"]
    assert not shop.authority.lending.holds("lease", permit.lease)
    with psycopg.connect(shop.url) as conn:
        assert conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", (name,)).fetchone() == (0,)


def test_a_database_that_refuses_says_so_and_leaves_nothing(shop):
    with psycopg.connect(shop.url, autocommit=True) as conn:
        conn.execute("DROP TABLE orders")
    by = shop.owner.id
    errand = shop.act(lambda c: task.open_task(c, brief="shop", agent=shop.agent.id, requester=by, by=by))
    given = shop.act(lambda c: credential.give(c, task_id=errand.id, agent_id=shop.agent.id, path=TrustPath.OWN))
    found = shop.decide(CALL, shop.enter(given.text, "shop"))
    assert isinstance(found, Fault)
    assert (found.code, "does not exist" in found.what) == ("target_declined", True)
    assert shop.settle_targets()
    assert [one.state for one in shop.leases()] == ["dead"]
