"""Leases through their whole life: intended with the decision, minted, lent, ended, proven; and what goes wrong."""

import pytest

from remit.control import lease as leases
from remit.control import replan, resource, revocation, sweep, task
from remit.core.answer import Deny
from remit.core.credential import PathGate
from remit.core.permit import Fault, Permit
from remit.core.receipt import decode
from remit.core.resource import Minting, Resource
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Minted
from remit.store import lease as store
from remit.store import log
from tests.kit import stores
from tests.kit.nouns import code
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time
from tests.kit.world import read_call


@pytest.fixture
def time():
    return Time()


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path, time):
    made = Lending(stores.place(request.param, tmp_path / "store"), tmp_path / "target", ByHand(time)).settle()
    yield made
    made.close()


@pytest.fixture
def embedded(tmp_path, time):
    made = Lending(stores.place("sqlite", tmp_path / "store"), tmp_path / "target", ByHand(time)).settle()
    yield made
    made.close()


def allowed(world, errand=None):
    errand = errand or world.a_task()
    permit = world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
    assert isinstance(permit, Permit), permit
    return errand, permit


def kinds(world):
    return [decode(body)["kind"] for body in log.entries(world.authority.view, 0, 10_000)]


def states(world):
    return [one.state for one in world.leases()]


def test_a_call_borrows_what_was_minted_for_its_task_and_nothing_is_minted_twice(world):
    errand, permit = allowed(world)
    lent = world.gate.borrow(permit)
    assert lent.user == world.leases()[0].name
    assert errand.id in lent.user
    assert lent.password in lent.hidden
    _, again = allowed(world, errand)
    assert again.lease == permit.lease
    assert len(world.source.minted) == 1
    assert world.source.lets_in(Minted(lent.user, 0, None)) is False
    said = kinds(world)
    assert said.index("lease.intended") < said.index("call.decided") < said.index("lease.active")


def test_the_intent_says_what_the_plan_holds_and_whose_it_is(world):
    errand = world.a_task(labels={"ticket": "T-7"})
    allowed(world, errand)
    intent = world.source.minted[0]
    assert {one.action for one in intent.steps} == {"mcp:notes/read_note", "mcp:notes/write_note", "mcp:notes/wipe"}
    assert all(one.path is TrustPath.OWN for one in intent.steps)
    assert dict(intent.labels) == {
        "ticket": "T-7", "task": errand.id, "brief": "notes", "agent": world.agent.id, "domain": "office",
    }  # fmt: skip
    assert intent.person == ""


def test_the_two_paths_never_share_a_lease(world):
    errand = world.a_task(person=world.owner.id)
    own = world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
    paper = world.a_credential(errand.id, TrustPath.DELEGATED, world.owner.id)
    other = world.decide(read_call(), world.enter(paper.text))
    assert own.lease != other.lease
    assert {one.path: one.person for one in world.leases()} == {TrustPath.OWN: "", TrustPath.DELEGATED: world.owner.id}


ENDS = {
    "task": lambda w, t: revocation.revoke(w, "task", t.id, "operator"),
    "agent": lambda w, t: revocation.revoke(w, "agent", t.agent, "operator"),
    "person": lambda w, t: revocation.revoke(w, "person", t.requester, "operator"),
    "brief": lambda w, t: revocation.revoke(w, "brief", t.brief, "operator"),
    "resource": lambda w, t: revocation.revoke(w, "resource", "notes", "operator"),
    "path": lambda w, t: revocation.revoke(w, "path", "own", "operator"),
    "complete": lambda w, t: task.end(w, t.id, "complete", "agent"),
    "hold": lambda w, t: task.suspend(w, t.id, "gate"),
    "plan": lambda w, t: task.plan(w, t.id, (w.need(task.Plan, f"{t.id}:1").steps[0],), "agent"),
}


@pytest.mark.parametrize("cause", ENDS)
def test_every_end_is_carried_out_at_the_target_and_proven(embedded, time, cause):
    world = embedded
    errand, permit = allowed(world)
    name = world.leases()[0].name
    world.act(lambda c: ENDS[cause](c, errand))
    assert isinstance(world.gate.borrow(permit), Fault)
    time.ms += 40
    assert world.settle_targets()
    assert not (world.source.place / name).exists()
    (one,) = world.leases()
    assert (one.state, one.proof, one.died - one.ended) == ("dead", "gone", one.took)
    assert world.act(lambda c: leases.proven(c, errand.id))


def test_nothing_wider_is_given_while_what_the_old_plan_gave_is_not_proven_dead(world, time):
    narrow = world.a_brief().steps[:1]
    errand = world.a_task()
    world.act(lambda c: task.plan(c, errand.id, narrow, "agent"))
    _, permit = allowed(world, errand)
    world.source.away = True
    wider = world.a_brief().steps[:2]
    found = world.act(lambda c: replan.submit(c, errand.id, wider, "agent"))
    assert found.refused is not None
    assert world.act(lambda c: c.need(task.Task, errand.id)).state == "suspended"
    for _ in range(3):
        time.ms += 1_000
        world.settle_targets()
        world.act(sweep.sweep)
    assert world.act(lambda c: c.need(task.Task, errand.id)).state == "suspended"
    world.source.away = False
    time.ms += 60_000
    world.settle_targets()
    world.act(sweep.sweep)
    assert world.act(lambda c: c.need(task.Task, errand.id)).state == "open"
    assert next(one.state for one in world.leases() if one.id == permit.lease) == "dead"


def test_one_lease_is_revoked_by_its_id_and_the_task_gets_another_name(world):
    errand, permit = allowed(world)
    world.act(lambda c: revocation.revoke(c, "lease", permit.lease, "operator"))
    assert world.settle_targets()
    _, again = allowed(world, errand)
    assert again.lease != permit.lease
    assert [one.round for one in sorted(world.leases(), key=lambda one: one.round)] == [1, 2]
    assert len({one.name for one in world.leases()}) == 2


def test_what_is_used_up_by_time_is_ended_by_the_sweep_and_lent_anew(world, time):
    world.register(minting=Minting(kind="folder", life=60_000))
    errand, permit = allowed(world)
    time.ms += 59_500
    _, again = allowed(world, errand)
    assert again.lease != permit.lease
    assert world.settle_targets()
    time.ms += 60_000
    world.act(sweep.sweep)
    assert world.settle_targets()
    assert states(world) == ["dead", "dead"]
    assert list(world.source.place.iterdir()) == []


def test_a_target_that_is_away_faults_the_call_and_leaves_no_open_call_behind(world):
    world.source.away = True
    errand = world.a_task()
    entry = world.enter(world.a_credential(errand.id).text)
    found = world.decide(read_call(), entry)
    assert isinstance(found, Fault)
    assert found.code == "target_unavailable"
    assert kinds(world)[-1] in ("call.outcome", "lease.ending")
    assert not world.act(lambda c: c.db.all("SELECT call FROM flight"))
    refused = world.decide(read_call(), entry)
    assert isinstance(refused, Deny)
    assert refused.code == "lease_ending"


def test_an_end_that_cannot_be_proven_is_an_incident_and_is_tried_for_ever(world, time):
    errand, _ = allowed(world)
    world.source.away = True
    world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    for _ in range(6):
        time.ms += 1_000
        assert world.settle_targets()
    (one,) = world.leases()
    assert (one.state, one.trouble) == ("pending", "The target cannot be reached.")
    assert "lease.pending" in kinds(world)
    assert not world.act(lambda c: leases.proven(c, errand.id))
    assert [found.id for found in leases.incidents(world.act(lambda c: c.reader))] == [one.id]
    time.ms += 90_000
    assert world.settle_targets()
    assert states(world) == ["pending"]
    assert kinds(world).count("lease.pending") == 1
    world.source.away = False
    time.ms += 90_000
    assert world.settle_targets()
    (one,) = world.leases()
    assert one.state == "dead"
    assert one.took >= 180_000


def test_a_drop_that_does_nothing_is_found_out(world, time):
    errand, _ = allowed(world)
    world.source.immortal = True
    world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    for _ in range(4):
        time.ms += 1_500
        assert world.settle_targets()
    (one,) = world.leases()
    assert one.state == "pending"
    assert "finds it live" in one.trouble


def test_what_a_target_cannot_take_back_is_irrevocable_until_its_own_end(tmp_path, time):
    world = Lending(stores.place("sqlite", tmp_path / "s"), tmp_path / "t", ByHand(time), irrevocable=True).settle()
    world.register(minting=Minting(kind="folder", life=60_000))
    errand, _ = allowed(world)
    world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    assert world.settle_targets()
    assert states(world) == ["irrevocable"]
    time.ms += 89_000
    assert world.settle_targets()
    assert states(world) == ["irrevocable"], "it was to end at its target later than it was lent"
    time.ms += 61_000
    assert world.settle_targets()
    (one,) = world.leases()
    assert (one.state, one.proof) == ("dead", "expired")
    world.close()


def test_a_state_is_left_once_and_nothing_leads_out_of_dead(world):
    errand, permit = allowed(world)
    world.act(lambda c: task.end(c, errand.id, "complete", "agent"))
    world.settle_targets()
    dead = world.leases()[0]
    assert world.act(lambda c: leases.dead(c, permit.lease, "gone")) is None
    assert world.act(lambda c: leases.stuck(c, permit.lease, "x", irrevocable=False)) is None
    assert world.act(lambda c: leases.activate(c, permit.lease, dead.until, None)) is None
    assert world.act(lambda c: leases.end(c, "revoked", "operator", lease=permit.lease)) == []
    resurrected = leases.changed(dead, state="active", because="", proof="", died=0, ended=0)
    assert code(lambda: world.act(lambda c: c.record("lease.active", resurrected, "x"))) == "lease_moved"
    assert code(lambda: world.act(lambda c: store.move(c.db, leases.changed(dead, state="pending", proof="")))) == (
        "lease_moved"
    )


def test_a_door_that_only_decides_borrows_nothing(world):
    from remit.control.decision import Denials, work
    from remit.core.permit import Entry

    errand = world.a_task()
    paper = world.a_credential(errand.id).credential
    entry = Entry(paper.id, errand.id, world.agent.id, TrustPath.OWN, "notes")
    found = world.act(work(read_call(), entry, "", Denials(), service="svc"))
    assert found.lease is None
    assert world.leases() == []


def test_a_closed_path_lends_nothing_until_it_is_opened_and_then_under_a_new_name(world, time):
    errand, permit = allowed(world)
    world.act(lambda c: revocation.revoke(c, "path", "own", "operator"))
    assert world.settle_targets()
    assert world.act(lambda c: c.need(PathGate, "own")).state == "closed"
    world.act(lambda c: revocation.open_path(c, TrustPath.OWN, "operator"))
    time.ms += 1
    _, again = allowed(world, errand)
    assert again.lease != permit.lease


def minting_of(world):
    return world.act(lambda c: c.need(Resource, "notes")).minting


def test_none_ends_what_was_lent_and_its_source_is_kept_until_that_is_proven_dead(world, time):
    errand, permit = allowed(world)
    world.source.away = True
    assert world.act(lambda c: resource.mint_at(c, "notes", None, "operator")).minting.over
    assert isinstance(world.gate.borrow(permit), Fault)
    for _ in range(4):
        assert world.settle_targets()
        time.on(1_000)
    assert (states(world), minting_of(world).kind) == (["pending"], "folder")
    denied = world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
    assert (type(denied), denied.code) == (Deny, "lease_ending"), "it went on without what was ended"
    other = Minting(kind="aws", settings={"role": "r"})
    assert code(world.act, lambda c: resource.mint_at(c, "notes", other, "operator")) == "lease_live"
    assert code(world.register, minting=other) == "lease_live"
    assert world.settle_targets()
    world.source.away = False
    time.on(60_001)
    assert world.settle_targets()
    assert (states(world), [one.proof for one in world.leases()]) == (["dead"], ["gone"])
    assert list(world.source.place.iterdir()) == []
    assert minting_of(world) is None
    assert world.act(lambda c: resource.mint_at(c, "notes", other, "operator")).minting == other


def test_where_nothing_is_lent_none_forgets_the_source_at_once_and_a_source_of_the_kind_goes_on(world):
    assert world.act(lambda c: resource.mint_at(c, "notes", None, "operator")).minting is None
    world.register()
    errand, _ = allowed(world)
    world.act(lambda c: resource.mint_at(c, "notes", None, "operator"))
    anew = Minting(kind="folder", life=60_000)
    assert world.act(lambda c: resource.mint_at(c, "notes", anew, "operator")).minting == anew
    assert world.settle_targets()
    assert (states(world), minting_of(world)) == (["dead"], anew)
    assert allowed(world, errand)[1].lease


def test_a_source_is_set_to_another_place_only_when_what_it_lent_is_proven_dead(world):
    allowed(world)
    elsewhere = Minting(kind="folder", settings={"address": "https://b.example"})
    assert code(world.act, lambda c: resource.mint_at(c, "notes", elsewhere, "operator")) == "lease_live"
    assert code(world.register, minting=elsewhere) == "lease_live"
    assert (states(world), minting_of(world)) == (["active"], Minting(kind="folder")), "nothing is dropped elsewhere"
    world.act(lambda c: resource.mint_at(c, "notes", None, "operator"))
    assert code(world.act, lambda c: resource.mint_at(c, "notes", elsewhere, "operator")) == "lease_live"
    assert world.settle_targets()
    assert [one.proof for one in world.leases()] == ["gone"]
    assert world.act(lambda c: resource.mint_at(c, "notes", elsewhere, "operator")).minting == elsewhere


def put(world, name, text):
    return world.act(lambda c: resource.put_secret(c, name, Secret(text.encode())))


@pytest.mark.parametrize(
    ("there", "same", "other"),
    [
        ("postgresql://admin:one@a.example/shop", "postgresql://new:t%40wo@a.example/shop", "postgresql://a:b@b.example/shop"),
        ("postgresql://admin:one@/shop?host=/a", "postgresql://admin:two@/shop?host=/a", "postgresql://admin:one@/shop?host=/b"),
        ("host=a.example password=one", "password='t wo' host=a.example", "host=b.example password=one"),
    ],
)  # fmt: skip
def test_a_secret_leads_its_source_elsewhere_only_when_what_it_lent_is_proven_dead(world, there, same, other):
    put(world, "admin", there)
    put(world, "another", other)
    made = Minting(kind="postgres", secret="admin")
    world.register(minting=made)
    allowed(world)
    assert put(world, "admin", same) == 2
    assert code(put, world, "admin", other) == "lease_live"
    assert put(world, "another", other) == 2
    for name in ("another", "unknown"):
        moved = Minting(kind="postgres", secret=name)
        assert code(world.act, lambda c, m=moved: resource.mint_at(c, "notes", m, "operator")) == "lease_live"
    put(world, "next", same)
    assert world.act(lambda c: resource.mint_at(c, "notes", Minting(kind="postgres", secret="next"), "operator"))
    assert world.settle_targets()
    assert states(world) == ["dead"]
    assert put(world, "next", other) == 2
