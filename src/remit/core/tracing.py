"""Lineage in a decision: what it finds of a call, what it asks besides policy, and what an act uses up."""

from collections.abc import Iterable

from remit.core import policy as policies
from remit.core.answer import Charge
from remit.core.call import Call
from remit.core.connector import Argument, Shape
from remit.core.facts import Facts
from remit.core.grant import Consumption, Refusal, Step
from remit.core.limit.owned import named
from remit.core.lineage.judge import Evidence, Finding, judge, shape_of
from remit.core.lineage.source import thing
from remit.core.trust import TrustPath


def objects(call: Call, shape: Shape, steps: Iterable[Step]) -> tuple[str, ...]:
    """The atoms of all that this call names and that must belong to the person it is done for."""
    found: dict[str, None] = {}
    for where in (one for step in steps for one in step.owned):
        place = f"/{'/'.join(where)}"
        sort = (shape.arguments.get(place) or shape.arguments.get(f"{place}/*") or Argument()).of
        found.update(dict.fromkeys(thing(call.resource, sort, one) for one in named(call.arguments, where)))
    return tuple(found)


def foreign(call: Call, facts: Facts, step: Step) -> Refusal | None:
    """Refuse what does not belong to the person, or of which no earlier answer has said whose it is.

    Only the delegated path has a person. An object of which two answers say otherwise is nobody's. An object is known
    again by its very text, sort and resource: what is only spelled alike, or is of another sort, is another.
    """
    if not step.owned:
        return None
    evidence = facts.evidence
    if step.path is not TrustPath.DELEGATED or evidence is None or not evidence.complete:
        return Refusal("owner_unknown", "It is not known whose this is.", "Act for a person, in a task that can tell.")
    for atom in objects(call, shape_of(facts.tools.get(call.kind), call.kind), (step,)):
        owners = {(one.owner, one.path) for one in evidence.holds.get(atom, ()) if one.owner}
        if not owners:
            return Refusal("owner_unknown", "It is not known whose this is.", "Look it up first.")
        for owner, path in owners:
            own = owner == evidence.own and path == TrustPath.DELEGATED.value
            if not own and owner not in evidence.accounts:
                return Refusal("object_not_owned", "This belongs to somebody else.", "Use what belongs to the person.")
    return None


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
    """An act that is allowed is counted in this transaction, for the whole errand: its tasks share one request."""
    first = (facts.task, *(facts.ancestors or ()))[-1]
    root = first.id if first is not None else ""
    return tuple(Charge(root, scope, 0, Consumption()) for scope in found.counted)
