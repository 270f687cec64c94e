import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.core.moment import Instant
from remit.ledger import checkpoint
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.log import Edge
from remit.ledger.merkle import leaf_hash
from remit.store.log import EMPTY, Log, entries, heads, leaves, newest, read_tile
from tests.kit.nouns import code

BODIES = [f"entry {n}".encode() for n in range(600)]


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def sign(size, root):
    return checkpoint.sign(Checkpoint("log", size, root), KEY.sign, KEY.public_key().public_bytes_raw()).decode()


def edge(count):
    made = Edge.restore(0, lambda *_: None)
    made.append([leaf_hash(one) for one in BODIES[:count]])
    return made


def test_an_empty_log_has_no_head(tables):
    assert Log(tables).begin() == newest(tables) == EMPTY
    assert heads(tables) == []


def test_the_head_must_be_read_first(tables):
    assert code(Log(tables).append, [b"x"], Instant(1), sign) == "log_not_begun"


def test_entries_tiles_and_heads_grow_as_one_tree(tables):
    log = Log(tables)
    for start, end in ((0, 1), (1, 255), (255, 300), (300, 600)):
        log.begin()
        head = log.append(BODIES[start:end], Instant(end), sign)
        assert (head.size, head.note) == (end, sign(end, edge(end).root()))
        log.committed()
    assert newest(tables).size == 600
    assert list(entries(tables, 0, 600)) == BODIES
    assert list(entries(tables, 598, 700)) == BODIES[598:]
    assert list(leaves(tables, 3, 5)) == [leaf_hash(one) for one in BODIES[3:5]]
    assert [head.size for head in heads(tables, 1, most=2)] == [255, 300]
    assert read_tile(tables, 0, 0, 256) == b"".join(leaf_hash(one) for one in BODIES[:256])
    assert read_tile(tables, 0, 2, 88) == b"".join(leaf_hash(one) for one in BODIES[512:])
    assert read_tile(tables, 0, 9, 1) is None
    assert read_tile(tables, 1, 0, 2) is None


def test_another_writer_and_a_transaction_that_was_dropped_are_seen(tables):
    log, other = Log(tables), Log(tables)
    log.begin()
    log.append(BODIES[:3], Instant(1), sign)
    log.committed()
    other.begin()
    other.append(BODIES[3:5], Instant(2), sign)
    other.committed()
    tables.mark()
    log.begin()
    log.append([b"never"], Instant(3), sign)
    tables.undo()
    log.dropped()
    with pytest.raises(Exception, match="log_not_begun"):
        log.append([b"x"], Instant(3), sign)
    assert log.begin().size == 5
    assert log.append(BODIES[5:6], Instant(3), sign).note == sign(6, edge(6).root())
