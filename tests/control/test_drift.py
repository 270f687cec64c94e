"""What a task planned, did and was refused, in order; and what its brief does about an act outside the plan."""

import pytest

from remit.control import brief, task
from remit.control.drift import drift
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.task import Task
from tests.kit.nouns import code
from tests.kit.told import kinds, refused, size
from tests.kit.world import read_call, steps

WRITE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "x"})


def seen(world, one, most=1000):
    return world.act(lambda c: drift(c.reader, c.need(Task, one.id), most))


def entered(world, one):
    return world.enter(world.a_credential(one.id).text)


def held_to(world, rule):
    """A task whose plan holds reading alone, under a brief with this rule, and its way in."""
    world.act(lambda c: brief.apply(c, world.a_brief(unplanned=rule), "operator"))
    one = world.a_task()
    world.act(lambda c: task.plan(c, one.id, steps()[:1], "op"))
    return one, entered(world, one)


def test_planned_done_open_and_refused_stand_in_order(world, time):
    one = world.a_task()
    entry = entered(world, one)
    time.on(1)
    world.note(world.decide(read_call(), entry))
    time.on(1)
    world.decide(read_call("/etc"), entry)
    time.on(1)
    world.decide(WRITE, entry)
    time.on(1)
    world.act(lambda c: task.plan(c, one.id, steps()[:1], "op"))
    time.on(1)
    world.decide(WRITE, entered(world, one))
    found = seen(world, one)
    assert [(each.what, each.code, each.plan) for each in found] == [
        ("planned", "", 1), ("done", "", 1), ("refused", "argument_refused", 1), ("open", "", 1), ("planned", "", 2),
        ("refused", "plan_outside", 2),
    ]  # fmt: skip
    assert [each.leaf for each in found if each.what != "planned"] == sorted(
        each.leaf for each in found if each.what != "planned"
    )
    assert [each.what for each in seen(world, one, 1) if each.what != "planned"] == ["refused"]
    assert "/etc" not in str(found)


def test_an_act_outside_the_plan_is_refused_and_nothing_more_unless_the_brief_says(world):
    _, entry = held_to(world, "refuse")
    assert world.decide(WRITE, entry).code == "plan_outside"
    assert isinstance(world.decide(read_call(), entry), Permit)


def test_it_ends_the_task_and_all_below_it_where_the_brief_says_end(world):
    one, entry = held_to(world, "end")
    child = world.a_task(parent=one.id, person=one.person)
    before = size(world)
    assert world.decide(WRITE, entry).code == "plan_outside"
    assert kinds(world, before) == ["task.ended", "task.ended", "call.decided"]
    assert world.decide(read_call(), entry).code == "task_ended"
    assert world.act(lambda c: c.need(Task, child.id)).state == "ended"
    assert world.act(lambda c: c.need(Task, one.id)).because == "plan"


def test_it_holds_the_task_until_it_is_resumed_where_the_brief_says_hold(world):
    one, entry = held_to(world, "hold")
    assert refused(world, lambda c: task.resume(c, one.id, "op")) == "transition_refused"
    assert world.decide(WRITE, entry).code == "plan_outside"
    assert world.decide(read_call(), entry).code == "task_suspended"
    assert refused(world, lambda c: task.plan(c, one.id, steps()[:1], "op")) == "transition_refused"
    world.act(lambda c: task.resume(c, one.id, "op"))
    assert isinstance(world.decide(read_call(), entry), Permit)


@pytest.mark.parametrize("rule", ["", "allow", "END"])
def test_a_rule_that_is_none_is_refused(world, rule):
    assert code(world.a_brief, unplanned=rule) == "brief_invalid"
