"""Events are pushed to a real receiver over HTTP, in order, again and again until it says 202; on both stores."""

from dataclasses import replace

import pytest
from joserfc.errors import InvalidKeyIdError
from joserfc.jws import extract_compact

from remit.control import key
from remit.control import stream as streams
from remit.control.revocation import revoke
from remit.control.teller import Teller
from remit.core.hook import again
from remit.core.told import DISABLED, REVOKED
from remit.custody.signer import EVENT_PURPOSES, Purpose
from remit.store import hook as store
from tests.cli.test_hooking import Ear, Running
from tests.kit import stores
from tests.kit.receiving import read, receiving
from tests.kit.told import ByHand, Time
from tests.kit.world import ISSUER, World


@pytest.fixture
def ear():
    made = Ear()
    yield made
    made.close()


@pytest.fixture(params=stores.KINDS)
def place(request, tmp_path, ear):
    time = Time()
    world = World(stores.place(request.param, tmp_path / "store"), ByHand(time)).settle()
    world.time = time
    one = receiving(world, push=ear.url, authorization=b"Bearer theirs")
    one.running = running(one)
    yield one
    one.running.close()
    world.close()


def running(one):
    """A node that tells this receiver."""
    where = stores.where(one.world.folder)
    return Running(one.world, (), (Teller(where, one.receiver, ISSUER, one.world.authority.signer),))


def told(one):
    return store.get(one.world.authority.view, one.receiver.name)


def test_each_end_is_pushed_once_in_order_and_proved_by_another_implementation(place, ear):
    world = place.world
    place.running.go(lambda: told(place))
    before = world.a_task(requester=world.person.id)
    world.act(lambda c: revoke(c, "task", before.id, "operator"))
    place.running.settle()
    assert not ear.heard, "there was no stream"
    place.make(push=True)
    one = world.a_task(requester=world.person.id)
    world.act(lambda c: revoke(c, "task", one.id, "operator"))
    world.act(lambda c: revoke(c, "person", world.person.id, "operator"))
    place.running.go(lambda: len(ear.heard) == 2)
    place.running.settle()
    place.running.settle()
    said = [read(world, body.decode()) for _, _, body in ear.heard]
    assert [next(iter(each["events"])) for each in said] == [REVOKED, DISABLED]
    assert said[0]["sub_id"]["session"]["id"] == one.id
    _, headers, _ = ear.heard[0]
    assert headers["content-type"] == "application/secevent+jwt"
    assert (headers["accept"], headers["authorization"]) == ("application/json", "Bearer theirs")


def test_a_receiver_that_fails_is_told_the_same_again_also_by_another_node(place, ear):
    world = place.world
    place.make(push=True)
    ear.answers = [500, 400, 302]
    one = world.a_task(requester=world.person.id)
    world.act(lambda c: revoke(c, "task", one.id, "operator"))
    place.running.go(lambda: len(ear.heard) == 1)
    place.running.settle()
    assert (told(place).tries, told(place).trouble) == (1, "It answered 500.")
    place.running.settle()
    assert len(ear.heard) == 1, "it waits before it tells again"
    world.time.on(again(1))
    place.running.go(lambda: len(ear.heard) == 2)
    place.running.settle()
    other = running(place)
    world.time.on(again(2))
    other.go(lambda: len(ear.heard) == 3)
    other.settle()
    world.time.on(again(3))
    other.go(lambda: told(place).tries == 0 and len(ear.heard) == 4)
    other.close()
    assert len({body for _, _, body in ear.heard}) == 1, "the same bytes each time"


def test_by_rs256_a_key_that_rotates_is_proved_before_and_after_and_nothing_stops(place, ear):
    world = place.world
    place.running.close()
    place.receiver = replace(place.receiver, algorithm="RS256")
    world.act(lambda c: key.ensure(c, "operator", (Purpose.EVENT_RSA,)))
    place.running = running(place)
    place.running.go(lambda: told(place))
    place.make(push=True)
    published = set()
    for count in (1, 2):
        one = world.a_task(requester=world.person.id)
        world.act(lambda c, t=one: revoke(c, "task", t.id, "operator"))
        place.running.go(lambda n=count: len(ear.heard) == n)
        place.running.settle()
        published |= {one["kid"] for one in world.authority.signer.jwks(world.time.ms, EVENT_PURPOSES)["keys"]}
        if count == 1:
            following = world.act(lambda c: key.rotate(c, Purpose.EVENT_RSA, "operator"))
            assert following in published, "it was published before it signed"
    texts = [body.decode() for _, _, body in ear.heard]
    assert [next(iter(read(world, text, "RS256")["events"])) for text in texts] == [REVOKED, REVOKED]
    kids = [extract_compact(text.encode()).headers()["kid"] for text in texts]
    assert kids[0] != kids[1] == following
    world.time.on(key.KEEP)
    with pytest.raises(InvalidKeyIdError):
        read(world, texts[0], "RS256")


def test_what_happens_while_it_is_paused_waits_and_while_disabled_is_never_told(place, ear):
    world = place.world
    place.make(push=True)

    def ended():
        one = world.a_task(requester=world.person.id)
        world.act(lambda c: revoke(c, "task", one.id, "operator"))
        return one.id

    def move(state):
        world.act(lambda c: streams.move(c, streams.of(c.reader, place.service.id), state))

    move("paused")
    held = ended()
    place.running.settle()
    assert not ear.heard
    move("enabled")
    place.running.go(lambda: len(ear.heard) == 1)
    place.running.settle()
    move("disabled")
    ended()
    place.running.settle()
    move("enabled")
    last = ended()
    place.running.go(lambda: len(ear.heard) == 2)
    place.running.settle()
    said = [read(world, body.decode())["sub_id"]["session"]["id"] for _, _, body in ear.heard]
    assert said == [held, last]
