from remit.core.receipt import change
from remit.store import cosignature
from remit.store.apply import apply
from remit.store.record import Reader
from tests.kit.nouns import NOON, witness, witness_rule

W1, W2 = "witness.example/w1", "witness.example/w2"


def test_lines_stand_under_their_head_and_the_latest_of_one_witness_stays(tables):
    cosignature.put(tables, W2, 7, NOON, "two\n")
    cosignature.put(tables, W1, 7, NOON, "one\n")
    cosignature.put(tables, W1, 9, NOON + 5, "later\n")
    assert cosignature.under(tables, 7) == "one\ntwo\n"
    cosignature.put(tables, W1, 7, NOON + 9, "again\n")
    cosignature.put(tables, W1, 7, NOON + 1, "old\n")
    assert cosignature.under(tables, 7) == "again\ntwo\n"
    assert cosignature.under(tables, 8) == ""
    assert cosignature.between(tables, 6, 9) == {7: "again\ntwo\n", 9: "later\n"}
    assert cosignature.between(tables, 7, 8) == {}


def test_when_a_witness_was_heard_never_goes_back(tables):
    cosignature.put(tables, W1, 7, NOON + 5, "one\n")
    cosignature.put(tables, W1, 3, NOON, "old\n")
    assert cosignature.heard(tables) == {W1: (7, NOON + 5)}


def test_the_widest_head_has_as_many_lines_as_are_required(tables):
    assert cosignature.widest(tables, 1) == 0
    for name, size in ((W1, 3), (W2, 3), (W1, 7)):
        cosignature.put(tables, name, size, NOON, f"{name}\n")
    assert [cosignature.widest(tables, count) for count in (1, 2, 3)] == [7, 3, 0]


def test_what_a_decision_knows_of_the_witnesses(tables):
    assert cosignature.watch(Reader(tables)) is None
    apply(tables, 1, change("witness.ruled", witness_rule(), NOON, "operator"))
    apply(tables, 2, change("witness.added", witness(), NOON, "operator"))
    gone = witness(id=W2, vkey=f"{W2}+0+A", state="removed")
    apply(tables, 3, change("witness.removed", gone, NOON, "operator"))
    assert cosignature.watch(Reader(tables)).seen == ((witness(), 0),)
    cosignature.put(tables, W1, 7, NOON + 5, "one\n")
    found = cosignature.watch(Reader(tables))
    assert (found.rule, found.seen) == (witness_rule(), ((witness(), NOON + 5),))
