"""Values that can be known again: nested, respelt, inside a text; and what is too short to be one."""

import pytest

from remit.core.carried import LONGEST, MOST, values


def atoms(value):
    return {atom for _, atom in values(value)}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (480213, "480213"), ("480213", "480213.00"), (1249.5, "1249.50"), (-40213.25, "-40213.250"), (1e6, "1000000"),
        ("Ana@Clinic.example", "\uff41na@clinic.example "), ("Order A48213 is late.", "a48213"),
        ({"x": ["case-1001"]}, "CASE-1001"),
        ("https://shop.example/orders/A48213?x=1", "A48213"), (10**20, "100000000000000000000"),
    ],
)  # fmt: skip
def test_one_value_is_known_again(left, right):
    assert atoms(left) & atoms(right)


@pytest.mark.parametrize("value", [None, True, 42, 1.5, "yes", "", [], {}, "   ", {"a": [False, 0, "abc"]}])
def test_what_is_the_same_by_chance_is_no_value(value):
    assert atoms(value) == set()


@pytest.mark.parametrize(
    ("left", "right"), [("case-10011", "case-1001"), (1249.5, 1249.55), ("Monday draft", "Monday")]
)
def test_another_value_is_another(left, right):
    assert not atoms(left) & atoms(right)


def test_a_place_is_a_pointer_and_the_first_one_counts():
    found = {atom: place for place, atom in values({"a/b": [{"c~d": "case-1001"}], "e": "case-1001"})}
    assert found == {"case-1001": "/a~1b/0/c~0d"}


def test_what_is_looked_at_is_bounded():
    assert len(list(values([f"value-{n}" for n in range(MOST + 100)]))) == MOST
    assert "late-value-77" not in atoms("x " * LONGEST + "late-value-77")
