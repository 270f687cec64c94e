"""What a task may call now at one resource: what a list shows, and what a refusal names instead."""

from remit.core import delegation
from remit.core.facts import Facts
from remit.core.resource import split


def visible(facts: Facts) -> frozenset[str]:
    """The tools of this resource that the plan may call now: what a list shows, and the same test that a call meets.

    What policy refuses whatever the arguments are is not among them; what depends on the arguments is.
    """
    plan, agent, credential, resource = facts.plan, facts.agent, facts.credential, facts.resource
    if plan is None or agent is None or credential is None or resource is None:
        return frozenset()
    seen = set()
    for step in plan.steps:
        place, kind = split(step.action)
        if place != resource.name or step.path is not credential.path or not agent.reaches(step.action):
            continue
        if delegation.beyond(step.action, facts.actors, facts.person, credential.path):
            continue
        if facts.policy is None or facts.policy.refuses(step.action, agent.id):
            continue
        tool = facts.tools.get(kind)
        if kind[0] == "@" or (tool is not None and tool.state == "pinned"):
            seen.add(kind)
    return frozenset(seen)


def others(facts: Facts) -> str:
    """What a refusal says may be used instead."""
    names = sorted(visible(facts))[:8]
    return f"You may use: {', '.join(names)}." if names else "Nothing else is open to you here."
