import pytest

from remit.core.agent import LIFE
from tests.kit.nouns import agent, code


def test_a_ceiling_reaches_what_it_lists_and_nothing_beside_it():
    one = agent(ceiling=("mcp:notes/*", "mcp:mail/send"))
    assert one.reaches("mcp:notes/read_note")
    assert one.reaches("mcp:mail/send")
    assert not one.reaches("mcp:mail/send_all")
    assert not one.reaches("mcp:notes-two/read_note")
    assert not agent(ceiling=()).reaches("mcp:notes/read_note")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": "per_" + "a" * 26}, "id_invalid"),
        ({"owner": ""}, "id_invalid"),
        ({"name": "Scribe"}, "name_invalid"),
        ({"purpose": "  "}, "agent_invalid"),
        ({"purpose": "two\nlines"}, "agent_invalid"),
        ({"purpose": "x" * 501}, "agent_invalid"),
        ({"tier": "none"}, "agent_invalid"),
        ({"state": "gone"}, "agent_invalid"),
        ({"review_due": -1}, "moment_invalid"),
        ({"ceiling": ("*",)}, "action_invalid"),
    ],
)
def test_an_agent_that_cannot_be_is_refused(members, expected):
    assert code(agent, **members) == expected


def test_a_retired_agent_never_comes_back():
    assert LIFE.last == {"retired"}
    assert LIFE.after("suspended", "reviewed") == "active"
    assert code(LIFE.after, "retired", "reviewed") == "transition_refused"
