"""AWS against its twins, on many more policies and accounts."""

import pytest

from tests.core.test_reach_aws import wrong_places, wrong_words
from tests.core.test_reach_aws_become import wrong_becoming


@pytest.mark.parametrize("seed", range(12, 400))
def test_an_account_is_told_as_the_twins_tell_it(seed):
    assert wrong_words(seed) == []
    assert wrong_places(seed) == []
    assert wrong_becoming(seed) == []
