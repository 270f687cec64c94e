"""A session is of a person, ends after it begins, and never lives again."""

import pytest

from remit.core.session import LASTS, LIFE
from tests.kit.nouns import NOON, code, named, session


@pytest.mark.parametrize(
    "wrong",
    [{"id": named("lgn")}, {"person": named("agt")}, {"until": NOON}, {"state": "new"}, {"auth_time": -1}],
    ids=str,
)
def test_what_cannot_be_a_session_is_refused(wrong):
    session()
    assert code(lambda: session(**wrong)) in ("session_invalid", "id_invalid", "moment_invalid")


def test_a_session_ends_for_good():
    assert LIFE.last == {"ended"}
    assert code(LIFE.after, "ended", "ended") == "transition_refused"
    assert LASTS == 8 * 3_600_000
