import pytest

from remit.control import resource
from remit.core.resource import Tool, Upstream
from remit.custody.secret import Secret
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size
from tests.kit.world import TOOLS


def adding(world, **given):
    members = {"name": "mail", "upstream": Upstream(url="http://127.0.0.1:9/mail"), "domain": "office", "by": "op"}
    members |= {"owner": world.owner.id, "tools": TOOLS} | given
    return lambda change: resource.add(change, **members)


def state(world, name):
    return world.act(lambda c: c.need(Tool, name)).state


def test_a_resource_is_added_with_a_pin_for_each_tool(world):
    before = size(world)
    world.act(adding(world))
    assert kinds(world, before) == ["resource.added"] + ["tool.pinned"] * 3


def test_registering_again_pins_what_is_new_and_suspends_what_is_gone(world):
    before = size(world)
    other = {"read_note": TOOLS["read_note"], "wipe": {"name": "wipe", "description": "Another."}}
    world.act(adding(world, name="notes", tools=other))
    assert kinds(world, before) == ["resource.changed", "tool.pinned", "tool.suspended"]
    assert [state(world, f"notes/{name}") for name in TOOLS] == ["pinned", "suspended", "pinned"]


def test_a_definition_that_changed_by_itself_suspends_its_tool_once(world):
    offered = TOOLS | {"wipe": {"name": "wipe", "description": "Harmless."}, "new": {"name": "new"}}
    before = size(world)
    assert world.act(lambda c: resource.differing(c, "notes", offered)) == {"wipe", "new"}
    assert world.act(lambda c: resource.differing(c, "notes", offered)) == {"wipe", "new"}
    assert kinds(world, before) == ["tool.suspended"]
    assert world.act(lambda c: resource.differing(c, "notes", TOOLS)) == {"wipe"}, "it waits for a person"
    world.act(adding(world, name="notes"))
    assert world.act(lambda c: resource.differing(c, "notes", TOOLS)) == frozenset()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"owner": named("per", "z")}, "not_found"),
        ({"tools": {"a b": {}}}, "tool_invalid"),
        ({"tools": {"big": {"description": "x" * 1_000_001}}}, "tool_invalid"),
        ({"domain": "The Office"}, "name_invalid"),
    ],
)
def test_a_resource_that_cannot_be_is_refused_whole(world, given, code):
    assert refused(world, adding(world, **given)) == code


def test_a_secret_is_sealed_kept_and_stands_in_no_receipt(world):
    before = size(world)
    assert world.act(lambda c: resource.put_secret(c, "key", Secret(b"hush-hush"))) == 1
    assert world.act(lambda c: resource.put_secret(c, "key", Secret(b"hush-again"))) == 2
    assert world.authority.vault.get(resource.SECRETS, "key").reveal() == b"hush-again"
    assert size(world) == before


def test_a_secret_that_could_not_be_taken_out_of_answers_is_refused(world):
    assert refused(world, lambda c: resource.put_secret(c, "key", Secret(b"hush"))) == "secret_too_short"
