"""A database fails over to a standby which lost the last commits: whoever had seen them does nothing more on it."""

import time

import pytest

from remit.cli import memory
from remit.control import revocation
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.store.log import newest
from tests.kit.nouns import code
from tests.kit.postgres import Postgres
from tests.kit.told import refused, size
from tests.kit.world import World, read_call


@pytest.fixture
def server():
    one = Postgres()
    yield one
    one.close()


def settled(world):
    """Wait until the connections are there again; what a broken one answers is a fault, and nothing was done."""
    end = time.monotonic() + 30
    while True:
        try:
            newest(world.authority.reading())
            world.act(lambda c: c.keep())
        except RemitError as fault:
            found = fault.code
        else:
            return
        if found == "ledger_regressed":
            return
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_ops_02_a_node_that_saw_what_the_standby_lost_fences_itself(server, tmp_path):
    tmp_path.chmod(0o700)
    place = server.fresh()
    world = World(place).settle()
    entry, other = (world.enter(world.a_credential(world.a_task().id).text) for _ in range(2))
    assert isinstance(world.decide(read_call(), entry), Permit)
    world.act(lambda c: revocation.revoke(c, "task", other.task, "operator"))
    server.standby()
    settled(world)
    assert isinstance(world.decide(read_call(), entry), Permit), "nothing is lost: the same node goes on"
    world.act(lambda c: revocation.revoke(c, "task", entry.task, "operator"))
    memory.remember(tmp_path, world.authority)
    seen = memory.seen_size(tmp_path)
    server.fail_over()
    settled(world)
    assert world.decide(read_call(), entry).code == "ledger_regressed", "what was revoked is not honoured again"
    assert refused(world, lambda c: revocation.revoke(c, "path", "own", "operator")) == "ledger_regressed"
    assert code(world.authority.log.hold, world.authority.reading()) == "ledger_regressed", "readiness says it too"

    stranger = World(place)
    while size(stranger) <= seen + 1:
        assert isinstance(stranger.decide(read_call(), entry), Permit), "one that has seen nothing cannot know"
    assert world.decide(read_call(), entry).code == "ledger_regressed", "however far another writes on"
    memory.remember(tmp_path, world.authority)
    assert memory.seen_size(tmp_path) == seen, "the head that was seen is not written over by the other ledger's"
    assert code(memory.check, tmp_path, stranger.authority) == "store_restored", "nor is it taken after a restart"
    stranger.close()
    world.close()
