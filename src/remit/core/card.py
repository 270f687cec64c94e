"""Card: exactly what a person sees when a call waits for their yes, put together from the facts of a decision."""

from collections.abc import Mapping

from remit.core.approval import Approval, shape
from remit.core.blended import mixes
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.facts import Facts
from remit.core.resource import split
from remit.core.tracing import traced


def card(seen: Facts, one: Approval, arguments: Mapping[str, Json]) -> dict[str, Json] | None:
    """What is shown: who acts, for whom, under what, with which values, how often and until when.

    None when a part of it is gone. Every byte of it counts: a plan, policy, tool or brief that moves makes another
    card, and so voids the approval.
    """
    task, agent, plan, brief, resource = seen.task, seen.agent, seen.plan, seen.brief, seen.resource
    if seen.credential is None or task is None or agent is None or plan is None or brief is None or resource is None:
        return None
    tool = seen.tools.get(split(one.action)[1])
    found = traced(Call(one.action, dict(arguments)), seen) if one.uses == 1 and brief.lineage is not None else None
    values: Json = shape(dict(arguments)) if one.uses > 1 else dict(arguments)
    return {
        "v": 1,
        "action": one.action,
        "shape" if one.uses > 1 else "arguments": values,
        "path": seen.credential.path.value,
        "agent": {"id": agent.id, "name": agent.name, "owner": agent.owner, "purpose": agent.purpose},
        "person": task.person,
        "requester": task.requester,
        "task": task.id,
        "labels": dict(task.labels),
        "brief": {"name": brief.name, "version": brief.version, "purpose": brief.purpose},
        "plan": plan.version,
        "resource": {"name": resource.name, "domain": resource.domain},
        "tool": tool.pin if tool else "",
        "policy": seen.policy.digest if seen.policy else "",
        "groups": list(one.groups),
        "need": one.need,
        "bar": list(one.bar),
        "uses": one.uses,
        "until": one.until,
        **({"blended": True} if mixes(seen) else {}),
        **({"lineage": {"because": found.code, **found.seen()}} if found is not None else {}),
    }
