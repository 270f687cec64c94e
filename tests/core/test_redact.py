"""Taking values out: the same as the plain choice of all spellings would, however the text is made, and soon done."""

import random
import time

import pytest

from remit.core.redact import MARK, Redactor

VALUES = [b"sk-live-Zq8+/xyz secret", b"9f83ab01c4d2e5f60718293a4b5c6d7e"]


def plainly(redactor, data):
    """The slow, obvious twin: one regular expression of everything, tried at each place."""
    return redactor._pattern.sub(MARK, data)


def test_it_finds_what_one_choice_of_all_spellings_finds():
    draw, found = random.Random(5), 0
    for _ in range(400):
        values = [bytes(draw.choice(b'ab"/& %') for _ in range(draw.randint(8, 9))) for _ in range(draw.randint(1, 2))]
        redactor, parts = Redactor(values), []
        for _ in range(draw.randint(1, 6)):
            text = b"".join(draw.choice(one) for one in redactor._spelled[0])
            other = draw.choice([*redactor._literals, b'a%"\\', b"", bytes(draw.choice(b'ab%"\\&') for _ in range(4))])
            parts += [draw.choice([text, text.upper(), text[: draw.randint(1, len(text))], other])]
        data = b"".join(parts)
        assert redactor.redact(data) == plainly(redactor, data), (values, data)
        found += redactor.redact(data) != data
    assert found > 200


@pytest.mark.parametrize("piece", [b"%abcdefg ", b"%73%6b%2d", b"s%", VALUES[0][:-1] + b"%"])
def test_a_large_answer_that_is_full_of_beginnings_takes_no_longer_than_a_moment(piece):
    """A text of escapes and beginnings, 4 MiB of it: what is looked at is looked at once, not in every spelling."""
    redactor, data = Redactor(VALUES), piece * (4 * 2**20 // len(piece))
    began = time.thread_time()
    assert redactor.redact(data) is data
    mine, began = time.thread_time() - began, time.thread_time()
    assert plainly(redactor, data[: len(data) // 4]) == data[: len(data) // 4]
    assert mine < 4 * (time.thread_time() - began)
