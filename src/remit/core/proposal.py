"""What people are shown of a plan or an opening that waits for their yes. The format is docs/spec/plan.md."""

from collections.abc import Mapping, Sequence

from remit.core.agent import Agent
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.replan import Moved
from remit.core.step import Step
from remit.core.task import Plan, Task


def plan_card(
    one: Approval,
    task: Task,
    agent: Agent,
    brief: Brief,
    before: Plan,
    steps: Sequence[Step],
    moved: Moved,
    said: Mapping[str, Json],
) -> Mapping[str, Json]:
    """Every step of the plan, which of them are new or wider, and what the version in force holds of those acts.

    Every byte of it counts: a plan, brief or agent that moves makes another card, and so voids the approval.
    """
    acts = {steps[number].action for number in (*moved.widened, *moved.added)}
    return {
        "v": 1,
        "plan": [step.to_json() for step in steps],
        "is": moved.kind.value,
        "widened": list(moved.widened),
        "added": list(moved.added),
        "crossed": list(moved.crossed),
        "before": {"version": before.version, "steps": [s.to_json() for s in before.steps if s.action in acts]},
        **_reach(said),
        **_who(one, task, agent, brief),
    }


def opening_card(
    one: Approval, task: Task, agent: Agent, brief: Brief, steps: Sequence[Step], said: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Every step of the plan that a task is opened with, what it could reach, and in what that is beyond the budget."""
    plan: Json = [step.to_json() for step in steps]
    return {"v": 1, "opening": plan, "purpose": task.purpose, **_reach(said), **_who(one, task, agent, brief)}


def _reach(said: Mapping[str, Json]) -> dict[str, Json]:
    return {"reach": said["reach"], "over": said["over"]}


def _who(one: Approval, task: Task, agent: Agent, brief: Brief) -> dict[str, Json]:
    return {
        "agent": {"id": agent.id, "name": agent.name, "owner": agent.owner, "purpose": agent.purpose},
        "person": task.person,
        "requester": task.requester,
        "task": task.id,
        "labels": dict(task.labels),
        "brief": {"name": brief.name, "version": brief.version, "purpose": brief.purpose},
        "groups": list(one.groups),
        "need": one.need,
        "bar": list(one.bar),
        "until": one.until,
    }
