"""A real store with its tables, in an open transaction."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.store.db import Database
from tests.kit import stores


@pytest.fixture(params=stores.KINDS)
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Either store as it is on first use."""
    db = stores.tables(request.param, tmp_path / "tables")
    db.begin()
    yield db
    db.close()
