"""A governed world on a real store, and the clock that it goes by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import stores
from tests.kit.told import ByHand, Time
from tests.kit.world import World


@pytest.fixture
def time() -> Time:
    """The clock of the world, moved by hand."""
    return Time()


@pytest.fixture(params=stores.KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path, time: Time) -> Iterator[World]:
    """Owner, agent, resource, policies and brief, registered for real, on either store."""
    made = World(stores.place(request.param, tmp_path / "store"), ByHand(time)).settle()
    yield made
    made.close()
