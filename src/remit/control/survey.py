"""Surveys: what was seen of a target's rights is kept, with a receipt that says when and gives its digest."""

from typing import Final

from remit.control.change import Change
from remit.control.landscape import Landscape, openers
from remit.core.errors import RemitError
from remit.core.reach import survey as rules
from remit.core.reach.survey import Seen, Survey
from remit.core.resource import split
from remit.core.task import Plan, Task
from remit.store import payload

STANDING: Final = "standing"


def keep(change: Change, resource: str, seen: Seen, by: str) -> Survey:
    """Keep what was seen of a target, in the place of what that source told before."""
    data = seen.written()
    made = Survey(
        resource=resource,
        source=seen.source,
        at=change.now,
        digest=rules.digest(data),
        nodes=len(seen.nodes),
        edges=len(seen.edges),
        login=seen.login,
        notes=seen.notes,
    )
    payload.put_blob(change.db, made.digest, data)
    change.record("survey.made", made, by)
    return made


def _listed(places: set[str]) -> str:
    return ", ".join(sorted(places)) or "a system of this task"


def standing(made: Landscape, task_id: str) -> str:
    """Add to a graph what a task's agent would hold without it: whatever opens the systems of its plan, for ever.

    Returns the node's key. Refuses a task whose systems nothing is known to open (`standing_unknown`).
    """
    task = made.reader.get(Task, task_id)
    if task is None:
        raise RemitError(
            "standing_unknown",
            f"Only a task is compared with what opens its systems for ever, and {task_id} is none.",
            "Name a task, with --compare; list them: remit task list.",
        )
    plan = made.reader.get(Plan, f"{task_id}:{task.plan}")
    places = {split(step.action)[0] for step in plan.steps} if plan else set()
    builder = made.builder
    at = builder.node("credential", f"{STANDING}-{task_id}", f"what would stand for {task_id}")
    found = False
    for place in sorted(places & made.resources.keys()):
        for name, login in openers(made, made.resources[place]):
            builder.edge(at, builder.node("secret", name), "is")
            if login:
                builder.edge(at, builder.node("role", f"{place}/{login}"), "logs in as")
            found = True
    if not found:
        raise RemitError(
            "standing_unknown",
            f"There is nothing to compare with: no stored secret or login is known that opens {_listed(places)}.",
            "Store the secret that does: remit secret put; or look at the target: remit reach introspect RESOURCE.",
        )
    return f"credential:{STANDING}-{task_id}"
