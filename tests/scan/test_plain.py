"""The plain words that are looked for before a pattern: they may save a pattern's time, and never its finding."""

import pytest

from remit.scan import code, hinted, pymixed
from tests.kit import corpus

FOLDERS = (*corpus.FOLDERS, corpus.FOLDER / "own")


@pytest.fixture(scope="module")
def texts():
    """Every file of Python of every corpus."""
    cases = [case for folder in FOLDERS for one in corpus.codes(folder) for case in corpus.cases(one, folder)]
    return [text for case in cases for path, text in case.files if path.endswith(".py")]


def test_no_plain_word_hides_what_its_pattern_meets(texts):
    assert len(texts) > 800
    for text in texts:
        assert code.is_agents(text) == bool(code._HINT.search(text)), text
        met = pymixed._SERVICE_CODE.search(text) and (pymixed._PERSON_CODE.search(text) or "Header(" in text)
        assert not met or pymixed.may(text), text


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_name_that_counts_only_in_quotes_is_met_in_them(quote):
    for name in code._NAMED:
        assert code.is_agents(f"run([{quote}{name}{quote}])")
        assert not code.is_agents(f"{name} = 1")
    assert not hinted.may("x = 1")
