"""Trees and proofs, against the RFC read aloud."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.ledger import LedgerFault, merkle
from remit.ledger.log import nodes
from tests.ledger.logs import tiles
from tests.oracle import merkle as oracle

ENTRIES = [b"%d" % index for index in range(130)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
ROOTS = [oracle.mth(ENTRIES[:size]) for size in range(131)]


def reader(leaves):
    return lambda height, index: merkle.root(leaves[index << height : (index + 1) << height])


GET = reader(LEAVES)


def test_every_root_to_130_is_the_rfcs():
    assert [merkle.root(LEAVES[:size]) for size in range(131)] == ROOTS
    assert merkle.root([]) == merkle.EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 131))
def test_every_inclusion_to_130_is_the_rfcs_and_holds_nowhere_else(size):
    for index in range(size):
        path = merkle.inclusion_proof(index, size, GET)
        assert path == oracle.path(index, ENTRIES[:size])
        assert merkle.verify_inclusion(index, size, LEAVES[index], path, ROOTS[size])
        assert oracle.root_by_path(index, size, LEAVES[index], path) == ROOTS[size]
        for wrong in {0, index ^ 1, index + 1, size - 1} - {index}:
            assert not merkle.verify_inclusion(wrong, size, LEAVES[index], path, ROOTS[size])
        assert not merkle.verify_inclusion(index, size, LEAVES[index], [*path, LEAVES[0]], ROOTS[size])
        assert not path or not merkle.verify_inclusion(index, size, LEAVES[index], path[:-1], ROOTS[size])


@pytest.mark.parametrize("new", range(1, 131))
def test_every_consistency_to_130_is_the_rfcs(new):
    for old in range(1, new + 1):
        steps = merkle.consistency_proof(old, new, GET)
        assert steps == oracle.proof(old, ENTRIES[:new])
        assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], steps)
        assert not merkle.verify_consistency(old, new, ROOTS[old - 1], ROOTS[new], steps)
        assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new - 1], steps)
        assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], [*steps, LEAVES[0]])
        assert not steps or not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], steps[:-1])


def test_the_edges_of_what_a_proof_can_be():
    one, two = ROOTS[1], ROOTS[2]
    assert merkle.verify_consistency(0, 0, ROOTS[0], ROOTS[0], [])
    assert not merkle.verify_consistency(0, 1, ROOTS[0], one, [])
    assert not merkle.verify_consistency(0, 2, ROOTS[0], two, [two])
    assert not merkle.verify_consistency(2, 1, two, one, [])
    assert not merkle.verify_consistency(1, 1, one, one, [one])
    assert not merkle.verify_consistency(1, 1, one, two, [])
    assert not merkle.verify_consistency(-1, 1, one, one, [])
    assert not merkle.verify_consistency(1, 2, one, two, [])
    assert not merkle.verify_inclusion(0, 0, one, [], merkle.EMPTY_ROOT)
    assert not merkle.verify_inclusion(1, 1, one, [], one)
    assert not merkle.verify_inclusion(-1, 1, one, [], one)
    assert not merkle.verify_inclusion(0, 1, one[:31], [], one[:31])
    assert not merkle.verify_inclusion(0, 2, LEAVES[0], [LEAVES[1] + b"\x00"], two)
    for count in (64, 65, 1000):
        assert not merkle.verify_inclusion(0, 2, LEAVES[0], [one] * count, two)
        assert not merkle.verify_inclusion(merkle.LARGEST - 1, merkle.LARGEST, LEAVES[0], [one] * count, two)
        assert not merkle.verify_consistency(1, merkle.LARGEST, one, two, [one] * count)
    assert not merkle.verify_inclusion(1 << 70, 1 << 71, one, [one] * 70, one)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3), (0, 1 << 63)])
def test_no_inclusion_proof_is_built_outside_the_tree(index, size):
    with pytest.raises(LedgerFault) as caught:
        merkle.inclusion_proof(index, size, GET)
    assert caught.value.code == "proof_range"


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (2, 1), (-1, 1)])
def test_no_consistency_proof_is_built_from_nothing_or_backwards(old, new):
    with pytest.raises(LedgerFault) as caught:
        merkle.consistency_proof(old, new, GET)
    assert caught.value.code == "proof_range"


def test_an_inner_node_is_never_taken_for_an_entry():
    pair = LEAVES[0] + LEAVES[1]
    assert merkle.leaf_hash(pair) != ROOTS[2]
    assert not merkle.verify_inclusion(0, 2, merkle.leaf_hash(pair), [ROOTS[2]], ROOTS[4])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_larger_trees_prove_from_their_tiles(data):
    size = data.draw(st.integers(131, 1500))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    entries = [b"%d" % one for one in range(size)]
    leaves = [merkle.leaf_hash(one) for one in entries]
    edge, kept = tiles(leaves)
    get = nodes(size, lambda level, number, width: kept.get((level, number, width)))
    assert edge.root() == oracle.mth(entries) == merkle.root(leaves)
    assert merkle.inclusion_proof(index, size, get) == oracle.path(index, entries)
    assert merkle.consistency_proof(old, size, get) == oracle.proof(old, entries)
