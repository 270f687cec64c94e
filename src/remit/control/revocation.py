"""Revocation: one act of stopping and all that follows from it, in one transaction.

When it returns, no later call is allowed on any node that shares the store: each decision reads what was ended here in
its own transaction. What was in flight at that moment is returned by name.
"""

from dataclasses import dataclass

from remit.control import agent as agents
from remit.control import brief as briefs
from remit.control import connection as connections
from remit.control import consent as consents
from remit.control import credential as credentials
from remit.control import lease as leases
from remit.control import principal, task
from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.credential import Credential, PathGate
from remit.core.errors import RemitError
from remit.core.principal import Service
from remit.core.record import changed
from remit.core.resource import LIFE as RESOURCE_LIFE
from remit.core.resource import Resource, split
from remit.core.revocation import Revocation
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.store.apply import Flight, flights


@dataclass(frozen=True, slots=True)
class Ended:
    """What a revocation ended, and the calls that were in flight when it took hold."""

    revocation: Revocation
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    in_flight: tuple[Flight, ...]


def revoke(change: Change, kind: str, target: str, by: str, because: str = "") -> Ended:
    """Stop one thing and everything below it (law 8): agent, then its tasks, then their children and credentials."""
    stop = Revocation(id=change.authority.make("rev"), kind=kind, target=target, by=by, at=change.now, because=because)
    change.record("revocation.made", stop, by)
    ended: list[Task] = []
    stopped: list[str] = []
    dead: set[str] = set()
    if kind == "task":
        ended = task.end(change, target, "revoked", by)
    elif kind == "credential":
        credentials.end(change, target, by, because)
        dead = {target}
    elif kind == "agent":
        ended = _agent(change, target, by, because, stopped)
    elif kind == "person":
        ended = _person(change, target, by, because, stopped)
    elif kind == "service":
        ended = _service(change, target, by, because)
    elif kind == "consent":
        ended = task.end(change, consents.withdraw(change, target, by, because).task, "revoked", by)
    elif kind == "brief":
        briefs.withdraw(change, target, by, because)
        ended = _tasks(change, "brief = ? AND state != 'ended'", target, "revoked", by)
    elif kind == "resource":
        resource = change.need(Resource, target)
        change.record(
            "resource.removed", changed(resource, state=RESOURCE_LIFE.after(resource.state, "removed")), by, because
        )
        leases.end(change, "resource", by, resource=target)
        connections.end_at(change, target, by, "the resource was removed")
    elif kind == "lease":
        leases.end(change, "revoked", by, lease=target)
    else:
        dead = _path(change, target, by, because)
    over = {one.id for one in ended}
    hit = tuple(
        one
        for one in flights(change.db)
        if one.task in over or one.credential in dead or (kind == "resource" and split(one.action)[0] == target)
    )
    return Ended(stop, tuple(sorted(over)), tuple(stopped), hit)


def open_path(change: Change, path: TrustPath, by: str) -> PathGate:
    """Open a trust path again; nothing that was issued before counts again."""
    gate = change.reader.get(PathGate, path.value) or PathGate(name=path)
    opened = changed(gate, state="open", since=change.now)
    change.record("path.opened", opened, by)
    return opened


def _path(change: Change, target: str, by: str, because: str) -> set[str]:
    if target not in list(TrustPath):
        raise RemitError("revocation_invalid", "This is not a trust path.", "Use delegated or own.")
    path = TrustPath(target)
    change.record("path.closed", PathGate(name=path, since=change.now, state="closed"), by, because)
    leases.end(change, "path", by, path=path)
    return {one.id for one in change.reader.where(Credential, "state = 'active'") if one.path is path}


def _agent(change: Change, target: str, by: str, because: str, stopped: list[str]) -> list[Task]:
    record = change.need(Agent, target)
    if record.state in ("active", "proposed"):
        agents.stop(change, target, "suspended" if record.state == "active" else "retired", by, because)
    stopped.append(target)
    return _tasks(change, "agent = ? AND state != 'ended'", target, "agent", by)


def _person(change: Change, target: str, by: str, because: str, stopped: list[str]) -> list[Task]:
    principal.end_person(change, target, by, because)
    connections.end_all(change, target, by)
    ended = _tasks(change, "person = ? AND state != 'ended'", target, "person", by)
    ended += [
        gone
        for one in list(change.reader.where(Task, "state != 'ended'"))
        if one.requester == target
        for gone in task.end(change, one.id, "person", by)
    ]
    for service in list(change.reader.where(Service, "owner = ? AND state = 'active'", (target,))):
        ended += _service(change, service.id, by, "its owner left")
    for owned in list(change.reader.where(Agent, "owner = ? AND state = 'active'", (target,))):
        ended += _agent(change, owned.id, by, "its owner left", stopped)
    return ended


def _service(change: Change, target: str, by: str, because: str) -> list[Task]:
    principal.end_service(change, target, by, because)
    return [
        gone
        for one in list(change.reader.where(Task, "state != 'ended'"))
        if one.requester == target
        for gone in task.end(change, one.id, "revoked", by)
    ]


def _tasks(change: Change, condition: str, value: str, because: str, by: str) -> list[Task]:
    return [
        gone
        for one in list(change.reader.where(Task, condition, (value,)))
        for gone in task.end(change, one.id, because, by)
    ]
