import pytest

from remit.core.revocation import KINDS
from tests.kit.nouns import TASK, code, revocation


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_stopped(kind):
    assert revocation(kind=kind).kind == kind


def test_what_cannot_be_a_revocation_is_refused():
    assert code(revocation, kind="everything") == "revocation_invalid"
    assert code(revocation, because="x" * 501) == "revocation_invalid"
    assert code(revocation, id=TASK) == "id_invalid"
    assert code(revocation, at=-1) == "moment_invalid"
