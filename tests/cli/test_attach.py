"""The batch on an event loop: calls of one pass share a commit, and the loop is never blocked by it."""

import asyncio
import threading

from remit.cli.attach import attach
from tests.kit.world import World, read_call


def test_calls_of_one_pass_share_commits_made_in_another_thread(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    committed = []
    commit = world.batch._commit
    world.batch._commit = lambda: (committed.append(threading.current_thread().name), commit())

    async def main():
        loop = asyncio.get_running_loop()
        detach = attach(world.batch, loop)
        before = world.batch.commits
        answers = [loop.create_future() for _ in range(10)]
        for answer in answers:
            world.gate.decide(read_call(), entry, "", answer.set_result)
        assert not any(answer.done() for answer in answers), "nothing is answered before its commit"
        permits = await asyncio.gather(*answers)
        detach()
        return len({permit.leaf for permit in permits}), world.batch.commits - before

    leaves, commits = asyncio.run(main())
    assert (leaves, commits < 10) == (10, True)
    assert len(committed) == commits
    assert all(name.startswith("remit-commit") for name in committed)
    world.batch._commit = commit
    world.decide(read_call(), entry)
    assert len(committed) == commits, "let go again, it runs where it is called"
    world.close()
