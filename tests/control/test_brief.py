import pytest

from remit.control import brief
from remit.core.grant import Step
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size


def test_applying_sets_the_version_and_the_same_again_changes_nothing(world):
    before = size(world)
    assert world.act(lambda c: brief.apply(c, world.a_brief(), "op")).version == 1
    assert size(world) == before
    assert world.act(lambda c: brief.apply(c, world.a_brief(depth=1, version=9), "op")).version == 2
    assert kinds(world, before) == ["brief.applied"]


def step(action):
    return (Step.from_json({"action": action, "path": "own"}),)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"agents": (named("agt", "z"),)}, "not_found"),
        ({"dispatchers": (named("per", "z"),)}, "not_found"),
        ({"dispatchers": (named("svc", "z"),)}, "not_found"),
        ({"steps": step("mcp:mail/send")}, "action_unknown"),
        ({"steps": step("mcp:notes/burn")}, "action_unknown"),
        ({"domains": ("people",)}, "domain_outside"),
    ],
)
def test_a_brief_that_names_what_is_not_registered_is_refused(world, members, code):
    assert refused(world, lambda c: brief.apply(c, world.a_brief(**members), "op")) == code


def test_withdrawn_is_for_good(world):
    before = size(world)
    world.act(lambda c: brief.withdraw(c, "notes", "op", "over"))
    assert kinds(world, before) == ["brief.withdrawn"]
    assert refused(world, lambda c: brief.apply(c, world.a_brief(), "op")) == "transition_refused"
    assert refused(world, lambda c: brief.withdraw(c, "notes", "op")) == "transition_refused"
    assert refused(world, lambda c: brief.withdraw(c, "none", "op")) == "not_found"
