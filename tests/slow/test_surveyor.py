"""Two hundred random layouts of privileges: what a survey says is what each role really can do."""

import pytest

from tests.custody.test_surveyor import SOME, differences
from tests.kit.postgres import fresh


@pytest.mark.parametrize("seed", range(SOME.stop, 220))
def test_a_survey_says_what_each_role_really_can_do(seed):
    assert differences(fresh(), seed) == []
