"""Each argument limit against the golden vectors: what it allows, refuses, covers and cannot be."""

import json
from pathlib import Path

import pytest

from remit.core import limit
from remit.core.errors import RemitError
from remit.core.limit import counts, naming

VECTORS = Path(__file__).parents[1] / "vectors" / "limits"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


TABLES = [*vectors("values"), *vectors("places")]
VALUES = [value for table in TABLES for side in ("allow", "refuse") for value in table[side]]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: json.dumps(table["limit"])[:60])
def test_allows_and_refuses(table):
    one = limit.from_json(table["limit"])
    assert [value for value in table["allow"] if not one.allows(value)] == []
    assert [value for value in table["refuse"] if one.allows(value)] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: json.dumps(table["limit"])[:60])
def test_round_trips_and_says_something(table):
    one = limit.from_json(table["limit"])
    again = limit.from_json(json.loads(json.dumps(one.to_json())))
    assert again == one
    assert hash(again) == hash(one)
    assert one.to_json().keys() == table["limit"].keys() == {one.tag}
    assert one.says()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: json.dumps(table["limit"])[:60])
def test_never_raises_and_never_lets_a_foreign_kind_in(table):
    one = limit.from_json(table["limit"])
    for value in [*VALUES, "\ud800", "/srv/data/\udcff", 10**400, -(10**400), 1e308, float("nan"), float("inf"), b"a"]:
        assert one.allows(value) in {True, False}
    if one.tag != "any":
        assert not any(one.allows(value) for value in ("\ud800", float("nan"), float("inf"), 10**400, b"a"))


@pytest.mark.parametrize("form", vectors("invalid"), ids=lambda form: json.dumps(form)[:60])
def test_refuses_what_is_no_limit(form):
    with pytest.raises(RemitError) as fault:
        limit.from_json(form)
    assert fault.value.code == "limit_invalid"


@pytest.mark.parametrize("table", vectors("covers"), ids=lambda table: json.dumps(table["parent"])[:60])
def test_covers(table):
    parent = limit.from_json(table["parent"])
    assert [form for form in table["yes"] if not limit.all_cover((parent,), (limit.from_json(form),))] == []
    assert [form for form in table["no"] if limit.all_cover((parent,), (limit.from_json(form),))] == []


def test_the_tags_are_permanent():
    assert list(limit.READERS) == [
        "any",
        "equals",
        "one_of",
        "prefix",
        "pattern",
        "range",
        "subpath",
        "host",
        "cidr",
        "max_length",
        "owned",
    ]


@pytest.mark.parametrize(
    ("value", "printed"), [("100.00", "100.00"), (0, "0"), (0.1, "0.1"), (-0.0, "0.0"), ("0.000000000000000001",) * 2]
)
def test_an_amount_is_read_exactly(value, printed):
    assert format(counts.amount(value), "f") == printed


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1e3",
        "-1",
        "+1",
        "1.",
        ".5",
        "01",
        " 1",
        "1_0",
        "\u0661",
        "NaN",
        "1" * 19,
        -1,
        -0.5,
        True,
        None,
        [1],
        1e20,
        1e-30,
        float("inf"),
        float("nan"),
        10**30,
    ],
)
def test_what_is_no_amount(value):
    assert counts.amount(value) is None


@pytest.mark.parametrize("name", ["", "/a", "/", "/a~2", "/*/a", "x" * 257, None, 1])
def test_refuses_a_name_that_has_another_spelling(name):
    with pytest.raises(RemitError) as fault:
        naming.segments(name)
    assert fault.value.code == "limit_invalid"


def test_reads_a_pointer():
    assert naming.segments("/a/b~1c/~0/*") == ("a", "b/c", "~", "*")
    assert naming.segments("/~1a") == ("/a",)
