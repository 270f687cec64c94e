"""A governed world on a real store, and the clock that it goes by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.control.authority import Clock
from tests.kit.told import Time
from tests.kit.world import World


@pytest.fixture
def time() -> Time:
    """The clock of the world, moved by hand."""
    return Time()


@pytest.fixture
def world(tmp_path: Path, time: Time) -> Iterator[World]:
    """Owner, agent, resource, policies and brief, registered for real."""
    made = World(tmp_path / "store", Clock(time, time)).settle()
    yield made
    made.close()
