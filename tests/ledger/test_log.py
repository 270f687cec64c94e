"""The right edge: grows in any pieces, copies, and comes back from tiles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.ledger import LedgerFault, merkle
from remit.ledger.log import Edge, nodes
from tests.ledger.logs import tiles

LEAVES = [merkle.leaf_hash(b"%d" % index) for index in range(70_000)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=8))
def test_pieces_give_the_root_and_the_tiles_of_the_whole(sizes):
    edge, kept = Edge.empty(), {}
    for size in sizes:
        kept |= {(one.level, one.index): one.data for one in edge.append(LEAVES[edge.size : edge.size + size])}
        assert edge.root() == merkle.root(LEAVES[: edge.size])
    for level, index in kept:
        assert len(kept[level, index]) == 8192
    assert len([key for key in kept if key[0] == 0]) == edge.size // 256
    for one in edge.partials():
        span = 1 << 8 * one.level
        first = one.index * 256 * span
        rows = [LEAVES[first + at * span : first + (at + 1) * span] for at in range(one.width)]
        assert one.data == b"".join(map(merkle.root, rows))


def test_the_tiles_of_70000_entries_are_those_of_the_published_example():
    edge, kept = tiles(LEAVES)
    assert edge.root() == merkle.root(LEAVES)
    full = [key for key in kept if key[2] == 256]
    assert [len([key for key in full if key[0] == level]) for level in (0, 1, 2)] == [273, 1, 0]
    assert [(one.level, one.width) for one in edge.partials()] == [(0, 112), (1, 17), (2, 1)]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("keeps_partials", [True, False])
def test_an_edge_comes_back_from_full_tiles_and_the_tail(size, keeps_partials):
    edge, kept = tiles(LEAVES[:size])

    def read(level, index, width):
        return kept.get((level, index, width)) if keeps_partials or width == 256 or level == 0 else None

    back = Edge.restore(size, read)
    assert (back.size, back.root(), back.partials()) == (size, edge.root(), edge.partials())
    assert back.append(LEAVES[:300]) == edge.append(LEAVES[:300])
    assert back.root() == edge.root()


def test_a_copy_grows_apart():
    edge = Edge.empty()
    edge.append(LEAVES[:300])
    kept, before = edge.copy(), edge.root()
    edge.append(LEAVES[300:900])
    assert (kept.size, kept.root()) == (300, before)
    assert kept.append(LEAVES[300:900])
    assert kept.root() == edge.root()


@pytest.mark.parametrize(
    ("row", "code"), [(None, "tile_missing"), (b"", "tile_invalid"), (b"\0" * 8193, "tile_invalid")]
)
def test_a_missing_or_misshapen_tile_is_a_fault(row, code):
    with pytest.raises(LedgerFault) as caught:
        Edge.restore(300, lambda *_: row)
    assert caught.value.code == code


def test_what_the_log_does_not_have_is_a_fault():
    get = nodes(300, lambda *_: None)
    for height, index in [(0, 300), (9, 0), (0, -1), (-1, 0)]:
        with pytest.raises(LedgerFault) as caught:
            get(height, index)
        assert caught.value.code == "tile_range"
    with pytest.raises(LedgerFault) as caught:
        Edge.restore(-1, lambda *_: None)
    assert caught.value.code == "tile_range"
    with pytest.raises(LedgerFault) as caught:
        Edge.empty().append([b"short"])
    assert caught.value.code == "hash_invalid"
