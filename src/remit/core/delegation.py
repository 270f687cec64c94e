"""Delegation: an agent hands part of its task on to a sub-agent. The child is narrower, and rests on all above it.

Who stands above is what the task tree says, never what a request or a token says. Authority is the intersection of the
person and of every agent of the chain (law 3).
"""

from collections.abc import Sequence

from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.credential import Credential
from remit.core.grant import Step
from remit.core.moment import Instant
from remit.core.principal import Person
from remit.core.resource import split
from remit.core.task import Task
from remit.core.trust import TrustPath


def chain(agent: str, above: Sequence[str]) -> tuple[str, ...]:
    """Who acts, the newest first: an agent that handed on to itself stands once."""
    found = [agent]
    for one in above:
        if one != found[-1]:
            found.append(one)
    return tuple(found)


def standing(
    credential: Credential,
    ancestors: Sequence[Task],
    actors: Sequence[Agent],
    givers: Sequence[Credential] | None,
    owned: bool,  # noqa: FBT001 - one fact among the others
    now: Instant,
) -> Deny | None:
    """Refuse unless every agent above, and each credential that this one was exchanged from, still stands (law 1)."""
    if (ancestors or actors) and [one.agent for one in ancestors] != [one.id for one in actors]:
        return Deny("actor_gone", "An agent above this task is not known.", "Stop; this task ends with it.")
    if not owned:
        return Deny("actor_gone", "An agent above has no owner who is still here.", "Stop; tell the operator.")
    if actors and any(one.state != "active" or now >= one.review_due for one in actors):
        return Deny("actor_gone", "An agent above this task is not active.", "Stop; this task ends with it.")
    below = credential
    for above, one in zip(ancestors, givers or (), strict=False):
        if one.id != below.parent or one.task != above.id or one.path is not credential.path or one.state != "active":
            break
        if now >= one.expires:
            break
        below = one
    if givers is None or below.parent:
        return Deny(
            "parent_ended", "The credential that this one was made from has ended.", "Ask for a new one from above."
        )
    return None


def beyond(action: str, actors: Sequence[Agent], person: Person | None, path: TrustPath) -> Deny | None:
    """Refuse what the person themselves, or an agent above, could not do: nobody hands on more than they have."""
    if path is TrustPath.DELEGATED and person is not None and not person.may(action):
        return Deny("person_outside", f"{action} is outside this person's own rights.", "Do what they may do.")
    for one in actors:
        if not one.reaches(action):
            return Deny("ceiling_outside", f"{action} is outside the ceiling of an agent above.", "Do less.")
    return None


def handed(steps: Sequence[Step], credential: Credential) -> tuple[Step, ...]:
    """What of a task's plan its credential can hand on: the steps of its own path, at the resources it is for."""
    return tuple(
        step for step in steps if step.path is credential.path and split(step.action)[0] in credential.audience
    )
