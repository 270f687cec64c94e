"""The ledger only grows, and one altered byte is found. Each law with the faults that must break it."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from remit.ledger import checkpoint, log, merkle, note, verify
from remit.ledger.log import Edge
from tests.ledger.logs import ORIGIN, VERIFIER, files, head

QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
LEAVES = [merkle.leaf_hash(b"%d" % index) for index in range(1400)]


@QUICK
@given(st.lists(st.integers(1, 280), min_size=2, max_size=5))
def every_later_head_is_consistent(batches):
    edge, kept, signed = Edge.empty(), {}, []
    for count in batches:
        for one in edge.append(LEAVES[edge.size : edge.size + count]):
            kept[one.level, one.index, 256] = one.data
        signed.append(head(edge.size, edge.root()))
    kept |= {(one.level, one.index, one.width): one.data for one in edge.partials()}
    read = {checkpoint.parse(note.parse(data).text).size: data for data in signed}
    opened = [checkpoint.open_signed(data, ORIGIN, [VERIFIER]) for data in read.values()]
    assert all(verdict for _, verdict in opened)
    # Another tree, of the same sizes: no proof may hold against its roots.
    fork = {one.size: merkle.root([merkle.EMPTY_ROOT, *LEAVES[1 : one.size]]) for one, _ in opened}
    for new, _ in opened:
        get = log.nodes(edge.size, lambda *key: kept.get(key))
        for old, _ in opened:
            if old.size <= new.size:
                steps = merkle.consistency_proof(old.size, new.size, get)
                assert merkle.verify_consistency(old.size, new.size, old.root, new.root, steps)
                assert not merkle.verify_consistency(old.size, new.size, fork[old.size], new.root, steps)
                assert not merkle.verify_consistency(old.size, new.size, old.root, fork[new.size], steps)


@QUICK
@given(st.data())
def one_altered_byte_is_found(data):
    count = data.draw(st.one_of(st.integers(1, 20), st.integers(250, 300)))
    export = files(count, sorted({data.draw(st.integers(1, count)), count}))
    assert verify.audit(export.get, ORIGIN, [VERIFIER])
    for path in sorted(export):
        was = export[path]
        at = data.draw(st.integers(0, len(was) - 1))
        changed = was[:at] + bytes([was[at] ^ 1 << data.draw(st.integers(0, 7))]) + was[at + 1 :]
        assert not verify.audit((export | {path: changed}).get, ORIGIN, [VERIFIER]), (path, at)
    a_forged_signature_is_found(export)


def a_forged_signature_is_found(export):
    head = export["checkpoint"]
    forged = head[:-10] + (b"B" if head[-10:-9] == b"A" else b"A") + head[-9:]
    assert not verify.audit((export | {"checkpoint": forged}).get, ORIGIN, [VERIFIER]), "the head's signature"


def what_is_altered_is_found():
    """The forged head first, whatever is drawn after it."""
    a_forged_signature_is_found(files(3, [3]))
    one_altered_byte_is_found()


def no_prefixes(patch):
    patch.setattr(merkle, "node_hash", lambda left, right: merkle.sha256(left + right).digest())


def any_consistency_proof_holds(patch):
    patch.setattr(merkle, "verify_consistency", lambda *_: True)


def old_root_is_not_looked_at(patch):
    checked = merkle.verify_consistency

    def check(old, new, old_root, new_root, proof):
        return checked(old, new, old_root, new_root, proof) or (old < new and len(proof) > 0)

    patch.setattr(merkle, "verify_consistency", check)


def the_root_forgets_a_subtree(patch):
    patch.setattr(Edge, "root", lambda edge: next((top for top in reversed(edge._tops) if top), merkle.EMPTY_ROOT))


def any_signature_holds(patch):
    patch.setattr(note.Verifier, "holds", lambda *_: True)


def tiles_are_not_compared(patch):
    patch.setattr(verify._Walk, "_compare", lambda *_: None)


def leaves_are_believed(patch):
    def believe(walk, start, width):
        row = walk._file(verify.tile.tile_path(0, start // 256, width), start)
        return [row[at : at + 32] for at in range(0, len(row), 32)][:width], None

    patch.setattr(verify._Walk, "_bundle", believe)


def heads_are_not_read(patch):
    patch.setattr(verify._Walk, "_list", lambda walk, newest: setattr(walk, "_listed", [newest]))


def test_every_later_head_is_consistent_with_every_earlier_one():
    every_later_head_is_consistent()


def test_one_altered_byte_is_found():
    one_altered_byte_is_found()


@pytest.mark.parametrize(
    "fault", [no_prefixes, any_consistency_proof_holds, old_root_is_not_looked_at, the_root_forgets_a_subtree]
)
def test_growth_breaks_under(fault, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        every_later_head_is_consistent()


@pytest.mark.parametrize(
    "fault", [any_signature_holds, tiles_are_not_compared, leaves_are_believed, heads_are_not_read]
)
def test_finding_breaks_under(fault, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        what_is_altered_is_found()
