"""Run: a task for one command. It is watched: it goes on only while whoever runs the command is heard from.

The operator opens it and has its credentials issued, in the agent's name and without the agent's key: how surely the
agent proved itself is therefore "never", and a brief that asks for more gives nothing. The task ends when nobody was
heard from for a minute, whatever became of the machine that the command ran on.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.control import agent as agents
from remit.control import credential, opening
from remit.control.change import Change
from remit.control.credential import Issued, Proved
from remit.control.drift import drift
from remit.core.agent import Agent
from remit.core.errors import RemitError
from remit.core.facts import NEVER
from remit.core.lease import Lease
from remit.core.principal import Service
from remit.core.resource import Resource, split
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store import payload
from remit.store.record import Reader

WATCH_MS: Final = 60_000
"""How long a run goes on after whoever watches it was last heard from."""
LOCAL: Final = "local"


@dataclass(frozen=True, slots=True)
class Place:
    """A resource of the plan, and the kind of its gate: mcp, http or postgres."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a run: its calls by what they came to, and the leases of its tasks, proven dead or not yet.

    What a client does by itself to begin a session or to list is no call here.
    """

    task: Task
    calls: Mapping[str, int]
    leases: tuple[Lease, ...]


def begin(
    change: Change,
    *,
    brief: str,
    agent: str,
    requester: str,
    labels: Mapping[str, str],
    purpose: str,
    life: int | None,
    steps: tuple[Step, ...] | None,
    request: str,
    by: str,
) -> tuple[Issued, Task]:
    """Open a task for a command, and issue its first credential, on the agent's own path.

    Refuses all that `opening.begin` and `credential.give` refuse, and a task whose reach would wait for a yes
    (`reach_over`): a command cannot wait; and a plan whose every step is on a person's authority (`run_delegated`),
    for only the person can give that, and not to whoever runs a command. `agent` and `requester` are ids or names
    (`not_found`).
    """
    made = opening.begin(
        change,
        brief=brief,
        agent=_agent(change.reader, agent).id,
        requester=_principal(change, requester),
        labels=labels,
        purpose=purpose,
        life=life,
        steps=steps,
        request=request,
        watched=True,
        by=by,
    )
    if made.approval is not None:
        raise RemitError(
            "reach_over",
            "What this command could reach waits for people's yes, and a command cannot wait.",
            "Give a narrower plan, or open the task by hand: remit task open.",
        )
    plan = change.reader.get(Plan, f"{made.task.id}:{made.task.plan}")
    if plan is None or not any(step.path is TrustPath.OWN for step in plan.steps):
        raise RemitError(
            "run_delegated",
            "Every step of this plan is on a person's authority, and a command that is run has only the agent's own.",
            "Let the person consent in their own client: remit connect. Or plan a step on the own path.",
        )
    return renew(change, made.task.id, by), made.task


def watch(change: Change, task_id: str) -> int:
    """Hear from whoever watches a run; it goes on for this many milliseconds (`credential_refused` once it ended)."""
    task = watched(change.reader, task_id)
    if task.state != "open":
        raise RemitError("credential_refused", "This run has ended, or is held.", "Look at it: remit task show.")
    payload.watch(change.db, task.id, change.now + WATCH_MS)
    change.keep()
    return WATCH_MS


def renew(change: Change, task_id: str, by: str) -> Issued:
    """Issue the next credential of a run (`credential_refused` when it has ended, `not_found` for another task)."""
    watch(change, task_id)
    task = watched(change.reader, task_id)
    return credential.give(
        change,
        task_id=task.id,
        agent_id=task.agent,
        path=TrustPath.OWN,
        proved=Proved(NEVER),
        by=by,
    )


def left(change: Change, task: Task) -> bool:
    """Say whether nobody watches a run any more."""
    return change.now >= max(payload.watched_until(change.db, task.id), task.opened + WATCH_MS)


def watched(reader: Reader, task_id: str) -> Task:
    """The task of a run (`not_found`)."""
    task = reader.get(Task, task_id)
    if task is None or not task.watched:
        raise RemitError("not_found", "There is no such run.", "Begin one: remit run.")
    return task


def places(reader: Reader, task: Task) -> tuple[Place, ...]:
    """What the plan of a run uses on the agent's own path, by name."""
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    names = {split(step.action)[0] for step in plan.steps if step.path is TrustPath.OWN} if plan else set()
    found = (reader.get(Resource, name) for name in sorted(names))
    return tuple(Place(one.name, one.kind) for one in found if one is not None)


def course(reader: Reader, task: Task) -> Course:
    """What became of a run so far, with all tasks below it."""
    tasks, calls = _tree(reader, task), Counter[str]()
    for one in tasks:
        calls.update(event.what for event in drift(reader, one) if event.what != "planned" and "/@" not in event.action)
    leases = tuple(lease for one in tasks for lease in reader.where(Lease, "task = ?", (one.id,)))
    return Course(task, {name: calls[name] for name in ("done", "open", "refused")}, leases)


def _tree(reader: Reader, task: Task) -> list[Task]:
    found = [task]
    for child in list(reader.where(Task, "parent = ?", (task.id,))):
        found += _tree(reader, child)
    return found


def _agent(reader: Reader, name: str) -> Agent:
    found = reader.get(Agent, name) if name.startswith("agt_") else None
    found = found or agents.named(reader, name)
    if found is None:
        raise RemitError("not_found", "There is no such agent.", "List them: remit agent show.")
    return found


def _principal(change: Change, name: str) -> str:
    if name.startswith(("per_", "svc_")):
        return name
    service = next(change.reader.where(Service, "name = ?", (name,)), None)
    if service is not None:
        return service.id
    issuer, mark, subject = name.rpartition("#")
    found = payload.person_at(change.db, issuer if mark else LOCAL, subject)
    if found is None:
        raise RemitError("not_found", "There is no such person or service.", "Name a dispatcher of the brief: --as.")
    return found
