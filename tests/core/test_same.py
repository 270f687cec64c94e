"""Secret texts compared: whatever is shown, and only the same is the same."""

from remit.core.same import same


def test_only_the_same_text_is_the_same():
    assert same("state", "state")
    assert same("é", "é")
    for shown in ("", "stat", "state ", "State", "é", "\ud800", None, 1, b"state", ["state"]):
        assert not same(shown, "state")
