"""A consent, and the code and the refresh tokens that come of it: what they are, and that each is used up for good."""

import pytest

from remit.core.consent import LIFE, ONCE
from tests.kit.nouns import NOON, a_code, code, consent, named, refresh


@pytest.mark.parametrize("make", [consent, a_code, refresh])
@pytest.mark.parametrize(
    "wrong", [{"id": named("lgn")}, {"until": NOON - 1}, {"state": "new"}, {"client": "x"}], ids=str
)
def test_what_cannot_be_is_refused(make, wrong):
    make()
    assert code(lambda: make(**wrong)) in ("consent_invalid", "id_invalid")


@pytest.mark.parametrize("challenge", ["", "c" * 42, "c" * 44, "c" * 42 + "="])
def test_a_code_has_a_challenge_that_s256_could_give(challenge):
    assert code(lambda: a_code(challenge=challenge)) == "consent_invalid"


def test_what_was_used_or_withdrawn_stays_so():
    assert LIFE.last == {"withdrawn"}
    assert ONCE.last == {"used", "ended"}
    assert code(LIFE.after, "withdrawn", "withdrawn") == "transition_refused"
    assert code(ONCE.after, "used", "used") == "transition_refused"
