"""The batch on an event loop: calls of one pass share a commit, and a slow disk does not block the loop for each."""

import asyncio
import threading

import pytest

from remit.cli.attach import FEW, PASSES, QUICK_MS, attach
from tests.kit.world import World, read_call


@pytest.fixture
def place(tmp_path):
    """A world whose commits tell which thread made them."""
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    world.made, commit = [], world.batch._commit
    world.batch._commit = lambda: (world.made.append(threading.current_thread().name), commit())
    yield world
    world.close()


def asked(world, entry, count=1):
    """Attach, ask `count` times in one pass of the loop, let go; the permits and how many commits that took."""

    async def main():
        loop = asyncio.get_running_loop()
        detach = attach(world.batch, loop)
        so_far = world.batch.commits
        answers = [loop.create_future() for _ in range(count)]
        for answer in answers:
            world.gate.decide(read_call(), entry, "", answer.set_result)
        assert not any(answer.done() for answer in answers), "nothing is answered before its commit"
        permits = await asyncio.gather(*answers)
        detach()
        return permits, world.batch.commits - so_far

    return asyncio.run(main())


HERE, THERE = "MainThread", "remit-commit"


@pytest.mark.parametrize(
    ("count", "usual", "thread"),
    [(FEW, 0.0, HERE), (FEW, QUICK_MS, THERE), (10, 0.0, THERE)],
    ids=["few", "slow", "many"],
)
def test_calls_of_one_pass_share_commits_made_where_that_is_quickest(place, count, usual, thread):
    entry = place.enter(place.a_credential(place.a_task().id).text)
    place.made.clear()
    place.batch.usual_ms = usual
    permits, commits = asked(place, entry, count)
    assert (len({permit.leaf for permit in permits}), commits) == (count, len(place.made))
    assert commits < 10
    assert place.made[0] == thread
    place.made.clear()
    place.decide(read_call(), entry)
    assert place.made == [HERE], "let go again, it runs where it is called"


def test_a_disk_that_turns_slow_blocks_the_loop_once(place, monkeypatch):
    entry = place.enter(place.a_credential(place.a_task().id).text)
    clock, store = place.authority.clock, type(place.authority.db)
    commit, began, late = store.commit, clock.steady(), [0]

    def slow(self):
        late[0] += 40
        commit(self)

    monkeypatch.setattr(store, "commit", slow)
    monkeypatch.setattr(clock, "steady", lambda: began + late[0])
    place.batch.usual_ms = 0.0
    place.made.clear()
    for _ in range(4):
        asked(place, entry)
    assert place.made == [HERE, *[THERE] * 3]
    monkeypatch.setattr(store, "commit", commit)
    for _ in range(60):
        asked(place, entry)
    assert place.made[-1] == HERE, "quick again, and still handed over"


def test_after_a_turn_of_several_the_next_waits_for_more_and_one_that_is_alone_for_nobody(place, monkeypatch):
    entry = place.enter(place.a_credential(place.a_task().id).text)
    turn, waited = place.batch.turn, []
    monkeypatch.setattr(type(place.authority.db), "held_ms", 60_000)
    place.batch.turn = lambda: (waited.append(place.batch.waiting), turn())

    async def main():
        loop = asyncio.get_running_loop()
        detach = attach(place.batch, loop)

        def one():
            place.gate.decide(read_call(), entry, "", (answer := loop.create_future()).set_result)
            return answer

        await asyncio.gather(one(), one())
        first = one()
        for _ in range(PASSES):
            await asyncio.sleep(0)
        await asyncio.gather(first, one())
        await one()
        last = one()
        await asyncio.sleep(0)
        assert waited == [2, 2, 1, 1]
        await last
        detach()

    asyncio.run(main())
