import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.ids import PREFIXES, make, name, parse
from tests.kit.nouns import code


@given(st.sampled_from(sorted(PREFIXES)), st.binary(min_size=16, max_size=16))
def test_an_id_that_was_made_is_parsed_as_its_own_kind_only(prefix, random):
    text = make(prefix, random)
    assert parse(prefix, text) == text
    for other in PREFIXES.keys() - {prefix}:
        assert code(parse, other, text) == "id_invalid"


@pytest.mark.parametrize("text", ["", "per_", "per_" + "a" * 25, "per_" + "A" * 26, "per_" + "a" * 26 + "\n", None, 7])
def test_what_is_no_id_is_refused(text):
    assert code(parse, "per", text) == "id_invalid"


def test_too_little_randomness_or_an_unknown_kind_makes_no_id():
    assert code(make, "per", b"x" * 15) == "id_invalid"
    assert code(make, "xyz", b"x" * 16) == "id_invalid"


@pytest.mark.parametrize("text", ["a", "0-a", "a" * 63])
def test_a_name_is_lower_case_digits_and_hyphens(text):
    assert name("brief", text) == text


@pytest.mark.parametrize("text", ["", "-a", "A", "a_b", "a" * 64, "a\n", "é", None])
def test_no_other_text_is_a_name(text):
    assert code(name, "brief", text) == "name_invalid"
