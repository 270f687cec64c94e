"""What one call takes of its errand's budget, from the facts of its decision."""

from typing import Final

from remit.core.answer import Charge
from remit.core.budget import Budget, charges
from remit.core.call import Call
from remit.core.facts import Facts
from remit.core.grant import Refusal

REVERSE: Final = {"@sampling": "sampling", "@elicitation": "elicitation", "@roots": "roots"}


def budgeted(call: Call, facts: Facts, budget: Budget, root: str) -> tuple[Charge, ...] | Refusal:
    """What the call takes of its errand's budget, which the tasks of the errand share."""
    first = (facts.task, *(facts.ancestors or ()))[-1]
    if first is None or facts.agent is None:
        return Refusal("budget_spent", "The errand cannot be read.", "Open the task again.")
    most = budget.of(facts.agent.tier, *(one.tier for one in facts.actors))
    return charges(most, budget.contacts, first.lifted, call.arguments, facts.usage, root, reads=reads(call, facts))


def reads(call: Call, facts: Facts) -> bool:
    """Say whether this call only reads, as it was declared when the resource was registered."""
    if call.kind[0] == "@":
        return call.kind not in REVERSE
    tool = facts.tools.get(call.kind)
    return tool is not None and tool.reads
