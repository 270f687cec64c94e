"""Kubernetes against its twin, on many more clusters."""

import pytest

from tests.core.test_reach_kubernetes import wrong


@pytest.mark.parametrize("first", range(60, 1500, 60))
def test_who_becomes_whom_is_what_the_twin_finds(first):
    assert [seed for seed in range(first, first + 60) if wrong(seed)] == []
