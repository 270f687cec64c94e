"""core/canonical against rfc8785 and the standard library."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from remit.core.canonical import DEPTH, EXACT, canon, read, unb64, write
from remit.core.errors import RemitError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-EXACT, EXACT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_form_is_rfc_8785(value):
    assert canon(value) == rfc8785.dumps(value)


@given(VALUES)
def test_reading_undoes_writing_in_every_spelling(value):
    assert canon(read(write(value))) == canon(value)
    assert canon(read(json.dumps(value, indent=1).encode())) == canon(value)


BAD = {
    "duplicate": b'{"a":1,"a":2}',
    "duplicate_escaped": b'{"a":1,"\\u0061":2}',
    "duplicate_nested": b'[{"x":{"a":1,"a":1}}]',
    "nan": b"[NaN]",
    "infinity": b"[-Infinity]",
    "overflow": b"[1e400]",
    "surrogate": b'["\\ud800"]',
    "bom": b"\xef\xbb\xbf{}",
    "utf16": '{"a":1}'.encode("utf-16"),
    "overlong": b'"\xc0\xaf"',
    "trailing": b"{} {}",
    "truncated": b'{"a":',
    "empty": b"",
    "deep": b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1),
    "very_deep": b"[" * 100_000 + b"]" * 100_000,
    "long_integer": b"[" + b"9" * 5000 + b"]",
    "control": b'["\x01"]',
}


@pytest.mark.parametrize("fault", BAD)
def test_what_two_readers_could_read_differently_is_refused(fault):
    with pytest.raises(RemitError) as caught:
        read(BAD[fault])
    assert caught.value.code == "json_invalid"


def test_nesting_up_to_the_limit_is_read():
    assert read(b"[" * DEPTH + b"]" * DEPTH) is not None
    assert read(b'{"a":"' + b"[" * 200 + b'"}') == {"a": "[" * 200}


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q Q", "Q+", "é"])
def test_base64_has_one_spelling(text):
    with pytest.raises(RemitError) as caught:
        unb64(text)
    assert caught.value.code == "base64_invalid"
