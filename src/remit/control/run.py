"""Run: a task for one command. It is watched: it goes on only while whoever runs the command is heard from.

The operator opens it and has its credentials issued, in the agent's name and without the agent's key: how surely the
agent proved itself is therefore "never", and a brief that asks for more gives nothing. What acts for a person is
opened by their consent, to the client of `asking`, and its credentials are that consent's. The task ends when nobody
was heard from for a minute, whatever became of the machine that the command ran on.
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
from remit.core.brief import Brief
from remit.core.client import Client
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
ANSWERS: Final = "http://127.0.0.1/remit-run"
"""Where a person's answer goes: to the port that the command's starter listens at (RFC 8252 section 7.3)."""


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
    for only the person can give that: they are asked by the client of `asking`. `agent` and `requester` are ids or
    names (`not_found`).
    """
    _on(change.need(Brief, brief).steps if steps is None else steps, TrustPath.OWN)
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
        raise opening.waits()
    return renew(change, made.task.id, by), made.task


def asking(change: Change, *, brief: str, agent: str, by: str) -> Client:
    """The client by which a command of this agent asks a person for their consent: added when there is none yet.

    It is public, and its answers go to the machine that the person's browser runs on. Refuses what would be refused to
    every person: a brief that gives this agent no task now (`task_refused`), or that holds no step on a person's
    authority (`run_own`). `agent` is an id or a name (`not_found`).
    """
    under, actor = change.need(Brief, brief), _agent(change.reader, agent)
    if under.state != "live" or actor.state != "active" or not under.gives(actor.id, child=False):
        raise RemitError(
            "task_refused",
            f"The brief {brief} gives no task to this agent now.",
            "Ask the operator to list or review it.",
        )
    _on(under.steps, TrustPath.DELEGATED)
    for one in change.reader.where(Client, "agent = ? AND state = 'live'", (actor.id,)):
        if one.runs:
            return one
    made = Client(id=change.authority.make("cli"), agent=actor.id, name="remit run", redirects=(ANSWERS,), runs=True)
    change.record("client.added", made, by)
    return made


def _on(steps: tuple[Step, ...], path: TrustPath) -> None:
    """Refuse steps of which none is on this path."""
    if any(step.path is path for step in steps):
        return
    if path is TrustPath.OWN:
        raise RemitError(
            "run_delegated",
            "Every step of this plan is on a person's authority, and nobody consented to it.",
            "Let a person consent: remit run --path delegated. Or plan a step on the own path.",
        )
    raise RemitError(
        "run_own",
        "No step of this brief is on a person's authority: there is nothing that a person could consent to.",
        "Run it on the agent's own authority: --path own.",
    )


def watch(change: Change, task_id: str) -> int:
    """Hear from whoever watches a run; it goes on for this many milliseconds (`credential_refused` once it ended)."""
    task = watched(change.reader, task_id)
    if task.state != "open":
        raise RemitError("credential_refused", "This run has ended, or is held.", "Look at it: remit task show.")
    payload.watch(change.db, task.id, change.now + WATCH_MS)
    change.keep()
    return WATCH_MS


def renew(change: Change, task_id: str, by: str) -> Issued:
    """Issue the next credential of a run (`credential_refused` when it has ended, `not_found` for another task).

    On the agent's own path alone: what a person consented to is renewed by what their consent gave (control/renewal),
    and by nobody's word that they run its command.
    """
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
    """What the plan of a run uses on its path, by name: a person's where one consented to it, else the agent's own."""
    path = TrustPath.DELEGATED if task.consent else TrustPath.OWN
    names = {split(step.action)[0] for step in _planned(reader, task) if step.path is path}
    found = (reader.get(Resource, name) for name in sorted(names))
    return tuple(Place(one.name, one.kind) for one in found if one is not None)


def left_out(reader: Reader, task: Task) -> tuple[str, ...]:
    """The actions that the plan of a run on the agent's own path holds on a person's authority: nobody gave them."""
    return tuple(sorted({one.action for one in _planned(reader, task) if one.path is TrustPath.DELEGATED}))


def _planned(reader: Reader, task: Task) -> tuple[Step, ...]:
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    return plan.steps if plan is not None else ()


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
