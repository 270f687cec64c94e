"""Consent: what a person can let an agent do here, their yes with the task and the code that it opens, and its end.

The person dispatches, on the delegated path alone: the task's plan holds those steps of one brief that they saw, and no
later plan goes beyond them. All that a yes gives is written in the transaction that records it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from remit.control import opening, reach
from remit.control.change import Change
from remit.core import ids, parameters
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import Json, b64, digest
from remit.core.client import Client
from remit.core.consent import CODE_LASTS, LIFE, ONCE, Code, Consent, Refresh
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.resource import Resource, split
from remit.core.session import Session
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.store.record import Reader

MOST: Final = 512


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks a person for. An empty `brief` leaves the choice to them; empty lists ask for all there is.

    `parameters` are what arguments of the brief's steps must be (core/parameters).
    """

    resources: tuple[str, ...] = ()
    brief: str = ""
    purpose: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """One brief under which the agent could act for the person, and exactly what they are shown of it.

    `planned` are those of its steps that the task would have, held to the parameters.
    """

    brief: Brief
    agent: Agent
    planned: tuple[Step, ...]
    resources: tuple[Resource, ...]
    shown: Mapping[str, Json]

    @property
    def digest(self) -> str:
        """The digest of what is shown: a yes counts for exactly this."""
        return b64(digest(dict(self.shown)))


@dataclass(frozen=True, slots=True)
class Given:
    """What a yes gave. The code's text is kept nowhere."""

    consent: Consent
    code: str


def offers(reader: Reader, person: Person, client: Client, wish: Wish, now: Instant) -> list[Offer]:
    """The briefs under which this client's agent could have such a task of this person now, by name."""
    agent = reader.get(Agent, client.agent)
    if agent is None or agent.state != "active" or now >= agent.review_due or client.state != "live":
        return []
    owner = reader.get(Person, agent.owner)
    if owner is None or owner.state != "active" or person.state != "active":
        return []
    found = [_offer(reader, person, client, agent, one, wish) for one in reader.where(Brief, "state = 'live'")]
    return [one for one in found if one is not None]


def _offer(reader: Reader, person: Person, client: Client, agent: Agent, brief: Brief, wish: Wish) -> Offer | None:
    if wish.brief not in ("", brief.name) or agent.id not in brief.agents:
        return None
    if not brief.dispatched_by(person.id, person):
        return None
    places: dict[str, Resource] = {}
    steps: list[Step] = []
    for step in brief.steps:
        name = split(step.action)[0]
        wanted = (not wish.resources or name in wish.resources) and (not wish.actions or step.action in wish.actions)
        resource = reader.get(Resource, name)
        live = resource is not None and resource.state == "active" and resource.domain in brief.domains
        may = step.path is TrustPath.DELEGATED and agent.reaches(step.action) and person.may(step.action)
        if wanted and live and may:
            steps.append(step)
            places |= {name: resource} if resource is not None else {}
    planned = parameters.narrowed(steps, parameters.read(wish.parameters))
    acts = {step.action for step in steps}
    if not planned or not set(wish.resources) <= places.keys() or not set(wish.actions) <= acts:
        return None
    shown: dict[str, Json] = {
        "v": 1,
        "client": {"id": client.id, "name": client.name, "kind": client.kind},
        "agent": {"id": agent.id, "name": agent.name, "owner": agent.owner, "purpose": agent.purpose},
        "person": person.id,
        "brief": {"name": brief.name, "version": brief.version, "purpose": brief.purpose},
        "purpose": wish.purpose,
        "labels": dict(wish.labels),
        "steps": [step.to_json() for step in planned],
        "resources": [{"name": one.name, "domain": one.domain} for _, one in sorted(places.items())],
        "life": brief.life,
        "idle": brief.idle,
    }
    if wish.parameters:
        shown["parameters"] = dict(wish.parameters)
    beyond = reach.excess(reader, brief, agent, planned, brief.life)
    if beyond:
        shown["over"] = list(beyond)
    return Offer(brief, agent, planned, tuple(one for _, one in sorted(places.items())), shown)


def give(
    change: Change,
    *,
    session: Session,
    client: Client,
    wish: Wish,
    brief: str,
    shown: str,
    redirect: str,
    challenge: str,
    thumb: str = "",
    at: Instant | None = None,
) -> Given:
    """Take a person's yes to what they were shown, `at` that instant: open the task, record the consent, make the code.

    The task ends when they were told that it would, however long they read.
    Where its reach is beyond the brief's budget, and the brief asks people then, the task is held until they say yes; a
    command cannot wait for that (`reach_over`). What is consented to for a command goes on only while that is watched.
    Refuses what is no longer on offer (`consent_refused`), or no longer what was shown (`consent_moved`).
    """
    person, client = change.need(Person, session.person), change.need(Client, client.id)
    found = next(
        (one for one in offers(change.reader, person, client, wish, change.now) if one.brief.name == brief), None
    )
    if found is None:
        raise RemitError(
            "consent_refused", "This cannot be given here now.", "Begin again from the program that asked."
        )
    if found.digest != shown:
        raise RemitError("consent_moved", "What this would give has changed meanwhile.", "Read the page again.")
    life = found.brief.life - max(0, change.now - (change.now if at is None else at))
    if life <= 0:
        raise RemitError(
            "consent_refused", "What was shown would be over by now.", "Begin again from the program that asked."
        )
    identity = change.authority.make("con")
    begun = opening.begin(
        change,
        brief=brief,
        agent=found.agent.id,
        requester=person.id,
        person=person.id,
        labels=wish.labels,
        purpose=wish.purpose,
        life=life,
        consent=identity,
        steps=found.planned,
        watched=client.runs,
        by=person.id,
    )
    if client.runs and begun.approval is not None:
        raise opening.waits()
    opened = begun.task
    consent = Consent(
        id=identity,
        person=person.id,
        client=client.id,
        agent=found.agent.id,
        brief=brief,
        task=opened.id,
        session=session.id,
        at=change.now,
        until=opened.deadline,
        shown=shown,
        parameters=dict(wish.parameters),
    )
    change.record("consent.given", consent, person.id)
    text = f"rmc_{b64(change.authority.random(32))}"
    code = Code(
        id=name("cod", text),
        consent=identity,
        client=client.id,
        redirect=redirect,
        challenge=challenge,
        audience=tuple(one.name for one in found.resources),
        made=change.now,
        until=Instant(change.now + CODE_LASTS),
        thumb=thumb,
    )
    change.record("code.made", code, person.id)
    return Given(consent, text)


def withdraw(change: Change, consent_id: str, by: str, because: str = "") -> Consent:
    """The person takes their yes back: codes and refresh tokens end with it; control.revocation ends the task."""
    one = change.need(Consent, consent_id)
    gone = changed(one, state=LIFE.after(one.state, "withdrawn"))
    change.record("consent.withdrawn", gone, by, because)
    spoil(change, consent_id, by)
    return gone


def spoil(change: Change, consent_id: str, by: str) -> None:
    """End the codes and refresh tokens that wait for their turn: nothing more is given without the person."""
    for code in list(change.reader.where(Code, "consent = ? AND state = 'open'", (consent_id,))):
        change.record("code.ended", changed(code, state=ONCE.after(code.state, "ended")), by)
    for token in list(change.reader.where(Refresh, "consent = ? AND state = 'open'", (consent_id,))):
        change.record("refresh.ended", changed(token, state=ONCE.after(token.state, "ended")), by)


def name(prefix: str, text: str) -> str:
    """The id of what this text opens: 16 bytes of its SHA-256."""
    return ids.make(prefix, hashlib.sha256(text.encode()).digest()[:16])
