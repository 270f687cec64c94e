"""Connections: sealed, renewed, ended by their person or with them, and what was lent of one ends with it."""

import pytest

from remit.control import connection, resource, revocation
from remit.core.connection import Connection
from remit.core.permit import Permit
from remit.core.resource import Minting
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.nouns import code
from tests.kit.targets import Lending
from tests.kit.told import ByHand, Time
from tests.kit.world import read_call


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    made = Lending(stores.place(request.param, tmp_path / "store"), tmp_path / "target", ByHand(Time())).settle()
    made.register(minting=Minting(kind="oauth"))
    yield made
    made.close()


def connected(world, token=b"refresh-token-1"):
    given = {"person": world.person.id, "resource": "notes", "scopes": ("b", "a", "b"), "by": world.person.id}
    return world.act(lambda c: connection.connect(c, token=Secret(token), **given))


def called(world):
    who = world.person.id
    errand = world.a_task(requester=who, by=who, person=who)
    return world.decide(read_call(), world.enter(world.a_credential(errand.id, TrustPath.DELEGATED, who).text))


def states(world):
    return [one.state for one in Reader(world.authority.reading()).where(Connection)]


def test_a_connection_is_sealed_and_its_task_is_minted_from_it(world):
    made = connected(world)
    assert made.scopes == ("a", "b")
    assert isinstance(called(world), Permit)
    assert world.source.minted[0].held == Secret(b"refresh-token-1")
    rows = world.act(lambda c: c.db.all("SELECT body FROM leaf"))
    assert not any(b"refresh-token" in body for (body,) in rows)


def test_what_the_provider_renewed_takes_the_place_of_what_was_there(world):
    made = connected(world)
    minting = world.source.mint
    world.source.mint = lambda intent: minting(intent).__class__(
        intent.name, intent.until, Secret(b"access"), Secret(b"refresh-token-2")
    )
    assert isinstance(called(world), Permit)
    assert world.authority.lending.get(connection.SECRETS, made.id) == Secret(b"refresh-token-2")


def test_connecting_anew_ends_the_one_before_and_what_was_lent_of_it(world):
    first = connected(world)
    assert isinstance(called(world), Permit)
    second = connected(world, b"refresh-token-2")
    assert world.settle_targets()
    assert sorted(states(world)) == ["gone", "live"]
    assert [(one.state, one.because) for one in world.leases()] == [("dead", "person")]
    assert not world.authority.lending.holds(connection.SECRETS, first.id)
    assert world.authority.lending.holds(connection.SECRETS, second.id)


def test_a_person_who_ends_it_or_leaves_takes_it_along(world):
    made = connected(world)
    assert world.act(lambda c: connection.end(c, made.id, world.person.id)) is not None
    assert world.act(lambda c: connection.end(c, made.id, world.person.id)) is None
    assert called(world).code == "connection_missing"
    again = connected(world)
    world.act(lambda c: revocation.revoke(c, "person", world.person.id, "operator"))
    assert states(world) == ["gone", "gone"]
    assert not world.authority.lending.holds(connection.SECRETS, again.id)
    assert code(connected, world) == "connection_refused"


def test_where_no_tokens_of_people_are_lent_nobody_connects(world):
    world.register(minting=Minting(kind="folder"))
    assert code(connected, world) == "connection_refused"


JAG = {"by": "id-jag", "target.issuer": "https://one.example", "target.token": "https://one.example/t"}


def test_another_server_of_the_target_is_refused_while_what_one_gave_is_not_proven_dead(world):
    """Its token would be shown to the other server, to be ended there."""
    world.register(minting=Minting(kind="oauth", settings=JAG))
    connected(world)
    assert isinstance(called(world), Permit)
    for settings in (JAG | {"target.revoke": "https://two.example/r"}, {}, JAG | {"target.client": "another"}):
        other = Minting(kind="oauth", settings=settings)
        assert code(world.act, lambda c, o=other: resource.mint_at(c, "notes", o, "operator")) == "connection_live"
    assert world.act(
        lambda c: resource.mint_at(c, "notes", Minting(kind="oauth", settings=JAG, life=60_000), "operator")
    )
    assert world.settle_targets()
    moved = Minting(kind="oauth", settings=JAG | {"target.revoke": "https://two.example/r"})
    assert world.act(lambda c: resource.mint_at(c, "notes", moved, "operator")).minting == moved, "with its connections"
