from decimal import Decimal

import pytest

from remit.core.check import Consumption, Refusal, Usage, check
from remit.core.step import Step
from tests.kit.nouns import NOON

PAY = {
    "action": "mcp:bank/pay",
    "path": "own",
    "arguments": {"to": [{"one_of": ["alice", "bob"]}], "sum": [{"range": {"min": 0, "max": 60}}]},
    "optional": ["sum"],
}


def asked(arguments, used=None, now=NOON, **more):
    return check(Step.from_json(PAY | more), arguments, used or Usage(), now)


def test_what_the_step_holds_consumes_one_use():
    assert asked({"to": "bob", "sum": 60}) == Consumption()
    assert asked({"to": "bob"}) == Consumption()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"to": "mallory"}, "argument_refused"),
        ({"to": "bob", "sum": 61}, "argument_refused"),
        ({"to": "bob", "sum": True}, "argument_refused"),
        ({"sum": 1}, "argument_missing"),
        ({"to": "bob", "memo": "x"}, "argument_unknown"),
    ],
)
def test_what_it_does_not_hold_is_refused_without_saying_the_value(arguments, code):
    refusal = asked(arguments)
    assert refusal.code == code
    assert "mallory" not in refusal.what + refusal.may


@pytest.mark.parametrize(
    ("limit", "used", "code"),
    [
        ({"uses": 2}, Usage(uses=2), "uses_spent"),
        ({"rows": {"max": 5}}, Usage(rows=5), "rows_spent"),
        ({"window": {"start": 0, "end": NOON}}, Usage(), "window_closed"),
        ({"rate": {"count": 1, "seconds": 60}}, Usage(recent=(NOON - 59_999,)), "rate_exceeded"),
    ],
)
def test_what_is_spent_is_refused_and_what_is_left_is_not(limit, used, code):
    assert asked({"to": "bob"}, used, **limit).code == code
    assert isinstance(asked({"to": "bob"}, now=NOON - 1, **limit), Consumption)


def test_hostile_arguments_are_a_refusal_never_a_fault():
    class Hostile(dict):
        def __contains__(self, name):
            raise ZeroDivisionError

    assert asked(Hostile()) == Refusal(
        "argument_refused", "An argument could not be read.", "Send plain JSON arguments."
    )


def test_amounts_add_up_to_the_total():
    more = {"totals": [{"argument": "sum", "max": 100}], "optional": []}
    assert asked({"to": "bob", "sum": 40}, **more) == Consumption(1, (Decimal(40),))
    assert asked({"to": "bob", "sum": 40}, Usage(1, (Decimal(60),)), **more) == Consumption(1, (Decimal(40),))
    assert asked({"to": "bob", "sum": 41}, Usage(1, (Decimal(60),)), **more).code == "total_exceeded"
