"""Asks on both stores: put once, answered by the right people, used once, void when a byte moves."""

import pytest

from remit.control import approval, brief, principal, revocation
from remit.core.answer import Deny
from remit.core.approval import HOUR, MOST, Approval
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from remit.store import payload
from tests.kit.approving import MORE, Approving
from tests.kit.told import kinds, refused, size, told
from tests.kit.world import DAY


@pytest.fixture
def place(world):
    return Approving(world)


def test_a_call_waits_is_approved_and_is_let_through_once(place):
    before = size(place.world)
    waits = place.ask()
    assert kinds(place.world, before) == ["approval.asked", "call.decided"]
    assert told(place.world)[-1]["approval"] == waits
    assert place.ask() == waits, "the same call asks once"
    done = place.answer(waits, place.ann)
    assert (done.state, done.yes[0].by, done.yes[0].group) == ("approved", place.ann, "ops")
    permit = place.call()
    assert isinstance(permit, Permit)
    assert told(place.world)[-1]["approval"] == waits
    assert place.ask() != waits, "it was good for one call"


def test_no_argument_value_stands_in_what_is_recorded(place):
    before = size(place.world)
    place.answer(place.ask("/notes/secret-plan"), place.ann)
    place.call("/notes/secret-plan")
    assert "secret-plan" not in str(told(place.world, before))


def test_what_is_shown_is_the_call_and_all_it_rests_on(place):
    waits = place.ask("/notes/x")
    card, digest = place.world.act(lambda c: approval.show(c, c.need(Approval, waits)))
    assert digest == place.one(waits).shown
    assert card["arguments"] == {"path": "/notes/x"}
    assert (card["action"], card["path"], card["task"]) == ("mcp:notes/read_note", "own", place.task.id)
    assert (card["agent"]["name"], card["requester"]) == ("scribe", place.world.owner.id)
    assert card["tool"]
    assert card["policy"]


def test_a_yes_from_before_an_errand_was_blended_lets_nothing_through_after(world):
    """The brief asks the same group about both, so only what was shown tells the two apart."""
    place = Approving(world)
    world.act(lambda c: brief.apply(c, world.a_brief(version=2, blended="ask", approvers=("ops",)), "operator"))
    waits = place.ask()
    place.answer(waits, place.ann)
    other = world.enter(world.a_credential(place.task.id, TrustPath.DELEGATED, world.owner.id).text)
    wrote = world.decide(Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"}), other)
    assert isinstance(wrote, Permit)
    again = place.ask()
    assert again != waits
    card, _ = world.act(lambda c: approval.show(c, c.need(Approval, again)))
    assert card["blended"] is True


def test_no_is_no_until_it_is_over(place, time):
    waits = place.ask()
    assert place.answer(waits, place.ann, yes=False).state == "denied"
    assert place.call().code == "approval_denied"
    place.ask("/notes/b")
    assert refused(place.world, lambda c: approval.answer(c, waits, place.ben, yes=True, shown="", via="t")) == (
        "approval_closed"
    )
    time.on(place.one(waits).until - place.world.authority.clock.now())
    assert isinstance(place.call(), Deny)


def test_only_people_of_the_group_who_are_not_barred_answer(place):
    waits = place.ask()
    shown = place.one(waits).shown

    def code(by):
        return refused(place.world, lambda c: approval.answer(c, waits, by, yes=True, shown=shown, via="t"))

    assert code(place.cal) == "approver_refused"
    assert code(place.world.owner.id) == "approver_refused", "who requested it never answers"
    assert code(place.world.agent.id) == "approver_refused"
    place.world.act(lambda c: principal.end_person(c, place.ben, "operator", ""))
    assert code(place.ben) == "approver_refused"
    place.answer(waits, place.ann)


def test_two_of_a_group_are_two_people(world):
    place = Approving(world, need=2)
    waits = place.ask()
    assert place.answer(waits, place.ann).state == "pending"
    shown = place.one(waits).shown
    assert refused(world, lambda c: approval.answer(c, waits, place.ann, yes=True, shown=shown, via="t")) == (
        "approver_refused"
    )
    assert place.call().code == "approval_pending"
    assert place.answer(waits, place.ben).state == "approved"
    assert isinstance(place.call(), Permit)


def test_the_owner_can_be_barred_where_somebody_else_requested(world):
    place = Approving(world, bar=("owner",))
    place.task = world.a_task(requester=world.person.id, by=world.person.id)
    place.renew()
    waits = place.ask()
    shown = place.one(waits).shown
    assert refused(world, lambda c: approval.answer(c, waits, world.owner.id, yes=True, shown=shown, via="t")) == (
        "approver_refused"
    )
    place.answer(waits, place.ann)
    assert isinstance(place.call(), Permit)


def test_a_yes_can_cover_a_shape_for_a_number_of_calls(world):
    place = Approving(world, repeat={"mcp:notes/read_note": 2})
    waits = place.ask("/notes/abcdef")
    card, _ = world.act(lambda c: approval.show(c, c.need(Approval, waits)))
    assert card["shape"] == {"object": {"path": {"text": {"up_to": 13}}}}
    assert card["uses"] == 2
    place.answer(waits, place.ann)
    assert isinstance(place.call("/notes/a"), Permit)
    assert place.call("/notes/a-much-longer-name").code == "approval_pending", "it is not of the shape"
    assert isinstance(place.call("/notes/b"), Permit)
    assert place.call("/notes/c").code == "approval_pending", "both uses are gone"


def test_it_outlives_the_credential_and_a_restart_but_not_its_time(place, time):
    waits = place.ask()
    place.answer(waits, place.ann)
    time.on(6 * 60_000)
    assert place.call().code == "credential_expired"
    place.renew()
    assert isinstance(place.call(), Permit)
    again = place.ask("/notes/late")
    place.answer(again, place.ann)
    time.on(place.one(again).until - place.world.authority.clock.now())
    assert place.call("/notes/late").code in ("task_deadline", "task_idle", "approval_pending", "credential_expired")
    assert HOUR < DAY


@pytest.mark.parametrize("moved", ["policy", "left", "erased", "brief"])
def test_what_moves_after_the_yes_voids_it_and_asks_anew(place, moved):
    waits = place.ask()
    place.answer(waits, place.ann)
    world = place.world
    if moved == "policy":
        place.rule(MORE)
    elif moved == "left":
        world.act(lambda c: revocation.revoke(c, "person", place.ann, "operator"))
    elif moved == "erased":
        held = place.one(waits).call
        world.act(lambda c: (c.keep(), payload.erase(c.db, held)))
    else:
        place.terms(need=2)
    again = place.ask()
    assert again != waits
    assert moved == "erased" or place.one(waits).state == "void"


def test_an_answer_is_to_what_was_shown_and_to_nothing_else(place):
    waits = place.ask()
    assert refused(place.world, lambda c: approval.answer(c, waits, place.ann, yes=True, shown="x", via="t")) == (
        "approval_moved"
    )
    shown = place.one(waits).shown
    place.rule(MORE)
    assert refused(place.world, lambda c: approval.answer(c, waits, place.ann, yes=True, shown=shown, via="t")) == (
        "approval_moved"
    )


def test_a_task_cannot_drown_people_in_asks(place):
    for number in range(MOST):
        place.ask(f"/notes/{number}")
    assert place.call("/notes/one-more").code == "approval_flood"


def test_an_ended_task_takes_its_asks_with_it(place):
    waits = place.ask()
    shown = place.one(waits).shown
    place.world.act(lambda c: revocation.revoke(c, "task", place.task.id, "operator"))
    assert refused(place.world, lambda c: approval.answer(c, waits, place.ann, yes=True, shown=shown, via="t")) == (
        "approval_moved"
    )
