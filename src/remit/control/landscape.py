"""The landscape: one reading of all that reach goes over, and how a step is laid into its graph."""

from dataclasses import dataclass, field

from remit.control import reach as bounds
from remit.control.minted import asked
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.reach import survey as surveys
from remit.core.reach.bound import lay
from remit.core.reach.graph import Builder
from remit.core.reach.survey import Seen, Survey
from remit.core.resource import Resource, split
from remit.core.sql_rights import rights
from remit.core.step import Step
from remit.store.record import Reader


@dataclass(slots=True)
class Landscape:
    """One reading of everything. `notes` say what is not known or is old; `surveys` what was looked at, and when."""

    reader: Reader
    now: Instant
    view: str
    builder: Builder = field(default_factory=Builder)
    notes: list[str] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    briefs: dict[str, Brief] = field(default_factory=dict)
    given: dict[str, list[tuple[Step, int]]] = field(default_factory=dict)


def grant(made: Landscape, name: str, step: Step, brief: Brief, agent: Agent | None, life: int) -> int:
    """A step as a grant, with what it may do at most and what it acts on; no holder yet."""
    reads = bounds.only_reads(made.reader, step)
    amount = bounds.amount(made.reader, brief, agent.tier if agent else "", step, life)
    made_of = lay(made.builder, None, name, step, amount, reads=reads)
    resource, verb = split(step.action)
    if step.action.startswith("sql:"):
        _tables(made, made_of, resource, verb, step)
    if resource in made.resources:
        _minted(made, made_of, made.resources[resource], verb, reads=reads)
    return made_of


def _minted(made: Landscape, at: int, one: Resource, kind: str, *, reads: bool) -> None:
    """What the credential that is minted for a step is for at its target, as far as settings and surveys tell."""
    builder = made.builder
    for there in asked(one, kind, made.seen.get(one.name, [])):
        name = f"{one.name}/{there.name}"
        if not there.made and not builder.has(there.kind, name):
            continue
        node = builder.node(there.kind, name)
        if there.kind == "object":
            builder.edge(node, builder.node("resource", one.name), "is in")
        (builder.edge if reads or there.kind != "object" else builder.writes)(at, node, there.how)


def _tables(made: Landscape, grant: int, resource: str, verb: str, step: Step) -> None:
    """The tables that a step on a database lists, or else all that the login of the gate can use so."""
    try:
        listed = {f"{one.schema}.{one.table}" for one in rights((step,))}
    except RemitError:
        listed = None
    known = {
        name: verbs for seen in made.seen.get(resource, ()) for name, verbs in _usable(seen, resource, made).items()
    }
    asked = "execute" if verb == "call" else verb
    names = (
        listed if listed is not None else {name for name, verbs in known.items() if asked in verbs or "own" in verbs}
    )
    if listed is None and not known:
        made.notes.append(f"A step on {resource} lists no tables, and what is there was never looked at.")
    for name in sorted(names):
        at = made.builder.node("object", f"{resource}/{name}")
        made.builder.edge(at, made.builder.node("resource", resource), "is in")
        (made.builder.edge if verb == "select" else made.builder.writes)(grant, at, verb)


def openers(made: Landscape, one: Resource) -> list[tuple[str, str]]:
    """The stored secrets that open a resource, each with the login that it is there, if any is known."""
    user = one.upstream.url.partition("://")[2].rpartition("@")[0].partition(":")[0]
    logins = [seen.login for seen in made.seen.get(one.name, ()) if seen.login]
    minting = one.minting.secret if one.minting else ""
    found = {injection.secret: user for injection in one.injections}
    found |= {minting: logins[0] if logins else ""} if minting else {}
    return sorted(found.items())


def _usable(seen: Seen, resource: str, made: Landscape) -> dict[str, set[str]]:
    """What the login that the gate uses at a database can use there."""
    one = made.resources.get(resource)
    stored = [login for _, login in openers(made, one) if login] if one else []
    return surveys.usable(seen, stored[0] if stored else seen.login)
