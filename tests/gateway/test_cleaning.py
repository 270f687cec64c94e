"""Large answers are cleaned in parts: what a whole look takes out is taken out, and others go on in between."""

import asyncio
import gc
import random
import time
from contextlib import closing

import pytest

from remit.core.redact import MARK, Redactor
from remit.gateway.serve import cleaning
from remit.gateway.serve.cleaning import cleaned

SECRET = b"sk-live-Zq8+/xyz secret"


@pytest.fixture(scope="module")
def loop():
    with closing(asyncio.new_event_loop()) as one:
        yield one


def whole(redactor, data):
    return asyncio.run(cleaned(redactor, data))


def naively(redactor, data, part):
    """The fault: each part looked through by itself."""
    return b"".join(redactor.redact(data[at : at + part]) for at in range(0, len(data), part))


@pytest.mark.parametrize("part", [3, 16])
def test_parts_take_out_what_a_whole_look_takes_out(monkeypatch, loop, part):
    monkeypatch.setattr(cleaning, "PART", part)
    draw, found = random.Random(part), 0
    for _ in range(100):
        values = [bytes(draw.choice(b'ab"/& %') for _ in range(draw.randint(8, 9))) for _ in range(draw.randint(1, 2))]
        redactor, pieces = Redactor(values), []
        for _ in range(draw.randint(1, 12)):
            text = b"".join(draw.choice(one) for one in redactor._spelled[0])
            other = draw.choice([*redactor._literals, b'a%"', b"", bytes(draw.choice(b'ab%"&') for _ in range(4))])
            pieces += [draw.choice([text, text[: draw.randint(1, len(text))], other])]
        data = b"".join(pieces)
        assert loop.run_until_complete(cleaned(redactor, data)) == redactor.redact(data), (values, data)
        found += redactor.redact(data) != data
    assert found > 60


@pytest.mark.parametrize("spelled", [SECRET, b"".join(b"%%%02x" % one for one in SECRET)], ids=["plain", "percent"])
def test_a_secret_across_two_parts_is_taken_out_wherever_it_lies(spelled):
    """At the size that is used; a look at each part by itself would miss it, which shows that this could fail."""
    redactor = Redactor([SECRET])
    for before in {1, 2, *range(3, len(spelled), 9), len(spelled) - 1}:
        data = b"x" * (cleaning.PART - before) + spelled + b"y" * 10
        assert whole(redactor, data) == b"x" * (cleaning.PART - before) + MARK + b"y" * 10
    assert naively(redactor, data, cleaning.PART) == data


def test_others_have_their_turn_while_a_large_answer_is_cleaned():
    """The worst there is: escapes everywhere. One look holds the loop for all of it; parts only for one of them."""
    redactor, data = Redactor([SECRET]), b"%73%6b%2d" * (8 * 2**20 // 9)
    began = time.thread_time()
    assert redactor.redact(data) is data
    at_once = time.thread_time() - began

    async def measured():
        longest, last = 0.0, time.thread_time()
        task = asyncio.ensure_future(cleaned(redactor, data))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last, turns = max(longest, now - last), now, turns + 1
        return await task, longest, turns

    gc.disable()  # looking for cycles in all that other tests left is not this one's
    try:
        clean, longest, turns = asyncio.run(measured())
    finally:
        gc.enable()
    assert clean == data
    assert turns >= len(data) // cleaning.PART
    assert longest < at_once / 4
