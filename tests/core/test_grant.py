"""Steps, calls checked against them, and plans laid out on a brief."""

from decimal import Decimal

import pytest

from remit.core.errors import RemitError
from remit.core.grant import Consumption, Grant, Refusal, Step, Usage, check, covers, draw, narrow, plan_within
from remit.core.ids import TaskId
from remit.core.limit import MaxLength, Subpath

FULL = {
    "action": "mcp:bank/pay",
    "path": "delegated",
    "arguments": {"amount": [{"range": {"max": 50}}], "to": [{"one_of": ["a", "b"]}], "note": [{"max_length": 9}]},
    "optional": ["note"],
    "uses": 5,
    "rate": {"count": 2, "seconds": 10},
    "totals": [{"argument": "amount", "max": "100.00"}],
    "rows": {"max": 10},
    "window": {"start": 1000, "end": 90000},
}
HEAD = {"action": "mcp:files/read", "path": "own"}
CALL = {"amount": 40, "to": "a"}


def code(step, arguments, usage=None, now=2000):
    answer = check(step, arguments, usage or Usage(), now)
    if isinstance(answer, Refusal):
        assert len(answer.may) <= 160
        return answer.code
    return answer


def test_a_step_reads_back_as_written():
    step = Step.from_json(FULL)
    assert step.to_json() == FULL | {"totals": [{"argument": "amount", "max": "100.00"}]}
    assert Step.from_json(step.to_json()) == step
    assert hash(Step.from_json(step.to_json())) == hash(step)
    assert Grant(TaskId("tsk_x"), 1, 0, step).step is step


@pytest.mark.parametrize(
    ("arguments", "usage", "now", "expected"),
    [
        (CALL, Usage(), 2000, Consumption(1, (Decimal(40),))),
        ({**CALL, "note": "hi"}, Usage(), 2000, Consumption(1, (Decimal(40),))),
        ({**CALL, "note": "far too long"}, Usage(), 2000, "argument_refused"),
        ({**CALL, "NOTE": "hi"}, Usage(), 2000, "argument_unknown"),
        ({"amount": 40}, Usage(), 2000, "argument_missing"),
        ({**CALL, "amount": "40"}, Usage(), 2000, "argument_refused"),
        ({**CALL, "amount": -1}, Usage(), 2000, "argument_refused"),
        ({**CALL, "to": ["a"]}, Usage(), 2000, "argument_refused"),
        (CALL, Usage(), 999, "window_closed"),
        (CALL, Usage(), 90000, "window_closed"),
        (CALL, Usage(5), 2000, "uses_spent"),
        (CALL, Usage(1, (Decimal("60.00"),)), 2000, Consumption(1, (Decimal(40),))),
        (CALL, Usage(1, (Decimal("60.01"),)), 2000, "total_exceeded"),
        (CALL, Usage(1, (Decimal(1), Decimal(1))), 2000, "total_exceeded"),
        (CALL, Usage(2, (), (1500, 1600)), 11500, Consumption(1, (Decimal(40),))),
        (CALL, Usage(2, (), (1501, 1600)), 11500, "rate_exceeded"),
        (CALL, Usage(rows=10), 2000, "rows_spent"),
        (None, Usage(), 2000, "argument_refused"),
    ],
)
def test_check(arguments, usage, now, expected):
    assert code(Step.from_json(FULL), arguments, usage, now) == expected


def test_a_refusal_never_holds_the_value():
    answer = check(Step.from_json(FULL), {**CALL, "to": "hunter2"}, Usage(), 2000)
    assert answer == Refusal("argument_refused", "Argument to is outside its one_of limit.", 'to: one of "a", "b"')
    hostile = check(Step.from_json(FULL), {**CALL, "x\n\x1b[31m": 1}, Usage(), 2000)
    assert hostile.what == "An argument is not named by the step."


NESTED = {"/filter/owner": [{"equals": "me"}], "/ids/*": [{"prefix": "a"}]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"filter": {"owner": "me"}, "ids": ["a1", "a2"]}, Consumption()),
        ({"filter": {"owner": "me"}, "ids": []}, Consumption()),
        ({"filter": {"owner": "me"}, "ids": ["a1", "b"]}, "argument_refused"),
        ({"filter": {"owner": "me"}}, "argument_missing"),
        ({"filter": {}, "ids": []}, "argument_missing"),
        ({"filter": {"owner": "me", "sort": 1}, "ids": []}, "argument_unknown"),
        ({"filter": "me", "ids": []}, "argument_refused"),
        ({"filter": {"owner": "me"}, "ids": {"x": "a"}}, "argument_missing"),
    ],
)
def test_nested_arguments(arguments, expected):
    assert code(Step.from_json({**HEAD, "arguments": NESTED}), arguments) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"action": "files/read"},
        {"action": 1},
        {"action": "mcp:files/@other"},
        {"path": "both"},
        {"path": []},
        {"arguments": []},
        {"arguments": {"x": []}},
        {"arguments": {"x": {"any": True}}},
        {"arguments": {"/x": [{"any": True}]}},
        {"optional": ["x"]},
        {"optional": "x"},
        {"allow_unknown": 1},
        {"uses": 0},
        {"uses": True},
        {"uses": None},
        {"rate": {"count": 1}},
        {"rate": {"count": 1, "seconds": 0}},
        {"totals": [{"argument": "x", "max": "1"}]},
        {"totals": {}},
        {"rows": 5},
        {"rows": {"max": 0}},
        {"window": {"start": 1}},
    ],
    ids=str,
)
def test_refuses_what_is_no_step(change):
    with pytest.raises(RemitError) as fault:
        Step.from_json({**HEAD, **change})
    assert fault.value.code == "limit_invalid"


def test_narrow_adds_and_never_names():
    step = Step.from_json({**HEAD, "arguments": {"path": [{"subpath": "/srv"}]}})
    smaller = narrow(step, "path", Subpath("/srv/a"), MaxLength(20))
    assert covers(step, smaller)
    assert not covers(smaller, step)
    with pytest.raises(RemitError):
        narrow(step, "other", MaxLength(1))


def test_an_unknown_member_may_not_slip_under_a_nested_name():
    parent = Step.from_json(
        {**HEAD, "arguments": {"/f/a": [{"any": True}]}, "optional": ["/f/a"], "allow_unknown": True}
    )
    child = Step.from_json({**HEAD, "allow_unknown": True})
    assert code(child, {"f": "text"}) == Consumption()
    assert code(parent, {"f": "text"}) == "argument_refused"
    assert not covers(parent, child)


def test_a_plan_is_laid_out_on_its_brief():
    brief = Step.from_json({**HEAD, "uses": 3})
    two, one = Step.from_json({**HEAD, "uses": 2}), Step.from_json({**HEAD, "uses": 1})
    assert plan_within([brief], [two, one]) == []
    assert draw([one, brief], [two, one])[0] == (1, 0)
    refused = plan_within([brief], [two, two])
    assert [refusal.code for refusal in refused] == ["plan_wider"]
    assert refused[0].what.startswith("Plan step 2")
    assert len(plan_within([brief], [Step.from_json(HEAD)])) == 1
