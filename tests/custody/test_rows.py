import os

import pytest

from remit.core.moment import Instant
from remit.custody.root import Root
from remit.custody.rows import StoredKeys, StoredSecrets
from remit.custody.secret import Secret
from remit.custody.signer import ALWAYS, KeyRow, KeyState, Purpose, Signer
from remit.custody.vault import SealedRow, Vault
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from tests.kit.rows import MemoryKeyRows, MemorySecretRows

ROOT = Root(Secret(bytes(range(1, 33))))


@pytest.fixture
def db(tmp_path):
    opened = open_db(tmp_path / "rows" / "remit.db")
    migrate(opened, Instant(1), packaged())
    yield opened
    opened.close()


def test_a_key_row_comes_back_as_it_was(db):
    for rows in (StoredKeys(db), MemoryKeyRows()):
        one = KeyRow("kid", Purpose.LEDGER, KeyState.ACTIVE, Instant(1), None, b"sealed")
        two = KeyRow("kid", Purpose.LEDGER, KeyState.RETIRING, Instant(2), Instant(3), b"sealed")
        rows.put(one)
        assert list(rows.list()) == [one]
        rows.put(two)
        assert list(rows.list()) == [two]


def test_a_secret_row_comes_back_as_it_was(db):
    for rows in (StoredSecrets(db), MemorySecretRows()):
        assert rows.get("upstream", "key") is None
        rows.put(SealedRow("upstream", "key", 1, b"one"))
        rows.put(SealedRow("upstream", "key", 2, b"two"))
        assert rows.get("upstream", "key") == SealedRow("upstream", "key", 2, b"two")
        assert list(rows.list()) == [SealedRow("upstream", "key", 2, b"two")]


def test_keys_and_secrets_survive_in_the_store_and_never_lie_there_open(db):
    signer = Signer(StoredKeys(db), (ROOT,), os.urandom)
    signer.ensure(Instant(1))
    Vault(StoredSecrets(db), (ROOT,), os.urandom).put("upstream", "key", Secret(b"hush-hush-hush"))
    again = Signer(StoredKeys(db), (ROOT,), os.urandom)
    for purpose in ALWAYS:
        assert again.active(purpose).kid == signer.active(purpose).kid
    assert Vault(StoredSecrets(db), (ROOT,), os.urandom).get("upstream", "key").reveal() == b"hush-hush-hush"
    stored = db.path.read_bytes() + db.path.with_name(db.path.name + "-wal").read_bytes()
    assert b"hush-hush-hush" not in stored


def test_what_is_undone_in_the_transaction_was_never_put(db):
    db.begin()
    StoredSecrets(db).put(SealedRow("upstream", "key", 1, b"one"))
    db.rollback()
    assert StoredSecrets(db).get("upstream", "key") is None
