"""The graph of reach over what is registered, given and surveyed: as it could be, as it is held now, as it was used.

`possible` has all that standing records allow: an owner's agents, a dispatcher's briefs, an agent's steps within its
ceiling. `now` has only what whoever took it over could use at once: live credentials, leases, refresh tokens and
connections; nothing of an agent that is suspended. `observed` has what receipts say was allowed. Each reads outside
any transaction.
"""

from collections.abc import Iterable
from typing import Final

from remit.control import reach as bounds
from remit.control.held import held
from remit.control.landscape import Landscape, grant, openers
from remit.control.minted import logins
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.decision import STANDING_ONLY
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person, Service
from remit.core.reach import survey as surveys
from remit.core.reach.answer import VIEWS, Answer
from remit.core.reach.graph import STATES, Builder, Graph
from remit.core.reach.survey import Survey
from remit.core.receipt import DECIDED, decode
from remit.core.resource import Resource, Tool, split
from remit.core.task import Task
from remit.store import log, payload
from remit.store.record import Reader

SENSITIVE: Final = "sensitive"
"""The label of a resource whose data domain is counted as sensitive."""
CODE: Final = "runs-code"
"""The label of a resource whose tools can be made to run code: who calls them reads what its program was given."""
FARTHEST: Final = 500_000
"""How many entries of the ledger, the newest ones, are looked through for what was used."""


def landscape(reader: Reader, now: Instant, view: str = "possible") -> Landscape:
    """Read everything there is into one graph's builder (`view_unknown`)."""
    if view not in VIEWS:
        raise RemitError("view_unknown", "There is no such view.", f"Use one of {', '.join(VIEWS)}.")
    made = Landscape(reader, now, view)
    _targets(made)
    _principals(made)
    if view == "observed":
        _used(made)
    else:
        held(made)
    made.notes += surveys.oldest(made.surveys, now)
    return made


def graph(reader: Reader, now: Instant, view: str = "possible") -> tuple[Graph, Landscape]:
    """The graph of one view, and what it was made from."""
    made = landscape(reader, now, view)
    return made.builder.build(), made


def _targets(made: Landscape) -> None:
    """Resources with their domains, tools, secrets, and what was seen at them."""
    builder, reader = made.builder, made.reader
    made.resources = {one.name: one for one in reader.where(Resource, "state = 'active'")}
    sensitive = {one.domain for one in made.resources.values() if SENSITIVE in one.labels}
    for one in made.resources.values():
        home, domain = builder.node("resource", one.name), builder.node("domain", one.domain)
        builder.edge(home, domain, "holds")
        if one.domain in sensitive:
            builder.sensitive(domain)
    for survey in reader.where(Survey):
        made.surveys.append(survey)
        data = payload.get_blob(reader.db, survey.digest)
        if data is None:
            raise surveys.missing(survey.resource)
        seen = surveys.read(data)
        made.seen.setdefault(survey.resource, []).append(seen)
        surveys.join(builder, survey.resource, seen)
    for tool in reader.where(Tool, "state = 'pinned'"):
        if tool.resource in made.resources:
            at = builder.node("tool", f"{tool.resource}/{tool.name}", _action(made, tool))
            builder.edge(at, builder.node("resource", tool.resource), "is a tool of")
    for one in made.resources.values():
        _secrets(made, one)


def _action(made: Landscape, tool: Tool) -> str:
    return f"{made.resources[tool.resource].scheme}:{tool.resource}/{tool.name}"


def _secrets(made: Landscape, one: Resource) -> None:
    """Whoever has a stored secret can do all that it opens; and so can who makes its program run code."""
    builder = made.builder
    tools = list(made.reader.where(Tool, "state = 'pinned' AND resource = ?", (one.name,)))
    for name, login in openers(made, one):
        secret = builder.node("secret", name)
        for tool in tools:
            at = builder.node("tool", f"{one.name}/{tool.name}")
            (builder.edge if tool.reads else builder.writes)(secret, at, "opens")
        if not tools:
            builder.writes(secret, builder.node("resource", one.name), "opens")
        if login:
            builder.edge(secret, builder.node("role", f"{one.name}/{login}"), "logs in as")
    for role in logins(one) if one.minting and one.minting.secret else ():
        key = builder.node("secret", one.minting.secret if one.minting else "")
        builder.edge(key, builder.node("role", f"{one.name}/{role}"), "makes credentials of")
    if CODE in one.labels:
        inside = [injection.secret for injection in one.injections if injection.variable]
        for tool in tools:
            at = builder.node("tool", f"{one.name}/{tool.name}")
            builder.edge(at, builder.node("code", f"{one.name}/program"), "runs code in")
        room = builder.node("code", f"{one.name}/program", f"the program of {one.name}")
        for name in inside:
            builder.edge(room, builder.node("secret", name), "can read the environment's")


def _principals(made: Landscape) -> None:
    builder, reader, standing = made.builder, made.reader, made.view == "possible"
    people = list(reader.where(Person, "state = 'active'"))
    for person in people:
        names = payload.names(reader.db, person.id)
        builder.node("person", person.id, names[0][2] if names else "")
    services = list(reader.where(Service, "state = 'active'"))
    for service in services:
        at = builder.node("service", service.id, service.name)
        if standing and builder.has("person", service.owner):
            builder.edge(builder.node("person", service.owner), at, "owns")
    made.agents = {one.id: one for one in reader.where(Agent, "state IN ('active', 'proposed', 'suspended')")}
    made.briefs = {one.name: one for one in reader.where(Brief, "state = 'live'")}
    for agent in made.agents.values():
        at = builder.node("agent", agent.id, agent.name + STATES.get(agent.state, ""))
        if standing and builder.has("person", agent.owner):
            builder.edge(builder.node("person", agent.owner), at, "owns")
    if not standing:
        return
    for brief in made.briefs.values():
        _standing(made, brief)
        at = builder.node("brief", brief.name)
        holders: list[tuple[str, str, tuple[str, ...]]] = [
            *(("person", one.id, one.groups) for one in people),
            *(("service", one.id, ()) for one in services),
        ]
        for kind, identity, groups in holders:
            if {identity, *(f"group:{name}" for name in groups)} & set(brief.dispatchers):
                builder.edge(builder.node(kind, identity), at, "may open tasks under")


def _standing(made: Landscape, brief: Brief) -> None:
    """What a brief lets its agents plan, each within its own ceiling."""
    at = made.builder.node("brief", brief.name)
    for name in dict.fromkeys((*brief.agents, *brief.subagents)):
        agent = made.agents.get(name)
        if agent is None:
            continue
        holder = made.builder.node("agent", agent.id)
        for place, step in enumerate(brief.steps):
            if agent.reaches(step.action):
                at_grant = grant(made, f"{brief.name}/{place}", step, brief, agent, brief.life)
                made.builder.edge(holder, at_grant, "may plan")
                made.builder.edge(at, at_grant, "lets plan")


def _used(made: Landscape) -> None:
    """What was allowed, by the ledger's newest entries. To begin a session or to list is no use of a tool."""
    reader, builder = made.reader, made.builder
    end = log.newest(reader.db).size
    start = max(0, end - FARTHEST)
    if start:
        made.notes.append(f"Only the newest {FARTHEST} entries were looked through.")
    tools: dict[str, bool] = {}
    tasks: set[str] = set()
    for body in log.entries(reader.db, start, end):
        if b'"kind":"call.decided"' not in body or b'"decision":"allow"' not in body:
            continue
        said = decode(body)
        if said["kind"] == DECIDED and "task" in said and split(said["action"])[1] not in STANDING_ONLY:
            _use(builder, reader, said, tools)
            tasks.add(said["task"])
    for name in sorted(tasks):
        task = reader.get(Task, name)
        if task is not None and task.state in STATES:
            builder.node("task", name, f"{name}{STATES[task.state]}")
    made.notes.append("People and money that calls named stand in receipts as digests: they are not counted here.")


def _use(builder: Builder, reader: Reader, said: dict[str, Json], tools: dict[str, bool]) -> None:
    resource, kind = split(said["action"])
    agent, task = builder.node("agent", said["agent"]), builder.node("task", said["task"])
    credential = builder.node("credential", said["credential"])
    builder.edge(agent, task, "worked on")
    builder.edge(task, credential, "had")
    if said.get("subject", "").startswith("per_"):
        builder.edge(builder.node("person", said["subject"]), task, "stood behind")
    if said.get("requester", "").startswith("per_"):
        builder.edge(builder.node("person", said["requester"]), task, "stood behind")
    name = f"{resource}/{kind}"
    if name not in tools:
        tools[name] = bounds.reads_only(reader, said["action"])
    at = builder.node("tool", name, said["action"])
    (builder.edge if tools[name] else builder.writes)(credential, at, "used")
    builder.edge(at, builder.node("resource", resource), "is a tool of")


def unknown(found: Answer, surveys: Iterable[Survey]) -> list[str]:
    """What the surveys of the targets that were reached could not tell: it is not known, and not nothing."""
    keys = found.graph.keys
    there = {keys[node].partition(":")[2].partition("/")[0] for node in found.walked.order}
    return [f"{one.resource} ({one.source}): {note}" for one in surveys if one.resource in there for note in one.notes]


def ages(found: Iterable[Survey], now: Instant) -> list[dict[str, Json]]:
    """What was looked at, when, and if that is old."""
    return [
        {"resource": one.resource, "source": one.source, "at": one.at, "digest": one.digest, "login": one.login,
         "old": now - one.at > surveys.OLD, "notes": list(one.notes)}
        for one in found
    ]  # fmt: skip
