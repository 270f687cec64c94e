"""Over statements at random, the gate never finds fewer rights than PostgreSQL itself wants."""

import pytest

from remit.gateway.postgres.reading import Reading
from remit.gateway.postgres.scope import Table
from tests.kit.fuzz import hold

COUNT = 800
"""How many; tests/slow has a hundred thousand."""


def test_no_statement_reads_or_writes_more_than_its_calls_say():
    wrong, told = hold(20261130, COUNT)
    assert wrong == []
    assert told["ran"] > COUNT / 3, told
    assert sum(told[code] for code in ("function_refused", "statement_refused", "statement_unclassified")) > COUNT / 20


def blind_to_returning(monkeypatch):
    monkeypatch.setattr(Reading, "returning", lambda *_: [])


def blind_to_rows(monkeypatch):
    monkeypatch.setattr(Table, "whole", lambda _: None)


@pytest.mark.parametrize("fault", [blind_to_returning, blind_to_rows])
def test_a_reader_that_is_blind_to_something_is_found_out(monkeypatch, fault):
    fault(monkeypatch)
    wrong, _ = hold(1, 250)
    assert wrong
