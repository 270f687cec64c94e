import pytest

from remit.core.credential import LIFE
from remit.core.trust import TrustPath
from tests.kit.nouns import NOON, PERSON, code, credential, named


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": PERSON}, "id_invalid"),
        ({"subject": named("agt", "b")}, "credential_invalid"),
        ({"subject": PERSON}, "id_invalid"),
        ({"path": TrustPath.DELEGATED}, "id_invalid"),
        ({"expires": NOON}, "credential_invalid"),
        ({"plan": 0}, "credential_invalid"),
        ({"audience": ()}, "credential_invalid"),
        ({"state": "paused"}, "credential_invalid"),
    ],
)
def test_a_credential_that_cannot_be_is_refused(members, expected):
    assert code(credential, **members) == expected


def test_a_delegated_credential_is_a_persons():
    assert credential(path=TrustPath.DELEGATED, subject=PERSON).subject == PERSON


def test_an_ended_credential_stays_ended():
    assert code(LIFE.after, LIFE.after("active", "ended"), "ended") == "transition_refused"
