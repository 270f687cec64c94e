"""The generated schema: deterministic, total over what tools declare, and exact about arguments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.core.schema import Argument, ResourceShape, UnfitError, arguments, fit, schema
from tests.kit.policies import SHAPES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KIND = st.fixed_dictionaries(
    {}, optional={
        "type": st.sampled_from(["string", "integer", "number", "array", "object", ["string", "null"]]) | JSON,
        "items": st.just({"type": "string"}) | JSON, "enum": JSON, "$ref": JSON,
    },
)  # fmt: skip


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.dictionaries(st.text(max_size=12), KIND | JSON, max_size=5) | JSON, JSON)
def test_whatever_a_tool_declares_gives_a_schema(properties, required):
    declared = {"type": "object", "properties": properties, "required": required}
    made = schema([ResourceShape("git", "mcp", "code", (), {"log": declared})])
    assert made.text.count(" appliesTo ") >= len(made.actions) == 10
    assert made.text.isascii()


def test_the_order_of_registration_is_not_seen():
    assert schema(SHAPES).text == schema(reversed(SHAPES)).text
    assert schema(SHAPES).digest == schema(reversed(SHAPES)).digest


def test_a_name_cannot_leave_its_quotes():
    hostile = {"properties": {'x"?: String}}; action "all"; //\n': {"type": "string"}, "__entity": {"type": "string"}}}
    made = schema([ResourceShape("git", "mcp", "code", (), {"log": hostile})])
    assert 'action "all"' not in made.text
    assert "__entity" not in made.text
    assert len(made.actions["mcp:git/log"].arguments) == 1


def test_types_are_read_where_cedar_has_them():
    assert arguments({"required": ["a", "c"], "properties": {
        "a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}},
        "c": {"type": ["number", "null"]},
        "d": {"enum": ["x", "y"]}, "e": {"type": "object"}, "f": {"anyOf": []}, "g": {"type": "array"},
        "h": {"const": 1},
    }}) == {
        "a": Argument("String", required=True), "b": Argument("Long", many=True),
        "c": Argument("decimal", nullable=True), "d": Argument("String"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "given_as"),
    [
        (Argument("Long"), 5.0, 5), (Argument("Long"), 2**63 - 1, 2**63 - 1), (Argument("Long"), -(2**63), -(2**63)),
        (Argument("String", many=True), [], []), (Argument("Bool"), False, False),
        (Argument("decimal"), -0.5, {"__extn": {"fn": "decimal", "arg": "-0.5000"}}),
        (Argument("decimal"), 12, {"__extn": {"fn": "decimal", "arg": "12.0000"}}),
    ],
)  # fmt: skip
def test_a_value_that_fits_is_given_exactly(kind, value, given_as):
    assert fit(kind, value) == given_as


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Argument("Long"), 2**63), (Argument("Long"), 5.5), (Argument("Long"), True), (Argument("Long"), "5"),
        (Argument("decimal"), 0.00001), (Argument("decimal"), 1e300), (Argument("decimal"), "1"),
        (Argument("String"), None),
        (Argument("String"), {"__entity": {}}), (Argument("String", many=True), "x"),
        (Argument("String", many=True), [1]),
        (Argument("Bool"), 1), (Argument("decimal"), 10**40),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_not_given(kind, value):
    with pytest.raises(UnfitError):
        fit(kind, value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: schema([]),
        lambda: schema([SHAPES[0], SHAPES[0]]),
        lambda: ResourceShape("git", "mcp", "code", (), {'a"b': {}}),
        lambda: ResourceShape("git", "mcp", "code", (), {"a": {}}, frozenset({"b"})),
    ],
)
def test_shapes_that_cannot_be_are_refused(build):
    with pytest.raises(RemitError) as caught:
        build()
    assert caught.value.code == "schema_invalid"
