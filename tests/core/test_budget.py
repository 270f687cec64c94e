"""A budget: what it may say, what holds for a tier, whom a value names, and what one call takes of it."""

from decimal import Decimal

import pytest

from remit.core.budget import Budget, Most, charges, people_in, places
from remit.core.grant import Refusal, Usage
from remit.core.record import dump, load
from tests.kit.nouns import code

WHOLE = Budget(
    calls=4,
    writes=3,
    rows=10,
    recipients=2,
    money={"amount": "100.00"},
    contacts=("to",),
    tiers={"low": Most(writes=1)},
)


def take(arguments, used=None, *, reads=False, lifted=(), most=WHOLE):
    found = charges(most, ("to",), lifted, arguments, used or {}, "tsk", reads=reads)
    return found.code if isinstance(found, Refusal) else {one.scope: one.used for one in found}


def used(name, **members):
    return {("tsk", f"budget:{name}", 0): Usage(**members)}


def test_it_is_read_back_as_it_was_written():
    assert load(Budget, dump(WHOLE)) == WHOLE


@pytest.mark.parametrize(
    "members",
    [
        {"calls": -1}, {"money": {"amount": "ten"}}, {"money": {"/a/*": "1"}}, {"over": "never"}, {"recipients": 1},
        {"contacts": ("/a/*",)}, {"tiers": {"none": Most()}}, {"tiers": {"low": Most(people=1)}},
    ],
)  # fmt: skip
def test_what_it_cannot_say_is_refused(members):
    assert code(lambda: Budget(**members)) in ("budget_invalid", "limit_invalid")


def test_a_tier_has_the_smaller_of_each():
    both = Budget(writes=5, money={"a": "10"}, tiers={"low": Most(writes=9, calls=2, money={"a": "9.5", "b": "1"})})
    assert both.of("high") is both
    assert both.of("low") == Most(writes=5, calls=2, money={"a": "9.5", "b": "1"})
    names = [scope for _, scope, _ in places(both, "tsk")]
    assert names == ["budget:calls", "budget:money:a", "budget:money:b", "budget:writes"]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (None, 0), ("", 0), ("a@x.example", 1), ("a@x.example, b@x.example", 2), ("a@x.example;b@x.example\nc", 3),
        ("<a@x.example> <b@x.example>", 2), (["a", "b", ""], 2), ({"to": ["a"], "cc": "b,c"}, 3), (7, 1), (True, 0),
    ],
)  # fmt: skip
def test_a_value_names_people(value, count):
    assert people_in(value) == count


def test_a_call_takes_what_it_uses_and_a_read_takes_no_writes_people_or_money():
    call = {"to": "a@x, b@x", "amount": "40.50"}
    taken = take(call)
    assert {name: one.uses for name, one in taken.items()} == {
        "budget:calls": 1, "budget:writes": 1, "budget:recipients": 2, "budget:rows": 1, "budget:money:amount": 1
    }  # fmt: skip
    assert taken["budget:money:amount"].amounts == (Decimal("40.50"),)
    assert set(take(call, reads=True)) == {"budget:calls", "budget:rows"}


@pytest.mark.parametrize(
    ("arguments", "before"),
    [
        ({}, used("calls", uses=4)), ({}, used("writes", uses=3)), ({"to": "a"}, used("recipients", uses=2)),
        ({"to": ["a", "b", "c"]}, None), ({}, used("rows", rows=10)), ({"amount": "100.01"}, None),
        ({"amount": 60}, used("money:amount", uses=1, totals=(Decimal("40.01"),))),
    ],
)  # fmt: skip
def test_what_is_beyond_it_is_refused_and_what_people_lifted_is_not(arguments, before):
    assert take(arguments, before) == "budget_spent"
    lifted = ("calls", "writes", "recipients", "rows", "money:amount")
    assert take(arguments, before, lifted=lifted) == {}


def test_an_amount_that_cannot_be_read_is_refused_and_one_that_is_absent_is_none():
    assert take({"amount": "1e3"}) == "budget_unreadable"
    assert "budget:money:amount" not in take({})
