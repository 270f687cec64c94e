"""The same three nodes and the same nemesis, for long: 10,000 revocations and 1,000 races."""

import pytest

from tests.kit.checker import Said
from tests.kit.nemesis import run

PARTS = 20


def test_ten_thousand_revocations_and_a_thousand_races_in_peace(tmp_path):
    story = run(tmp_path, 10_000, 1_000, trouble=False, seed=7)
    silent = [one for one in story.complaints if one.startswith("unanswered: ")]
    assert [one for one in story.complaints if one not in silent] == []
    assert len(silent) <= len(story.events) / 10_000, "on a busy machine one in ten thousand may be too late to be told"
    assert story.count("revoke", Said.DONE) == 10_000
    assert story.count("token", Said.DONE) == 1_000


@pytest.mark.parametrize("seed", range(PARTS))
def test_five_hundred_revocations_and_fifty_races_under_a_nemesis(tmp_path, seed):
    story = run(tmp_path, 500, 50, trouble=True, seed=seed)
    assert story.complaints == []
    assert story.count("revoke", Said.DONE) >= 400
    assert all(took <= 5 for took in story.restarts)
