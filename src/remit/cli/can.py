"""`remit can`: decide a call without making it, from the same facts by the same law, and say why step by step."""

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import NO, PENDING, YES, emit, format_option
from remit.cli.values import json_value
from remit.control import agent as agents
from remit.control import reach
from remit.control.change import Change
from remit.control.decision import seen_facts
from remit.core.agent import Agent
from remit.core.answer import Allow, Ask, Decision
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.credential import Credential, PathGate
from remit.core.decision import decide
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.moment import Instant
from remit.core.shown import shown
from remit.core.task import Plan, Task
from remit.core.trust import TrustPath
from remit.custody.signer import TOKEN_PURPOSES

Line = tuple[str, str, str]


@click.command()
@click.argument("agent")
@click.argument("action")
@click.option("--task", "task_id", help="Under this task.  [default: the agent's newest open one]")
@click.option("--args", "arguments", default="{}", help="The call's arguments: JSON, @FILE, or - for standard input.")
@click.option(
    "--path",
    type=click.Choice([one.value for one in TrustPath]),
    default="own",
    show_default=True,
    help="By which trust path.",
)
@click.option("--why", is_flag=True, help="Say what was looked at, step by step.")
@format_option
@click.pass_context
def can(
    ctx: click.Context, *, agent: str, action: str, task_id: str | None, arguments: str, path: str, why: bool, form: str
) -> None:
    """Ask whether AGENT could do ACTION now. Nothing is recorded and nothing is used up.

    Exit code 0: yes. 1: no. 5: somebody would have to approve.
    """
    given = json_value(arguments)
    if not isinstance(given, dict):
        raise RemitError("json_invalid", "Arguments are one JSON object.", 'Write --args \'{"NAME": "VALUE"}\'.')
    with at_desk(ctx) as desk:
        actor = desk.agent(agent)
        lacks = agents.lacking(actor, desk.authority.clock.now())
        if lacks and not task_id:
            _nothing(form, actor, action, path, lacks)
            ctx.exit(NO)
        task = desk.need(Task, task_id) if task_id else _newest(desk, actor)
        call = Call(action, given)
        facts = _facts(desk, actor, task, call, TrustPath(path))
        found = decide(call, facts)
        answer = "yes" if isinstance(found, Allow) else "ask" if isinstance(found, Ask) else "no"
        lines = steps(call, facts, found)
        made = desk.reader.get(Plan, f"{task.id}:{task.plan}")
        under, planned, life = desk.need(Brief, task.brief), made.steps if made else (), task.deadline - task.opened
        bound = reach.of(desk.reader, under, actor, planned, life)
        lines.insert(0, ("reach", bound.says(), "holds"))
        data: Json = {
            "answer": answer,
            "agent": actor.id,
            "task": task.id,
            "action": action,
            "path": path,
            "code": getattr(found, "code", ""),
            "what": _what(found),
            "grounds": list(found.grounds),
            "reach": bound.to_json(),
            "steps": [{"looked_at": name, "found": state, "verdict": verdict} for name, state, verdict in lines],
        }
        emit(form, data, lambda: [*_table(answer, found, lines if why else []), *(lacks or ())])
    ctx.exit({"yes": YES, "ask": PENDING}.get(answer, NO))


def _nothing(form: str, actor: Agent, action: str, path: str, lacks: tuple[str, str]) -> None:
    """Say that the agent can do nothing at all now, under no task."""
    what, remedy = lacks
    code = "review_overdue" if actor.state == "active" else "agent_not_active"
    data: Json = {
        "answer": "no", "agent": actor.id, "task": "", "action": action, "path": path, "code": code,
        "what": f"{what} {remedy}", "grounds": [], "reach": {}, "steps": [],
    }  # fmt: skip
    emit(form, data, lambda: [f"no: {what} [{code}]", f"  {remedy}"])


def _newest(desk: Desk, actor: Agent) -> Task:
    found = sorted(desk.reader.where(Task, "agent = ? AND state = 'open'", (actor.id,)), key=lambda one: one.opened)
    if not found:
        raise RemitError(
            "not_found", f"{actor.name} has no open task.", "Open one: remit task open. Or name one with --task."
        )
    return found[-1]


def _facts(desk: Desk, actor: Agent, task: Task, call: Call, path: TrustPath) -> Facts:
    """The facts of this call under a credential that is issued for it, read in a transaction that is then undone."""
    authority = desk.authority
    found: list[Facts] = []

    def work(change: Change) -> RemitError:
        likely = Credential(
            id=authority.make("crd"),
            task=task.id,
            plan=task.plan,
            path=path,
            agent=actor.id,
            subject=(task.person or _no_person()) if path is TrustPath.DELEGATED else actor.id,
            audience=(call.resource,),
            key=authority.signer.active(TOKEN_PURPOSES[path]).kid,
            issued=change.now,
            expires=Instant(change.now + 1000),
        )
        change.record("credential.issued", likely, desk.by)
        found.append(seen_facts(change, likely.id, call))
        # A fault as the result undoes what was written, so that the question leaves nothing behind.
        return RemitError("question_undone", "The question was undone.", "Nothing is to be done.")

    try:
        desk.act(work)
    except RemitError as fault:
        if fault.code != "question_undone":
            raise
    return found[0]


def _no_person() -> str:
    raise RemitError(
        "person_other", "This task is on nobody's behalf.", "Open one with --for PERSON, or ask by --path own."
    )


def steps(call: Call, facts: Facts, found: Decision) -> list[Line]:
    """What the decision rests on, in the order in which it is looked at."""
    task, agent, brief, plan, resource = facts.task, facts.agent, facts.brief, facts.plan, facts.resource
    gate: PathGate | None = facts.gate
    tool = facts.tools.get(call.kind)
    held = [step for step in plan.steps if step.action == call.action] if plan else []
    lines: list[Line] = [
        (
            "trust path",
            f"{gate.name.value}, {gate.state}" if gate else "absent",
            _said(gate is not None and gate.state == "open"),
        ),
        ("task", f"{task.id}, {task.state}" if task else "absent", _said(task is not None and task.state == "open")),
        (
            "agent",
            f"{agent.name}, {agent.state}" if agent else "absent",
            _said(agent is not None and agent.state == "active"),
        ),
        (
            "review",
            "due" if agent and facts.now >= agent.review_due else "in time",
            _said(bool(agent and facts.now < agent.review_due)),
        ),
        (
            "owner",
            facts.owner.state if facts.owner else "absent",
            _said(bool(facts.owner and facts.owner.state == "active")),
        ),
        ("requester", "here" if facts.requester_live else "gone", _said(facts.requester_live)),
        (
            "brief",
            f"{brief.name} version {brief.version}, {brief.state}" if brief else "absent",
            _said(bool(brief and brief.state == "live")),
        ),
        (
            "resource",
            f"{resource.name}, {resource.state}" if resource else "absent",
            _said(bool(resource and resource.state == "active")),
        ),
        (
            "data domain",
            resource.domain if resource else "-",
            _said(bool(resource and brief and resource.domain in brief.domains)),
        ),
        ("ceiling", " ".join(agent.ceiling) if agent else "-", _said(bool(agent and agent.reaches(call.action)))),
    ]
    if call.kind[0] != "@":
        lines.append(("tool", tool.state if tool else "unknown", _said(bool(tool and tool.state == "pinned"))))
    lines.append(
        ("plan", f"version {plan.version}, {len(held)} steps of this action" if plan else "absent", _said(bool(held)))
    )
    by_policy = isinstance(found, Ask) or bool(found.grounds) or getattr(found, "code", "").startswith("policy_")
    if isinstance(found, Allow) or by_policy:
        lines.append(("limits", "within", "holds"))
        verdict = "holds" if isinstance(found, Allow) else "asks" if isinstance(found, Ask) else "refuses"
        lines.append(("policy", " ".join(found.grounds) or "nothing permits it", verdict))
    elif all(verdict == "holds" for _, _, verdict in lines):
        lines.append(("limits", _what(found), "refuses"))
    return lines


def _said(holds: bool) -> str:  # noqa: FBT001 - one of two words
    return "holds" if holds else "refuses"


def _what(found: Decision) -> str:
    if isinstance(found, Allow):
        return f"Step {found.step} of the plan holds it."
    return (
        f"Somebody must approve: {', '.join(found.groups)}."
        if isinstance(found, Ask)
        else f"{found.what} {found.may}".strip()
    )


def _table(answer: str, found: Decision, lines: list[Line]) -> list[str]:
    code = getattr(found, "code", "")
    out = [f"{answer}: {shown(_what(found))}{f' [{code}]' if code else ''}"]
    return out + [f"  {verdict:8}{name:12}{shown(state)}" for name, state, verdict in lines]
