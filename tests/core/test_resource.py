import pytest

from remit.core.resource import Upstream, action, matches, pin, selector, split
from tests.kit.nouns import AGENT, code, resource, tool


@pytest.mark.parametrize("kind", ["read_note", "A.b-c_1", "@read", "@sampling", "@list"])
def test_an_action_comes_apart_as_it_was_put_together(kind):
    assert split(action("notes", kind)) == ("notes", kind)


@pytest.mark.parametrize(
    "text",
    ["", "notes/read", "mcp:Notes/read", "mcp:notes/", "mcp:notes/@exec", "mcp:notes/a b", "mcp:notes/a\n", "mcp:/a"],
)
def test_what_is_no_action_is_refused(text):
    assert code(split, text) == "action_invalid"
    assert code(selector, text) == "action_invalid"


def test_a_star_holds_one_resource_alone():
    assert matches("mcp:notes/*", "mcp:notes/@read")
    assert not matches("mcp:notes/*", "mcp:notes2/read")
    assert not matches("mcp:notes/read", "mcp:notes/read_all")


def test_a_pin_moves_with_every_part_of_a_definition():
    one = {"name": "a", "description": "x", "inputSchema": {"type": "object"}}
    assert pin(one) == pin(dict(reversed(one.items())))
    assert len({pin(one), *(pin(one | {name: "other"}) for name in one)}) == 4


@pytest.mark.parametrize("members", [{}, {"url": "http://a", "argv": ("a",)}])
def test_a_target_is_either_a_url_or_a_program(members):
    assert code(Upstream, **members) == "resource_invalid"


def test_records_that_cannot_be_are_refused():
    assert code(resource, owner=AGENT) == "id_invalid"
    assert code(resource, domain="The Office") == "name_invalid"
    assert code(resource, state="off") == "resource_invalid"
    assert code(tool, name="a b") == "tool_invalid"
    assert code(tool, state="off") == "tool_invalid"
