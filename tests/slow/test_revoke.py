"""Ten thousand revokes in one process while another calls: none is let through."""

from tests.kit.nodes import CALLERS, run


def test_ten_thousand_revokes_let_nothing_through(tmp_path):
    tally = run(tmp_path, 10_000, 100)
    assert (tally.revoked, tally.let_through) == (10_000, 0)
    assert tally.allowed >= 10_000 * 100
    assert tally.refused_after >= 10_000 * CALLERS
