"""A mint killed at each named point, and after each of its steps at the target: for each source.

AWS, MariaDB and MySQL, which need programs of their own: `tests/peers/test_killed.py`.
"""

import pytest

from tests.kit.killing import everywhere
from tests.kit.places import PLACES


@pytest.mark.parametrize("kind", PLACES)
def test_nothing_is_left_that_is_not_ended_or_told_wherever_a_mint_is_killed(kind, tmp_path):
    with PLACES[kind]() as place:
        everywhere(tmp_path, place)
