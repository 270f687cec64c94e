"""The slow, obvious twin of `decide`: a list of conditions, read from the laws, of which every one must hold.

It gathers every reason against a call instead of stopping at the first, shares no code with core/decision, and asks the
twin of `check` (tests/oracle/covers) about limits. What policy says is handed in: that has a twin of its own.
"""

from tests.oracle import covers


def reasons(call, facts, policy_says):
    """Why this call may not happen; empty when it may. `policy_says` is "allow", "ask" or "deny" for a planned call."""
    now, paper, task, plan = facts.now, facts.credential, facts.task, facts.plan
    agent, brief, place = facts.agent, facts.brief, facts.resource
    needed = (paper, task, plan, agent, brief, place, facts.key, facts.gate, facts.owner, facts.ancestors)
    if any(one is None for one in needed):
        return ["something that it rests on is not there"]
    delegated = paper.path.value == "delegated"
    person = facts.person
    conditions = {
        "credential active": paper.state == "active",
        "credential begun": paper.issued <= now,
        "credential not over": now < paper.expires,
        "key in force": facts.key.state == "active" or (facts.key.state == "retiring" and now < facts.key.until),
        "gate of this path": facts.gate.name == paper.path,
        "gate open": facts.gate.state == "open",
        "issued after the gate opened": paper.issued > facts.gate.since,
        "task of the credential": task.id == paper.task,
        "task open": task.state == "open",
        "task begun": task.opened <= now,
        "task not over": now < task.deadline,
        "task not idle": now - facts.active_at < task.idle,
        "all above open": all(one.state == "open" for one in facts.ancestors),
        "none above over": all(now < one.deadline for one in facts.ancestors),
        "plan of the task": plan.task == task.id,
        "plan in force": plan.version == task.plan,
        "credential of the plan in force": paper.plan == plan.version,
        "agent of the task": agent.id == task.agent,
        "agent of the credential": agent.id == paper.agent,
        "agent active": agent.state == "active",
        "review not due": now < agent.review_due,
        "owner of the agent": facts.owner.id == agent.owner,
        "owner here": facts.owner.state == "active",
        "person there": not delegated or person is not None,
        "person of the credential": not delegated or (person is not None and person.id == paper.subject),
        "person here": not delegated or (person is not None and person.state == "active"),
        "person of the task": not delegated or task.person == paper.subject,
        "requester here": facts.requester_live,
        "consent stands, where there was one": not task.consent or consented(task, facts.consent),
        "brief of the task": brief.name == task.brief,
        "brief live": brief.state == "live",
        "bound, or the brief does without": brief.bearer_life > 0 or paper.thumb != "" or paper.certificate != "",
        "agent listed": agent.id in brief.agents or (task.parent != "" and agent.id in brief.subagents),
        "agents above there": [one.id for one in facts.actors] == [one.agent for one in facts.ancestors],
        "agents above active": all(one.state == "active" and now < one.review_due for one in facts.actors),
        "owners above here": facts.owned,
        "credentials above": given(facts),
        "attested by what stands": all(
            any((one.id, one.agent, one.state) == (each.binding, each.agent, "active") for one in facts.bindings)
            for each in (paper, *(facts.givers or ()))
            if each.binding
        ),
        "fresh enough": fresh(facts),
        "resource of the call": place.name == call.action.split(":")[1].split("/")[0],
        "scheme of the resource": call.action.split(":")[0] == {"postgres": "sql"}.get(place.kind, place.kind),
        "resource active": place.state == "active",
        "resource in the audience": place.name in paper.audience,
        "domain in the brief": place.domain in brief.domains,
        "witnesses in order": witnessed(facts),
    }
    kind = call.action.split("/", 1)[1]
    if kind in {"@sampling", "@elicitation", "@roots"}:
        conditions["brief lets the server ask"] = kind[1:] in brief.reverse
        conditions["bound to an open call"] = facts.origin
        conditions["policy is there"] = facts.policy is not None
        conditions["within the ceiling"] = reaches(agent, call)
        conditions |= handed_on(call, facts, person if delegated else None)
    elif kind not in {"@list", "@session"}:
        conditions["within the ceiling"] = reaches(agent, call)
        conditions |= handed_on(call, facts, person if delegated else None)
        if not kind.startswith("@"):
            tool = facts.tools.get(kind)
            conditions["tool known"] = tool is not None
            conditions["tool pinned"] = tool is not None and tool.state == "pinned"
            if call.action.split(":")[0] == "sql":
                on = facts.tools.get(call.arguments.get("relation"))
                conditions["relation pinned"] = on is not None and on.state == "pinned" and "." in on.name
        conditions["a step holds it"] = any(held(call, facts, number) for number in range(len(plan.steps)))
        conditions["policy permits"] = policy_says == "allow"
    return [name for name, holds in conditions.items() if not holds]


def given(facts):
    """Whether the credential was made from one of the task right above, that one too, and all of them count."""
    wanted, level = facts.credential.parent, 0
    while wanted:
        if facts.givers is None or level >= len(facts.givers) or level >= len(facts.ancestors):
            return False
        one, task = facts.givers[level], facts.ancestors[level]
        counts = one.state == "active" and facts.now < one.expires and one.path == facts.credential.path
        if one.id != wanted or one.task != task.id or not counts:
            return False
        wanted, level = one.parent, level + 1
    return facts.givers is not None


def fresh(facts):
    """Whether the agent, its owner and the person were seen no longer ago than the brief wants, and surely enough."""
    wants, now, papers = facts.brief.fresh, facts.now, (facts.credential, *(facts.givers or ()))
    if wants.agent > 0 and not all(now - one.attested < wants.agent for one in papers):
        return False
    if wants.owner > 0 and not now - facts.owner_seen < wants.owner:
        return False
    if facts.credential.path.value == "own" or (wants.person == 0 and not wants.acr):
        return True
    live = [(one.auth_time, one.acr) for one in facts.sessions if one.state == "open" and now < one.until]
    signs = [(facts.credential.signed_in, facts.credential.strength), *live]
    return any(
        (wants.person == 0 or now - at < wants.person) and (not wants.acr or acr in wants.acr) for at, acr in signs
    )


def handed_on(call, facts, person):
    """Whether the person, and each agent above, could do this themselves."""
    own = person is None or person.rights is None or names(person.rights, call)
    return {"person may": own, "within the ceilings above": all(reaches(one, call) for one in facts.actors)}


def consented(task, consent):
    """Whether the yes that opened the task is there, is that person's own, and was not withdrawn."""
    return (
        consent is not None
        and consent.id == task.consent
        and consent.person == task.person
        and consent.state != "withdrawn"
    )


def witnessed(facts):
    """Whether enough witnesses stand behind the ledger, where the rule stops decisions otherwise."""
    if facts.watch is None or not facts.watch.rule.stop:
        return True
    good = 0
    for witness, heard in facts.watch.seen:
        since_added = heard // 1000 >= witness.since // 1000
        young = facts.watch.rule.max_age == 0 or heard > facts.now - facts.watch.rule.max_age
        if witness.state == "acknowledged" or (witness.state == "in_order" and since_added and young):
            good += 1
    return good >= facts.watch.rule.required


def reaches(agent, call):
    """Whether the agent's ceiling names the action, or all of its resource."""
    return names(agent.ceiling, call)


def names(entries, call):
    """Whether one of these is the action, or all of its resource."""
    return any(one in {call.action, call.action.split("/")[0] + "/*"} for one in entries)


def held(call, facts, number):
    """Whether this step of the plan, every plan above it and the brief hold the call."""
    plan = facts.plan
    if plan.steps[number].path is not facts.credential.path:
        return False
    place = number
    for one in (plan, *facts.above):
        if place >= len(one.steps) or not fits(one.steps[place], call, facts, (one.task, f"plan:{one.version}", place)):
            return False
        root, path, place = one.task, one.steps[place].path, one.sources[place]
    if place >= len(facts.brief.steps) or facts.brief.steps[place].path is not path:
        return False
    step = facts.brief.steps[place]
    alike = [one for one in facts.brief.steps[:place] if (one.action, one.path) == (step.action, step.path)]
    return fits(step, call, facts, (root, f"brief:{step.path.value}:{step.action}", len(alike)))


def fits(step, call, facts, where):
    """Whether one step allows the call, given what was used of it."""
    if step.action != call.action:
        return False
    form, used = step.to_json(), facts.usage.get(where)
    if used is not None and "uses" in form and used.uses >= form["uses"]:
        return False
    if "window" in form and not form["window"]["start"] <= facts.now < form["window"]["end"]:
        return False
    return covers.named(form, call.arguments)
