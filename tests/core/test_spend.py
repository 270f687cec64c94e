"""What one call takes of its errand's budget: of the first task's, by what its tool was declared to be."""

from remit.core.budget import Budget
from remit.core.call import Call
from remit.core.facts import Facts
from remit.core.grant import Refusal
from remit.core.spend import budgeted, reads
from tests.kit import nouns
from tests.kit.nouns import NOON, named

CALL = Call("mcp:notes/read_note", {"path": "/notes/a"})
ROOT = named("tsk", "r")


def facts(**members):
    given = {"now": NOON, "agent": nouns.agent(), "task": nouns.task(), "tools": {"read_note": nouns.tool()}}
    return Facts(**(given | members))


def test_what_a_call_does_is_what_its_tool_was_declared_to_do():
    assert reads(CALL, facts())
    assert not reads(CALL, facts(tools={"read_note": nouns.tool(reads=False)}))
    assert not reads(CALL, facts(tools={}))
    assert reads(Call("mcp:notes/@read", {}), facts())
    assert not reads(Call("mcp:notes/@sampling", {}), facts())


def test_it_is_charged_to_the_first_task_which_may_have_been_lifted():
    above = nouns.task(id=ROOT)
    (one,) = budgeted(CALL, facts(ancestors=(above,)), Budget(calls=1, writes=0), ROOT)
    assert (one.task, one.scope) == (ROOT, "budget:calls")
    assert budgeted(CALL, facts(ancestors=(nouns.task(id=ROOT, lifted=("calls",)),)), Budget(calls=0), ROOT) == ()
    assert isinstance(budgeted(CALL, facts(task=None), Budget(calls=1), ROOT), Refusal)
