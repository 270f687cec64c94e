"""AWS against its twins, on many more policies and accounts, and a large account under controls."""

import time

import pytest

from remit.core.reach.aws.survey import survey
from remit.custody.actions import actions
from tests.core.test_reach_aws import wrong_places, wrong_words
from tests.core.test_reach_aws_become import account, wrong_becoming


@pytest.mark.parametrize("seed", range(12, 400))
def test_an_account_is_told_as_the_twins_tell_it(seed):
    assert wrong_words(seed) == []
    assert wrong_places(seed) == []
    assert wrong_becoming(seed) == []


def test_six_hundred_who_can_write_each_other_below_controls_are_told_in_seconds():
    """All actions of AWS, 200 users and 400 roles; measured at 6 s of one processor's time."""
    data, known = account(users=200, roles=400), actions()
    spent = time.process_time()
    seen = survey(data, known)
    assert time.process_time() - spent < 30
    assert len([1 for kind, name, _ in seen.nodes if kind == "role" and name.startswith(("user/", "role/"))]) == 600
