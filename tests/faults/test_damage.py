"""What a store does whose ledger was damaged at rest: it names it, and signs nothing further."""

import pytest

from remit.control import login
from remit.core.errors import RemitError
from remit.store import log
from tests.kit import ledger
from tests.kit.world import World

FLIPS = {
    "leaf": "UPDATE leaf SET hash = ? WHERE number = (SELECT max(number) FROM leaf)",
    "tile": "UPDATE tile SET body = ? WHERE level = 0 AND number = 0",
    "head": "UPDATE head SET note = ? WHERE size = (SELECT max(size) FROM head)",
}
READS = {
    "leaf": "SELECT hash FROM leaf ORDER BY number DESC LIMIT 1",
    "tile": "SELECT body FROM tile WHERE level = 0 AND number = 0",
    "head": "SELECT note FROM head ORDER BY size DESC LIMIT 1",
}


def flipped(value):
    """The same with one bit turned: in a head, in the root that it signs."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    lines = value.split("\n")
    lines[2] = ("B" if lines[2][0] == "A" else "A") + lines[2][1:]
    return "\n".join(lines)


def long(world):
    """A ledger with a whole tile in it."""
    for _ in range(300):
        world.batch.submit("", lambda c: login.issue(c, "link", "operator"), lambda _: None)
    while not world.batch.idle:
        world.batch.turn()


@pytest.mark.parametrize("what", FLIPS)
def test_log_03_a_flipped_bit_stops_the_log_before_anything_more_is_signed(tmp_path, what):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    long(world)
    assert ledger.faults(world.authority) == []
    before = log.newest(world.authority.view)
    with world.authority.db.transaction():
        (value,) = world.authority.db.one(READS[what])
        world.authority.db.run(FLIPS[what], (flipped(value),))
    world.close()
    again = World(tmp_path)
    with pytest.raises(RemitError) as caught:
        again.act(lambda c: login.issue(c, "link", "operator"))
    assert caught.value.code == "ledger_damaged"
    assert "remit ledger verify" in caught.value.remedy
    assert log.newest(again.authority.view).size == before.size
    again.close()
