"""Text from elsewhere, shown inert; and counts, each with its word."""

import pytest

from remit.core.shown import several, shown


def test_text_from_elsewhere_is_inert() -> None:
    assert shown("a\x1b[31m\u202eb\u200b\n\u2028") == r"a\x1b[31m\u202eb\u200b\n\u2028"
    assert shown("é漢") == "é漢"
    assert shown("a" * 100, 10) == "a" * 9 + "…"


@pytest.mark.parametrize(("count", "said"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (1000, "1,000 calls")])
def test_one_is_one_and_all_else_are_many(count: int, said: str) -> None:
    assert several(count, "call") == said
    assert several(count, "identity", "identities").endswith("identity" if count == 1 else "identities")
