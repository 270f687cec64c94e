from remit.core.errors import RemitError
from remit.core.lifecycle import Lifecycle
from tests.kit.nouns import code

DOOR = Lifecycle("door", {"open": {"shut": "closed"}, "closed": {"opened": "open", "walled": "gone"}, "gone": {}})


def test_what_is_written_down_follows():
    assert DOOR.after("open", "shut") == "closed"
    assert DOOR.last == {"gone"}


def test_what_is_not_written_down_is_refused():
    for state, event in (("open", "opened"), ("gone", "opened"), ("ajar", "shut"), ("open", "")):
        assert code(DOOR.after, state, event) == "transition_refused"


def test_a_refusal_says_what_can_still_be():
    try:
        DOOR.after("closed", "shut")
    except RemitError as fault:
        said = fault
    assert said.remedy == "What it can still be: opened, walled."
