"""Parameters only narrow: held against the slow way, value by value."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.core import limit
from remit.core.grant import covers
from remit.core.parameters import MOST, narrowed, read
from remit.core.step import Step
from tests.kit.nouns import code

NOTES = {"action": "mcp:notes/read", "path": "delegated", "arguments": {"path": [{"subpath": "/notes"}]}}
FORMS = (
    {"any": True}, {"equals": "/notes/a"}, {"one_of": ["/notes/a", "/notes/b"]}, {"subpath": "/notes"},
    {"subpath": "/notes/a"}, {"subpath": "/etc"}, {"prefix": "/notes/"}, {"max_length": 8}, {"max_length": 30},
    {"range": {"min": 0, "max": 5}}, {"range": {"min": 2, "max": 9}}, {"equals": 3}, {"pattern": "/notes/.*"},
)  # fmt: skip
VALUES = ("/notes/a", "/notes/b", "/notes/a/deep/down", "/notes", "/etc", "", 0, 3, 5, 9, True, None, [], {})


def step(*forms, optional=()):
    return Step.from_json(
        {"action": "mcp:notes/read", "path": "delegated", "arguments": {"x": list(forms)}, "optional": list(optional)}
    )


def allows(one, value):
    return all(each.allows(value) for each in one.arguments["x"])


def compared(forms, wanted, *, optional):
    whole = step(*forms, optional=("x",) if optional else ())
    found = narrowed((whole,), read({"x": wanted}))
    if found is None:
        return False
    mine = read({"x": wanted})["x"]
    (less,) = found
    assert covers(whole, less), "a parameter widened a step"
    assert "x" not in less.optional, "a parameter could be gone round by leaving its argument out"
    for value in VALUES:
        assert allows(less, value) == (allows(whole, value) and mine.allows(value)), (forms, wanted, value)
    return True


def test_each_pair_of_limits_by_value():
    taken = sum(
        compared((form,), wanted, optional=bool(number % 2))
        for number, (form, wanted) in enumerate(itertools.product(FORMS, (*FORMS, "/notes/a", 3, True, None)))
    )
    assert 40 < taken < 180


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from(FORMS), min_size=1, max_size=3), st.sampled_from((*FORMS, "/notes/b", 0)), st.booleans()
)
def test_several_limits_by_value(forms, wanted, optional):
    compared(forms, wanted, optional=optional)


def test_what_is_not_within_every_step_that_names_it_is_refused():
    other = Step.from_json(NOTES | {"action": "mcp:notes/write", "arguments": {"path": [{"subpath": "/notes/out"}]}})
    both = (Step.from_json(NOTES), other)
    assert narrowed(both, read({"path": "/notes/in"})) is None
    assert narrowed(both, read({"path": "/etc/passwd"})) is None
    assert narrowed(both, read({"path": {"subpath": "/etc"}})) is None, "a step that allows nothing is no step"
    assert narrowed(both, read({"folder": "/notes/out"})) is None, "an argument that nobody names"
    assert narrowed(both, read({"path": "/notes/out/a"}))[1].arguments["path"][0].says() == 'exactly "/notes/out/a"'
    bare = Step.from_json({"action": "mcp:notes/wipe", "path": "delegated"})
    kept = narrowed((*both, bare), read({"path": "/notes/out/a"}))
    assert kept[2] == bare, "what does not name the argument stays"
    assert narrowed(both, read({})) == both
    assert limit.from_json({"subpath": "/notes"}) in kept[0].arguments["path"] or len(kept[0].arguments["path"]) == 1


@pytest.mark.parametrize(
    "form", ["x", [], 1, None, {"": "x"}, {"path": []}, {"path": {"subpath": "/a", "prefix": "/"}},
             {"path": {"subpath": None}}, {"path": {"unknown": 1}}, {"/x": "y"}, {"n": 1e400},
             {str(n): 1 for n in range(MOST + 1)}],
)  # fmt: skip
def test_what_is_no_parameter_is_refused(form):
    assert code(read, form) == "limit_invalid"
