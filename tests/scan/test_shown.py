"""Values that say themselves that they open nothing, and those beside them that do not say so."""

import base64
import json
import time

import pytest

from remit.scan import shown


@pytest.mark.parametrize(
    ("value", "so"),
    [
        ("mocked-access-token", True),
        ("sk-invalid-key-refused-at-once", True),
        ("testRefreshToken", True),
        ("demo-visitor-417", True),
        ("quaytests-admin", True),
        ("latest-harbor-lantern", False),
        ("quartz-meadow-lantern", False),
        ("demo-9f31c07ab2", False),
        ("", False),
        ("test-" * 40, False),
    ],
)
def test_a_value_says_that_it_is_for_show_in_plain_words_or_not_at_all(value, so):
    assert shown.is_shown(value) is so


@pytest.mark.parametrize(
    ("value", "so"),
    [("secretpassword", True), ("My_Super-Secret", True), ("secretharbor", False), ("", False), ("apikey" * 20, False)],
)
def test_a_value_says_only_what_it_is(value, so):
    assert shown.is_called_secret(value) is so


@pytest.mark.parametrize(("algorithm", "so"), [("none", True), ("None", True), ("HS256", False)])
def test_a_token_that_nobody_signed_is_no_secret(algorithm, so):
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).decode().rstrip("=")
    assert shown.is_unsigned(f"provider:{header}.e30.x") is so
    assert not shown.is_unsigned(header)
    assert not shown.is_unsigned("eyJ!.e30.x")


def test_a_long_hostile_value_is_answered_at_once():
    began = time.process_time()
    for value in ("a-" * 500_000, "secret" * 200_000, "eyJ" * 300_000, "apikey" * 13 + "!"):
        shown.is_shown(value)
        shown.is_called_secret(value)
        shown.is_unsigned(value)
    assert time.process_time() - began < 10
