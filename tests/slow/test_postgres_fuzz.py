"""The long run of tests/gateway/test_postgres_fuzz.py: 100,000 statements, each held against PostgreSQL itself."""

import pytest

from tests.kit.fuzz import hold


@pytest.mark.parametrize("seed", range(1, 11))
def test_no_statement_of_a_hundred_thousand_reads_or_writes_more_than_its_calls_say(seed):
    wrong, told = hold(1_000_000 + seed, 10_000)
    assert wrong == []
    assert told["ran"] > 3_000
