"""A real store with its tables, in an open transaction."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.core.moment import Instant
from remit.store.db import Database, open_db
from remit.store.migrate import migrate, packaged


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Database]:
    """The store as it is on first use."""
    db = open_db(tmp_path / "tables" / "remit.db")
    migrate(db, Instant(1), packaged())
    db.begin()
    yield db
    db.close()
