"""Sessions of people: known by a digest, over with time, with the person, or when they are ended."""

import pytest

from remit.control import revocation, session
from remit.control.session import Proof
from remit.core.session import LASTS
from remit.store.log import entries, newest
from remit.store.record import Reader
from tests.kit import stores
from tests.kit.hours import Hours
from tests.kit.nouns import code
from tests.kit.world import World

PROOF = Proof("https://idp.test", 1, "urn:mfa", ("pwd",))


@pytest.fixture(params=stores.KINDS)
def world(request, tmp_path):
    hours = Hours()
    one = World(stores.place(request.param, tmp_path / "s"), hours.clock()).settle()
    one.hours = hours
    yield one
    one.close()


def stands(world, secret):
    return session.stands(Reader(world.authority.view), secret, world.authority.clock.now())


def test_a_session_stands_until_its_time_is_over(world):
    secret = world.act(lambda c: session.begin(c, world.person.id, PROOF))
    found, person = stands(world, secret)
    assert (person.id, found.auth_time, found.acr, found.amr) == (world.person.id, 1, "urn:mfa", ("pwd",))
    assert stands(world, secret + "x") is stands(world, "") is stands(world, "x" * 9999) is None
    world.hours.pass_by(LASTS - 1)
    assert stands(world, secret)
    world.hours.pass_by(1)
    assert stands(world, secret) is None


def test_a_proof_from_the_future_is_one_of_now(world):
    late = Proof("https://idp.test", world.hours.wall + 60_000)
    secret = world.act(lambda c: session.begin(c, world.person.id, late))
    assert stands(world, secret)[0].auth_time == world.hours.wall


def test_it_ends_by_itself_with_all_others_or_with_the_person(world):
    one, two, three = (world.act(lambda c: session.begin(c, world.person.id, PROOF)) for _ in range(3))
    world.act(lambda c: session.end(c, session.name(one), world.person.id))
    world.act(lambda c: session.end(c, session.name(one), world.person.id))
    assert stands(world, one) is None
    assert stands(world, two)
    assert world.act(lambda c: session.end_all(c, world.person.id, "operator", "lost laptop")) == 2
    assert stands(world, two) is stands(world, three) is None
    last = world.act(lambda c: session.begin(c, world.person.id, PROOF))
    world.act(lambda c: revocation.revoke(c, "person", world.person.id, "operator"))
    assert stands(world, last) is None
    assert code(world.act, lambda c: session.begin(c, world.person.id, PROOF)) == "transition_refused"


def test_neither_store_nor_ledger_holds_the_secret(world):
    secret = world.act(lambda c: session.begin(c, world.person.id, PROOF))
    view = world.authority.view
    rows = [bytes(row[0]) for row in view.all("SELECT body FROM session")]
    assert rows
    assert not any(secret.encode() in one for one in [*rows, *entries(view, 0, newest(view).size)])
