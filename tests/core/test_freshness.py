"""What is fresh enough is decided by law 1's own twin; here is what cannot be asked for."""

from remit.core.freshness import Freshness, attested, stale
from tests.kit.nouns import NOON, code, credential


def test_limits_are_from_zero_and_ways_of_signing_in_have_a_name():
    for members in ({"person": -1}, {"agent": -1}, {"owner": -1}, {"acr": ("",)}, {"acr": ("x" * 256,)}):
        assert code(Freshness, **members) == "brief_invalid"
    assert not Freshness(agent=1, owner=1).of_person
    assert Freshness(acr=("mfa",)).of_person


def test_without_a_limit_nothing_is_looked_at():
    assert stale(Freshness(), credential(), (), (), NOON - NOON, NOON) is None
    assert attested(credential(), (), ()) is None
