"""Killed at any moment: what was forwarded has its leaf, what was revoked stays so, and the store opens by itself."""

import pytest

from tests.kit.crash import killed, moments, settled, wrong

BOUNDARIES = range(5, 440, 10)
RANDOM = 10


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return settled(tmp_path_factory.mktemp("kill") / "start")


def test_killed_at_a_write_boundary_nothing_is_lost_and_nothing_slips_through(start, tmp_path):
    deaths, heard = 0, 0
    for at in BOUNDARIES:
        store, lines, died = killed(start, tmp_path / f"at-{at}", at=at)
        assert wrong(store, lines) == [], f"killed at I/O {at}"
        deaths += died
        heard += len(lines)
    assert deaths == len(BOUNDARIES)
    assert heard > len(BOUNDARIES)


def test_killed_at_a_random_moment_nothing_is_lost_and_nothing_slips_through(start, tmp_path):
    heard = 0
    for number, seconds in enumerate(moments(1, RANDOM)):
        store, lines, died = killed(start, tmp_path / f"after-{number}", seconds=seconds, warm=number % 2 == 1)
        assert died
        assert wrong(store, lines) == [], f"killed after {seconds} s"
        heard += len(lines)
    assert heard > RANDOM
