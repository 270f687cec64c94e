"""What no connection can be."""

import pytest

from remit.core.connection import LIFE
from tests.kit.nouns import PERSON, TASK, code, connection


def test_an_ended_connection_never_lives_again():
    assert LIFE.last == {"gone"}
    assert not any("live" in edges.values() for edges in LIFE.table.values())
    assert connection(scopes=("openid", "https://api.example/read", "a:b")).state == "live"


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"id": PERSON}, "id_invalid"),
        ({"person": TASK}, "id_invalid"),
        ({"resource": "A"}, "name_invalid"),
        ({"at": -1}, "moment_invalid"),
        ({"state": "lost"}, "connection_invalid"),
        ({"state": "gone"}, "connection_invalid"),
        ({"proof": "revoked"}, "connection_invalid"),
        ({"state": "gone", "proof": "said so"}, "connection_invalid"),
        ({"scopes": ("",)}, "connection_invalid"),
        ({"scopes": ("a b",)}, "connection_invalid"),
        ({"scopes": ('"',)}, "connection_invalid"),
        ({"scopes": ("a",) * 101}, "connection_invalid"),
    ],
)
def test_what_no_connection_can_be(members, wrong):
    assert code(connection, **members) == wrong
