"""Withdrawal: all that a task's plan gave ends before anything wider is given (law 4).

Its credentials end, and so do its children. What lies at a target ends there too, and counts as ended once that is
proven: until then the task stays suspended.
"""

from remit.control import credential, lease, task
from remit.control.change import Change
from remit.core.credential import Credential
from remit.core.task import Task


def withdraw(change: Change, task_id: str, by: str) -> None:
    """End every credential and every child of a task, and whatever was minted for it."""
    for held in list(change.reader.where(Credential, "task = ? AND state = 'active'", (task_id,))):
        credential.end(change, held.id, by, "plan")
    for child in list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task_id,))):
        task.end(change, child.id, "plan", by)
    lease.end(change, "plan", by, task=task_id)


def unproven(change: Change, task_id: str) -> tuple[str, ...]:
    """What a task's withdrawn plan gave that is not proven to be ended yet, by its name at the target."""
    return tuple(one.name for one in lease.unended(change, change.need(Task, task_id).id))


def proceed(change: Change, most: int = 200) -> int:
    """Let the tasks go on whose ends are proven meanwhile; returns how many. Called by the sweep."""
    going = 0
    for one in list(change.reader.where(Task, "state = 'suspended'", (), most)):
        if one.held == "unproven" and not unproven(change, one.id):
            task.proven(change, one.id, "sweep")
            going += 1
    return going
