"""A process that is killed after its target made what it asked for, and before it recorded that: for each source.

The other points, and a kill after each step of a mint: `tests/slow/test_killed.py`; AWS and MariaDB:
`tests/peers/test_killed.py`.
"""

from contextlib import closing

import pytest

from remit.custody.sources.postgres import PostgresSource
from tests.kit.dying import Node, now
from tests.kit.killing import killed, strays, suffers
from tests.kit.places import PLACES, at_oauth


@pytest.mark.parametrize("kind", PLACES)
def test_a_kill_between_mint_and_record_leaves_nothing_that_is_not_ended_or_told(kind, tmp_path):
    with PLACES[kind]() as place:
        assert suffers(tmp_path, place, "made") == "killed"


def test_what_no_record_explains_is_found_by_its_label(tmp_path):
    with PLACES["postgres"]() as place:
        strays(tmp_path / "store", place)


def test_what_a_provider_renewed_in_a_mint_that_was_killed_is_lost_and_the_person_is_asked_again(tmp_path):
    with at_oauth("rotate") as place:
        began = now()
        assert killed(tmp_path, place, "made", began)
        with closing(Node(tmp_path, place, began, "another").meet()) as node:
            node.errand()
            found = node.begin()
            assert node.inline.settle(node.lessor, 300)
            assert found[0].code == "connection_refused"


def test_a_drop_that_does_nothing_fails_the_suite(tmp_path, monkeypatch):
    monkeypatch.setattr(PostgresSource, "drop", lambda *_: None)
    with PLACES["postgres"]() as place, pytest.raises(AssertionError, match="killed made: left beside"):
        suffers(tmp_path, place, "made")
