import pytest

from remit.control.authority import Clock, open_authority
from remit.core.errors import RemitError
from remit.custody.root import Root
from remit.custody.secret import Secret
from remit.ledger import checkpoint, note
from remit.store.log import newest
from tests.kit.told import Time
from tests.kit.world import ISSUER


def test_a_clock_holds_the_wall_against_the_steady_one():
    wall, steady = Time(), Time()
    clock = Clock(wall, steady)
    wall.on(30_000)
    assert clock.now() == wall.ms
    wall.on(1)
    with pytest.raises(RemitError) as caught:
        clock.now()
    assert caught.value.code == "clock_jumped"
    steady.on(60_002)
    with pytest.raises(RemitError):
        clock.now()
    wall.on(60_000)
    assert clock.now() == wall.ms
    assert clock.steady() == steady.ms


def test_the_clock_of_the_machine_goes():
    clock = Clock()
    assert clock.steady() <= clock.steady()
    assert clock.now() > 1_700_000_000_000


def test_a_head_is_signed_under_the_key_that_is_published(world):
    head, key = newest(world.authority.view), note.parse_vkey(world.authority.verifier())
    opened, verdict = checkpoint.open_signed(head.note.encode(), world.authority.name, [key])
    assert (opened.size, verdict) == (head.size, note.verify(note.parse(head.note.encode()), [key]))
    other = note.parse_vkey(note.vkey(world.authority.name, b"k" * 32))
    assert checkpoint.open_signed(head.note.encode(), world.authority.name, [other])[1] != verdict


def test_ids_are_drawn_anew(world):
    assert world.authority.make("per") != world.authority.make("per")


def test_another_root_cannot_open_the_keys(world):
    with pytest.raises(RemitError) as caught:
        open_authority(world.folder, Root(Secret(bytes(32 * [7]))), ISSUER, "127.0.0.1:8787/log")
    assert caught.value.code
