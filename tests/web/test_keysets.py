"""Key sets of others are asked for seldom, and go on for a while when they cannot be had."""

import asyncio

import pytest

from remit.core.errors import RemitError
from remit.web.fetch import unreachable
from remit.web.keysets import AGAIN_MS, KEPT_MS, MOST, KeySets


def test_a_set_is_kept_asked_for_again_and_outlives_a_short_silence():
    now, asked = [0], []

    async def fetch(before):
        asked.append(before)
        if len(asked) == 3:
            raise unreachable()
        return len(asked)

    async def run():
        sets = KeySets(lambda: now[0])
        assert [await sets.of("a", fetch) for _ in range(3)] == [1, 1, 1]
        now[0] = AGAIN_MS
        assert await sets.of("a", fetch, AGAIN_MS) == 2
        assert await sets.of("a", fetch, AGAIN_MS) == 2
        now[0] += KEPT_MS
        for _ in range(2):
            with pytest.raises(RemitError, match="cannot be read"):
                await sets.of("a", fetch)
        assert asked == [None, 1, 2]
        now[0] += AGAIN_MS
        assert await sets.of("a", fetch) == 4
        for number in range(MOST):
            await sets.of(str(number), fetch)
        assert asked.count(None) == MOST + 1

    asyncio.run(run())


def test_what_is_there_is_given_while_another_set_is_asked_for():
    async def run():
        now, go = [0], asyncio.Event()
        sets = KeySets(lambda: now[0])

        async def first(_):
            return 1

        async def slow(_):
            await go.wait()
            return 2

        assert await sets.of("a", first) == 1
        now[0] = AGAIN_MS
        asked = asyncio.create_task(sets.of("a", slow, AGAIN_MS))
        await asyncio.sleep(0)
        assert await asyncio.wait_for(sets.of("a", first), 5) == 1
        go.set()
        assert await asked == 2

    asyncio.run(run())
