import pytest

from remit.core.permit import Entry, Permit
from remit.core.trust import TrustPath
from tests.kit.nouns import AGENT, CALL, CREDENTIAL, TASK


def test_a_permit_shows_and_counts_nothing_by_itself_and_cannot_be_changed():
    permit = Permit(CALL, b"d", 7, TASK, TrustPath.OWN, "notes", until=5)
    assert (permit.visible, permit.counted) == (frozenset(), ())
    with pytest.raises(AttributeError, match="immutable"):
        permit.until = 10**15


def test_an_entry_can_be_asked_about_more_than_once():
    entry = Entry(CREDENTIAL, TASK, AGENT, TrustPath.OWN, "notes")
    assert {entry: 1}[Entry(CREDENTIAL, TASK, AGENT, TrustPath.OWN, "notes")] == 1
