"""Ten thousand revokes in one process while another calls, a thousand on the shared store: none is let through."""

import pytest

from tests.kit.nodes import CALLERS, run


@pytest.mark.parametrize(("kind", "count"), [("sqlite", 10_000), ("postgresql", 1_000)])
def test_thousands_of_revokes_let_nothing_through(tmp_path, kind, count):
    tally = run(tmp_path, count, 100, kind)
    assert (tally.revoked, tally.let_through) == (count, 0)
    assert tally.allowed >= count * 100
    assert tally.refused_after >= count * CALLERS
