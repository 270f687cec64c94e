"""Lineage in a decision: what it finds of a call, what it asks besides policy, and what an act uses up."""

from remit.core import policy as policies
from remit.core.answer import Charge
from remit.core.call import Call
from remit.core.facts import Facts
from remit.core.grant import Consumption
from remit.core.lineage.judge import Evidence, Finding, judge, shape_of


def traced(call: Call, facts: Facts) -> Finding | None:
    """What lineage says of a call; None where the brief has no rule of it."""
    rules = facts.brief.lineage if facts.brief is not None else None
    if rules is None or call.kind[0] == "@":
        return None
    shape = shape_of(facts.tools.get(call.kind), call.kind)
    return judge(call, shape, rules, facts.evidence or Evidence(complete=False))


def asking(verdict: policies.Verdict, found: Finding, facts: Facts) -> policies.Verdict:
    """What lineage asks is asked as well as what policy asks."""
    rules = facts.brief.lineage if facts.brief is not None else None
    if found.answer != "ask" or rules is None:
        return verdict
    groups = tuple(sorted({*verdict.groups, *rules.groups}))
    grounds = (*verdict.grounds, f"lineage:{found.code}")
    return policies.Verdict(policies.Answer.ASK, grounds, groups)


def acted(found: Finding, facts: Facts) -> tuple[Charge, ...]:
    """An act that is allowed is counted in its task, in this transaction."""
    task = facts.task.id if facts.task is not None else ""
    return tuple(Charge(task, scope, 0, Consumption()) for scope in found.counted)
