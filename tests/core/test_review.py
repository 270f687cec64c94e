"""What a review may hold, and which of it some words choose."""

import pytest

from remit.core.lifecycle import UNUSED
from remit.core.resource import Upstream
from remit.core.review import LIFE, Item, Review, chosen, reached_by, rests, told
from tests.kit.nouns import brief, code, named, resource, review

ITEMS = (Item(noun="resource", name="mail"), Item(noun="agent", name="site"), Item(noun="brief", name="site"))


def test_a_word_names_all_of_a_name_or_one_alone():
    assert chosen(ITEMS, ["*"]) == ({"resource/mail", "agent/site", "brief/site"}, set())
    assert chosen(ITEMS, ["site"]) == ({"agent/site", "brief/site"}, set())
    assert chosen(ITEMS, ["site", "brief/site"]) == ({"agent/site", "brief/site"}, {"brief/site"})
    assert chosen(ITEMS, []) == (set(), set())
    assert code(chosen, ITEMS, ["none"]) == "not_found"


@pytest.mark.parametrize(
    "given",
    [
        {"items": ()},
        {"items": (ITEMS[0], ITEMS[0])},
        {"items": tuple(Item(noun="resource", name=f"r{n}") for n in range(401))},
        {"state": "done"},
    ],
)
def test_what_cannot_be_reviewed_is_refused(given):
    assert code(review, **given) == "review_invalid"


def test_an_item_is_of_a_known_noun_and_answer():
    assert code(Item, noun="person", name="mail") == "review_invalid"
    assert code(Item, noun="agent", name="mail", answer="perhaps") == "review_invalid"
    assert code(Review, id=named("rsz"), at=1, by="", shown="", items=ITEMS) == "id_invalid"
    assert LIFE.last == {"closed"}


def test_only_what_is_not_in_force_may_lack_steps():
    for state in UNUSED:
        assert brief(state=state, steps=()).steps == ()
        assert resource(state=state).state == state
    assert code(brief, steps=()) == "brief_invalid"


def test_a_person_is_told_what_a_thing_gives_where_it_was_and_what_it_rests_on():
    steps = [{"action": "mcp:mail/read", "path": "own"}, {"action": "mcp:desk/@read", "path": "delegated"}]
    held = {"dispatchers": ["per_x"], "steps": steps, "domains": ["desk", "mail"]}
    kept = {"name": "KEY", "refers": "$KEY", "file": "/a/.env", "line": 2, "also": ["wiki"]}
    said = {"noun": "brief", "name": "site", "record": held, "file": "/a/b", "line": 1, "credentials": [kept]}
    assert told(said, {"per_x": "Olga"}.get) == {
        "where": ["/a/b:1"],
        "owner": ["Olga"],
        "steps": ["mcp:mail/read (own, any arguments)", "mcp:desk/@read (delegated, any arguments)"],
        "domains": ["desk", "mail"],
        "rests on": ["agent/site", "resource/desk", "resource/mail"],
        "credential 1": ["KEY: refers to $KEY at /a/.env:2, also referred to by wiki"],
    }
    assert told(said | {"record": held | {"steps": []}}, str)["steps"] == ["none was seen"]
    agent = {"noun": "agent", "name": "site", "record": {"owner": "per_x", "purpose": "Helps."}, "ceiling": []}
    assert told(agent, str) == {"owner": ["per_x"], "purpose": ["Helps."], "ceiling": ["nothing"]}
    assert rests(agent | {"ceiling": ["mcp:mail/*"]}) == ["resource/mail"]


def test_no_word_of_a_command_passes_for_two_nor_for_the_folder_that_it_is_run_in():
    """A program in a folder named `node ` was shown as `node` with an argument, and a word as the folder."""
    deceiving = Upstream(argv=("node /opt/server.js",), directory="/srv/repo")
    plain = Upstream(argv=("node", "/opt/server.js"), directory="/srv/repo")
    assert reached_by(plain) == "node /opt/server.js (in /srv/repo)"
    assert reached_by(deceiving) == "'node /opt/server.js' (in /srv/repo)"
    spoofed = Upstream(argv=("python", "server.py", "(in", "/opt/trusted)"), directory="/srv/repo")
    assert reached_by(spoofed) == "python server.py '(in' '/opt/trusted)' (in /srv/repo)"
