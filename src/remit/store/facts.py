"""The Facts of one call, read inside the transaction that will record its decision."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from remit.core import budget
from remit.core.agent import Agent
from remit.core.attestor import Binding
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.consent import Consent
from remit.core.credential import Credential, Key, PathGate
from remit.core.decision import FRESH, brief_place, consumes
from remit.core.facts import NEVER, Facts
from remit.core.grant import Usage
from remit.core.lineage.argument import shape_of, wanted
from remit.core.lineage.source import Hold, account
from remit.core.lineage.vouch import Evidence
from remit.core.moment import Instant
from remit.core.policy import COMMON, PolicySet
from remit.core.principal import Person, Service
from remit.core.receipt import PolicyRecord
from remit.core.resource import Resource, Tool, split
from remit.core.session import Session
from remit.core.task import Plan, Task
from remit.core.tracing import objects
from remit.core.trust import TrustPath
from remit.core.witness import RULE, WitnessRule
from remit.store import cosignature, lineage, payload
from remit.store.apply import usage
from remit.store.db import Database
from remit.store.record import Reader, parsed

DEEPEST = 9
Chained = TypeVar("Chained", Task, Credential)
"""What hangs below another of its kind, named by `parent`."""
DELEGATED = TrustPath.DELEGATED.value
Policies = Callable[[TrustPath], PolicySet | None]
Places = tuple[tuple[str, str, int], ...]


def facts(reader: Reader, credential_id: str, call: Call, origin: str, now: Instant, policies: Policies) -> Facts:
    """Read all that `decide` may look at for this call. What is not there stays absent, and absent refuses.

    What rests on records alone is put together once for a credential and an action, until a record is written; what
    each decision changes (usage, activity, calls in flight) is read each time.
    """
    place = (credential_id, f"{call.action} {call.relation}" if call.relation else call.action)
    held: tuple[Facts, Places] | None = reader.joined.get(place)
    if held is None:
        held = reader.joined[place] = _learned(reader, credential_id, call, now, policies)
    standing, places = held
    task = standing.task
    if task is None or standing.credential is None:
        return standing
    active_at, last_leaf, paths = _activity(reader, task)
    if standing.ancestors:
        paths |= _activity(reader, standing.ancestors[-1])[2]
    return replace(
        standing,
        active_at=Instant(max(active_at, task.opened)),
        last_leaf=last_leaf,
        paths=paths,
        usage=_usage(reader, places) if places else standing.usage,
        origin=bool(origin) and _in_flight(reader, origin, credential_id, call.resource),
        evidence=_evidence(reader, standing, task, call, now),
    )


def _evidence(reader: Reader, standing: Facts, task: Task, call: Call, now: Instant) -> Evidence | None:
    """What lineage may look at, read only where the brief has a rule of it."""
    if standing.brief is None or standing.brief.lineage is None:
        return None
    db = reader.db
    return evidence(
        db,
        standing,
        task,
        call,
        lambda root, scope: used.uses if (used := usage(db, root, scope, 0)) else 0,
        lambda key, atoms: lineage.holders(db, task.id, key, atoms),
        lambda: lineage.complete(db, task.id, now),
    )


def evidence(
    db: Database,
    standing: Facts,
    task: Task,
    call: Call,
    used: Callable[[str, str], int],
    holders: Callable[[bytes, Iterable[str]], Mapping[str, tuple[Hold, ...]]],
    complete: Callable[[], bool],
) -> Evidence | None:
    """What lineage may look at: what was used of the errand, which answers hold a value, whether all are known."""
    brief = standing.brief
    if brief is None or brief.lineage is None or call.kind[0] == "@":
        return None
    root = standing.ancestors[-1].id if standing.ancestors else task.id
    held = payload.get(db, root)
    if held is None:
        return Evidence(complete=False, version=brief.version)
    key, text = held[0], held[1].decode()
    shape = shape_of(standing.tools.get(call.kind), call.kind)
    steps = (*(standing.plan.steps if standing.plan else ()), *brief.steps)
    own = objects(call, shape, (step for step in steps if step.action == call.action and step.owned))
    if not shape.reaches and not own:
        return Evidence(request=text, key=key, version=brief.version)
    person = task.person if own else ""
    known = payload.names(db, person) if person else []
    return Evidence(
        request=text,
        holds=holders(key, {*wanted(shape, call.arguments), *own}),
        used=used(root, f"act:{call.action}"),
        undirected=used(root, "undirected"),
        complete=complete(),
        version=brief.version,
        key=key,
        accounts=frozenset(lineage.mark(key, account(one[1])) for one in known if one[0] == f"mcp:{call.resource}"),
        own=lineage.mark(key, "*") if own else b"",
    )


def _learned(reader: Reader, credential_id: str, call: Call, now: Instant, policies: Policies) -> tuple[Facts, Places]:
    """What rests on records; on a store across a network, learn which, so that they are read ahead the next time."""
    if reader.foresight is None:
        return standing(reader, credential_id, call, now, policies)
    asked = reader.asked = set()
    held = standing(reader, credential_id, call, now, policies)
    reader.asked = None
    reader.foresight.learn((credential_id, call.action), asked)
    return held


def standing(reader: Reader, credential_id: str, call: Call, now: Instant, policies: Policies) -> tuple[Facts, Places]:
    """What rests on records alone, and every counted step that this call could be charged to."""
    credential = reader.get(Credential, credential_id)
    if credential is None:
        return Facts(now=now), ()
    path = credential.path.value
    reader.ahead(
        (Task, credential.task), (Resource, call.resource), (Key, credential.key), (PathGate, path),
        (PolicyRecord, COMMON), (PolicyRecord, path), (WitnessRule, RULE),
    )  # fmt: skip
    task = reader.get(Task, credential.task)
    resource = reader.get(Resource, call.resource)
    key, gate = reader.get(Key, credential.key), reader.get(PathGate, credential.path.value)
    if task is None:
        return Facts(now=now, credential=credential, key=key, gate=gate, resource=resource), ()
    reader.ahead(
        (Plan, f"{task.id}:{task.plan}"), (Agent, task.agent), (Brief, task.brief), (Person, task.person),
        (Person, task.requester), (Service, task.requester), (Consent, task.consent),
        (Tool, f"{call.resource}/{call.kind}"),
    )  # fmt: skip
    plan = reader.get(Plan, f"{task.id}:{task.plan}")
    agent = reader.get(Agent, task.agent)
    parents = ancestors(reader, task)
    above = tuple(reader.get(Plan, f"{one.id}:{one.plan}") for one in parents or ())
    plans = tuple(one for one in above if one is not None)
    brief = reader.get(Brief, task.brief)
    actors, above_it = actors_of(reader, parents or ()), givers(reader, credential)
    fresh = brief.fresh if brief else FRESH
    standing = Facts(
        now=now,
        credential=credential,
        key=key,
        gate=gate,
        task=task,
        ancestors=parents if parents is not None and len(plans) == len(parents) else None,
        plan=plan,
        agent=agent,
        owner=reader.get(Person, agent.owner) if agent else None,
        person=reader.get(Person, task.person) if task.person else None,
        consent=reader.get(Consent, task.consent) if task.consent else None,
        requester_live=principal_live(reader, task.requester),
        brief=brief,
        resource=resource,
        tools=_tools(reader, call, plan),
        policy=policies(credential.path),
        above=plans,
        watch=cosignature.watch(reader),
        actors=actors,
        givers=above_it,
        bindings=tuple(_bindings(reader, (credential, *(above_it or ())))),
        sessions=tuple(_sessions(reader, credential.subject)) if fresh.of_person and path == DELEGATED else (),
        owner_seen=min(_seen(reader, one.owner) for one in (agent, *actors)) if fresh.owner and agent else NEVER,
        owned=all(principal_live(reader, one.owner) for one in actors if one.id != task.agent),
    )
    return standing, _places(call, plan, plans, brief)


def ancestors(reader: Reader, task: Task) -> tuple[Task, ...] | None:
    """The tasks above this one, nearest first; None when one is missing or the chain has no end."""
    return _above(reader, task)


def actors_of(reader: Reader, above: tuple[Task, ...]) -> tuple[Agent, ...]:
    """The agents of the tasks above, nearest first; one that is not there is left out, and its absence refuses."""
    found = (reader.get(Agent, one.agent) for one in above)
    return tuple(one for one in found if one is not None)


def givers(reader: Reader, credential: Credential) -> tuple[Credential, ...] | None:
    """The credentials that this one was exchanged from, nearest first; None when one is missing."""
    return _above(reader, credential)


def _above(reader: Reader, one: Chained) -> tuple[Chained, ...] | None:
    found: list[Chained] = []
    while one.parent:
        above = reader.get(type(one), one.parent)
        if above is None or len(found) >= DEEPEST:
            return None
        found.append(above)
        one = above
    return tuple(found)


def _bindings(reader: Reader, credentials: tuple[Credential, ...]) -> Iterator[Binding]:
    """The bindings that these credentials were given by; one that is not there is left out, and its absence refuses."""
    for one in credentials:
        found = reader.get(Binding, one.binding) if one.binding else None
        if found is not None:
            yield found


def _sessions(reader: Reader, person: str) -> Iterator[Session]:
    return reader.where(Session, "person = ? AND state = 'open'", (person,))


def _seen(reader: Reader, owner: str) -> Instant:
    """When an owner was last seen: confirmed, or signed in."""
    person = reader.get(Person, owner)
    signed = (max(one.made, one.auth_time) for one in _sessions(reader, owner))
    return max((person.confirmed if person else NEVER), *signed, NEVER)


def resting(reader: Reader, after: tuple[int, str], most: int) -> list[tuple[Task, Instant]]:
    """The next `most` open tasks by deadline and id, each with when it last had a call allowed, or was opened."""
    rows = reader.db.all(
        "SELECT task.body, activity.at FROM task LEFT JOIN activity ON activity.task = task.id"
        " WHERE task.state = 'open' AND (task.deadline, task.id) > (?, ?) ORDER BY task.deadline, task.id LIMIT ?",
        (*after, most),
    )
    found = ((parsed(Task, body), at) for body, at in rows)
    return [(one, Instant(max(at or 0, one.opened))) for one, at in found]


def activity(reader: Reader, task: Task) -> Instant:
    """When the task last had a call allowed; its opening when it never had."""
    return Instant(max(_activity(reader, task)[0], task.opened))


def last_leaf(reader: Reader, task: Task) -> int:
    """Where the task's last decision stands in the ledger; -1 when there was none."""
    return _activity(reader, task)[1]


def _activity(reader: Reader, task: Task) -> tuple[int, int, int]:
    held = reader.active.get(task.id)
    if held is None:
        row = reader.db.one("SELECT at, leaf, paths FROM activity WHERE task = ?", (task.id,))
        held = reader.active[task.id] = (row[0], row[1], row[2]) if row else (0, -1, 0)
    return held


def principal_live(reader: Reader, principal: str) -> bool:
    """Say whether a person or service is still here."""
    if not principal.startswith("svc_"):
        person = reader.get(Person, principal)
        return person is not None and person.state == "active"
    service = reader.get(Service, principal)
    return service is not None and service.state == "active" and principal_live(reader, service.owner)


def _tools(reader: Reader, call: Call, plan: Plan | None) -> dict[str, Tool]:
    names = {call.kind, call.relation} - {""}
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


def _places(call: Call, plan: Plan | None, above: tuple[Plan, ...], brief: Brief | None) -> Places:
    """Every counted step that this call could be charged to, up to the brief's."""
    found: list[tuple[str, str, int]] = []
    for number, step in enumerate(plan.steps if plan else ()):
        if plan is None or step.action != call.action:
            continue
        source = number
        for one in (plan, *above):
            if source < len(one.steps):
                if consumes(one.steps[source]):
                    found.append((one.task, f"plan:{one.version}", source))
                source = one.sources[source]
        root = above[-1].task if above else plan.task
        if brief is not None and source < len(brief.steps) and consumes(brief.steps[source]):
            found.append((root, *brief_place(brief, source)))
    if plan is not None and brief is not None and brief.budget is not None:
        found += budget.places(brief.budget, above[-1].task if above else plan.task)
    return tuple(found)


def _usage(reader: Reader, places: Places) -> dict[tuple[str, str, int], Usage]:
    """What has been used of these steps."""
    read = ((place, usage(reader.db, *place)) for place in places)
    return {place: used for place, used in read if used is not None}


def _in_flight(reader: Reader, origin: str, credential: str, resource: str) -> bool:
    """Say whether the call that a server's request hangs on is open, of this credential, and at this same resource."""
    row = reader.db.one("SELECT action FROM flight WHERE call = ? AND credential = ?", (origin, credential))
    return row is not None and split(row[0])[0] == resource and not row[0].endswith("/@list")
