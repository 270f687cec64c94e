"""The static bound of a plan: each of its parts, and no run of calls that does more than it says."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.core.budget import Budget, people_in
from remit.core.reach import UNBOUNDED, over, reach
from remit.core.step import Step
from tests.oracle import covers as oracle

HOUR = 3600


def step(action="mcp:mail/send", **members):
    return {"action": action, "path": "own"} | members


def bound(*forms, reads=(), **members):
    steps = [Step.from_json(one) for one in forms]
    return reach(steps, frozenset(reads), seconds=HOUR, contacts=("to",), money=("amount",), **members)


LISTED = {"to": [{"one_of": ["a@x", "b@x"]}], "amount": [{"range": {"min": 0, "max": 50}}]}


def test_what_is_listed_and_counted_is_bounded():
    found = bound(step(arguments=LISTED, uses=3, rows={"max": 5}), depth=2, children=4)
    assert (found.systems, found.writable) == (("mail",), ("mcp:mail/send",))
    assert (found.calls, found.writes, found.rows) == (3, 3, 5)
    assert (found.recipients, found.people, found.money) == (3, 2, {"amount": Decimal(150)})
    assert (found.depth, found.children) == (2, 4)
    assert found.to_json()["money"] == {"amount": "150"}
    assert "3 writes" in found.says()


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"uses": None}, "calls"), ({"rows": None}, "rows"), ({"arguments": {"to": [{"any": True}]}}, "people"),
        ({"arguments": {"to": [{"max_length": 9}]}}, "recipients"),
        ({"allow_unknown": True, "arguments": {}}, "people"),
        ({"arguments": {"amount": [{"any": True}]}}, "money"), ({"allow_unknown": True, "arguments": {}}, "money"),
        ({"arguments": {"/to/name": [{"any": True}]}}, "people"),
    ],
)  # fmt: skip
def test_what_no_limit_bounds_is_unbounded_and_beyond_every_budget(members, name):
    form = step(arguments=LISTED, uses=3, rows={"max": 5}) | members
    found = bound({key: value for key, value in form.items() if value is not None})
    held = found.money["amount"] if name == "money" else getattr(found, name)
    assert held == UNBOUNDED
    most = Budget(money={"amount": "999999999"}) if name == "money" else Budget(**{name: 2**31 - 1}, contacts=("to",))
    assert over(found, most) == (("money:amount",) if name == "money" else (name,))


def test_a_rate_bounds_what_a_life_can_hold_and_a_total_what_money_can():
    form = step(arguments=LISTED, rate={"count": 2, "seconds": 600}, totals=[{"argument": "amount", "max": "70"}])
    found = bound(form)
    assert (found.calls, found.money["amount"]) == (12, 70)


def test_what_only_reads_writes_to_nothing_and_names_nobody():
    found = bound(step("mcp:mail/find", arguments={"to": [{"any": True}]}, uses=9), reads=["mcp:mail/find"])
    assert (found.writes, found.objects, found.recipients, found.people, found.money["amount"]) == (0, 0, 0, 0, 0)
    assert found.calls == 9


def test_objects_are_what_the_limits_name_or_as_many_as_calls():
    listed = {"arguments": {"file": [{"one_of": ["a", "b", "c"]}], "mode": [{"one_of": ["x", "y"]}]}}
    assert bound(step(**listed)).objects == 6
    assert bound(step(**listed, uses=4)).objects == 4
    assert bound(step(arguments={"file": [{"prefix": "a"}]}, uses=4)).objects == 4
    assert bound(step(arguments={"file": [{"prefix": "a"}]})).objects == UNBOUNDED


LIMITS = {
    "to": [{"one_of": ["a@x", "b@x"]}, {"equals": ["a@x", "c@x"]}, {"equals": "a@x, d@x"}],
    "amount": [{"range": {"min": 0, "max": 5}}, {"one_of": [1, 7]}, {"range": {"max": 3}}],
    "file": [{"one_of": ["f", "g"]}, {"prefix": "f"}],
}
VALUES = {"to": ["a@x", "b@x", ["a@x", "c@x"], "a@x, d@x"], "amount": [0, 1, 3, 5, 7], "file": ["f", "g", "fa", "fb"]}


@st.composite
def plans(draw):
    found = []
    for _ in range(draw(st.integers(1, 2))):
        names = draw(st.lists(st.sampled_from(sorted(LIMITS)), unique=True))
        form = step(draw(st.sampled_from(["mcp:a/w", "mcp:b/w", "mcp:b/r"])))
        form["arguments"] = {name: [draw(st.sampled_from(LIMITS[name]))] for name in names}
        form["optional"] = [name for name in names if draw(st.booleans())]
        form["uses"] = draw(st.integers(1, 3))
        found.append(form)
    return found


@settings(max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), st.data())
def test_no_run_of_calls_does_more_than_the_bound_says(forms, data):
    """The twin of limits (tests/oracle/covers) plays calls against each step; what they did is added up by hand."""
    found = bound(*forms, reads=["mcp:b/r"])
    did = {"calls": 0, "writes": 0, "recipients": 0}
    money, people, objects = Decimal(0), set(), set()
    for form in forms:
        history = []
        for _ in range(5):
            given_names = data.draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
            arguments = {name: data.draw(st.sampled_from(VALUES[name])) for name in given_names}
            call = {"arguments": arguments, "at": 1, "rows": 0}
            if not oracle.allows(form, call, history):
                continue
            history.append(call)
            did["calls"] += 1
            if form["action"] == "mcp:b/r":
                continue
            did["writes"] += 1
            objects.add((form["action"], repr(sorted(arguments.items()))))
            money += Decimal(arguments.get("amount", 0))
            to = arguments.get("to", [])
            did["recipients"] += people_in(to)
            people |= {one.strip() for one in (to.split(",") if isinstance(to, str) else to)}
    assert all(count <= getattr(found, name) for name, count in did.items())
    assert money <= found.money["amount"]
    assert len(people) <= found.people
    assert len(objects) <= found.objects
