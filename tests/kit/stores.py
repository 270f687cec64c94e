"""Both stores, for tests that must hold on either: where a new one is, opened with its tables."""

import functools
import itertools
from pathlib import Path

from remit.core.moment import Instant
from remit.store.db import Database
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from tests.kit import postgres

KINDS = ("sqlite", "postgresql")
_ASKED = itertools.count()


def place(kind: str, folder: Path) -> Path | str:
    """Where a new store of this kind is: a folder, or a database; of these the first is empty, all others have tables.

    The tables are those that Remit makes on first use. To make them for each anew takes longer than most tests do.
    """
    if kind == "postgresql":
        return postgres.fresh(_made() if next(_ASKED) else "")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@functools.cache
def _made() -> str:
    """A database with the tables and nothing in them, which nobody is connected to: others are copies of it."""
    url = postgres.fresh()
    db = open_db(url)
    migrate(db, Instant(1), packaged())
    db.close()
    return url


def where(place: Path | str) -> Path | str:
    """What `open_db` takes for this place."""
    return place / "remit.db" if isinstance(place, Path) else place


def tables(kind: str, folder: Path) -> Database:
    """A new store of this kind with its tables."""
    db = open_db(where(place(kind, folder)))
    migrate(db, Instant(1), packaged())
    return db
