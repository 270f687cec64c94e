"""The offline auditor: accepts the good export, and names what is wrong with every other."""

import pytest

from remit.ledger import LedgerFault, checkpoint, merkle, tile, verify
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.export import export
from tests.ledger.logs import KEY, ORIGIN, VERIFIER, entry, files, head, heads

SIZES = [0, 3, 3, 40, 256, 300, 515]
GOOD = files(515, SIZES)
ENTRIES = [entry(index) for index in range(515)]
LEAVES = list(map(merkle.leaf_hash, ENTRIES))


def audit(export_, **more):
    return verify.audit(export_.get, ORIGIN, [VERIFIER], **more)


def known(size):
    return Checkpoint(ORIGIN, size, merkle.root(LEAVES[:size]))


def test_a_good_export_holds_and_every_entry_is_checked_once_in_order():
    seen = []
    found = audit(GOOD, check=lambda index, entry: seen.append((index, entry)))
    assert found
    assert (found.size, found.heads, found.index, found.what) == (515, 7, None, "")
    assert seen == list(enumerate(ENTRIES))


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 512, 513])
def test_logs_of_every_shape_hold(count):
    assert audit(files(count, [count])).size == count


def test_a_log_of_three_levels_holds_and_its_upper_tiles_are_read():
    big = files(65_537 + 256, [65_536, 65_537 + 256])
    assert {"tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1", "tile/0/257.p/1"} <= set(big)
    assert audit(big)
    for path, place in [("tile/1/000", 7), ("tile/2/000.p/1", 0), ("tile/1/001.p/1", 0)]:
        data = bytearray(big[path])
        data[place * 32] ^= 1
        found = audit(big | {path: bytes(data)})
        assert not found
        assert path in found.what
        level, index, _ = tile.parse_path(path)
        assert found.index == (index * 256 + place) << 8 * level


def test_every_byte_of_a_small_export_counts():
    small = files(5, [2, 5])
    for path, data in small.items():
        for at in range(len(data)):
            for bit in (1, 0x80):
                bad = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
                assert not audit(small | {path: bad}), (path, at)


def test_every_missing_short_or_long_file_is_found():
    for path, data in GOOD.items():
        assert not audit({name: kept for name, kept in GOOD.items() if name != path}), path
        for bad in (b"", data[:-1], data + b"\0", data + data):
            assert not audit(GOOD | {path: bad}), path


@pytest.mark.parametrize("index", [0, 1, 39, 255, 256, 299, 514])
def test_an_altered_or_removed_entry_is_named(index):
    altered = [*ENTRIES[:index], b'{"n":-1}', *ENTRIES[index + 1 :]]
    signed = heads(ENTRIES, SIZES)
    found = audit(dict(export(altered, signed, LEAVES)))
    assert (found.ok, found.index) == (False, index)
    assert f"entry {index}" in found.what
    start = index // 256 * 256
    bundle = ENTRIES[start:index] + ENTRIES[index + 1 : start + 256]
    path = tile.entries_path(index // 256, min(256, 515 - start))
    assert audit(GOOD | {path: tile.encode_bundle(bundle)}).index == index


def test_entries_and_tiles_altered_together_break_the_next_head():
    altered = [*ENTRIES[:41], b"{}", *ENTRIES[42:]]
    found = audit(dict(export(altered, heads(ENTRIES, SIZES))))
    assert (found.ok, found.index, found.size, found.heads) == (False, 40, 256, 4)
    assert "entries 40 to 255" in found.what


def test_the_check_names_its_entry_and_the_first_bad_one_wins():
    def check(index, data):
        return "not canonical" if data == entry(7) else None

    found = audit(GOOD, check=check)
    assert (found.ok, found.index, found.what) == (False, 7, "not canonical")
    altered = dict(export([*ENTRIES[:5], b"", *ENTRIES[6:]], heads(ENTRIES, SIZES), LEAVES))
    assert audit(altered, check=check).index == 5
    altered = dict(export([*ENTRIES[:9], b"", *ENTRIES[10:]], heads(ENTRIES, SIZES), LEAVES))
    assert audit(altered, check=check).index == 7


def with_heads(signed):
    return GOOD | {"heads": tile.encode_bundle(signed), "checkpoint": signed[-1]}


def test_a_head_with_a_wrong_root_order_signature_or_origin_is_found():
    signed = heads(ENTRIES, SIZES)
    forged = head(40, b"\x05" * 32)
    assert "head 3" in audit(with_heads([*signed[:3], forged, *signed[4:]])).what
    assert "out of order" in audit(with_heads([*signed[:3], signed[5], signed[4], signed[6]])).what
    assert "out of order" in audit(with_heads([head(9999, b"\0" * 32), signed[6]])).what
    other = Checkpoint("ledger.example/other", 515, merkle.root(LEAVES))
    theirs = checkpoint.sign(other, KEY.sign, VERIFIER.public)
    assert "another log" in audit(with_heads([*signed[:-1], theirs])).what
    assert "head 1" in audit(with_heads([signed[0], signed[1][:-10] + b"A" * 8 + b"=\n", *signed[2:]])).what
    assert not verify.audit(GOOD.get, ORIGIN, [])
    assert not audit(GOOD | {"checkpoint": signed[5]})


def test_a_cut_tail_is_found_by_whoever_knows_a_newer_head():
    cut = files(300, SIZES[:-1])
    assert audit(cut)
    found = audit(cut, expect=known(515))
    assert (found.ok, found.index) == (False, 300)
    for size in (0, 1, 3, 255, 256, 300, 514, 515):
        assert audit(GOOD, expect=known(size)), size
        wrong = Checkpoint(ORIGIN, size, b"\x09" * 32)
        assert not audit(GOOD, expect=wrong), size
    assert not audit(GOOD, expect=Checkpoint("ledger.example/other", 3, known(3).root))


def test_an_emptied_log_is_not_ok():
    assert audit({}).what == "checkpoint is missing"
    assert audit(files(0, [0]))
    assert not audit(files(0, [0]), expect=known(1))


def test_an_export_wants_one_snapshot():
    for entries, signed, leaves in [
        (ENTRIES[:3], [], None),
        (ENTRIES[:3], heads(ENTRIES, [2]), None),
        (ENTRIES[:3], heads(ENTRIES, [3]), LEAVES[:2]),
    ]:
        with pytest.raises(LedgerFault) as caught:
            list(export(entries, signed, leaves))
        assert caught.value.code == "export_short"
