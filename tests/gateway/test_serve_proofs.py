"""Proofs that come together are checked in one go: each for itself, in order, and a fault is one request's alone."""

import asyncio

import pytest

from remit.core.errors import RemitError
from remit.core.permit import BARE, Unknown
from remit.gateway.serve.proofs import MOST, Proofs


class Said:
    """Says of each text what it is, and in which turn of the loop it was asked."""

    def __init__(self):
        self.asked = []
        self.waiting = None

    def between(self, job):
        job() if self.waiting is None else self.waiting.append(job)

    def enter(self, text, resource, manner):
        assert (resource, manner) == ("notes", BARE)
        self.asked.append(text)
        if text == "bad":
            raise RemitError("internal", "broken", "mend")
        return Unknown("invalid_token", text, "x")


def test_each_is_told_its_own_and_a_fault_is_one_requests_alone():
    said = Said()

    async def run():
        proofs = Proofs(said)
        waits = [proofs.enter(text, "notes", BARE) for text in ("a", "bad", "left", "b")]
        waits[2].cancel()
        assert said.asked == [], "nothing is checked before the turn is over"
        return await asyncio.gather(*waits, return_exceptions=True)

    first, fault, left, last = asyncio.run(run())
    assert (first.what, last.what, said.asked) == ("a", "b", ["a", "bad", "b"])
    assert isinstance(fault, RemitError)
    assert isinstance(left, asyncio.CancelledError)


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1, 3 * MOST])
def test_the_loop_turns_between_many(count):
    said, seen = Said(), []

    async def run():
        proofs = Proofs(said)
        waits = [proofs.enter(str(number), "notes", BARE) for number in range(count)]
        while not all(one.done() for one in waits):
            await asyncio.sleep(0)
            seen.append(len(said.asked))

    asyncio.run(run())
    assert said.asked == [str(number) for number in range(count)]
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= MOST


def test_what_comes_during_a_transaction_is_checked_together_when_it_has_ended():
    said = Said()
    said.waiting = []

    async def run():
        proofs = Proofs(said)
        waits = []
        for text in ("a", "b", "c"):
            waits.append(proofs.enter(text, "notes", BARE))
            await asyncio.sleep(0)
        assert (said.asked, len(said.waiting)) == ([], 1), "one job, and nothing before it is done"
        said.waiting.pop()()
        assert said.asked == ["a", "b", "c"]
        return [one.what for one in await asyncio.gather(*waits)]

    assert asyncio.run(run()) == ["a", "b", "c"]
