"""A mint killed at each named point, and after each of its steps, at AWS (*partial*: moto), MariaDB, MySQL."""

import pytest

from tests.kit.killing import everywhere
from tests.kit.places import PEERS


@pytest.mark.parametrize("kind", PEERS)
def test_nothing_is_left_that_is_not_ended_or_told_wherever_a_mint_is_killed(kind, tmp_path):
    with PEERS[kind]() as place:
        everywhere(tmp_path, place)
