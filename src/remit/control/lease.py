"""Leases: intended with the decision that needs one, active by one conditional update, ended with what they hang on.

The records alone; what happens at the target is control/lessor. Format and deadlines: docs/spec/lease.md.
"""

from typing import Final

from remit.control.change import Change
from remit.core import sql_rights
from remit.core.answer import Deny
from remit.core.canonical import b64, digest
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.ids import TaskId
from remit.core.lease import ENDING, INCIDENTS, LIFE, MARK, MINT_MS, OPEN, Lease, identity
from remit.core.moment import Instant
from remit.core.record import changed
from remit.core.resource import Resource, split
from remit.core.step import Step
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.store import lease as store
from remit.store.record import Reader

SECRETS: Final = "lease"
"""The vault's purpose of what was minted; of a mint that failed, of what its target has to take back."""
CONNECTIONS: Final = "connection"
"""The vault's purpose of what people connected, by the connection's id."""
CONNECTED: Final = "oauth"
"""The source whose credentials rest on what a person connected."""
SHORTEST: Final = 1_000
"""Milliseconds: a lease with less than this left is not lent any more."""


def need(change: Change, task: Task, resource: Resource, path: TrustPath, *, direct: bool = False) -> Lease | Deny:
    """The lease of this task's plan at this resource: the one that is open, or the intent of a new one.

    Called in the transaction that decides, so that the intent commits with the decision. Refuses while the one before
    it is not proven dead (`lease_ending`), and rights that cannot be computed from the plan (`rights_unbounded`).
    """
    if resource.minting is not None and resource.minting.over:
        what = f"Nothing is lent at {resource.name} any more, and what was is not proven dead."
        return Deny("lease_ending", what, "Stop; the operator has ended it.")
    mine = [
        one
        for one in store.of_task(change.reader, task.id)
        if (one.plan, one.path, one.resource, one.direct) == (task.plan, path, resource.name, direct)
    ]
    last = max(mine, key=lambda one: one.round, default=None)
    if last is not None and last.state in OPEN:
        if change.now < (last.mint_by if last.state == "intended" else last.until - SHORTEST):
            return last
        last = _end(change, last, "mint" if last.state == "intended" else "expired", "gate")
    if last is not None and last.state in ENDING and last.because != "expired":
        return Deny("lease_ending", f"What was lent at {resource.name} before is not proven dead.", "Try again later.")
    return _intend(change, task, resource, path, 1 + (last.round if last else 0), direct=direct)


def _intend(
    change: Change, task: Task, resource: Resource, path: TrustPath, number: int, *, direct: bool
) -> Lease | Deny:
    plan = change.reader.get(Plan, f"{task.id}:{task.plan}")
    steps = steps_at(plan, resource.name, path) if plan else ()
    if resource.minting is None or not steps:
        return Deny("plan_outside", f"The plan does nothing at {resource.name} on the {path.value} path.")
    if resource.minting.kind == CONNECTED and not _connected(change, task, resource, path):
        what = f"Nobody whom this task acts for on this path has connected {resource.name}."
        return Deny("connection_missing", what, "Stop; the person can connect it.")
    if resource.minting.kind in sql_rights.KINDS:
        try:
            sql_rights.rights(steps)
        except RemitError as fault:
            return Deny(fault.code, fault.message, fault.remedy)
    until = Instant(min(change.now + resource.minting.life, task.deadline))
    if until - change.now <= SHORTEST:
        return Deny("task_deadline", "This task is about to end.", "Stop; a dispatcher can open a new task.")
    made = Lease(
        id=identity(change.authority.name, task.id, plan.version if plan else 1, path, resource.name, number),
        task=task.id,
        plan=task.plan,
        path=path,
        resource=resource.name,
        kind=resource.minting.kind,
        node=change.authority.node,
        at=change.now,
        mint_by=Instant(change.now + MINT_MS),
        until=until,
        round=number,
        rights=b64(digest([step.to_json() for step in steps])),
        person=task.person if path is TrustPath.DELEGATED else "",
        direct=direct,
    )
    change.record("lease.intended", made, "gate")
    return made


def _connected(change: Change, task: Task, resource: Resource, path: TrustPath) -> bool:
    """Say whether the task's own person has a live connection there, in this transaction."""
    if path is not TrustPath.DELEGATED or not task.person:
        return False
    found = change.reader.where(Connection, "person = ? AND state = 'live'", (task.person,))
    return any(one.resource == resource.name for one in found)


def steps_at(plan: Plan, resource: str, path: TrustPath) -> tuple[Step, ...]:
    """The steps of a plan at one resource on one path: what a lease there is for."""
    return tuple(step for step in plan.steps if step.path is path and split(step.action)[0] == resource)


def activate(
    change: Change,
    identity: str,
    until: Instant,
    secret: Secret | None,
    renewed: tuple[str, Secret] | None = None,
    ends: Instant = Instant(0),  # noqa: B008 - a number
    mark: str = "",
) -> Lease | None:
    """Record that a mint came to be, and seal what it made. None when it is too late: then it must be dropped.

    `renewed` is what a connection's token was exchanged for: it is kept in any case, since the one before is worth
    nothing any more.
    """
    _renew(change, renewed)
    one = change.reader.get(Lease, identity)
    if one is None or one.state != "intended" or one.node != change.authority.node or change.now >= one.mint_by:
        return None
    if secret is not None:
        change.authority.vault.put(SECRETS, one.id, secret)
    until = Instant(min(one.until, until))
    made = changed(one, state=LIFE.after(one.state, "active"), lent=True, until=until, ends=ends, mark=mark)
    change.record("lease.active", made, "gate")
    return made


def end(
    change: Change,
    because: str,
    by: str,
    *,
    task: str = "",
    resource: str = "",
    path: TrustPath | None = None,
    person: str = "",
    lease: str = "",
    before: int = 0,
) -> list[Lease]:
    """End what is open: of a task (of its plans before a version), at a resource, on a path, for a person, or by id.

    Intents too. It is ended at the target after this transaction's commit, retried until it is proven.
    """
    if lease:
        found = [one for one in (change.need(Lease, lease),) if one.state in OPEN]
    else:
        found = store.open_ones(change.reader, task, resource)
    return [
        _end(change, one, because, by)
        for one in found
        if (path is None or one.path is path)
        and (not before or one.plan < before)
        and (not person or one.person == person)
    ]


def failed(
    change: Change, identity: str, why: str, renewed: tuple[str, Secret] | None = None, owed: Secret | None = None
) -> None:
    """A mint did not come to be, or may have: it is ended like one that did. `renewed` is kept here, too.

    `owed` is sealed until the lease is proven dead: any node has it taken back.
    """
    _renew(change, renewed)
    one = change.reader.get(Lease, identity)
    if one is not None and owed is not None and one.state != "dead" and not one.lent:
        change.authority.vault.put(SECRETS, one.id, owed)
        change.keep()
    if one is not None and one.state == "intended":
        _end(change, one, "mint", "gate", why)


def _renew(change: Change, renewed: tuple[str, Secret] | None) -> None:
    vault = change.authority.vault
    if renewed is not None and vault.holds(CONNECTIONS, renewed[0]):
        vault.put(CONNECTIONS, *renewed)
        change.keep()


def _end(change: Change, one: Lease, because: str, by: str, trouble: str = "") -> Lease:
    ended = changed(
        one,
        state=LIFE.after(one.state, "ending"),
        because=because,
        ended=change.now,
        ender=change.authority.node,
        trouble=trouble[:200],
    )
    change.record("lease.ending", ended, by)
    return ended


def dead(change: Change, identity: str, proof: str) -> Lease | None:
    """Record that a lease was proven dead; its secret goes. None when that is known already."""
    one = change.reader.get(Lease, identity)
    if one is None or one.state not in ENDING:
        return None
    change.authority.vault.forget(SECRETS, one.id)
    gone = changed(
        one, state=LIFE.after(one.state, "dead"), proof=proof, died=change.now, took=change.now - one.ended, trouble=""
    )
    change.record("lease.dead", gone, "lessor")
    _over(change, one.resource)
    return gone


def left(change: Change, resource: str) -> list[Lease]:
    """What was lent at a resource and is not proven dead."""
    return list(change.reader.where(Lease, "resource = ? AND state <> 'dead'", (resource,)))


def _over(change: Change, resource: str) -> None:
    """Forget the source of a target that was kept only to end what it made, once all of that is proven dead."""
    place = change.reader.get(Resource, resource)
    over = place is not None and place.state == "active" and place.minting is not None and place.minting.over
    if place is not None and over and not left(change, resource):
        change.record("resource.changed", changed(place, minting=None), "lessor", "all that was lent is proven dead")


def stuck(change: Change, identity: str, trouble: str, *, irrevocable: bool) -> Lease | None:
    """Record that an end could not be proven: an incident until it is. None when that is known already."""
    one = change.reader.get(Lease, identity)
    state = "irrevocable" if irrevocable else "pending"
    if one is None or one.state not in ENDING or one.state in (state, "irrevocable"):
        return None
    known = changed(one, state=LIFE.after(one.state, state), trouble=trouble[:200])
    change.record(f"lease.{state}", known, "lessor")
    return known


def reap(change: Change) -> int:
    """End the leases whose own end has come, and the intents whose mint is overdue, whichever node they are of."""
    found = store.over(change.reader, change.now)
    for one in found:
        _end(change, one, "expired" if one.state == "active" else "mint", "sweep")
    return len(found)


def orphan(change: Change, *, resource: Resource, name: str) -> Lease | None:
    """Take in what stands at a target under our name and has no record here, so that it is ended like any other.

    None for a name that a record here explains, or that is none of ours.
    """
    task, rest = task_of(name), name.split("_")[-2]
    known = [one for one in store.of_task(change.reader, task) if one.name == name]
    if known or resource.minting is None or not name.startswith(MARK):
        return None
    tail = name.rpartition("_")[2]
    made = Lease(
        id=f"lse_{tail}{change.authority.make('lse')[12:]}",
        task=task,
        plan=1,
        path=next(one for one in TrustPath if one.value.startswith(rest)),
        resource=resource.name,
        kind=resource.minting.kind,
        node="",
        at=change.now,
        mint_by=Instant(change.now + 1),
        until=Instant(change.now + resource.minting.life),
        lent=True,
        state="ending",
        because="orphan",
        ended=change.now,
        ender=change.authority.node,
    )
    change.record("lease.ending", made, "lessor", "it stood at the target without a record")
    return made


def task_of(name: str) -> TaskId:
    """The task that a name at a target leads back to."""
    return TaskId(name.removeprefix(MARK).rpartition("_")[0].rpartition("_")[0])


def proven(change: Change, task: str, before: int = 0) -> bool:
    """Say whether everything lent to a task (under its plans before a version) is proven dead at its target."""
    return store.unproven(change.db, task, before or 2**31) == 0


def unended(change: Change, task: str) -> list[Lease]:
    """What was lent to a task, has ended, and is not proven dead."""
    return [one for one in store.of_task(change.reader, task) if one.state in ENDING]


def incidents(reader: Reader) -> list[Lease]:
    """The leases whose end could not be proven yet."""
    return [one for one in store.ending(reader.db) if one.state in INCIDENTS]
