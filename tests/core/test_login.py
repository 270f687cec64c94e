"""A way in is short, of a known kind, and ends for good."""

import pytest

from remit.core import ids
from remit.core.login import LASTS, LIFE, Login
from tests.kit.nouns import code

ID = ids.make("lgn", bytes(16))
GOOD = {"id": ID, "kind": "link", "made": 1, "until": 2}


@pytest.mark.parametrize(
    "wrong", [{"kind": "door"}, {"state": "new"}, {"until": 1}, {"id": "crd_" + ID[4:]}, {"id": "x"}], ids=str
)
def test_what_cannot_be_a_login_is_refused(wrong):
    Login(**GOOD)
    assert code(lambda: Login(**GOOD | wrong)) in ("login_invalid", "id_invalid")


def test_only_an_open_login_is_used_or_ended():
    assert LIFE.last == {"used", "ended"}
    assert (LIFE.after("open", "used"), LIFE.after("open", "ended")) == ("used", "ended")
    assert code(LIFE.after, "used", "ended") == "transition_refused"
    assert LASTS["link"] < LASTS["session"] < LASTS["token"]
