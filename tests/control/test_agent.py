import pytest

from remit.control import agent, principal
from remit.core.agent import Agent
from remit.core.moment import Instant
from remit.core.record import changed
from tests.kit.nouns import named
from tests.kit.told import kinds, refused, size
from tests.kit.world import DAY


def adding(world, **given):
    members = {"name": "other", "owner": world.owner.id, "purpose": "Tests.", "ceiling": (), "keys": (), "by": "op"}
    members |= {"review_due": world.authority.clock.now() + DAY} | given
    return lambda change: agent.add(change, **members)


def test_an_agent_is_added_active_until_its_review(world):
    before = size(world)
    assert world.act(adding(world)).state == "active"
    assert kinds(world, before) == ["agent.added"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "scribe"}, "name_taken"),
        ({"owner": named("per", "z")}, "not_found"),
        ({"review_due": 1}, "review_past"),
        ({"ceiling": ("*",)}, "action_invalid"),
        ({"purpose": ""}, "agent_invalid"),
        ({"keys": ({"kty": "oct", "k": "AAAA"},)}, "jwk_invalid"),
    ],
)
def test_an_agent_that_lacks_something_is_refused(world, given, code):
    assert refused(world, adding(world, **given)) == code


def test_an_owner_who_left_owns_nothing_new(world):
    world.act(lambda c: principal.end_person(c, world.person.id, "op", ""))
    assert refused(world, adding(world, owner=world.person.id)) == "owner_gone"
    assert refused(world, lambda c: agent.transfer(c, world.agent.id, world.person.id, "op")) == "owner_gone"


def test_one_that_was_proposed_is_not_put_in_force_without_a_ceiling(world):
    due, put = world.authority.clock.now() + DAY, {"owner": world.owner.id, "purpose": "p", "by": "op"}
    one = world.act(lambda c: agent.propose(c, name="new", review_due=due, **put))
    for none in (None, ()):
        assert refused(world, lambda c, none=none: agent.review(c, one.id, due, "op", none)) == "ceiling_missing"
    assert world.act(lambda c: c.need(Agent, one.id)).state == "proposed"
    done = world.act(lambda c: agent.review(c, one.id, due, "op", ("mcp:notes/*",)))
    assert (done.state, done.ceiling) == ("active", ("mcp:notes/*",))
    assert world.act(lambda c: agent.review(c, one.id, due, "op")).ceiling == ("mcp:notes/*",), "it stands"


@pytest.mark.parametrize(
    ("state", "word"),
    [("suspended", "wake it"), ("proposed", "--ceiling"), ("retired", "another one"), ("active", "is still right")],
)
def test_why_an_agent_may_do_nothing_is_said_with_what_helps(world, state, word):
    due = world.agent.review_due
    what, remedy = agent.lacking(changed(world.agent, state=state), due)
    assert (state if state != "active" else "overdue") in what
    assert word in remedy
    assert agent.lacking(world.agent, Instant(due - 1)) is None


def test_a_suspended_agent_is_woken_by_its_review_and_a_retired_one_never(world, time):
    before, due = size(world), world.authority.clock.now() + DAY
    assert world.act(lambda c: agent.stop(c, world.agent.id, "suspended", "op", "odd")).state == "suspended"
    assert world.act(lambda c: agent.transfer(c, world.agent.id, world.person.id, "op")).owner == world.person.id
    assert world.act(lambda c: agent.review(c, world.agent.id, due, "op")).review_due == due
    world.act(lambda c: agent.stop(c, world.agent.id, "retired", "op"))
    assert kinds(world, before) == ["agent.suspended", "agent.transferred", "agent.reviewed", "agent.retired"]
    assert refused(world, lambda c: agent.review(c, world.agent.id, due, "op")) == "transition_refused"
    assert refused(world, lambda c: agent.review(c, world.agent.id, time.ms, "op")) == "review_past"
    assert world.act(lambda c: c.need(Agent, world.agent.id)).state == "retired"
