"""Law 4, the classifier of plans: what it calls equal or narrower, a solver finds no call that it allows anew."""

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.core.replan import classify
from remit.core.step import Step
from tests.kit.planted import Planted, each_goes_red
from tests.oracle import plans as oracle

LIMITS = (
    {"any": True}, {"equals": "a"}, {"equals": 2}, {"one_of": ["a", "ab", 1]}, {"one_of": ["a", True, None]},
    {"prefix": "a"}, {"prefix": "ab"}, {"pattern": "a.*"}, {"pattern": "[ab]+"}, {"pattern": "ab?"},
    {"range": {"min": 0, "max": 2}}, {"range": {"max": 2}}, {"range": {"min": 1}}, {"max_length": 1},
    {"max_length": 3}, {"subpath": "/a"}, {"subpath": "/a/b"}, {"subpath": "/"}, {"host": ["a.ex", "*.b.ex"]},
    {"host": ["a.ex"]}, {"host": ["*.a.b.ex", "c.b.ex"]}, {"cidr": ["10.0.0.0/8"]},
    {"cidr": ["10.0.0.0/9", "11.0.0.0/8"]}, {"cidr": ["10.0.0.0/7"]},
)  # fmt: skip
EXTRAS = {
    "uses": st.integers(1, 4),
    "rate": st.fixed_dictionaries({"count": st.integers(1, 3), "seconds": st.integers(1, 3)}),
    "rows": st.fixed_dictionaries({"max": st.integers(1, 3)}),
    "window": st.sampled_from([{"start": 0, "end": 9}, {"start": 0, "end": 5}, {"start": 2, "end": 5}]),
}


@st.composite
def steps(draw):
    """One step: up to two arguments, each with up to two limits, and some counts."""
    names = draw(st.sampled_from([["x"], ["x"], ["x", "y"], []]))
    form = {
        "action": draw(st.sampled_from(["mcp:a/r", "mcp:a/r", "mcp:a/w"])),
        "path": draw(st.sampled_from(["own", "own", "delegated"])),
    }
    form["arguments"] = {
        n: draw(st.lists(st.sampled_from(LIMITS), min_size=1, max_size=2, unique_by=repr)) for n in names
    }
    form["optional"] = [name for name in names if draw(st.integers(0, 3)) == 0]
    form["allow_unknown"] = draw(st.integers(0, 4)) == 0
    for name, strategy in EXTRAS.items():
        if draw(st.integers(0, 3)) == 0:
            form[name] = draw(strategy)
    if names and draw(st.integers(0, 5)) == 0:
        form["totals"] = [{"argument": "x", "max": draw(st.sampled_from(["1", "2.5"]))}]
    return form


@st.composite
def moves(draw):
    """A plan and what becomes of it: most often one small thing is changed, so that most verdicts turn on it."""
    before = draw(st.lists(steps(), min_size=1, max_size=3))
    after = [dict(one) for one in before]
    for _ in range(draw(st.integers(0, 2))):
        number = draw(st.integers(0, len(after) - 1))
        other = draw(steps())
        change = draw(st.sampled_from(["limit", "count", "drop", "split", "add", "path", "optional"]))
        step = after[number]
        if change == "limit" and step["arguments"]:
            name = draw(st.sampled_from(sorted(step["arguments"])))
            limits = [draw(st.sampled_from(LIMITS)), *step["arguments"][name][draw(st.integers(0, 1)) :]][:2]
            step["arguments"] = step["arguments"] | {name: limits}
        elif change == "count":
            for name in EXTRAS:
                step.pop(name, None)
                if name in other:
                    step[name] = other[name]
        elif change == "drop" and len(after) > 1:
            del after[number]
        elif change == "split":
            after.append(dict(step))
        elif change == "add":
            after.append(other)
        elif change == "path":
            step["path"] = other["path"]
        else:
            step["optional"] = [name for name in other["optional"] if name in step["arguments"]]
    return before, after


def said(before, after):
    """What the classifier says, with both plans as the ceiling: outside is another question."""
    old, new = (tuple(Step.from_json(one) for one in plan) for plan in (before, after))
    return classify((*old, *new, *new), old, new)


FOUND = {"narrows": 0, "wider": 0, "unknown": 0}


def nothing_is_called_narrower_that_allows_more(_folder: Path, most: int = 400) -> None:
    @settings(max_examples=most, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
              suppress_health_check=list(HealthCheck), phases=(Phase.generate,))  # fmt: skip
    @given(moves())
    def law(pair):
        before, after = pair
        moved = said(before, after)
        if not moved.narrows:
            FOUND["wider"] += 1
            return
        FOUND["narrows"] += 1
        found = oracle.wider(before, after)
        if found is not None and found[3] == "unknown":
            FOUND["unknown"] += 1
        else:
            assert found is None, f"called {moved.kind}, and it allows more {found[0]}: {before} {after} {found[3]}"

    law()


def test_law():
    nothing_is_called_narrower_that_allows_more(Path(), 150)
    assert FOUND["narrows"] > 30
    assert FOUND["wider"] > 30
    assert FOUND["unknown"] * 20 <= FOUND["narrows"], FOUND


FAULTS = (
    Planted(
        "a plan is held against the brief alone", "core/replan.py", "held = draw(before, after)[0]",
        "held = draw(ceiling, after)[0]", nothing_is_called_narrower_that_allows_more, "it allows more",
    ),
    Planted(
        "one step may be wider", "core/replan.py", "if not beyond:", "if len(beyond) < 2:",
        nothing_is_called_narrower_that_allows_more, "it allows more",
    ),
    Planted(
        "an optional argument is as good as one that must be there", "core/grant.py",
        "if name in child.optional and name not in parent.optional:", "if not name:",
        nothing_is_called_narrower_that_allows_more, "it allows more",
    ),
)  # fmt: skip


test_planted = each_goes_red(FAULTS)
