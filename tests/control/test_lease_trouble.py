"""Leases when nodes die, stop or overtake each other between the steps of a mint or an end."""

import pytest

from remit.control import lease as leases
from remit.control import receipt, revocation, sweep, task
from remit.control.lessor import Lessor
from remit.control.target import FOUND_MS
from remit.core.errors import RemitError
from remit.core.lease import MINT_MS
from remit.core.permit import Fault
from remit.custody.secret import Secret
from remit.custody.source import OWED
from tests.control.test_lease import allowed, states
from tests.kit import stores
from tests.kit.hours import Hours
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


def begun(world):
    """A decision whose mint is held at the target."""
    world.source.held.clear()
    errand = world.a_task()
    found = []
    world.gate.decide(read_call(), world.enter(world.a_credential(errand.id).text), "", found.append)
    while not world.source.minted:
        world.inline.settle(world.lessor, 1)
    return errand, found


def test_a_mint_that_is_overtaken_by_an_end_is_dropped_and_never_lent(world):
    errand, found = begun(world)
    ended = world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    assert ended.tasks == (errand.id,)
    assert states(world) == ["ending"]
    world.source.held.set()
    assert world.inline.settle(world.lessor, 100)
    assert isinstance(found[0], Fault)
    assert world.settle_targets()
    assert states(world) == ["dead"]
    assert list(world.source.place.iterdir()) == []


def test_a_node_that_died_between_mint_and_record_leaves_nothing_behind(world, time):
    _, found = begun(world)
    world.source.held.set()
    world.lessor.close()
    while not world.inline._jobs.empty():
        world.inline._jobs.get()
    assert [one.name for one in world.source.place.iterdir()] == [world.leases()[0].name]
    assert states(world) == ["intended"]
    other = another(world)
    time.ms += MINT_MS - 1
    other.look()
    world.act(sweep.sweep)
    assert states(world) == ["intended"], "another node's mint in progress was reaped"
    time.ms += 1
    world.act(sweep.sweep)
    other.look()
    assert world.inline.settle(other, 100)
    (one,) = world.leases()
    assert (one.state, one.because, one.lent) == ("dead", "mint", False)
    assert list(world.source.place.iterdir()) == []
    assert not found
    other.close()


def another(world):
    """A lessor of another node, at the same store and target."""
    world.authority.node = "another"
    other = Lessor(world.authority, world.batch, world.inline.post, lambda *_: world.source)
    world.batch.moved = other.look
    return other


def test_an_intent_of_another_node_is_waited_for_and_its_end_is_proven_only_past_its_deadline(world, time):
    errand, _ = begun(world)
    other = another(world)
    (one,) = world.leases()
    waited = []
    other.ready(one, waited.append)
    other.wait()
    assert waited == []
    world.act(lambda c: task.end(c, errand.id, "complete", "agent"))
    other.wait()
    assert waited[0].code == "lease_ended"
    other.look()
    assert other.idle, "an intent of another node was proven dead before its deadline"
    time.ms += MINT_MS + 1
    other.look()
    world.inline.settle(other, 5)
    world.source.held.set()
    assert world.inline.settle(world.lessor, 100)
    assert states(world) == ["dead"]
    assert list(world.source.place.iterdir()) == [], "a mint came to be past its deadline"
    other.close()


def test_what_stands_at_the_target_and_in_no_record_is_ended_with_a_receipt(world, time):
    errand, _ = allowed(world)
    stray = world.leases()[0].name[:-8] + "zzzzzzzz"
    for name in (stray, ".hidden"):
        (world.source.place / name).write_text("x", encoding="utf-8")
    time.ms += FOUND_MS
    world.lessor.tick()
    world.lessor._targets["notes"].pool.submit(int).result()
    while len(states(world)) < 2:
        world.inline._jobs.get(timeout=60)()
    assert world.settle_targets()
    ended = {one.name: (one.state, one.because) for one in world.leases()}
    assert ended[stray] == ("dead", "orphan")
    assert sorted(ended.values()) == [("active", ""), ("dead", "orphan")]
    assert not (world.source.place / stray).exists()
    assert errand.state == "open"


def test_a_mint_that_was_lost_where_things_end_by_themselves_is_dead_only_when_it_must_have_ended(tmp_path, time):
    world = Lending(stores.place("sqlite", tmp_path / "s"), tmp_path / "t", ByHand(time), irrevocable=True).settle()
    _, found = begun(world)
    world.source.held.set()
    world.lessor.close()
    while not world.inline._jobs.empty():
        world.inline._jobs.get()
    other = another(world)
    for ms, state in ((MINT_MS, "irrevocable"), (80_000, "irrevocable"), (60_001, "dead")):
        time.ms += ms
        world.act(sweep.sweep)
        other.look()
        assert world.inline.settle(other, 100)
        assert states(world) == [state]
    assert world.leases()[0].proof == "expired"
    assert not found
    other.close()
    world.close()


def test_what_is_owed_of_a_mint_is_tried_past_the_end_of_what_was_lent(tmp_path, time, monkeypatch):
    """A mint failed, and the target has more to take back than what it would have lent: no time is the end of that."""
    world = Lending(stores.place("sqlite", tmp_path / "s"), tmp_path / "t", ByHand(time), irrevocable=True).settle()
    owing = RemitError(OWED, "The target has not taken it back.", "Look at it.")

    def refuses(*_args):
        raise owing

    monkeypatch.setattr(world.source, "mint", refuses)
    monkeypatch.setattr(world.source, "drop", refuses)
    errand = world.a_task()
    assert world.decide(read_call(), world.enter(world.a_credential(errand.id).text)).code == OWED
    for _ in range(3):
        time.on(200_000)
        assert world.settle_targets()
        assert (states(world), world.leases()[0].trouble) == (["pending"], owing.message)
    monkeypatch.undo()
    time.on(60_001)
    assert world.settle_targets()
    assert states(world) == ["dead"]
    world.close()


def test_what_is_owed_of_a_mint_is_taken_back_by_another_node_too(world, time, monkeypatch):
    """It stands sealed in the store until it is taken back, not in the memory of the source that got it."""
    owing, told = RemitError(OWED, "The target has not taken it back.", "Look at it."), []

    def fails(*_args):
        raise owing

    monkeypatch.setattr(world.source, "mint", fails)
    monkeypatch.setattr(world.source, "owed", lambda _name: Secret(b"more-to-take-back"), raising=False)
    monkeypatch.setattr(world.source, "drop", lambda minted: told.append(minted) or fails())
    errand = world.a_task()
    assert world.decide(read_call(), world.enter(world.a_credential(errand.id).text)).code == OWED
    assert world.settle_targets()
    (one,) = world.leases()
    assert world.authority.vault.holds(leases.SECRETS, one.id)
    told.clear()
    monkeypatch.setattr(world.source, "drop", told.append)
    other = another(world)
    time.on(60_001)
    other.look()
    assert world.inline.settle(other, 100)
    assert [minted.owed.reveal() for minted in told] == [b"more-to-take-back"]
    assert states(world) == ["dead"]
    assert not world.authority.vault.holds(leases.SECRETS, one.id)


def test_the_ledger_replayed_makes_the_same_leases(world, tmp_path, time):
    errand, _ = allowed(world)
    world.act(lambda c: task.end(c, errand.id, "complete", "agent"))
    assert world.settle_targets()
    allowed(world)
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    assert receipt.replay(world.authority, scratch / "replayed.db") == []
    assert len(world.leases()) == 2


def test_an_end_that_comes_back_while_the_clock_has_jumped_is_tried_again(tmp_path):
    hours = Hours()
    world = Lending(stores.place("sqlite", tmp_path / "store"), tmp_path / "target", hours.clock()).settle()
    errand, _ = allowed(world)
    world.source.away = True
    world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    world.come_back_in_a_jump(hours)
    assert states(world) == ["dead"]
    assert list(world.source.place.iterdir()) == []
    world.close()


def test_a_source_that_cannot_even_be_opened_keeps_no_other_end_from_its_target(world, time):
    errands = [allowed(world)[0] for _ in range(2)]
    opened = world.lessor._opening
    world.lessor._targets.clear()
    world.lessor._opening = lambda *_: 1 // 0
    for errand in errands:
        world.act(lambda c, errand=errand: revocation.revoke(c, "task", errand.id, "operator"))
    assert world.settle_targets()
    world.lessor._opening = opened
    time.ms += 1_000
    assert world.settle_targets()
    assert states(world) == ["dead", "dead"]
