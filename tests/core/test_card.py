"""A card is made of everything that a yes rests on, and of nothing when a part of it is gone."""

from msgspec.structs import replace

from remit.control import decision
from remit.core.card import card
from remit.core.record import changed
from tests.kit.approving import Approving
from tests.kit.world import World, read_call


def test_every_part_of_it_changes_it_and_a_part_that_is_gone_leaves_none(tmp_path):
    place = Approving(World(tmp_path).settle())
    one = place.one(place.ask())
    call = read_call()
    seen = place.world.act(lambda c: decision.seen_facts(c, one.credential, call))
    whole = card(seen, one, call.arguments)
    assert whole["arguments"] == {"path": "/notes/a"}
    for name in ("credential", "task", "agent", "plan", "brief", "resource"):
        assert card(replace(seen, **{name: None}), one, call.arguments) is None, name
    for name in ("policy", "tools"):
        assert card(replace(seen, **{name: None if name == "policy" else {}}), one, call.arguments) != whole, name
    other = {"groups": ("law",), "need": 2, "bar": ("owner",), "until": one.until + 1, "uses": 2}
    for member, value in other.items():
        assert card(seen, changed(one, **{member: value}), call.arguments) != whole, member
    assert card(seen, one, {"path": "/notes/b"}) != whole
    place.world.close()
