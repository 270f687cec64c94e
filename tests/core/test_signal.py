"""What each event ends, and whom a subject identifier is about."""

import pytest

from remit.core.signal import CAEP, ENDS, RISC, ends, subjects
from tests.kit.nouns import code, signal, transmitter


def test_each_event_ends_what_the_page_says():
    assert {event.rpartition("/")[2]: ends(event, {"change_type": "revoke"}) for event in ENDS} == {
        "session-revoked": "tasks", "credential-change": "tasks", "assurance-level-change": "credentials",
        "token-claims-change": "credentials", "account-disabled": "person", "account-purged": "person",
        "credential-compromise": "tasks", "sessions-revoked": "tasks",
    }  # fmt: skip
    assert ends(f"{CAEP}credential-change", {"change_type": "delete"}) == "tasks"
    assert ends(f"{CAEP}credential-change", {"change_type": "update"}) == "sessions"
    assert ends(f"{CAEP}credential-change", {}) == "sessions"
    assert ends(f"{CAEP}assurance-level-change", {"change_direction": "increase"}) == "nothing"
    assert ends(f"{CAEP}assurance-level-change", {}) == "credentials"
    assert ends(f"{RISC}account-enabled", {}) == ends("x", {}) == "nothing"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"format": "iss_sub", "iss": "i", "sub": "s"}, ("i", "s")),
        ({"format": "email", "email": "a@b.test"}, ("", "a@b.test")),
        ({"format": "complex", "user": {"format": "iss_sub", "iss": "i", "sub": "s"}}, ("i", "s")),
        ({"user": {"format": "email", "email": "a@b.test"}}, ("", "a@b.test")),
        ({"format": "iss_sub", "iss": "", "sub": "s"}, None), ({"format": "iss_sub", "iss": "i"}, None),
        ({"iss": "i", "sub": "s"}, None), ({"format": "opaque", "id": "x"}, None), ({"format": "email"}, None),
        ({"format": "complex", "user": {"format": "complex", "user": {}}}, None), ({}, None), (None, None), ("x", None),
    ],
)  # fmt: skip
def test_a_subject_is_read_by_its_format(value, expected):
    assert subjects(value) == (() if expected is None else (expected,))


def test_aliases_are_many_names_of_one():
    named = [
        {"format": "iss_sub", "iss": "i", "sub": "s"},
        {"format": "opaque", "id": "x"},
        1,
        {"format": "email", "email": "a@b.test"},
    ]
    both = (("i", "s"), ("", "a@b.test"))
    aliases = {"format": "aliases", "identifiers": named}
    assert subjects(aliases) == subjects({"format": "complex", "user": aliases}) == both
    assert subjects({"format": "aliases", "identifiers": [aliases]}) == ()
    assert subjects({"format": "aliases", "identifiers": {}}) == subjects({"format": "aliases"}) == ()
    assert len(subjects({"format": "aliases", "identifiers": 99 * named})) < 99


def test_what_cannot_be_is_refused():
    for members in ({"ends": "x"}, {"jti": ""}, {"jti": "x" * 257}):
        assert code(signal, **members) == "signal_invalid"
    for members in ({"issuer": ""}, {"audience": ""}, {"keys_url": ""}, {"keys_url": "file:///x"}, {"about": ("",)}):
        assert code(transmitter, **members) == "transmitter_invalid"
    assert transmitter(about=("b",)).speaks_of("b")
    assert not transmitter().speaks_of("b")
