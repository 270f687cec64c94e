"""Opening a store by where it is: a file's path for SQLite, a `postgresql://` URL for PostgreSQL."""

from pathlib import Path
from typing import Final

from remit.core.errors import RemitError
from remit.store.db import Database
from remit.store.sqlite import open_sqlite

SCHEMES: Final = ("postgresql://", "postgres://")


def remote(where: Path | str) -> bool:
    """Say whether this names a PostgreSQL database."""
    return isinstance(where, str) and where.startswith(SCHEMES)


def open_db(where: Path | str) -> Database:
    """Open or create the store. What each kind refuses stands at `open_sqlite` and `open_postgres`.

    A PostgreSQL URL without the driver installed is `driver_missing`.
    """
    if not remote(where):
        return open_sqlite(Path(where))
    try:
        from remit.store.postgres import open_postgres
    except ImportError as fault:
        raise RemitError(
            "driver_missing",
            "The driver for PostgreSQL is not installed.",
            "Install it: pip install 'remit[postgres]'.",
        ) from fault
    return open_postgres(str(where))


class Aside:
    """A connection to the store beside the writer's, opened when it is first used. One thread at a time has it."""

    def __init__(self, where: Path | str) -> None:
        self._where = where
        self._db: Database | None = None

    def reading(self) -> Database:
        """The connection, opened again if it was dropped. Faults are those of `open_db`."""
        if self._db is None:
            self._db = open_db(self._where)
        elif not self._db.usable:
            self._db.reopen()
        return self._db

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._db is not None:
            self._db.close()
            self._db = None
