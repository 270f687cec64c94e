"""Every cause for which leases end, at a real database: at the target, side by side, proven, measured and recorded."""

import contextlib
import threading
from types import SimpleNamespace

import psycopg
import pytest

from remit.control import revocation, signal, sweep, task
from remit.core.permit import Fault
from remit.core.receipt import decode
from remit.core.step import Step
from remit.core.task import Task
from remit.store import log, metrics
from remit.web import health
from tests.control.test_lessor import CALL, STEP, Shop
from tests.control.test_signal import SOURCE, event
from tests.kit import postgres
from tests.kit.told import ByHand, Time

TASKS, SESSIONS, TOOK_MS = 3, 2, 40
NARROWER = Step.from_json(STEP.to_json() | {"uses": 5})


def revoked(kind, name):
    return lambda shop, tasks: shop.act(lambda c: revocation.revoke(c, kind, name(shop, tasks), "operator"))


def each(work):
    return lambda shop, tasks: [shop.act(lambda c, one=one: work(c, one)) for one in tasks]


def swept(until):
    """Let time pass until then, and what time does be done."""

    def work(shop, tasks):
        shop.time.ms = until(shop, shop.act(lambda c: c.need(Task, tasks[0].id)))
        shop.act(sweep.sweep)

    return work


def told(shop, _):
    shop.act(lambda c: signal.add(c, SOURCE, "operator"))
    shop.act(lambda c: signal.hear(c, SOURCE, event(shop)))


CAUSES = {
    "complete": ("task", each(lambda c, one: task.end(c, one.id, "complete", "agent"))),
    "plan change": ("plan", each(lambda c, one: task.plan(c, one.id, (NARROWER,), "agent"))),
    "the lease's own time": ("expired", swept(lambda shop, _: shop.leases()[0].until)),
    "the task's deadline": ("task", swept(lambda _, one: one.deadline)),
    "idle": ("task", swept(lambda shop, one: shop.time.ms + one.idle)),
    "held": ("held", each(lambda c, one: task.suspend(c, one.id, "gate"))),
    "the person is gone": ("task", revoked("person", lambda shop, _: shop.person.id)),
    "the owner is gone": ("task", revoked("person", lambda shop, _: shop.owner.id)),
    "a signal": ("task", told),
    "kill switch: a task": ("task", each(lambda c, one: revocation.revoke(c, "task", one.id, "operator"))),
    "kill switch: the agent": ("task", revoked("agent", lambda shop, _: shop.agent.id)),
    "kill switch: the brief": ("task", revoked("brief", lambda *_: "shop")),
    "kill switch: the path": ("path", revoked("path", lambda *_: "own")),
    "kill switch: the resource": ("resource", revoked("resource", lambda *_: "shop")),
}
"""What each cause is called in the record of the lease that it ends, and how it comes about."""


@pytest.fixture(scope="module")
def database():
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE orders (id int, total int); INSERT INTO orders VALUES (1, 10)")
    return url


@pytest.fixture
def shop(tmp_path, database):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    time = Time()
    made = Shop(place, database, ByHand(time), life=60_000)
    made.time = time
    yield made.settle()
    made.close()


def lent(shop):
    """A task of the person's with one call that borrowed: the task, its permit, and what it was lent."""
    by = shop.person.id
    given = {"brief": "shop", "agent": shop.agent.id, "requester": by, "person": by, "by": by}
    errand = shop.act(lambda c: task.open_task(c, **given))
    permit = shop.decide(CALL, shop.enter(shop.a_credential(errand.id).text, "shop"))
    return errand, permit, shop.gate.borrow(permit)


def connected(shop, one):
    return psycopg.connect(shop.url, user=one.user, password=one.password.decode(), autocommit=True)


def side_by_side(shop, monkeypatch):
    """Let each drop begin only when as many are under way as there are leases; how many met."""
    met, real = threading.Barrier(TASKS), type(shop.lessor._target("shop").source).drop
    together = []

    def drop(source, minted):
        if len(together) < TASKS:
            together.append(met.wait(30))
        real(source, minted)

    monkeypatch.setattr(type(shop.lessor._target("shop").source), "drop", drop)
    return together


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_ends_leases_at_the_target_side_by_side_and_they_are_proven_dead(shop, monkeypatch, cause):
    because, comes = CAUSES[cause]
    given = [lent(shop) for _ in range(TASKS)]
    together = side_by_side(shop, monkeypatch)
    with contextlib.ExitStack() as open_ones:
        sessions = [open_ones.enter_context(connected(shop, one)) for _, _, one in given for _ in range(SESSIONS)]
        assert all(one.execute("SELECT id FROM orders").fetchall() == [(1,)] for one in sessions)
        since = log.newest(shop.authority.view).size
        comes(shop, [errand for errand, _, _ in given])
        assert all(isinstance(shop.gate.borrow(permit), Fault) for _, permit, _ in given)
        shop.time.ms += TOOK_MS
        assert shop.settle_targets()
        assert sorted(together) == list(range(TASKS)), "the ends waited for each other"
        for one in sessions:
            with pytest.raises(psycopg.OperationalError):
                one.execute("SELECT 1")
    for _, _, one in given:
        with pytest.raises(psycopg.OperationalError):
            connected(shop, one)
    with psycopg.connect(shop.url) as conn:
        left = conn.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", ([one.user for _, _, one in given],)
        )
        assert left.fetchall() == []
    ended = shop.leases()
    assert [(one.state, one.proof, one.because) for one in ended] == TASKS * [("dead", "gone", because)]
    assert {one.took for one in ended} == {TOOK_MS}, "the time from the end to its proof"
    size = log.newest(shop.authority.view).size
    kinds = [decode(body)["kind"] for body in log.entries(shop.authority.view, since, size)]
    assert (kinds.count("lease.ending"), kinds.count("lease.dead")) == (TASKS, TASKS)
    seen = metrics.Tally()
    seen.read(shop.authority.view)
    said = list(health._leases(SimpleNamespace(authority=shop.authority), seen))
    held = 'source="postgres"'
    for line in (
        f'bucket{{{held},le="0.025"}} 0',
        f'bucket{{{held},le="0.05"}} {TASKS}',
        f"sum{{{held}}} {TASKS * TOOK_MS / 1000}",
        f"count{{{held}}} {TASKS}",
    ):
        assert f"remit_lease_end_seconds_{line}" in said, "the time is not exported"
