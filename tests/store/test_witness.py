import pytest

from remit.ledger.checkpoint import Checkpoint
from remit.store import sqlite
from remit.store.witness import FILE, Seen, make, open_witnessed
from tests.kit.nouns import NOON, code

HEADS = [Checkpoint("log.example", size, bytes([size]) * 32) for size in range(1, 6)]


@pytest.fixture
def kept(tmp_path):
    found = make(tmp_path / FILE, "w", bytes(32))
    yield found
    found.close()


def test_a_head_is_kept_only_in_place_of_the_one_that_it_was_judged_by(kept):
    one, two, three, *_ = HEADS
    assert kept.seen("log.example") is None
    assert kept.keep(None, one, b"1", NOON)
    assert not kept.keep(None, two, b"2", NOON), "it holds one already"
    assert kept.keep(one, two, b"2", NOON + 1)
    assert not kept.keep(one, three, b"3", NOON), "another size is held"
    assert not kept.keep(Checkpoint("log.example", 2, bytes(32)), three, b"3", NOON), "another root is held"
    assert not kept.keep(one, Checkpoint("other.example", 2, bytes(32)), b"", NOON), "nothing is held of this log"
    assert kept.seen("log.example") == Seen(two, b"2", NOON + 1)


def test_logs_are_trusted_by_key(kept):
    kept.trust("a", "k1")
    kept.trust("a", "k2")
    kept.trust("a", "k2")
    kept.trust("b", "k3")
    assert kept.logs() == {"a": ("k1", "k2"), "b": ("k3",)}
    assert kept.keys("a") == ("k1", "k2")
    assert kept.keys("c") == ()
    assert kept.distrust("a", "k1")
    assert not kept.distrust("a", "k1")


def test_it_is_made_once_and_opened_only_when_it_is_a_witness_s(kept, tmp_path):
    assert code(make, tmp_path / FILE, "w", bytes(32)) == "witness_made"
    other = tmp_path / "other.db"
    sqlite.open_sqlite(other).close()
    assert code(open_witnessed, other) == "store_foreign"
    assert not (tmp_path / "gone.db").exists()
    assert code(open_witnessed, tmp_path / "gone.db") == "witness_lost"
    assert not (tmp_path / "gone.db").exists(), "looking for it must not make it"


def test_after_a_fault_it_opens_again_by_itself(kept):
    kept._store._abandon()
    assert kept.who() == ("w", bytes(32))
