"""Credentials: issued for one task, one plan version and one path; never wider or longer than what they stand on."""

import json
from dataclasses import dataclass
from typing import Final

from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.canonical import unb64
from remit.core.credential import LIFE, Credential, Key, PathGate
from remit.core.delegation import chain
from remit.core.errors import RemitError
from remit.core.facts import NEVER
from remit.core.ids import CredentialId, TaskId
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.record import changed
from remit.core.resource import split
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.signer import TOKEN_PURPOSES
from remit.custody.token import Claims, issue
from remit.store.facts import activity, actors_of, ancestors
from remit.store.record import Reader

BY_CERTIFICATE: Final = "x5t#S256:"
"""How what a credential is bound to begins when that is a certificate and not a key."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential and its text, which is shown to its agent once and kept nowhere."""

    credential: Credential
    text: str


@dataclass(frozen=True, slots=True)
class Proved:
    """How those who ask proved themselves: the agent when and by which binding ("": its own key), the person when."""

    attested: Instant
    binding: str = ""
    signed_in: Instant = NEVER
    strength: str = ""


def give(
    change: Change,
    *,
    task_id: str,
    agent_id: str,
    path: TrustPath,
    person_id: str = "",
    resources: tuple[str, ...] = (),
    thumb: str = "",
    certificate: str = "",
    giver: Credential | None = None,
    proved: Proved | None = None,
    by: str = "",
) -> Issued:
    """Issue a credential to the task's own agent, on one path, for resources of the current plan.

    Refuses everything that a call would be refused for already: a task that is not open (but for one that a person
    consented to and that others must agree to yet: its calls are refused until then), another agent's task, another
    person's delegation, a path that the plan does not use or that is closed (`credential_refused`). What is exchanged
    from `giver` ends no later, and is for none but its resources; `proved` is how surely agent and person did prove
    themselves. `by` is who had it issued, if not the agent.
    """
    proved = proved or Proved(change.now)
    if thumb.startswith(BY_CERTIFICATE):
        thumb, certificate = "", thumb.removeprefix(BY_CERTIFICATE)
    task, agent, brief = fit(change, task_id, agent_id, path, person_id)
    plan = change.need(Plan, f"{task.id}:{task.plan}")
    places = sorted({split(step.action)[0] for step in plan.steps if step.path is path})
    if giver:
        places = [one for one in places if one in giver.audience]
    wanted = tuple(sorted(set(resources))) or tuple(places)
    if not places:
        raise _refused(f"The plan does nothing on the {path.value} path.", "Ask for a credential of its other path.")
    if not set(wanted) <= set(places):
        raise RemitError(
            "target_refused",
            f"The plan does not use this resource on the {path.value} path.",
            "Ask for a resource of the plan, on its path.",
        )
    signing = change.authority.signer.active(TOKEN_PURPOSES[path]).kid
    if change.need(Key, signing).state != "active":
        raise _refused("The signing key of this path is not in force.", "Run remit doctor.")
    life = min(
        change.now + (brief.credential_life if thumb or certificate else _bearer_life(brief)),
        task.deadline,
        *(one.deadline for one in ancestors(change.reader, task) or ()),
        *((giver.expires,) if giver else ()),
    )
    issued, expires = change.now, Instant(life // 1000 * 1000)
    if expires <= issued:
        raise _refused("The task is about to end.", "Open a new task.")
    credential = Credential(
        id=change.authority.make("crd"),
        task=task.id,
        plan=plan.version,
        path=path,
        agent=agent.id,
        subject=person_id if path is TrustPath.DELEGATED else agent.id,
        audience=wanted,
        key=signing,
        issued=issued,
        expires=expires,
        thumb=thumb,
        certificate=certificate,
        parent=giver.id if giver else "",
        binding=proved.binding,
        attested=proved.attested,
        signed_in=giver.signed_in if giver else Instant(min(proved.signed_in, change.now)),
        strength=giver.strength if giver else proved.strength,
    )
    change.record("credential.issued", credential, by or agent.id)
    return Issued(credential, issue(_claims(change, credential), change.authority.signer))


def fit(change: Change, task_id: str, agent_id: str, path: TrustPath, person_id: str = "") -> tuple[Task, Agent, Brief]:
    """The task, its agent and its brief, where a credential of this path, for this person, would be given now.

    Refuses as `give` does (`credential_refused`).
    """
    task, agent = change.need(Task, task_id), change.need(Agent, agent_id)
    brief, gate = change.need(Brief, task.brief), change.need(PathGate, path.value)
    _live(change, task, agent, brief, gate)
    if path is TrustPath.DELEGATED and (
        not task.person or person_id != task.person or change.need(Person, person_id).state != "active"
    ):
        raise _refused("This task is not on this person's behalf.", "Let the person whose task it is sign in.")
    return task, agent, brief


def _bearer_life(brief: Brief) -> int:
    """How long a credential of this brief may last that whoever holds its text can use (`credential_unbound`)."""
    if not brief.bearer_life:
        raise RemitError(
            "credential_unbound",
            f"The brief {brief.name} gives no credential that is bound to no key.",
            "Prove a key: send a DPoP proof, or a client certificate.",
        )
    return min(brief.credential_life, brief.bearer_life)


def end(change: Change, credential_id: str, by: str, because: str = "") -> Credential | None:
    """End one credential; None when it has ended already."""
    credential = change.need(Credential, credential_id)
    if credential.state == "ended":
        return None
    ended = changed(credential, state=LIFE.after(credential.state, "ended"))
    change.record("credential.ended", ended, by, because)
    for child in list(change.reader.where(Task, "parent = ?", (credential.task,))):
        for below in list(change.reader.where(Credential, "task = ? AND state = 'active'", (child.id,))):
            if below.parent == credential.id:
                end(change, below.id, by, "parent")
    return ended


_OVER: Final = "state <> 'active' OR expires <= ? OR task IN (SELECT id FROM task WHERE state = 'ended')"


def over(reader: Reader, one: Credential, now: Instant) -> bool:
    """Say whether a credential is over: by itself, by its time, or with its task. Others may still be refused."""
    task = reader.get(Task, one.task)
    return one.state != "active" or now >= one.expires or task is None or task.state == "ended"


def page(reader: Reader, now: Instant, after: str, most: int, *, task: str = "", state: str = "") -> list[Credential]:
    """Credentials in the order of their ids, from behind `after`: of a task, and those that are `ended` or not."""
    where, values = "id > ?", [after]
    if task:
        where, values = f"{where} AND task = ?", [*values, task]
    if state:
        return list(
            reader.where(Credential, f"{where} AND {'' if state == 'ended' else 'NOT '}({_OVER})", (*values, now), most)
        )
    return list(reader.where(Credential, where, tuple(values), most))


def acting(change: Change, one: Credential) -> tuple[str, ...]:
    """Who acts by a credential, the newest first, as the tree of tasks says: nobody on the agent's own authority."""
    if one.path is TrustPath.OWN:
        return ()
    above = ancestors(change.reader, change.need(Task, one.task)) or ()
    return chain(one.agent, [task.agent for task in above])


def meant(presented: str, issuer: str) -> str:
    """The first resource that a credential's text names, unproved: where to check it when nobody said for which."""
    try:
        said = json.loads(unb64(presented.split(".")[1]))["aud"][0]
    except (LookupError, TypeError, ValueError, RecursionError, RemitError):
        return ""
    place = audience(issuer, "")
    return said.removeprefix(place) if isinstance(said, str) and said.startswith(place) else ""


def audience(issuer: str, resource: str) -> str:
    """The RFC 8707 resource indicator of a resource: the URL of its gate."""
    return f"{issuer}/mcp/{resource}"


def _claims(change: Change, one: Credential) -> Claims:
    actors = acting(change, one)
    return Claims(
        issuer=change.authority.issuer,
        audience=tuple(audience(change.authority.issuer, name) for name in one.audience),
        subject=one.subject,
        client=one.agent,
        issued=one.issued,
        expires=one.expires,
        id=CredentialId(one.id),
        task=TaskId(one.task),
        plan=one.plan,
        path=one.path,
        actor=actors[0] if actors else None,
        prior=actors[1:],
        thumbprint=one.thumb or None,
        certificate=one.certificate or None,
    )


def _live(change: Change, task: Task, agent: Agent, brief: Brief, gate: PathGate) -> None:
    above = ancestors(change.reader, task)
    waits = task.held == "reach" and bool(task.consent)
    if (
        not (task.state == "open" or waits)
        or change.now >= task.deadline
        or above is None
        or any(one.state != "open" for one in above)
    ):
        raise _refused("This task is not open.", "Open a new task.")
    actors = actors_of(change.reader, above)
    if change.now - activity(change.reader, task) >= task.idle:
        raise _refused("This task was idle for too long.", "Open a new task.")
    if (
        agent.id != task.agent
        or agent.state != "active"
        or change.now >= agent.review_due
        or not brief.gives(agent.id, child=bool(task.parent))
        or len(actors) != len(above)
        or any(one.state != "active" or change.now >= one.review_due for one in actors)
    ):
        raise _refused("This agent cannot act in this task now.", "Ask its owner to have it reviewed.")
    if brief.state != "live" or gate.state != "open":
        raise _refused("The brief or the trust path is closed.", "Ask the operator.")


def _refused(why: str, remedy: str) -> RemitError:
    return RemitError("credential_refused", f"No credential was issued. {why}", remedy)
