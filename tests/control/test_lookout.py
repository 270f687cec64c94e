"""What a lessor looks for is read cheaply, and beside the loop where the store is across a network."""

import queue
import threading

import pytest

from remit.control import revocation
from remit.control.lessor import SEARCH_MS, Lessor
from remit.control.lookout import Lookout
from remit.control.target import FOUND_MS
from remit.core.errors import RemitError
from remit.store.opening import Aside
from tests.control.test_lease_trouble import allowed, states
from tests.kit import stores
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time


@pytest.fixture
def time():
    return Time()


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path, time):
    made = Lending(stores.place(request.param, tmp_path / "s"), tmp_path / "t", ByHand(time)).settle()
    yield made
    made.close()


class Counting:
    """A connection that tells which statements it was asked."""

    def __init__(self, db):
        self.db, self.asked = db, []

    def __getattr__(self, name):
        return getattr(self.db, name)

    def all(self, text, *values):
        self.asked.append(text)
        return self.db.all(text, *values)


def counted(world):
    counting = Counting(world.authority.reading())
    world.lessor._lookout._reading = lambda: counting
    return counting.asked


def test_a_tick_with_nothing_due_asks_two_things_and_goes_through_the_targets_now_and_then(world, time):
    world.lessor.tick()
    asked = counted(world)
    for _ in range(9):
        time.on(1_000)
        world.lessor.tick()
    assert len(asked) == 18
    assert not any("resource" in one for one in asked)
    time.on(SEARCH_MS)
    world.lessor.tick()
    assert sum("resource" in one for one in asked) == 1


def test_nobody_is_waited_for_and_nothing_is_asked(world):
    asked = counted(world)
    world.lessor.wait()
    assert asked == []


def beside(world):
    """A lessor whose lookout has a connection and a thread of its own, and what its thread must not do."""
    world.lessor.close()
    aside = Aside(stores.where(world.folder))
    world.lessor = Lessor(world.authority, world.batch, world.inline.post, lambda *_: world.source, aside)
    world.batch.moved = world.lessor.look
    readers = []
    reading = aside.reading
    aside.reading = lambda: (readers.append(threading.current_thread()), reading())[1]
    return readers


def test_beside_the_loop_what_ends_is_ended_all_the_same_and_the_loops_own_connection_is_left_alone(world, time):
    errand, _ = allowed(world)
    (world.source.place / (world.leases()[0].name[:-8] + "zzzzzzzz")).write_text("x", encoding="utf-8")
    readers, asked = beside(world), counted(world)
    world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    time.on(FOUND_MS)
    world.lessor.tick()
    for _ in range(60):
        if sorted(states(world)) == ["dead", "dead"]:
            break
        world.inline.settle(world.lessor, 20)
        time.on(1_000)
        world.lessor.tick()
    assert list(world.source.place.iterdir()) == []
    assert asked == []
    assert readers
    assert threading.main_thread() not in readers


def test_what_is_asked_while_it_reads_is_read_once_more():
    began, go, jobs, seen = threading.Event(), threading.Event(), queue.SimpleQueue(), []

    closed = []

    class Slow:
        def reading(self):
            began.set()
            assert go.wait(20)
            raise RemitError("store_unavailable", "It is away.", "Wait.")

        def close(self):
            closed.append(True)

    lookout = Lookout(lambda: None, jobs.put, seen.append, Slow())
    lookout.look()
    assert began.wait(20)
    for name in ("one", "two"):
        lookout.look([name], targets=name == "two")
    assert lookout.busy
    assert lookout._again == ({"one", "two"}, True)
    go.set()
    jobs.get(timeout=20)()
    assert lookout.busy, "it reads once more"
    lookout.close()
    assert closed == [True]
    assert seen == [], "a store that is away is nothing that is due"
