"""Figures are what the ledger holds, read on in parts."""

from remit.core.call import Call
from remit.store import metrics
from tests.kit.world import World, read_call


def test_decisions_are_counted_once_by_answer_and_code(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(metrics, "PART", 7)
    world = World(tmp_path).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    for call in (read_call(), read_call(), read_call("/etc"), Call("mcp:notes/wipe", {})):
        world.decide(call, entry)
    tally = metrics.Tally()
    for _ in range(20):
        tally.read(world.authority.view)
    assert tally.decided['answer="allow",code=""'] == 2
    assert sum(tally.decided.values()) == 4
    assert metrics.open_calls(world.authority.view) == 2
    world.close()


def test_ends_at_targets_are_counted_under_every_bound_that_holds_them():
    tally = metrics.Tally()
    for took in (5, 40, 700_000):
        tally._end("postgres", took)
    assert tally.ended["postgres"] == [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]
    assert tally.ended_ms == {"postgres": 700_045}
