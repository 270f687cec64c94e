"""Of the nodes of a store one polls a transmitter at a time; how it goes is kept; on both stores."""

import pytest

from remit.store import polled
from tests.kit import stores
from tests.kit.world import World


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    made = World(stores.place(request.param, tmp_path / "store")).settle()
    yield made
    made.close()


def did(world, work):
    def kept(change):
        change.keep()
        return work(change.db)

    return world.act(kept)


def test_a_claim_is_one_nodes_until_it_lapses_or_is_given_up(world):
    def claim(node, now, until):
        return did(world, lambda db: polled.claim(db, "far", node, now, until))

    assert [claim("a", 10, 50), claim("b", 20, 60), claim("a", 30, 70)] == [True, False, True]
    assert [claim("b", 71, 99), claim("a", 72, 99)] == [True, False]
    did(world, lambda db: polled.release(db, "far", "a"))
    assert not claim("a", 73, 99), "another's claim is not given up by it"
    did(world, lambda db: polled.release(db, "far", "b"))
    assert claim("a", 73, 99)


def test_it_is_kept_how_it_goes(world):
    did(world, lambda db: polled.claim(db, "far", "a", 10, 50))
    for _ in range(2):
        did(world, lambda db: polled.failed(db, "far", "It is away."))
    assert polled.every(world.authority.view)["far"] == polled.Polled(2, 0, "It is away.")
    did(world, lambda db: polled.heard(db, "far", 99))
    assert polled.every(world.authority.view)["far"] == polled.Polled(0, 99, "")
