"""Reach: what a plan could do at worst, computed before it is in force and held against the brief's budget."""

from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.brief import Brief
from remit.core.connector import Shape
from remit.core.errors import RemitError
from remit.core.reach import Reach, over, reach
from remit.core.reach.amount import Amount, of_step
from remit.core.resource import Tool, split
from remit.core.step import Step
from remit.core.task import Task
from remit.store.facts import ancestors
from remit.store.record import Reader

WRITING = ("@sampling", "@elicitation", "@roots")


def of(reader: Reader, brief: Brief, agent: Agent, steps: tuple[Step, ...], life: int) -> Reach:
    """Bound what these steps could do in so many milliseconds, for this agent under this brief.

    Each step gives what it gives in the graph of reach too, at whatever target: `amount` tells it to both.
    """
    most = brief.budget.of(agent.tier) if brief.budget else None
    return reach(
        steps,
        frozenset(step.action for step in steps if only_reads(reader, step)),
        seconds=-(-life // 1000),
        depth=brief.depth,
        children=most.children if most else None,
        contacts=brief.budget.contacts if brief.budget else (),
        money=tuple(most.money) if most else (),
        amounts=[amount(reader, brief, agent.tier, step, life) for step in steps],
    )


def admit(change: Change, brief: Brief, agent: Agent, steps: tuple[Step, ...], life: int) -> tuple[str, ...]:
    """In what a plan is beyond the budget, where the brief lets people be asked; refuses it else (`reach_over`)."""
    beyond = excess(change.reader, brief, agent, steps, life)
    if beyond and brief.budget is not None and brief.budget.over == "refuse":
        raise refusal(beyond)
    return beyond


def excess(reader: Reader, brief: Brief, agent: Agent, steps: tuple[Step, ...], life: int) -> tuple[str, ...]:
    """In what the reach of these steps is beyond the brief's budget; nothing where it caps instead."""
    if brief.budget is None or brief.budget.over == "cap":
        return ()
    return over(of(reader, brief, agent, steps, life), brief.budget.of(agent.tier))


def refusal(beyond: tuple[str, ...]) -> RemitError:
    """The fault that refuses a plan whose reach is beyond the budget."""
    return RemitError(
        "reach_over",
        f"What this plan could reach is beyond the brief's budget of {', '.join(beyond)}.",
        "Plan narrower steps; remit task open and remit can show the bound.",
    )


def children(change: Change, above: Task, brief: Brief) -> None:
    """Refuse one more child where the errand has as many live ones as its budget allows (`children_spent`)."""
    if brief.budget is None:
        return
    first = (above, *(ancestors(change.reader, above) or ()))[-1]
    agent = change.need(Agent, first.agent)
    most = brief.budget.of(agent.tier).children
    if most is not None and "children" not in first.lifted and _below(change, first.id) >= most:
        raise RemitError(
            "children_spent", f"This errand has {most} live child tasks already.", "End one that is done first."
        )


def _below(change: Change, task_id: str) -> int:
    held = list(change.reader.where(Task, "parent = ? AND state != 'ended'", (task_id,)))
    return len(held) + sum(_below(change, one.id) for one in held)


def amount(reader: Reader, brief: Brief, tier: str, step: Step, life: int) -> Amount:
    """What one step gives at most, to an agent of this tier under this brief, in so many milliseconds.

    Where the brief's budget names no arguments for people or money, what the connector declares of the tool does.
    """
    budget = brief.budget
    most = budget.of(tier) if budget else None
    contacts, money = (budget.contacts if budget else ()), tuple(most.money if most else ())
    shape = _shape(reader, step.action)
    if shape is not None:
        roles = shape.arguments.items()
        contacts = contacts or tuple(
            _named(place) for place, one in roles if one.role == "destination" and "*" not in place
        )
        money = money or tuple(_named(place) for place, one in roles if one.kind == "amount" and "*" not in place)
    return of_step(step, -(-life // 1000), contacts, money, reads=only_reads(reader, step))


def _named(place: str) -> str:
    """An argument's name as limits write it: one of the top level without its slash."""
    top = place[1:].replace("~1", "/").replace("~0", "~")
    return place if "/" in place[1:] or top.startswith("/") else top


def _shape(reader: Reader, action: str) -> Shape | None:
    place, kind = split(action)
    tool = reader.get(Tool, f"{place}/{kind}") if kind[0] != "@" else None
    return tool.shape if tool else None


def only_reads(reader: Reader, step: Step) -> bool:
    """Say whether a step changes nothing."""
    return reads_only(reader, step.action)


def reads_only(reader: Reader, action: str) -> bool:
    """Say whether an action changes nothing, as its tool was declared when it was pinned."""
    place, kind = split(action)
    if kind[0] == "@":
        return kind not in WRITING
    tool = reader.get(Tool, f"{place}/{kind}")
    return tool is not None and tool.reads
