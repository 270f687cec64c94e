import pytest

from remit.core.principal import LIFE
from tests.kit.nouns import AGENT, code, person, service


@pytest.mark.parametrize(
    ("members", "expected"),
    [({"id": AGENT}, "id_invalid"), ({"state": "away"}, "transition_refused"), ({"groups": ("Ops",)}, "name_invalid")],
)
def test_a_person_that_cannot_be_is_refused(members, expected):
    assert code(person, **members) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": AGENT}, "id_invalid"),
        ({"owner": AGENT}, "id_invalid"),
        ({"name": ""}, "name_invalid"),
        ({"state": "away"}, "transition_refused"),
    ],
)
def test_a_service_that_cannot_be_is_refused(members, expected):
    assert code(service, **members) == expected


def test_who_left_does_not_come_back():
    assert LIFE.last == {"gone"}
