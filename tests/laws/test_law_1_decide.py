"""Law 1, pure: `decide` against its slow twin, on real facts with one, two or three of them made wrong."""

import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.control import brief, decision, delegation, principal
from remit.control.delegation import Wanted
from remit.core.answer import Allow, Ask, Deny
from remit.core.attestor import Binding
from remit.core.call import Call
from remit.core.decision import decide
from remit.core.freshness import Freshness
from remit.core.grant import Usage
from remit.core.moment import Instant
from remit.core.record import changed
from remit.core.session import Session
from remit.core.trust import TrustPath
from remit.core.witness import Watch
from tests.kit.hours import Hours
from tests.kit.nouns import witness, witness_rule
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World
from tests.oracle import decide as oracle

LAW = settings(
    max_examples=3_000, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
CALLS = (
    Call("mcp:notes/read_note", {"path": "/notes/a"}),
    Call("mcp:notes/read_note", {"path": "/notes/../etc"}),
    Call("mcp:notes/read_note", {"path": "/notes/a", "more": 1}),
    Call("mcp:notes/write_note", {"path": "/notes/a", "text": "t", "amount": 50}),
    Call("mcp:notes/write_note", {"path": "/notes/a", "text": "t", "amount": 51}),
    Call("mcp:notes/write_note", {"path": "/notes/a"}),
    Call("mcp:notes/wipe", {}),
    Call("mcp:notes/gone", {}),
    Call("mcp:other/read_note", {"path": "/notes/a"}),
    Call("mcp:notes/@list", {}),
    Call("mcp:notes/@sampling", {}),
    Call("mcp:notes/@roots", {}),
)
OTHER = {kind: f"{kind}_" + "q" * 26 for kind in ("per", "agt", "tsk", "crd", "bnd", "ses")}
BOUND = Binding(id=OTHER["bnd"], agent=OTHER["agt"], attestor="p", claims={"sub": "x"}, made=Instant(1))
ENDED = {
    "credential": "ended", "task": "ended", "agent": "suspended", "owner": "gone", "person": "gone", "gate": "closed",
    "key": "retired", "brief": "withdrawn", "resource": "removed",
}  # fmt: skip
TIMES = (-1, 0, 1)
LESS = (("mcp:notes/wipe",), (), ("mcp:notes/read_note",))


@cache
def real():
    """Facts that a real store gave: each call on both paths, in a task, a child of it, and one that was handed on."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        hours, papers = Hours(), []
        world = World(Path(folder), hours.clock()).settle()
        world.act(
            lambda c: principal.add_person(c, "local", "else", "Else", (), "operator"),
        )
        sub = world.an_agent("sub")
        world.act(lambda c: brief.apply(c, world.a_brief(subagents=(sub.id,)), "operator"))
        task = world.a_task()
        child = world.a_task(parent=task.id, person=task.person)
        for one in (task, child):
            for path in TrustPath:
                person = one.person if path is TrustPath.DELEGATED else ""
                paper = world.a_credential(one.id, path, person).credential
                hours.pass_by(1_000)
                papers.append(paper)
                if one is task:
                    papers.append(
                        world.act(lambda c, p=paper: delegation.hand_on(c, p.id, sub.id, Wanted())).credential
                    )
        hours.pass_by(1_000)
        for paper in papers:
            for call in CALLS:
                seen = world.act(lambda c, p=paper, call=call: decision.seen_facts(c, p.id, call))
                found.append((call, seen))
        world.close()
    return found


def member(name, facts, /, **members):
    held = getattr(facts, name)
    return facts if held is None else replace(facts, **{name: changed(held, **members)})


def without(name):
    return lambda facts, _: replace(facts, **{name: None})


def state(name, value):
    return lambda facts, _: member(name, facts, state=value)


def instant(facts, at, edge):
    return replace(facts, now=Instant(at + edge))


def due(task, at):
    return changed(task, deadline=Instant(at)) if task.opened < at else task


def used(facts, edge, scope):
    """Two, three or four uses of every step of a scope, of this task and all above it."""
    tasks = {one.id for one in (facts.task, *(facts.ancestors or ())) if one}
    return replace(facts, usage={(task, scope, step): Usage(uses=3 + edge) for task in tasks for step in range(6)})


def watched(facts, states, required, *, stop=True, heard=None, since=0):
    """Witnesses in these states, all heard at the same instant, and how many of them must be in order."""
    rule = witness_rule(required=required, stop=stop, max_age=60_000)
    at = Instant(facts.now if heard is None else heard)
    seen = tuple((witness(state=state, since=Instant(since)), at) for state in states)
    return replace(facts, watch=Watch(rule, seen))


WRONGS = {
    **{
        f"no {name}": without(name)
        for name in (*ENDED, "ancestors", "plan", "policy")
    },
    **{f"{name} {value}": state(name, value) for name, value in ENDED.items()},
    "next key": state("key", "next"),
    "retiring key": lambda f, e: member("key", f, state="retiring", until=Instant(f.now + e)),
    "proposed agent": state("agent", "proposed"),
    "suspended task": state("task", "suspended"),
    "at the credential's end": lambda f, e: instant(f, f.credential.expires, e) if f.credential else f,
    "at the credential's start": lambda f, e: instant(f, f.credential.issued, e) if f.credential else f,
    "at the task's deadline": lambda f, e: instant(member("credential", f, expires=2**45), f.task.deadline, e)
    if f.task else f,
    "at the task's idleness": lambda f, e: instant(f, f.active_at + f.task.idle, e) if f.task else f,
    "at the review": lambda f, e: member("agent", f, review_due=Instant(f.now + e)),
    "gate since": lambda f, e: member("gate", f, since=Instant((f.credential or f.task or f.agent).issued + e))
    if f.credential else f,
    "path closed again": lambda f, e: member("gate", f, name=TrustPath.OWN if e else TrustPath.DELEGATED),
    "another task": lambda f, _: member("credential", f, task=OTHER["tsk"]),
    "another agent": lambda f, _: member("task", f, agent=OTHER["agt"]),
    "another owner": lambda f, _: member("owner", f, id=OTHER["per"]),
    "another person": lambda f, _: member("person", f, id=OTHER["per"]),
    "another person's task": lambda f, _: member("task", f, person=OTHER["per"]),
    "plan of another task": lambda f, _: member("plan", f, task=OTHER["tsk"]),
    "plan moved": lambda f, e: member("plan", f, version=2 + e),
    "task replanned": lambda f, e: member("task", f, plan=2 + e),
    "credential of plan": lambda f, e: member("credential", f, plan=2 + e),
    "requester gone": lambda f, _: replace(f, requester_live=False),
    "other brief": lambda f, _: member("brief", f, name="other"),
    "agents of the brief": lambda f, _: member("brief", f, agents=(OTHER["agt"],)),
    "bound credentials only": lambda f, e: member("brief", f, bearer_life=max(e, 0)),
    "bound": lambda f, e: member("credential", member("brief", f, bearer_life=0), thumb="t" * 43 * max(e, 0)),
    "domains of the brief": lambda f, _: member("brief", f, domains=("home",)),
    "fewer steps": lambda f, e: member("brief", f, steps=f.brief.steps[: 2 + e]) if f.brief else f,
    "steps turned": lambda f, _: member("brief", f, steps=f.brief.steps[::-1]) if f.brief else f,
    "server may ask": lambda f, e: replace(member("brief", f, reverse=("sampling",)), origin=e >= 0),
    "other resource": lambda f, _: member("resource", f, name="other"),
    "other audience": lambda f, _: member("credential", f, audience=("other",)),
    "ceiling": lambda f, e: member("agent", f, ceiling=LESS[e + 1]),
    "tools gone": lambda f, _: replace(f, tools={}),
    "tools suspended": lambda f, _: replace(f, tools={n: changed(t, state="suspended") for n, t in f.tools.items()}),
    "above ended": lambda f, _: replace(f, ancestors=tuple(changed(t, state="ended") for t in f.ancestors or ())),
    "above over": lambda f, e: replace(
        f, ancestors=tuple(due(t, f.now + e) for t in f.ancestors or ())
    ),
    "no givers": without("givers"),
    "givers lost": lambda f, _: replace(f, givers=()),
    "a giver ended": lambda f, _: replace(f, givers=tuple(changed(c, state="ended") for c in f.givers or ())),
    "a giver over": lambda f, e: replace(
        f, givers=tuple(changed(c, expires=Instant(max(f.now, c.issued + 2) + e)) for c in f.givers or ())
    ),
    "a giver of another path": lambda f, _: member("credential", f, path=TrustPath.OWN, subject=f.credential.agent)
    if f.credential else f,
    "a giver of another task": lambda f, _: replace(
        f, givers=tuple(changed(c, task=OTHER["tsk"]) for c in f.givers or ())
    ),
    "another giver": lambda f, _: replace(f, givers=tuple(changed(c, id=OTHER["crd"]) for c in f.givers or ())),
    "agents above lost": lambda f, _: replace(f, actors=()),
    "other agents above": lambda f, _: replace(f, actors=tuple(changed(a, id=OTHER["agt"]) for a in f.actors)),
    "an agent above suspended": lambda f, _: replace(f, actors=tuple(changed(a, state="suspended") for a in f.actors)),
    "an agent above overdue": lambda f, e: replace(
        f, actors=tuple(changed(a, review_due=Instant(f.now + e)) for a in f.actors)
    ),
    "a ceiling above": lambda f, e: replace(
        f, actors=tuple(changed(a, ceiling=LESS[e + 1]) for a in f.actors)
    ),
    "an owner above gone": lambda f, _: replace(f, owned=False),
    "the person's rights": lambda f, e: member(
        "person", f, rights=(("mcp:notes/*",), (), ("mcp:notes/read_note",))[e + 1]
    ),
    "subagents of the brief": lambda f, _: member("brief", f, subagents=()),
    "bound and not": lambda f, _: member("credential", f, binding=BOUND.id),
    "bound by what stands": lambda f, e: replace(
        member("credential", f, binding=BOUND.id),
        bindings=(changed(BOUND, agent=f.credential.agent, state="active" if e >= 0 else "ended"),),
    ) if f.credential else f,
    "the agent's attestation": lambda f, e: limited(
        member("credential", f, attested=Instant(f.now - 5_000 + e)), agent=5_000
    ),
    "the owner's sight": lambda f, e: limited(replace(f, owner_seen=Instant(f.now - 5_000 + e)), owner=5_000),
    "the person's sign-in": lambda f, e: limited(
        member("credential", f, signed_in=Instant(f.now - 5_000 + e)), person=5_000
    ),
    "the person's session": lambda f, e: limited(
        replace(f, sessions=(signed(f.now - 5_000 + e, f.now + 1_000),)), person=5_000, acr=("mfa",)
    ),
    "the person's session over": lambda f, e: limited(
        replace(f, sessions=(signed(f.now - 10, f.now + e),)), acr=("mfa",)
    ),
    "the person's session ended": lambda f, _: limited(
        replace(f, sessions=(changed(signed(f.now - 10, f.now + 10), state="ended"),)), acr=("mfa",)
    ),
    "the person's strength": lambda f, e: limited(
        member("credential", f, strength=("", "pwd", "mfa")[e + 1]), acr=("mfa",)
    ),
    "uses of the plan": lambda f, e: used(f, e, "plan:1"),
    "uses of the brief": lambda f, e: used(f, e, "brief:own:mcp:notes/write_note"),
    "other uses of the brief": lambda f, e: used(f, e, "brief:delegated:mcp:notes/write_note"),
    "a witness refused": lambda f, e: watched(f, ("in_order", "refused", "in_order"), 2 + e),
    "a witness acknowledged": lambda f, e: watched(f, ("acknowledged", "refused"), 1 + max(e, 0)),
    "a witness late": lambda f, e: watched(f, ("in_order",), 1, heard=f.now - 60_000 + e),
    "a witness never heard": lambda f, e: watched(f, ("in_order",), 1, heard=0),
    "a witness heard before it was added": lambda f, e: watched(f, ("in_order",), 1, since=f.now + 1_000 * e),
    "a witness refused, and calls go on": lambda f, e: watched(f, ("refused",), 1, stop=False),
}  # fmt: skip


def limited(facts, **fresh):
    """With a brief that wants these to be fresh."""
    return member("brief", facts, fresh=Freshness(**fresh))


def signed(at, until):
    """A sign-in of the person at this instant, by more than a password."""
    made = Instant(min(at, until - 1))
    return Session(
        id=OTHER["ses"], person=OTHER["per"], issuer="i", made=made, until=Instant(until), auth_time=at, acr="mfa"
    )


MUTATIONS = st.lists(st.tuples(st.sampled_from(sorted(WRONGS)), st.sampled_from(TIMES)), max_size=3)


def said(call, facts):
    """The decision, and what the twin says; each is held to be one of three words."""
    found = decide(call, facts)
    assert isinstance(found, Allow | Ask | Deny), "decide said something else"
    wiped = call.kind == "wipe"
    against = oracle.reasons(call, facts, "deny" if wiped or facts.policy is None else "allow")
    return found, against


def decide_agrees_with_its_twin(_folder: Path) -> None:
    @LAW
    @given(st.integers(0, 10_000), MUTATIONS)
    def law(number, mutations):
        call, facts = real()[number % len(real())]
        names = []
        for name, edge in mutations:
            facts = WRONGS[name](facts, edge)
            names.append(f"{name} {edge}")
        found, against = said(call, facts)
        if isinstance(found, Allow):
            assert not against, f"allowed, although not: {', '.join(against)} ({names})"
        else:
            assert against, f"refused, though nothing stands against it: {found} ({names})"

    law()


def each_single_wrong_is_judged_alike(_folder: Path) -> None:
    """Every wrong by itself, at every edge, on every call."""
    for call, facts in real():
        for name, wrong in WRONGS.items():
            for edge in TIMES:
                found, against = said(call, wrong(facts, edge))
                if isinstance(found, Allow):
                    assert not against, f"allowed, although not: {', '.join(against)} ({name} {edge})"
                else:
                    assert against, f"refused, though nothing stands against it: {found} ({name} {edge})"


LAWS = (each_single_wrong_is_judged_alike, decide_agrees_with_its_twin)
DECIDE = "core/decision.py"
SINGLE = each_single_wrong_is_judged_alike
FAULTS = (
    Planted(
        "ancestors skipped",
        DECIDE,
        "if facts.ancestors is None or any(",
        "if facts.ancestors is None and any(",
        SINGLE,
        "all above open",
    ),
    Planted("owner skipped", DECIDE, 'or facts.owner.state != "active"', "", SINGLE, "owner here"),
    Planted("person skipped", DECIDE, 'or facts.person.state != "active"', "", SINGLE, "person here"),
    Planted(
        "requester skipped",
        DECIDE,
        "if not facts.requester_live:",
        "if facts.requester_live is None:",
        SINGLE,
        "requester here",
    ),
    Planted("path gate skipped", DECIDE, 'or gate.state != "open" or', "or", SINGLE, "gate open"),
    Planted("witnesses skipped", DECIDE, "or _witnesses_standing(facts)", "", SINGLE, "witnesses in order"),
    Planted(
        "a witness a moment late",
        "core/witness.py",
        "now - heard < max_age",
        "now - heard <= max_age",
        SINGLE,
        "witnesses in order",
    ),
    Planted(
        "a witness that refused counts",
        "core/witness.py",
        'or (witness.state == "in_order" and recent)',
        "or recent",
        SINGLE,
        "witnesses in order",
    ),
    Planted("tool pin skipped", DECIDE, 'if tool.state != "pinned":', "if not tool.state:", SINGLE, "tool pinned"),
    Planted(
        "ceiling skipped",
        DECIDE,
        "if not agent.reaches(call.action):",
        "if agent is None:",
        SINGLE,
        "within the ceiling",
    ),
    Planted(
        "domain skipped",
        DECIDE,
        "if brief is None or resource.domain not in brief.domains:",
        "if brief is None:",
        SINGLE,
        "domain in the brief",
    ),
    Planted(
        "audience skipped",
        DECIDE,
        "if credential is None or resource.name not in credential.audience:",
        "if credential is None:",
        SINGLE,
        "audience",
    ),
    Planted(
        "expiry a moment late",
        DECIDE,
        "if not credential.issued <= now < credential.expires:",
        "if not credential.issued <= now <= credential.expires:",
        SINGLE,
        "credential not over",
    ),
    Planted(
        "the brief's uses are not counted",
        DECIDE,
        "held.append((root[0], *brief_place(brief, number), ceiling))",
        "held.append((root[0], 'nowhere', 0, ceiling))",
        SINGLE,
        "a step holds it",
    ),
    Planted(
        "uses never end",
        "core/check.py",
        "if step.uses is not None and usage.uses >= step.uses:",
        "if step.uses is not None and usage.uses > step.uses + 9:",
        SINGLE,
        "a step holds it",
    ),
    Planted(
        "origin skipped",
        DECIDE,
        "not in brief.reverse or not facts.origin or",
        "not in brief.reverse or",
        SINGLE,
        "bound to an open call",
    ),
    Planted(
        "a missing policy set permits",
        "core/policy.py",
        'return Verdict(Answer.DENY, code="policy_missing") if held is None',
        "return Verdict(Answer.ALLOW) if held is None",
        SINGLE,
        "policy permits",
    ),
)


def test_the_facts_hold_what_may_and_what_may_not():
    allowed = sum(isinstance(decide(call, facts), Allow) for call, facts in real())
    assert 12 <= allowed < len(real())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
