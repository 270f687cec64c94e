"""The reach of a plan over what is registered: what a tool was declared to be, and the life that the task has."""

import pytest

from remit.control import reach
from remit.core.budget import Budget
from remit.core.reach import UNBOUNDED
from remit.core.step import Step
from tests.kit.nouns import code
from tests.kit.world import steps

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


def test_it_is_computed_from_plan_brief_and_resources(world):
    held = world.a_brief(budget=Budget(writes=3, money={"amount": "9"}, over="ask"), approvers=("ops",))
    listen = Step.from_json({"action": "mcp:notes/@sampling", "path": "own", "uses": 1})
    template = Step.from_json({"action": "mcp:notes/@read", "path": "own", "rate": {"count": 1, "seconds": 60}})
    plan = (steps()[1], listen, template)
    found = world.act(lambda c: reach.of(c.reader, held, world.agent, plan, 120_500))
    assert found.writable == ("mcp:notes/@sampling", "mcp:notes/write_note")
    assert (found.writes, found.calls, found.rows) == (4, 4 + 3, UNBOUNDED)
    assert (found.money["amount"], found.depth, found.children) == (150, 2, UNBOUNDED)
    assert world.act(lambda c: reach.excess(c.reader, held, world.agent, plan, 1000)) == ("writes", "money:amount")
    assert world.act(lambda c: reach.admit(c, held, world.agent, plan, 1000)) == ("writes", "money:amount")
    strict = world.a_brief(budget=Budget(writes=3))
    assert code(world.act, lambda c: reach.admit(c, strict, world.agent, plan, 1000)) == "reach_over"
    assert world.act(lambda c: reach.admit(c, world.a_brief(), world.agent, plan, 1000)) == ()
