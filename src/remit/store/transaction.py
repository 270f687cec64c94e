"""A transaction around a block: the same on every store that begins, commits and rolls back."""

import contextlib
from collections.abc import Iterator

from remit.core.errors import RemitError
from remit.store.db import Database


@contextlib.contextmanager
def within(db: Database, timeout_ms: int) -> Iterator[None]:
    """Run the body between `begin` and `commit`; roll back when it raises, and raise what it raised."""
    db.begin(timeout_ms)
    try:
        yield
    except BaseException:
        with contextlib.suppress(RemitError):
            db.rollback()
        raise
    db.commit()
