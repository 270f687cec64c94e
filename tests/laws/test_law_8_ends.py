"""Law 8: what ends, ends everything below it: agent, tasks, child tasks, credentials; a person takes theirs along."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.control import revocation, sweep, task
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.permit import Entry
from remit.core.task import Task
from remit.core.trust import TrustPath
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call

LAW = settings(
    max_examples=25, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
KINDS = ("task", "agent", "person", "brief", "plan", "deadline")


def what_ends_ends_all_below(folder: Path) -> None:
    runs = iter(range(1000))

    def one(shape, kind, which):
        hours = Hours()
        place = folder / str(next(runs))
        place.mkdir(mode=0o700)
        world = World(place, hours.clock()).settle()
        tree = grown(world, shape)
        papers = [world.a_credential(one.id).credential for one in tree]
        target = tree[which % len(tree)]
        dead = stopped(world, hours, tree, kind, target)
        hours.pass_by(0 if kind == "deadline" else 1_000)
        for errand, paper in zip(tree, papers, strict=True):
            held = world.act(lambda c, errand=errand: c.need(Task, errand.id))
            answer = world.decide(read_call(), Entry(paper.id, errand.id, world.agent.id, TrustPath.OWN, "notes"))
            if errand.id in dead:
                assert held.state == "ended", f"after the end of a {kind}, a task below it is {held.state}"
                assert isinstance(answer, Deny), f"after the end of a {kind}, a call below it was allowed"
            else:
                assert held.state == "open", f"the end of a {kind} ended what does not lie below it"
        agent = world.act(lambda c: c.need(Agent, world.agent.id))
        goes = kind == "agent" or (kind == "person" and target.requester == world.owner.id)
        assert agent.state == ("suspended" if goes else "active"), (
            f"after the end of a {kind} the agent is {agent.state}"
        )
        world.close()

    for kind in KINDS:
        one([-1, 0, 1, -1, 0], kind, 0)

    @LAW
    @given(st.lists(st.integers(-1, 3), min_size=1, max_size=5), st.sampled_from(KINDS), st.integers(0, 4))
    def law(shape, kind, which):
        one(shape, kind, which)

    law()


def grown(world, shape):
    """A forest of tasks: each entry hangs a task below an earlier one, or starts a tree for the owner or the person."""
    found = []
    for number, above in enumerate(shape):
        parents = [one for one in found if depth(found, one) < 2]
        if above < 0 or not parents:
            who = (world.owner, world.person)[number % 2].id
            found.append(world.a_task(requester=who, by=who))
        else:
            parent = parents[above % len(parents)]
            given = {"requester": parent.requester, "person": parent.person, "parent": parent.id}
            found.append(world.a_task(**given, by=parent.requester))
    return found


def depth(tree, one):
    return 0 if not one.parent else 1 + depth(tree, next(t for t in tree if t.id == one.parent))


def below(tree, one):
    return {one.id}.union(*(below(tree, child) for child in tree if child.parent == one.id))


def stopped(world, hours, tree, kind, target):
    """End it, and say which tasks must have ended with it."""
    everything = {one.id for one in tree}
    if kind == "plan":
        narrow = tuple(step for step in world.a_brief().steps if step.action == "mcp:notes/read_note")
        world.act(lambda c: task.plan(c, target.id, narrow, "operator"))
        return below(tree, target) - {target.id}
    if kind == "deadline":
        hours.pass_by(61 * 60_000)
        assert world.act(sweep.sweep) == len(tree), "the sweep did not end what was past its deadline"
        return everything
    name = {"task": target.id, "agent": world.agent.id, "person": target.requester, "brief": "notes"}[kind]
    ended = world.act(lambda c: revocation.revoke(c, kind, name, "operator"))
    dead = {
        "task": below(tree, target),
        "person": everything if name == world.owner.id else {o.id for o in tree if o.requester == name},
    }.get(kind, everything)
    assert set(ended.tasks) == dead, "the revocation did not name all that it ended"
    return dead


def a_credential_ends_alone(folder: Path) -> None:
    world = World(folder).settle()
    one = world.a_task()
    first, second = (world.a_credential(one.id) for _ in range(2))
    world.act(lambda c: revocation.revoke(c, "credential", first.credential.id, "operator"))
    assert isinstance(world.decide(read_call(), world.enter(first.text)), Deny), "a revoked credential was allowed"
    assert not isinstance(world.decide(read_call(), world.enter(second.text)), Deny), "its sibling ended with it"
    world.close()


def streams_of_the_dead_are_not_live(folder: Path) -> None:
    """What the gate asks when it cuts streams."""
    world = World(folder).settle()
    parent = world.a_task()
    child = world.a_task(parent=parent.id, person=parent.person)
    papers = [world.a_credential(one.id).credential.id for one in (parent, child)]
    assert world.gate.live(papers) == set(papers), "a live stream was to be cut"
    world.act(lambda c: revocation.revoke(c, "task", parent.id, "operator"))
    assert not world.gate.live(papers), "a stream of an ended task was kept"
    third = world.a_credential(world.a_task().id).credential.id
    world.act(lambda c: revocation.revoke(c, "path", "own", "operator"))
    assert not world.gate.live([third]), "a stream of a closed path was kept"
    world.close()


LAWS = (what_ends_ends_all_below, a_credential_ends_alone, streams_of_the_dead_are_not_live)
REVOCATION, TASK = "control/revocation.py", "control/task.py"
FAULTS = (
    Planted(
        "a suspended agent keeps its tasks",
        REVOCATION,
        '_tasks(change, "agent = ? AND state != \'ended\'", target, "agent", by)',
        "[]",
        what_ends_ends_all_below,
        "did not name all",
    ),
    Planted(
        "child tasks go on",
        TASK,
        'ended += end(change, child.id, "parent", by)',
        "ended += []",
        what_ends_ends_all_below,
        "did not name all",
    ),
    Planted(
        "child tasks outlive their parent's plan",
        TASK,
        'end(change, child.id, "plan", by)',
        "del child",
        what_ends_ends_all_below,
        "after the end of a plan",
    ),
    Planted(
        "a person leaves their agents behind",
        REVOCATION,
        'ended += _agent(change, owned.id, by, "its owner left", stopped)',
        "ended += []",
        what_ends_ends_all_below,
        "did not name all",
    ),
    Planted(
        "a withdrawn brief keeps its tasks",
        REVOCATION,
        '_tasks(change, "brief = ? AND state != \'ended\'", target, "revoked", by)',
        "[]",
        what_ends_ends_all_below,
        "did not name all",
    ),
    Planted(
        "the sweep forgets deadlines",
        "control/sweep.py",
        "state != 'ended' AND deadline <= ?",
        "state != 'ended' AND deadline < 0 * ?",
        what_ends_ends_all_below,
        "past its deadline",
    ),
    Planted(
        "a stream looks only at its credential",
        "control/gate.py",
        'and task.state == "open"',
        "",
        streams_of_the_dead_are_not_live,
        "an ended task was kept",
    ),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
