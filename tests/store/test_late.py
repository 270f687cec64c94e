from hypothesis import given
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.store.late import Late, grouped

FAULT = RemitError("usage_raced", "It changed.", "Try again.")
TEXTS = (
    "INSERT INTO leaf (number) VALUES ($1)",
    "INSERT INTO flight (call) VALUES ($1)",
    "DELETE FROM flight WHERE call = $1",
    "UPDATE usage SET uses = $1", "SAVEPOINT m", "RELEASE SAVEPOINT m",
)  # fmt: skip


def table(text):
    return next((name for name in ("leaf", "flight", "usage") if f" {name} " in text), "")


def test_rows_of_one_statement_go_together_past_other_tables():
    leaf, flight = TEXTS[:2]
    waiting = [Late(text, (number,)) for number in range(3) for text in (leaf, flight)]
    rows = [(0,), (1,), (2,)]
    assert [(one.text, one.rows) for one in grouped(waiting)] == [(leaf, rows), (flight, rows)]


def test_what_must_change_a_row_stands_apart_from_what_need_not():
    text = TEXTS[2]
    found = grouped([Late(text, (1,), FAULT), Late(text, (2,), FAULT), Late(text, (3,))])
    assert [(one.fault, len(one.rows)) for one in found] == [(FAULT, 2), (None, 1)]


@given(st.lists(st.sampled_from(TEXTS)))
def test_nothing_is_lost_and_each_table_and_savepoint_keeps_its_order(texts):
    waiting = [Late(text, (number,)) for number, text in enumerate(texts)]
    sent = [(one.text, row) for one in grouped(waiting) for row in one.rows]
    assert sorted(sent, key=lambda one: one[1]) == [(one.text, one.params) for one in waiting]
    for name in ("leaf", "flight", "usage"):
        order = [row for text, row in sent if table(text) == name]
        assert order == sorted(order)
    for place, (text, row) in enumerate(sent):
        if not table(text):
            assert {r for _, r in sent[:place]} == {(n,) for n in range(row[0])}, "a savepoint moved"
