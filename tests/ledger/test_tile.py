"""Paths and bundles, byte for byte as C2SP tlog-tiles says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.ledger import LedgerFault, tile


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("tile/0/000", (0, 0, 256)),
        ("tile/0/x001/x234/067", (0, 1234067, 256)),
        ("tile/1/000.p/1", (1, 0, 1)),
        ("tile/63/999.p/255", (63, 999, 255)),
        ("tile/entries/x001/000.p/9", (None, 1000, 9)),
    ],
)
def test_paths_both_ways(path, parts):
    level, index, width = parts
    assert tile.parse_path(path) == parts
    assert (tile.entries_path(index, width) if level is None else tile.tile_path(level, index, width)) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/../000",
        "tile/entries/x000/000",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_any_other_spelling_is_refused(path):
    with pytest.raises(LedgerFault) as caught:
        tile.parse_path(path)
    assert caught.value.code == "tile_path_invalid"


@given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_comes_back(level, index, width):
    assert tile.parse_path(tile.tile_path(level, index, width)) == (level, index, width)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_both_ways(entries):
    assert tile.decode_bundle(tile.encode_bundle(entries)) == entries


def test_the_longest_entry_fits_and_one_more_byte_is_refused():
    assert tile.decode_bundle(tile.encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(LedgerFault) as caught:
        tile.encode_bundle([b"x" * 65_536])
    assert caught.value.code == "entry_too_long"


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x00\x00\x02x"])
def test_a_bundle_that_ends_inside_an_entry_is_refused(data):
    with pytest.raises(LedgerFault) as caught:
        tile.decode_bundle(data)
    assert caught.value.code == "bundle_invalid"


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_no_path_for_what_is_no_tile(level, index, width):
    with pytest.raises(LedgerFault) as caught:
        tile.tile_path(level, index, width)
    assert caught.value.code == "tile_range"
