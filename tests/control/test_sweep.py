from remit.control import key
from remit.control.sweep import NONCES_EVERY, sweep
from remit.core.call import Call
from remit.core.credential import Key
from remit.core.task import Task
from remit.custody.signer import Purpose
from remit.store import payload
from tests.kit.told import kinds, size
from tests.kit.world import read_call


def state(world, one):
    found = world.act(lambda c: c.need(Task, one.id))
    return found.state, found.because


def test_a_task_ends_at_its_deadline_with_all_below_it(world, time):
    one = world.a_task(life=1000)
    child = world.a_task(parent=one.id, person=one.person)
    time.on(999)
    assert world.act(sweep) == 0
    time.on(1)
    before = size(world)
    assert world.act(sweep) == 2
    assert kinds(world, before) == ["task.ended"] * 2
    assert state(world, one) == ("ended", "deadline")
    assert state(world, child)[0] == "ended"
    assert world.act(sweep) == 0


def test_work_keeps_a_task_open_and_a_ping_does_not(world, time):
    worked, pinged, refused = world.a_task(), world.a_task(), world.a_task()
    calls = {worked.id: read_call(), pinged.id: Call("mcp:notes/@session", {}), refused.id: read_call("/etc")}
    entries = {one: world.enter(world.a_credential(one).text) for one in calls}
    time.on(1000)
    for one, call in calls.items():
        world.decide(call, entries[one])
    time.on(world.brief.idle - 1000)
    assert world.act(sweep) == 2
    assert state(world, pinged) == state(world, refused) == ("ended", "idle")
    assert state(world, worked)[0] == "open"
    time.on(1000)
    assert world.act(sweep) == 1


def test_a_parent_waits_for_its_children(world, time):
    one = world.a_task()
    time.on(1000)
    child = world.a_task(parent=one.id, person=one.person)
    time.on(world.brief.idle - 1000)
    assert world.act(sweep) == 0
    time.on(1000)
    world.act(sweep)
    world.act(sweep)
    assert state(world, child) == ("ended", "idle")
    assert state(world, one)[0] == "ended"


def test_at_most_so_many_at_a_time(world, time):
    for _ in range(3):
        world.a_task()
    time.on(world.brief.idle)
    assert world.act(lambda c: sweep(c, most=2)) == 2
    assert world.act(lambda c: sweep(c, most=2)) == 1


def test_a_key_past_its_end_is_retired_with_a_receipt(world, time):
    old = world.authority.signer.active(Purpose.TOKEN_OWN).kid
    world.act(lambda c: key.rotate(c, Purpose.TOKEN_OWN, "op"))
    time.on(key.KEEP)
    before = size(world)
    world.act(sweep)
    assert kinds(world, before) == ["key.retired"]
    assert world.act(lambda c: c.need(Key, old)).state == "retired"


def test_spent_values_are_forgotten_once_the_ledger_is_past_them(world, time):
    def spend(change):
        change.keep()
        return payload.spend(change.db, "jti", "x", change.now)

    assert world.act(spend)
    assert not world.act(spend)
    time.on(NONCES_EVERY + 1)
    world.act(sweep)
    assert world.authority.view.one("SELECT count(*) FROM nonce") == (1,), "the clock alone could go back again"
    world.act(lambda c: c.receipt({"v": 1, "kind": "call.denials", "at": c.now, "agent": "x", "code": "y", "count": 1}))
    world.act(sweep)
    assert world.authority.view.one("SELECT count(*) FROM nonce") == (0,)


def test_with_more_tasks_than_a_part_it_goes_round_and_misses_none(world, time, monkeypatch):
    monkeypatch.setattr("remit.control.sweep.PART", 3)
    tasks = [world.a_task(life=world.brief.life - number) for number in range(8)]
    busy = world.enter(world.a_credential(tasks[4].id).text)
    time.on(1000)
    world.decide(read_call(), busy)
    time.on(world.brief.idle - 1001)
    assert [world.act(sweep) for _ in range(4)] == [0] * 4
    time.on(1)
    assert sum(world.act(sweep) for _ in range(4)) == 7
    assert [state(world, one)[0] for one in tasks].count("open") == 1
    assert state(world, tasks[4])[0] == "open"
