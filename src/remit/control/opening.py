"""Opening a task: what its first plan could reach at worst is held against the brief's budget before it is open."""

from dataclasses import dataclass
from typing import Any

from remit.control import proposal, task
from remit.control.change import Change
from remit.core.approval import Approval
from remit.core.errors import RemitError
from remit.core.task import Plan, Task


@dataclass(frozen=True, slots=True)
class Opened:
    """The task, and the approval that it waits for when its reach is beyond the budget and people are asked."""

    task: Task
    approval: Approval | None = None


def begin(change: Change, **members: Any) -> Opened:
    """Open a task (see control/task for what it takes and refuses), and ask people where it is held for its reach."""
    made = task.open_task(change, **members)
    if made.held != "reach":
        return Opened(made)
    steps = change.need(Plan, f"{made.id}:{made.plan}").steps
    return Opened(made, proposal.ask(change, made, proposal.OPENING, proposal.body(change, made, steps)))


def waits() -> RemitError:
    """What is said of a task that people must say yes to first, and that is for a command."""
    return RemitError(
        "reach_over",
        "What this command could reach waits for people's yes, and a command cannot wait.",
        "Give a narrower plan, or open the task by hand: remit task open.",
    )
