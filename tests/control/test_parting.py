"""Partings: what ended here ends at its provider too, retried until it did, and seen while it has not."""

import pytest

from remit.control import connection, revocation
from remit.core.connection import Connection
from remit.core.permit import Permit
from remit.core.resource import Minting
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time
from tests.kit.world import read_call

GIVEN = {"client": "remit", "revoke": "https://idp.example/revoke"}


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    time = Time()
    made = Lending(stores.place(request.param, tmp_path / "store"), tmp_path / "target", ByHand(time)).settle()
    made.time = time
    made.register(minting=Minting(kind="oauth", settings=GIVEN))
    yield made
    made.close()


def connected(world, token=b"refresh-token-1"):
    given = {"person": world.person.id, "resource": "notes", "scopes": ("a",), "by": world.person.id}
    return world.act(lambda c: connection.connect(c, token=Secret(token), **given))


def ended(world, one):
    return world.act(lambda c: connection.end(c, one.id, world.person.id))


def now_is(world, one):
    return Reader(world.authority.reading()).get(Connection, one.id)


def kinds(world):
    return [
        one for one in ("connection.ended", "connection.pending", "connection.gone")
        for (body,) in world.act(lambda c: c.db.all("SELECT body FROM leaf"))
        if f'"kind":"{one}"'.encode() in body
    ]  # fmt: skip


def test_an_end_is_carried_out_at_the_provider_and_the_token_goes_only_then(world):
    one = connected(world)
    assert ended(world, one).state == "ended"
    assert world.authority.lending.holds(connection.SECRETS, one.id)
    assert world.settle_targets()
    assert world.source.parted == [Secret(b"refresh-token-1")]
    assert (now_is(world, one).state, now_is(world, one).proof) == ("gone", "revoked")
    assert not world.authority.lending.holds(connection.SECRETS, one.id)
    assert world.settle_targets()
    assert world.source.parted == [Secret(b"refresh-token-1")], "once is enough"
    assert kinds(world) == ["connection.ended", "connection.gone"]


@pytest.mark.parametrize("how", ["away", "immortal"])
def test_a_provider_that_does_not_take_it_back_is_an_incident_until_it_does(world, how):
    one = connected(world)
    setattr(world.source, how, True)
    ended(world, one)
    for _ in range(12):
        world.settle_targets()
        world.time.on(500)
    assert now_is(world, one).state == "pending"
    assert now_is(world, one).trouble
    assert world.authority.lending.holds(connection.SECRETS, one.id)
    assert kinds(world) == ["connection.ended", "connection.pending"], "told once, however often it is tried"
    setattr(world.source, how, False)
    world.time.on(70_000)
    assert world.settle_targets()
    assert now_is(world, one).state == "gone"


def test_what_a_mint_renewed_meanwhile_is_what_is_taken_back(world):
    one = connected(world)
    minting = world.source.mint
    world.source.mint = lambda intent: minting(intent).__class__(
        intent.name, intent.until, Secret(b"access"), Secret(b"refresh-token-2")
    )
    who = world.person.id
    errand = world.a_task(requester=who, by=who, person=who)
    paper = world.a_credential(errand.id, TrustPath.DELEGATED, who)
    assert isinstance(world.decide(read_call(), world.enter(paper.text)), Permit)
    ended(world, one)
    assert world.settle_targets()
    assert world.source.parted == [Secret(b"refresh-token-2")]
    assert [lease.state for lease in world.leases()] == ["dead"]


def test_a_mint_that_is_under_way_goes_first(world):
    one = connected(world)
    who = world.person.id
    errand = world.a_task(requester=who, by=who, person=who)
    world.source.held.clear()
    paper, said = world.a_credential(errand.id, TrustPath.DELEGATED, who), []
    world.gate.decide(read_call(), world.enter(paper.text), "", said.append)
    ended(world, one)
    world.lessor.look()
    assert world.source.parted == []
    world.source.held.set()
    assert world.inline.settle(world.lessor, 100)
    world.time.on(60_000)
    world.settle_targets()
    world.time.on(60_000)
    assert world.settle_targets()
    assert world.source.parted == [Secret(b"refresh-token-1")]
    assert not any(isinstance(each, Permit) for each in said)


def test_a_removed_resource_and_a_person_who_left_end_there_too(world):
    one = connected(world)
    world.act(lambda c: revocation.revoke(c, "person", world.person.id, "operator"))
    assert world.settle_targets()
    assert now_is(world, one).proof == "revoked"
    other = world.act(
        lambda c: connection.connect(
            c, person=world.owner.id, resource="notes", scopes=("a",), token=Secret(b"t"), by="operator"
        )
    )
    world.act(lambda c: revocation.revoke(c, "resource", "notes", "operator"))
    assert world.settle_targets()
    assert now_is(world, other).proof == "revoked"


def test_what_comes_back_while_the_clock_has_jumped_is_tried_again(tmp_path):
    hours = Hours()
    world = Lending(stores.place("sqlite", tmp_path / "store"), tmp_path / "target", hours.clock()).settle()
    world.register(minting=Minting(kind="oauth", settings=GIVEN))
    one = connected(world)
    world.source.away = True
    ended(world, one)
    world.come_back_in_a_jump(hours)
    assert now_is(world, one).state == "gone"
    world.close()
