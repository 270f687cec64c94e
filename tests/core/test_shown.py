"""Text from elsewhere, shown inert."""

from remit.core.shown import shown


def test_text_from_elsewhere_is_inert() -> None:
    assert shown("a\x1b[31m\u202eb\u200b\n\u2028") == r"a\x1b[31m\u202eb\u200b\n\u2028"
    assert shown("é漢") == "é漢"
    assert shown("a" * 100, 10) == "a" * 9 + "…"
