"""Killed at every single write boundary of a workload, and at a hundred random moments: over 500 deaths."""

import pytest

from tests.kit.crash import killed, moments, settled, wrong

BOUNDARIES = range(1, 421)
RANDOM = 100


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return settled(tmp_path_factory.mktemp("kill") / "start")


@pytest.mark.parametrize("first", range(20))
def test_killed_at_every_write_boundary(start, tmp_path, first):
    deaths = 0
    for at in BOUNDARIES[first::20]:
        store, lines, died = killed(start, tmp_path / f"at-{at}", at=at)
        assert wrong(store, lines) == [], f"killed at I/O {at}"
        deaths += died
    assert deaths == len(BOUNDARIES[first::20])


def test_killed_at_random_moments(start, tmp_path):
    for number, seconds in enumerate(moments(2, RANDOM)):
        store, lines, died = killed(start, tmp_path / f"after-{number}", seconds=seconds)
        assert died
        assert wrong(store, lines) == [], f"killed after {seconds} s"
