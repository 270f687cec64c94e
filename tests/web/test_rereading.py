"""Reading the whole ledger for a page: one at a time, and the next one can, whatever became of the one before."""

import asyncio
from types import SimpleNamespace

import pytest

from remit.core.errors import RemitError
from remit.web.rereading import one_by_one


def counting(to):
    for _ in range(to):
        yield
    return to


def failing():
    yield
    raise RemitError("rightsize_moved", "It moved.", "Look anew.")


def test_one_is_read_at_a_time_and_a_fault_lets_the_next_one_in():
    async def work():
        site = SimpleNamespace(reading=asyncio.Lock())
        first = asyncio.ensure_future(one_by_one(site, counting(3)))
        await asyncio.sleep(0)
        with pytest.raises(RemitError) as busy:
            await one_by_one(site, counting(1))
        assert busy.value.code == "rightsize_busy"
        assert await first == 3
        with pytest.raises(RemitError) as moved:
            await one_by_one(site, failing())
        assert moved.value.code == "rightsize_moved"
        return await one_by_one(site, counting(2))

    assert asyncio.run(work()) == 2
