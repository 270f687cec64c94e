from pathlib import Path

import pytest

from remit.core.moment import Instant
from remit.store.migrate import migrate, packaged
from remit.store.moved import HEADS, MOVED, refuse_moved
from remit.store.opening import open_db
from tests.kit import stores
from tests.kit.nouns import code


@pytest.mark.parametrize("kind", stores.KINDS)
def test_a_store_whose_heads_go_by_another_name_is_refused(kind, tmp_path: Path):
    place = stores.where(stores.place(kind, tmp_path / "store"))
    db = open_db(place)
    refuse_moved(db)
    migrate(db, Instant(1), packaged())
    refuse_moved(db)
    with db.transaction():
        db.define(f"ALTER TABLE {HEADS} RENAME TO {MOVED}")
    assert code(refuse_moved, db) == "store_moved"
    db.close()
