"""Law 5 for what a scan put forward: until a person approves it, it opens nothing, and silence is no approval.

A twin says beforehand what may work: nothing that rests on one proposed record, whatever else is in order.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remit.control import brief, credential, policy, resource, review, task
from remit.control import connection as connections
from remit.control.review import Acting, Server
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.grant import Step
from remit.core.permit import Fault, Permit
from remit.core.record import changed
from remit.core.resource import Minting, Resource, Upstream
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.planted import Planted, red
from tests.kit.world import DAY, World, read_call

READ = Step.from_json({"action": "mcp:mail/@read", "path": "own"})


def fails(work: Callable[[], Any]) -> bool:
    """Say whether it is refused, as a fault or as a value."""
    try:
        return isinstance(work(), Deny | Fault)
    except RemitError:
        return True


def what_is_proposed_opens_nothing(place: Path | str) -> None:
    world = World(place).settle()
    by, due = world.owner.id, world.authority.clock.now() + DAY
    server = Server("mail", Upstream(url="http://127.0.0.1:9/mail"), by, {})
    acting = Acting("site-1", "Met.", by, ("mail",), (READ,), {})
    one = world.act(lambda c: review.open_review(c, [server], [acting], due, by))
    assert one is not None
    [acts] = [each for each in Reader(world.authority.view).where(Agent) if each.name == "site-1"]
    _opens_nothing(world, acts)
    _lends_nothing(world)
    _decides_nothing(world)
    done, left = world.act(
        lambda c: review.answer(c, one.id, by, approve=["*"], digest_shown=one.shown, review_due=due)
    )
    assert (done.state, left) == ("closed", {}), "a person could not approve it"
    errand = world.a_task(brief="site-1", agent=acts.id)
    assert world.a_credential(errand.id, agent_id=acts.id), "what was approved opens nothing"
    world.close()


def _opens_nothing(world: World, acts: Agent) -> None:
    """No task is opened by a proposed agent, nor under a proposed brief, nor is one applied at a proposed resource."""
    world.act(lambda c: brief.apply(c, world.a_brief(name="third", agents=(acts.id,)), "op"))
    assert fails(lambda: world.a_task(brief="third", agent=acts.id)), "a task was opened for a proposed agent"
    world.act(lambda c: c.record("agent.reviewed", changed(acts, state="active", ceiling=("mcp:mail/*",)), "op"))
    assert fails(lambda: world.a_task(brief="site-1", agent=acts.id)), "a task was opened under a proposed brief"
    world.act(lambda c: c.record("agent.added", acts, "op"))
    at = world.a_brief(name="other", steps=(READ,), domains=("mail",))
    assert fails(lambda: world.act(lambda c: brief.apply(c, at, "op"))), "a brief came in force at a proposed resource"
    text = {"x.cedar": '@id("x") permit(principal, action == Action::"mcp:mail/@read", resource);'}
    assert fails(lambda: policy.check(Reader(world.authority.view), {"common": text})), "a policy knew what is proposed"


def _lends_nothing(world: World) -> None:
    """Nothing is minted at a proposed resource, and nobody connects there."""
    minting = Minting(kind="oauth")
    assert fails(lambda: world.act(lambda c: resource.mint_at(c, "mail", minting, "op"))), "a lease could be minted"
    place = world.act(lambda c: c.need(Resource, "mail"))
    world.act(lambda c: c.record("resource.proposed", changed(place, minting=minting), "op"))
    given = {"person": world.person.id, "resource": "mail", "token": Secret(b"a-refresh-token"), "scopes": ("a",)}
    assert fails(lambda: world.act(lambda c: connections.connect(c, **given, by="op"))), "somebody connected there"
    world.act(lambda c: c.record("resource.proposed", place, "op"))
    assert world.gate.resource("mail") is None, "a gate stands at a proposed resource"


def _decides_nothing(world: World) -> None:
    """Whatever it rested on before: a call that rests on what is only proposed is refused, and no credential given."""
    errand = world.a_task()
    entry = world.enter(world.a_credential(errand.id).text)
    assert isinstance(world.decide(read_call(), entry), Permit)
    place = world.act(lambda c: c.need(Resource, "notes"))
    for state in ("proposed", "refused"):
        for record, tag in ((place, "resource.proposed"), (world.brief, "brief.proposed")):
            world.act(lambda c, r=record, t=tag, s=state: c.record(t, changed(r, state=s), "op"))
            what = f"a call was allowed by a {state} {tag.partition('.')[0]}"
            answer = world.decide(Call("mcp:notes/read_note", {"path": "/notes/b"}), entry)
            assert isinstance(answer, Deny), what
            assert answer.code == ("resource_unknown" if record is place else "brief_withdrawn"), f"{what} alone"
            if record is world.brief:
                give = {"task_id": errand.id, "agent_id": world.agent.id, "path": TrustPath.OWN, "person_id": ""}
                refused = fails(lambda g=give: world.act(lambda c: credential.give(c, **g)))
                assert refused, "a credential was given under it"
                opened = {"brief": "notes", "agent": world.agent.id, "requester": world.owner.id, "by": "op"}
                refused = fails(lambda o=opened: world.act(lambda c: task.open_task(c, **o)))
                assert refused, "a task was opened under a brief that is not in force"
            world.act(lambda c, r=record: c.record("resource.changed" if r is place else "brief.applied", r, "op"))
            assert isinstance(world.decide(read_call(), entry), Permit)


LAW = what_is_proposed_opens_nothing
FAULTS = (
    Planted(
        "a brief is in force unless it was withdrawn",
        "control/task.py",
        'if under.state != "live" or not under.gives(actor.id',
        'if under.state == "withdrawn" or not under.gives(actor.id',
        LAW,
        "a task was opened under a proposed brief",
    ),
    Planted(
        "an agent acts unless it was retired",
        "control/agent.py",
        'if agent.state == "proposed":\n        return f"',
        'if agent.state == "proposed":\n        return None\n    if agent.state == "other":\n        return f"',
        LAW,
        "a task was opened for a proposed agent",
    ),
    Planted(
        "what is proposed counts as registered",
        "control/brief.py",
        "unknown = resource is None or resource.state in UNUSED",
        "unknown = resource is None",
        LAW,
        "a brief came in force at a proposed resource",
    ),
    Planted(
        "policies are compiled for what is proposed",
        "control/policy.py",
        "        if resource.state in UNUSED:\n            continue\n",
        "",
        LAW,
        "a policy knew what is proposed",
    ),
    Planted(
        "leases are made at what is proposed",
        "core/resource.py",
        '"proposed": {"approved": "active",',
        '"proposed": {"changed": "proposed", "approved": "active",',
        LAW,
        "a lease could be minted",
    ),
    Planted(
        "a gate stands at what is not removed",
        "control/gate.py",
        'if found is None or found.state != "active":\n            return None\n        self._held',
        'if found is None or found.state == "removed":\n            return None\n        self._held',
        LAW,
        "a gate stands at a proposed resource",
    ),
    Planted(
        "a call is decided at what is not removed",
        "core/decision.py",
        'or resource.state != "active"',
        'or resource.state == "removed"',
        LAW,
        "a call was allowed by a proposed resource alone",
    ),
    Planted(
        "a call is decided under what was not withdrawn",
        "core/decision.py",
        'brief.name != task.brief or brief.state != "live"',
        'brief.name != task.brief or brief.state == "withdrawn"',
        LAW,
        "a call was allowed by a proposed brief",
    ),
    Planted(
        "a credential is given under what was not withdrawn",
        "control/credential.py",
        'if brief.state != "live" or gate',
        'if brief.state == "withdrawn" or gate',
        LAW,
        "a credential was given under it",
    ),
)


@pytest.mark.parametrize("kind", stores.KINDS)
def test_law(kind, tmp_path):
    LAW(stores.place(kind, tmp_path / "store"))


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_breaks_the_law(fault, tmp_path):
    red(fault, tmp_path)
