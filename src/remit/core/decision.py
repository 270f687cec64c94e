"""The law: `decide(call, facts)`, and the only three words it can say.

Deny beats ask, ask beats allow, silence is deny (law 5). A call may happen only where all of these agree: the agent's
ceiling, the brief, the plan's step, the grant and the policy (law 3); and only while every object that the decision
rests on is still live at `facts.now` (law 1). Nothing is looked up here: what is missing from the facts refuses.
"""

import functools
from typing import Final

import msgspec

from remit.core import blended, delegation, freshness
from remit.core import policy as policies
from remit.core.answer import Allow, Ask, Charge, Decision, Deny
from remit.core.approval import stands
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.consent import Consent
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.facts import Facts
from remit.core.freshness import Freshness
from remit.core.grant import Refusal, Step, Usage, check
from remit.core.lineage.judge import Finding
from remit.core.spend import REVERSE, budgeted, reads
from remit.core.task import Plan, Task
from remit.core.tracing import acted, asking, foreign, traced
from remit.core.trust import TrustPath
from remit.core.visible import others, visible
from remit.core.witness import standing

UNUSED: Final = Usage()
FRESH: Final = Freshness()
STANDING_ONLY: Final = frozenset({"@list", "@session"})
SAID: Final = {
    "policy_missing": "No policy set is applied for this path.",
    "policy_silent": "No policy permits this.",
    "policy_forbids": "A policy forbids this.",
    "policy_error": "A policy could not be evaluated.",
    "policy_action_unknown": "No policy knows this action.",
    "policy_path_mismatch": "The policy set is that of another path.",
    **blended.SAID,
}
WAITS: Final = {
    "": "nobody says why",
    "unplanned": "it did what its plan does not hold",
    "unproven": "what its plan before gave is not proven to be ended",
    "reach": "what it could reach waits for a yes",
}


def decide(call: Call, facts: Facts) -> Decision:
    """Say what may become of this call. Total: every input gets an Allow, an Ask or a Deny, never an exception."""
    try:
        return _standing(call, facts) or _beyond(call, facts) or _within(call, facts)
    except Exception:  # noqa: BLE001 - a fault in the law itself must refuse, whatever it is (law 5)
        return Deny("decision_fault", "The decision could not be made.", "Tell the operator; nothing was done.")


def refuse(call: Call, facts: Facts, why: Deny) -> Deny:
    """Say why a call that its door refuses is refused: what it rests on comes first, then the door's own reason."""
    try:
        return _standing(call, facts) or why
    except Exception:  # noqa: BLE001 - as above
        return why


def _standing(call: Call, facts: Facts) -> Deny | None:
    """Refuse unless everything that the call rests on is live now (law 1)."""
    now, credential, task = facts.now, facts.credential, facts.task
    if credential is None or credential.state != "active":
        return Deny(
            "credential_ended", "This credential no longer counts.", "Ask for a new one for a task that is open."
        )
    if not credential.issued <= now < credential.expires:
        return Deny("credential_expired", "This credential has expired.", "Ask for a new one.")
    if facts.key is None or not facts.key.verifies(now):
        return Deny("key_retired", "The key that signed this credential is retired.", "Ask for a new credential.")
    gate = facts.gate
    if gate is None or gate.name is not credential.path or gate.state != "open" or credential.issued <= gate.since:
        return Deny(
            "path_revoked", f"The {credential.path.value} path was revoked.", "Stop; the operator has closed it."
        )
    if task is None or task.id != credential.task or task.state != "open":
        return _not_open(credential, task)
    if not task.opened <= now < task.deadline:
        return Deny("task_deadline", "This task's deadline has passed.", "Stop; a dispatcher can open a new task.")
    if now - facts.active_at >= task.idle:
        return Deny("task_idle", "This task was idle for too long.", "Stop; a dispatcher can open a new task.")
    if facts.ancestors is None or any(one.state != "open" or now >= one.deadline for one in facts.ancestors):
        return Deny("parent_ended", "A task above this one has ended.", "Stop; this task ends with it.")
    return (
        delegation.standing(credential, facts.ancestors, facts.actors, facts.givers, facts.owned, now)
        or _plan_standing(credential, task, facts)
        or _people_standing(facts)
        or _consent_standing(task, facts.consent)
        or _holder_standing(facts)
        or _fresh_standing(credential, facts)
        or _target_standing(call, facts)
        or _witnesses_standing(facts)
    )


def _fresh_standing(credential: Credential, facts: Facts) -> Deny | None:
    """Refuse what rests on a sign-in, an attestation or an owner that the brief calls too old, or that is no more."""
    givers, brief = facts.givers or (), facts.brief
    if brief is None or brief.fresh == FRESH:
        return freshness.attested(credential, givers, facts.bindings)
    return freshness.attested(credential, givers, facts.bindings) or freshness.stale(
        brief.fresh, credential, givers, facts.sessions, facts.owner_seen, facts.now
    )


def _not_open(credential: Credential, task: Task | None) -> Deny:
    if task is not None and task.id == credential.task and task.state == "suspended":
        return Deny("task_suspended", f"This task is held: {WAITS[task.held]}.", "Wait until it is resumed.")
    return Deny("task_ended", "This task is not open.", "Stop; a dispatcher can open a new task.")


def _witnesses_standing(facts: Facts) -> Deny | None:
    """Refuse while fewer witnesses than required stand behind the ledger, when the rule says stop."""
    watch = facts.watch
    code = standing(watch, facts.now) if watch is not None and watch.rule.stop else ""
    if code == "witness_refused":
        return Deny("witness_refused", "A witness refuses this ledger's newest head.", "Stop; tell the operator.")
    if code:
        return Deny(
            "witness_late", "Witnesses have not cosigned this ledger lately.", "Try again later, or tell the operator."
        )
    return None


def _plan_standing(credential: Credential, task: Task, facts: Facts) -> Deny | None:
    plan = facts.plan
    if plan is None or plan.task != task.id or plan.version != task.plan:
        return Deny("plan_missing", "This task has no plan.", "Submit a plan within the brief.")
    if credential.plan != plan.version:
        return Deny("plan_moved", "The plan has moved since this credential was issued.", "Ask for a new credential.")
    return None


def _people_standing(facts: Facts) -> Deny | None:
    credential, task, agent, brief, now = facts.credential, facts.task, facts.agent, facts.brief, facts.now
    if credential is None or task is None:
        return Deny("task_ended", "This task is not open.")
    if agent is None or agent.id != task.agent or agent.id != credential.agent or agent.state != "active":
        return Deny("agent_not_active", "This agent is not active.", "Its owner can have it reviewed.")
    if now >= agent.review_due:
        return Deny("review_overdue", "This agent's review is overdue.", "Its owner must review it first.")
    if facts.owner is None or facts.owner.id != agent.owner or facts.owner.state != "active":
        return Deny("owner_gone", "This agent has no owner who is still here.", "Transfer it to a new owner.")
    if credential.path is TrustPath.DELEGATED and (
        facts.person is None or facts.person.id != credential.subject or facts.person.state != "active"
    ):
        return Deny(
            "person_gone", "The person it acts for no longer stands behind it.", "Stop; ask them to open a new task."
        )
    if credential.path is TrustPath.DELEGATED and task.person != credential.subject:
        return Deny("person_other", "This task is not on this person's behalf.", "Use the task's own person.")
    if not facts.requester_live:
        return Deny(
            "requester_gone", "Who opened this task no longer stands behind it.", "Let a dispatcher open a new one."
        )
    if brief is None or brief.name != task.brief or brief.state != "live":
        return Deny("brief_withdrawn", f"The brief {task.brief} is not live.", "Stop; the operator withdrew it.")
    if not brief.gives(agent.id, child=bool(task.parent)):
        return Deny("brief_agent", "The brief no longer lists this agent.", "Stop; the operator can list it again.")
    return None


def _holder_standing(facts: Facts) -> Deny | None:
    if facts.brief is None or facts.credential is None or not (facts.brief.bearer_life or facts.credential.bound):
        return Deny("credential_unbound", "The brief takes no credential that is bound to no key.", "Prove a key.")
    return None


def _consent_standing(task: Task, consent: Consent | None) -> Deny | None:
    """Refuse unless the person's yes that the task was opened by, if it was, still stands."""
    if not task.consent:
        return None
    if consent is None or (consent.id, consent.person, consent.state) != (task.consent, task.person, "live"):
        return Deny("consent_withdrawn", "The person withdrew their consent.", "Stop; ask them to consent anew.")
    return None


def _target_standing(call: Call, facts: Facts) -> Deny | None:
    resource, brief, credential = facts.resource, facts.brief, facts.credential
    if (
        resource is None
        or resource.name != call.resource
        or resource.state != "active"
        or not call.action.startswith(resource.scheme)
    ):
        return Deny("resource_unknown", f"There is no resource {call.resource}.", "Use a resource of your plan.")
    if credential is None or resource.name not in credential.audience:
        return Deny("audience_other", f"This credential is not for {resource.name}.", "Ask for one with this audience.")
    if brief is None or resource.domain not in brief.domains:
        return Deny(
            "domain_outside", f"The data domain {resource.domain} is outside the brief.", "Stay in the brief's domains."
        )
    return None


def _beyond(call: Call, facts: Facts) -> Deny | None:
    """Refuse what the person, or an agent above, could not do themselves (law 3)."""
    if facts.credential is None or call.kind in STANDING_ONLY:
        return None
    return delegation.beyond(call.action, facts.actors, facts.person, facts.credential.path)


def _within(call: Call, facts: Facts) -> Decision:
    """Judge the call against ceiling, brief, plan and policy. Everything only narrows (law 3)."""
    agent, brief, plan, credential = facts.agent, facts.brief, facts.plan, facts.credential
    if agent is None or brief is None or plan is None or credential is None:
        return Deny("facts_missing", "The decision lacks a fact.", "Tell the operator; nothing was done.")
    if call.kind in STANDING_ONLY:
        return Allow(0, visible=visible(facts))
    if call.kind in REVERSE:
        if REVERSE[call.kind] not in brief.reverse or not facts.origin or not agent.reaches(call.action):
            return Deny("reverse_refused", "The brief does not let the server ask this.", "Go on without it.")
        if any(step.action == call.action for step in plan.steps):
            return _planned(call, facts, plan, brief, credential)
        return _not_forbidden(call, facts)
    if not agent.reaches(call.action):
        return Deny("ceiling_outside", f"{call.action} is outside this agent's ceiling.", others(facts))
    if call.kind[0] != "@":
        refusal = _tool_standing(call, facts)
        if refusal is not None:
            return refusal
    return _planned(call, facts, plan, brief, credential)


def _tool_standing(call: Call, facts: Facts) -> Deny | None:
    """The tool is pinned; and so is the relation or function that a SQL call is on."""
    tool = facts.tools.get(call.kind)
    if tool is None:
        return Deny("tool_unknown", f"{call.resource} has no tool of this name.", others(facts))
    if tool.state == "pinned" and call.action.startswith("sql:"):
        tool = facts.tools.get(call.relation) if "." in call.relation else None
        if tool is None:
            return Deny("relation_unknown", f"{call.resource} has no registered relation of this name.", others(facts))
    if tool.state != "pinned":
        return Deny("tool_suspended", f"The definition of {tool.name} changed; it waits for a person.", others(facts))
    return None


def _planned(call: Call, facts: Facts, plan: Plan, brief: Brief, credential: Credential) -> Decision:
    steps = [n for n, step in enumerate(plan.steps) if step.action == call.action and step.path is credential.path]
    if not steps:
        return Deny(
            "plan_outside", f"{call.action} is not in the plan on the {credential.path.value} path.", others(facts)
        )
    refusal: Refusal | None = None
    for number in steps:
        outcome = _charges(call, facts, plan, brief, number)
        if isinstance(outcome, Refusal):
            refusal = refusal or outcome
            continue
        return _ruled(call, facts, number, outcome)
    if refusal is None:
        return Deny("plan_outside", "No step of the plan holds this call.", others(facts))
    return Deny(refusal.code, refusal.what, refusal.may)


def _charges(call: Call, facts: Facts, plan: Plan, brief: Brief, number: int) -> tuple[Charge, ...] | Refusal:
    """Hold the call against the plan's step, the steps of the plans above that cover it, and the brief's at the end."""
    held: list[tuple[str, str, int, Step]] = [(plan.task, f"plan:{plan.version}", number, plan.steps[number])]
    number = plan.sources[number]
    for above in facts.above:
        if number >= len(above.steps):
            return Refusal("parent_moved", "A task above has another plan now.", "Stop; this task ends with it.")
        held.append((above.task, f"plan:{above.version}", number, above.steps[number]))
        number = above.sources[number]
    root = held[-1]
    ceiling = brief.steps[number] if number < len(brief.steps) else None
    if ceiling is None or ceiling.action != call.action or ceiling.path is not root[3].path:
        return Refusal("brief_moved", "The brief no longer holds this step.", "Submit a plan within the brief.")
    held.append((root[0], *brief_place(brief, number), ceiling))
    taken = []
    for task, scope, step_number, step in held:
        outcome = check(step, call.arguments, facts.usage.get((task, scope, step_number), UNUSED), facts.now)
        if step.owned and not isinstance(outcome, Refusal):
            outcome = foreign(call, facts, step) or outcome
        if isinstance(outcome, Refusal):
            return outcome
        if consumes(step):
            taken.append(Charge(task, scope, step_number, outcome, step.rows))
    if brief.budget is None:
        return tuple(taken)
    more = budgeted(call, facts, brief.budget, root[0])
    return more if isinstance(more, Refusal) else (*taken, *more)


def brief_place(brief: Brief, number: int) -> tuple[str, int]:
    """Where the use of a brief's step is counted: by action and path, so that another order gives nothing back."""
    step = brief.steps[number]
    before = sum(1 for one in brief.steps[:number] if one.action == step.action and one.path is step.path)
    return f"brief:{step.path.value}:{step.action}", before


def consumes(step: Step) -> bool:
    """Say whether calls of this step are counted."""
    return step.uses is not None or step.rate is not None or bool(step.totals) or step.rows is not None


def _ruled(call: Call, facts: Facts, number: int, charges: tuple[Charge, ...]) -> Decision:
    found = traced(call, facts)
    verdict = _verdict(call, facts, found)
    if verdict.answer is policies.Answer.DENY:
        said = SAID.get(verdict.code, "Policy refuses this.")
        return Deny(verdict.code, said, others(facts), verdict.grounds, traced=found)
    if found is not None:
        if found.answer == "refuse":
            why = found.ruling
            return Deny(why.code, why.what, why.may, verdict.grounds, traced=found)
        verdict = asking(verdict, found, facts)
        charges = (*charges, *acted(found, facts))
    allow = Allow(number, charges, verdict.grounds, counted=_counted(charges), traced=found)
    return allow if verdict.answer is policies.Answer.ALLOW else _with_yes(facts, verdict, allow)


def _not_forbidden(call: Call, facts: Facts) -> Decision:
    """For what the brief itself permits by kind: policy may still forbid or ask, and without a set there is no yes."""
    verdict = _verdict(call, facts)
    if verdict.answer is policies.Answer.ALLOW or verdict.code == "policy_silent":
        return Allow(0, grounds=verdict.grounds)
    if verdict.answer is policies.Answer.ASK:
        return _with_yes(facts, verdict, Allow(0, grounds=verdict.grounds))
    return Deny(verdict.code, SAID.get(verdict.code, "Policy refuses this."), grounds=verdict.grounds)


def _verdict(call: Call, facts: Facts, found: Finding | None = None) -> policies.Verdict:
    """What policy says of this call; of a child task, what it says of each agent above as well, the strictest."""
    asked = question(call, facts, found)
    verdict = policies.evaluate(facts.policy, asked)
    for one in facts.actors:
        if verdict.answer is not policies.Answer.DENY and one.id != asked.principal.id:
            above = msgspec.structs.replace(asked, principal=_principal(one.id, one.owner, one.tier, one.purpose))
            verdict = policies.stricter(verdict, policies.evaluate(facts.policy, above))
    return blended.narrowed(verdict, facts, writes=call.kind not in REVERSE and not reads(call, facts))


def _with_yes(facts: Facts, verdict: policies.Verdict, then: Allow) -> Decision:
    """What policy asks people about happens only with their yes to exactly this, as it stands now (law 6)."""
    asked = facts.asked
    if asked is not None and asked.approval.groups == verdict.groups and stands(asked, facts.now) == "yes":
        return msgspec.structs.replace(then, approval=asked.approval.id)
    return Ask(verdict.groups, verdict.grounds, then.traced)


@functools.lru_cache(maxsize=4096)
def _principal(agent: str, owner: str, tier: str, purpose: str) -> policies.Principal:
    return policies.Principal(agent, owner, tier, purpose)


def question(call: Call, facts: Facts, found: Finding | None = None) -> policies.Ask:
    """Put the call to policy: who, what, and in which circumstances."""
    agent, task, brief, credential = facts.agent, facts.task, facts.brief, facts.credential
    if agent is None or task is None or brief is None or credential is None:
        raise RemitError("facts_missing", "The decision lacks a fact.", "Report this: it is a defect in Remit.")
    person = facts.person if credential.path is TrustPath.DELEGATED else None
    mixed = blended.mixes(facts)
    return policies.Ask(
        path=credential.path,
        principal=_principal(agent.id, agent.owner, agent.tier, agent.purpose),
        action=call.action,
        task=policies.TaskFacts(
            task.id,
            task.brief,
            task.requester,
            tuple(f"{k}={v}" for k, v in sorted(task.labels.items())) if task.labels else (),
            brief.domains,
            mixed,
            blended.risk(blended=mixed),
        ),
        plan=credential.plan,
        now=facts.now,
        args=call.arguments,
        person=policies.PersonFacts(person.id, person.groups) if person else None,
        lineage=found.seen() if found is not None else None,
    )


def _counted(charges: tuple[Charge, ...]) -> tuple[tuple[str, str, int, int], ...]:
    return tuple((one.task, one.scope, one.number, one.limit) for one in charges if one.limit is not None)
