from remit.control import key
from remit.core.credential import Key
from remit.custody.signer import ALWAYS, Purpose
from tests.kit.nouns import NOON
from tests.kit.told import kinds, size, told
from tests.kit.world import read_call


def test_keys_and_paths_are_made_once_with_a_receipt_each(world):
    before = size(world)
    world.act(lambda c: key.ensure(c, "op"))
    assert size(world) == before
    first = kinds(world)
    assert first.count("path.opened") == 2
    assert first.count("key.added") == 2 * len(ALWAYS)


def test_no_receipt_of_a_key_holds_more_than_its_public_half(world):
    for one in told(world):
        if one["kind"].startswith("key."):
            assert not {"d", "k", "p", "q"} & one["record"]["public"].keys()


def test_the_key_before_still_counts_for_an_hour_and_then_no_more(world, time):
    entry = world.enter(world.a_credential(world.a_task().id).text)
    before, old = size(world), world.authority.signer.active(Purpose.TOKEN_OWN).kid
    kid = world.act(lambda c: key.rotate(c, Purpose.TOKEN_OWN, "op"))
    assert kid != old
    assert sorted(kinds(world, before)) == ["key.added", "key.added", "key.retiring"]
    assert world.act(lambda c: c.need(Key, old)).state == "retiring"
    assert world.decide(read_call(), entry).call
    time.on(key.KEEP)
    assert world.authority.signer.sweep(world.authority.clock.now()) == (old,)
    world.act(lambda c: key.sync(c, "op"))
    assert world.act(lambda c: c.need(Key, old)).state == "retired"
    assert time.ms == NOON + key.KEEP
