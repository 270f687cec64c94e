"""Both stores, for tests that must hold on either: where a new one is, opened with its tables."""

from pathlib import Path

from remit.core.moment import Instant
from remit.store.db import Database
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from tests.kit import postgres

KINDS = ("sqlite", "postgresql")


def place(kind: str, folder: Path) -> Path | str:
    """Where a new store of this kind is: a folder, or an empty database."""
    if kind == "postgresql":
        return postgres.fresh()
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def where(place: Path | str) -> Path | str:
    """What `open_db` takes for this place."""
    return place / "remit.db" if isinstance(place, Path) else place


def tables(kind: str, folder: Path) -> Database:
    """A new store of this kind with its tables."""
    db = open_db(where(place(kind, folder)))
    migrate(db, Instant(1), packaged())
    return db
