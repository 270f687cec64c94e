"""The replay of right-sizing against its slow twin on many pasts by chance, and on shares of the errands."""

from pathlib import Path

import pytest

from remit.control import rerun
from remit.core.whatif import Tally
from tests.kit.sizing import Past, sized
from tests.kit.told import ByHand, Time
from tests.kit.world import World
from tests.laws.test_law_3_rightsize import law_the_replay_is_that_of_its_twin


@pytest.mark.parametrize("seed", range(100, 160))
def test_the_replay_is_that_of_its_twin(seed: int, tmp_path: Path) -> None:
    law_the_replay_is_that_of_its_twin(tmp_path, (seed,))


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_the_errands_add_up_to_the_whole(seed: int, tmp_path: Path) -> None:
    time = Time()
    tmp_path.chmod(0o700)
    world = World(tmp_path, ByHand(time)).settle()
    past = Past(world, seed).begin().go(200, time.on)
    new, moved = past.a_proposal()
    job = rerun.Job(new, past.brief, moved, 0, sized(world.authority))
    whole, beyond = rerun.replay(world.authority.view, job)
    parts = [rerun.replay(world.authority.view, job, (number, 3)) for number in range(3)]
    together = Tally()
    for one, _ in parts:
        together.add(one)
    assert together == whole
    assert sum(more for _, more in parts) == beyond
    world.close()
