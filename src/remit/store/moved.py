"""A store that was copied to another database: its heads go by another name, so that nothing can be signed on it."""

from typing import Final

from remit.core.errors import RemitError
from remit.store.db import Database

HEADS: Final = "head"
MOVED: Final = "head_moved"


def refuse_moved(db: Database) -> None:
    """Refuse a store that was copied to another database (`store_moved`)."""
    tables = db.tables()
    if MOVED in tables and HEADS not in tables:
        raise RemitError(
            "store_moved",
            "This store was copied to another database and takes nothing more.",
            "Set the store setting to that database.",
        )
