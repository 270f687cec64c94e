"""The checker, on histories made by hand: it stays silent on what is right and names each kind of wrong."""

from dataclasses import replace

from tests.kit.checker import Event, Head, Said, forked, late, leafless, roots, twice
from tests.oracle.merkle import mth

CALL = Event("call", "a", "c1", "t1", 10, 20, Said.ALLOWED)
REVOKE = Event("revoke", "b", "r1", "t1", 12, 30, Said.DONE)
ENTRIES = [b"one", b"two", b"three"]


def test_a_call_that_overlaps_the_revocation_may_go_either_way():
    assert late([CALL, REVOKE, replace(CALL, invoked=30, returned=40)], ["c1"]) == []


def test_a_call_that_began_after_it_returned_is_late_when_allowed_or_arrived():
    after = replace(CALL, invoked=31, returned=40)
    assert len(late([REVOKE, after], [])) == 1
    assert len(late([REVOKE, replace(after, said=Said.UNKNOWN)], ["c1"])) == 1
    assert late([REVOKE, replace(after, said=Said.REFUSED)], []) == []
    assert late([REVOKE, replace(after, on="t2")], ["c1"]) == []


def test_a_revocation_without_an_answer_binds_nobody():
    assert late([replace(REVOKE, said=Said.UNKNOWN), replace(CALL, invoked=31)], ["c1"]) == []


def test_a_single_use_thing_succeeds_once_or_as_often_as_it_may():
    first, second = replace(CALL, once="j"), replace(CALL, name="c2", node="b", once="j")
    assert twice([first, replace(second, said=Said.REFUSED)]) == []
    assert len(twice([first, second])) == 1
    assert twice([first, second], {"j": 2}) == []


def test_what_was_let_through_has_a_leaf_and_arrived_once():
    assert leafless([CALL], ["c1"], ["c1"]) == []
    assert len(leafless([CALL], [], [])) == 1
    assert len(leafless([replace(CALL, said=Said.UNKNOWN)], ["c1"], [])) == 1
    assert len(leafless([CALL], ["c1", "c1"], ["c1"])) == 1


def test_each_published_head_signs_a_prefix_of_the_one_ledger():
    right = [Head("a", size, mth(ENTRIES[:size])) for size in (1, 3, 3)]
    assert forked(right, ENTRIES) == []
    assert forked([*right, Head("b", 2, mth([b"one", b"other"]))], ENTRIES) == [
        "forked: b published another root of size 2"
    ]
    assert forked(right, ENTRIES[:2])[0].startswith("lost: a published size 3")


def test_roots_in_one_pass_are_the_trees_own():
    entries = [bytes([number]) * number for number in range(70)]
    assert roots(entries, range(71)) == {size: mth(entries[:size]) for size in range(71)}
    assert roots(entries, {3, 99}) == {3: mth(entries[:3])}
