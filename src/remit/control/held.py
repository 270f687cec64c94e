"""What is held at this instant: open tasks, and the credentials, leases, refresh tokens and connections of them."""

from remit.control.landscape import Landscape, grant
from remit.core.connection import Connection
from remit.core.consent import Consent, Refresh
from remit.core.credential import Credential, PathGate
from remit.core.lease import OPEN, Lease
from remit.core.moment import Instant
from remit.core.reach.graph import STATES
from remit.core.resource import split
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath


def held(made: Landscape) -> None:
    """Tasks, and what is held for them; in the view of now only what is a credential by itself."""
    builder, reader = made.builder, made.reader
    standing = made.view == "possible"
    open_ = [one for one in reader.where(Task, "state <> 'ended'") if made.now < one.deadline]
    for task in open_:
        agent, brief = made.agents.get(task.agent), made.briefs.get(task.brief)
        plan = reader.get(Plan, f"{task.id}:{task.plan}")
        at = builder.node("task", task.id, f"{task.id}{STATES[task.state]}" if task.state in STATES else "")
        if agent is None or brief is None:
            continue
        given = made.given[task.id] = [
            (step, grant(made, f"{task.id}/{task.plan}/{place}", step, brief, agent, task.deadline - task.opened))
            for place, step in enumerate(plan.steps if plan else ())
        ]
        if standing:
            builder.edge(builder.node("agent", agent.id), at, "works on")
            for _, place in given:
                builder.edge(at, place, "is given")
            for name in {task.requester, task.person} - {""}:
                kind = "service" if name.startswith("svc_") else "person"
                if builder.has(kind, name):
                    builder.edge(builder.node(kind, name), at, "stands behind")
            if task.parent:
                builder.edge(builder.node("task", task.parent), at, "delegated to")
        if standing or (task.state == "open" and agent.state == "active"):
            _live(made, task)
    _connections(made)


def _live(made: Landscape, task: Task) -> None:
    """What is live of a task: credentials, leases and refresh tokens, each with the grants that it is for."""
    builder, reader, now = made.builder, made.reader, made.now
    holder, at = builder.node("agent", task.agent), builder.node("task", task.id)
    for one in reader.where(Credential, "task = ? AND state = 'active'", (task.id,)):
        if now < one.expires and one.plan == task.plan and _goes(made, one.path, one.issued):
            node = builder.node("credential", one.id)
            builder.edge(holder, node, "holds")
            builder.edge(at, node, "has")
            _for(made, task, node, one.path, one.audience, "is for")
    for lease in reader.where(Lease, "task = ?", (task.id,)):
        if lease.state in OPEN and lease.plan == task.plan and now < lease.until:
            node = builder.node("lease", lease.id)
            builder.edge(at, node, "has")
            if lease.direct:
                builder.edge(holder, node, "holds")
            _for(made, task, node, lease.path, (lease.resource,), "was minted for")
    consent = reader.get(Consent, task.consent) if task.consent else None
    if consent is not None and consent.state == "live" and now < consent.until:
        _offline(made, task, consent)


def _goes(made: Landscape, path: TrustPath, issued: Instant) -> bool:
    """Say whether a path is open for what was issued then."""
    gate = made.reader.get(PathGate, path.value)
    return gate is not None and gate.state == "open" and gate.since < issued


def _offline(made: Landscape, task: Task, consent: Consent) -> None:
    """Refresh tokens: whoever has one gets new credentials while the consent lives, nobody being there."""
    builder = made.builder
    for refresh in made.reader.where(Refresh, "consent = ? AND state = 'open'", (consent.id,)):
        if made.now < refresh.until:
            node = builder.node("refresh", refresh.id)
            builder.edge(builder.node("agent", task.agent), node, "holds")
            builder.edge(builder.node("task", task.id), node, "has")
            builder.edge(builder.node("person", consent.person), node, "consented to")
            _for(made, task, node, TrustPath.DELEGATED, refresh.audience, "gives new credentials for")


def _for(made: Landscape, task: Task, node: int, path: TrustPath, places: tuple[str, ...], label: str) -> None:
    for step, at in made.given[task.id]:
        if step.path is path and split(step.action)[0] in places:
            made.builder.edge(node, at, label)


def _connections(made: Landscape) -> None:
    builder = made.builder
    for one in made.reader.where(Connection, "state = 'live'"):
        if one.resource not in made.resources:
            continue
        node = builder.node("connection", one.id)
        builder.edge(builder.node("person", one.person), node, "connected")
        account = builder.node("object", f"{one.resource}/account-{one.person}", f"an account at {one.resource}")
        builder.writes(node, account, f"opens ({' '.join(one.scopes)})"[:200])
        builder.edge(account, builder.node("resource", one.resource), "is in")
        for scope in one.scopes:
            if builder.has("rights", f"{one.resource}/{scope}"):
                builder.edge(node, builder.node("rights", f"{one.resource}/{scope}"), "has the scope")
