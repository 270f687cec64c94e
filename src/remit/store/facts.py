"""The Facts of one call, read inside the transaction that will record its decision."""

from collections.abc import Callable

from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.credential import Credential, Key, PathGate
from remit.core.decision import Facts, consumes
from remit.core.grant import Usage
from remit.core.moment import Instant
from remit.core.policy import PolicySet
from remit.core.principal import Person, Service
from remit.core.resource import Resource, Tool, split
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.store.apply import usage
from remit.store.record import Reader

DEEPEST = 9
Policies = Callable[[TrustPath], PolicySet | None]


def facts(reader: Reader, credential_id: str, call: Call, origin: str, now: Instant, policies: Policies) -> Facts:
    """Read all that `decide` may look at for this call. What is not there stays absent, and absent refuses."""
    credential = reader.get(Credential, credential_id)
    if credential is None:
        return Facts(now=now)
    task = reader.get(Task, credential.task)
    resource = reader.get(Resource, call.resource)
    key, gate = reader.get(Key, credential.key), reader.get(PathGate, credential.path.value)
    if task is None:
        return Facts(now=now, credential=credential, key=key, gate=gate, resource=resource)
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    agent = reader.get(Agent, task.agent)
    parents = ancestors(reader, task)
    above = tuple(reader.get(Plan, f"{one.id}:{one.plan}") for one in parents or ())
    plans = tuple(one for one in above if one is not None)
    active_at, last_leaf = _activity(reader, task)
    brief = reader.get(Brief, task.brief)
    return Facts(
        now=now,
        credential=credential,
        key=key,
        gate=gate,
        task=task,
        ancestors=parents if parents is not None and len(plans) == len(parents) else None,
        active_at=Instant(max(active_at, task.opened)),
        last_leaf=last_leaf,
        plan=plan,
        agent=agent,
        owner=reader.get(Person, agent.owner) if agent else None,
        person=reader.get(Person, task.person) if task.person else None,
        requester_live=principal_live(reader, task.requester),
        brief=brief,
        resource=resource,
        tools=_tools(reader, call, plan),
        policy=policies(credential.path),
        usage=_usage(reader, call, plan, plans, brief),
        above=plans,
        origin=bool(origin) and _in_flight(reader, origin, credential.id),
    )


def ancestors(reader: Reader, task: Task) -> tuple[Task, ...] | None:
    """The tasks above this one, nearest first; None when one is missing or the chain has no end."""
    found: list[Task] = []
    while task.parent:
        above = reader.get(Task, task.parent)
        if above is None or len(found) >= DEEPEST:
            return None
        found.append(above)
        task = above
    return tuple(found)


def activity(reader: Reader, task: Task) -> Instant:
    """When the task last had a call allowed; its opening when it never had."""
    return Instant(max(_activity(reader, task)[0], task.opened))


def _activity(reader: Reader, task: Task) -> tuple[int, int]:
    row = reader.db.one("SELECT at, leaf FROM activity WHERE task = ?", (task.id,))
    return row or (0, -1)


def principal_live(reader: Reader, principal: str) -> bool:
    """Say whether a person or service is still here."""
    found: Person | Service | None = (
        reader.get(Service, principal) if principal.startswith("svc_") else reader.get(Person, principal)
    )
    return found is not None and found.state == "active"


def _tools(reader: Reader, call: Call, plan: Plan | None) -> dict[str, Tool]:
    names = {call.kind}
    for step in plan.steps if plan else ():
        place, kind = split(step.action)
        if place == call.resource:
            names.add(kind)
    found = {}
    for name in names:
        tool = reader.get(Tool, f"{call.resource}/{name}") if name[0] != "@" else None
        if tool is not None:
            found[name] = tool
    return found


def _usage(
    reader: Reader, call: Call, plan: Plan | None, above: tuple[Plan, ...], brief: Brief | None
) -> dict[tuple[str, str, int], Usage]:
    """What has been used of every counted step that this call could be charged to, up to the brief's."""
    found: dict[tuple[str, str, int], Usage] = {}
    for number, step in enumerate(plan.steps if plan else ()):
        if plan is None or step.action != call.action:
            continue
        source = number
        for one in (plan, *above):
            if source < len(one.steps):
                if consumes(one.steps[source]):
                    _add(reader, found, (one.task, f"plan:{one.version}", source))
                source = one.sources[source]
        root = above[-1].task if above else plan.task
        if brief is not None and source < len(brief.steps) and consumes(brief.steps[source]):
            _add(reader, found, (root, "brief", source))
    return found


def _add(reader: Reader, found: dict[tuple[str, str, int], Usage], place: tuple[str, str, int]) -> None:
    used = usage(reader.db, *place)
    if used is not None:
        found[place] = used


def _in_flight(reader: Reader, origin: str, credential: str) -> bool:
    return reader.db.one("SELECT 1 FROM flight WHERE call = ? AND credential = ?", (origin, credential)) is not None
