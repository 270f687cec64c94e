"""The bridge from the loop to the one writer."""

import asyncio

import pytest

from remit.control.queue import WAITING_EACH
from remit.core.errors import RemitError
from remit.web.site import do
from tests.kit.world import World


def test_work_answers_after_its_commit_and_a_fault_is_raised(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path)
    assert asyncio.run(do(world.batch, "a", lambda change: change.base)) == 0

    def faulty(change):
        raise RemitError("not_found", "Not here.", "Look elsewhere.")

    with pytest.raises(RemitError, match="Not here"):
        asyncio.run(do(world.batch, "a", faulty))
    world.batch.wake = lambda: None
    for _ in range(WAITING_EACH):
        world.batch.submit("a", lambda change: None, lambda found: None)
    with pytest.raises(RemitError, match="Too many"):
        asyncio.run(do(world.batch, "a", lambda change: None))
    world.close()
