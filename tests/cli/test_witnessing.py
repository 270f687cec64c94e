import asyncio

from remit.cli.witnessing import Witnessing
from remit.control import witness
from remit.control.authority import FILE
from remit.core.witness import WitnessRule
from tests.kit.watching import NAME, URL, VKEY
from tests.kit.world import World


def test_without_a_rule_nobody_goes_and_a_trouble_is_told_once(tmp_path, capsys):
    loop = asyncio.new_event_loop()
    world = World(tmp_path).settle()
    sending = Witnessing(world.authority, world.batch, tmp_path / FILE, loop)
    sending.tick()
    assert sending._out == set()
    world.act(lambda c: witness.ensure(c, {VKEY: URL}, WitnessRule(required=1), "operator"))
    for _ in range(2):
        sending.tick()
        assert sending._out == {NAME}, "one courier at a time"
        while sending._out:
            sending.tick()
            loop.run_until_complete(asyncio.sleep(0.01))
        sending.tick()
        assert sending._out == set(), "it waits before it goes again"
        sending._next.clear()
    sending.close()
    sending.tick()
    assert sending._out == set(), "after the end nobody goes"
    assert capsys.readouterr().err == f"Witness {NAME}: It cannot be reached (ConnectionRefusedError).\n"
    world.close()
    loop.close()
