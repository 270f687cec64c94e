"""What is read with the lock is what separate reads would have given, and a hint is never an answer."""

from remit.control import task as tasks
from remit.store.foresight import MOST_HINTS, Ahead, Foresight
from remit.store.log import EMPTY, Head, newest
from tests.kit import postgres
from tests.kit.world import World, read_call


def decided(world, entry):
    found = []
    world.gate.decide(read_call(), entry, "", found.append)
    while not world.batch.idle:
        world.batch.turn()
    return getattr(found[0], "code", "allow")


def test_nothing_hinted_is_still_the_head_and_the_versions():
    foreseen = Ahead().understood([])
    assert (foreseen.head, dict(foreseen.versions), dict(foreseen.bodies)) == (EMPTY, {}, {})


def test_what_is_not_there_is_known_not_to_be_there():
    foresight = Foresight()
    foresight.learn(("cred", "shop/read"), {("task", "t1"), ("person", "p1")})
    ahead = foresight.ahead([("cred", "shop/read"), ("cred", "unheard of")])
    assert ahead.reads[0][1] == (["t1"], ["p1"], ["t1"])
    rows = [("@head", "note", None, 3, 5), ("@version", "key", None, 2, 0), ("task", "t1", b"{}", 0, 0)]
    found = ahead.understood(rows)
    assert dict(found.bodies) == {("task", "t1"): b"{}", ("person", "p1"): None}
    assert (found.head, dict(found.versions), dict(found.active)) == (
        Head(3, 5, "note"),
        {"key": 2},
        {"t1": (0, -1, 0)},
    )


def test_hints_are_bounded():
    foresight = Foresight()
    for number in range(MOST_HINTS + 1):
        foresight.learn((f"c{number}", "a"), {("task", "t")})
    assert not foresight.ahead([("c0", "a")]).places
    assert foresight.ahead([(f"c{MOST_HINTS}", "a")]).places


def test_the_second_decision_finds_its_records_read_and_the_same_as_they_stand(monkeypatch):
    world = World(postgres.fresh()).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    assert decided(world, entry) == "allow"
    asked = []
    real = world.authority.db.one
    monkeypatch.setattr(
        type(world.authority.db), "one", lambda _, text, params=(): asked.append(text) or real(text, params)
    )
    assert decided(world, entry) == "allow"
    assert asked == []
    monkeypatch.undo()
    ahead = world.authority.foresight.ahead([(entry.credential, read_call().action)])
    db = world.authority.db
    found = ahead.understood(db.begin(reads=ahead.reads)[0])
    assert len(found.bodies) >= 10
    for (table, identity), body in found.bodies.items():
        row = db.one(f"SELECT body FROM {table} WHERE id = ?", (identity,))
        assert (row[0] if row else None) == body
    assert found.head == newest(db)
    assert dict(found.versions) == dict(db.all("SELECT name, leaf FROM version"))
    (task,) = (identity for table, identity in found.bodies if table == "task")
    assert found.active[task] == db.one("SELECT at, leaf, paths FROM activity WHERE task = ?", (task,))
    db.rollback()
    world.close()


def test_what_another_node_changed_since_is_seen():
    url = postgres.fresh()
    one = World(url).settle()
    task = one.a_task()
    entry = one.enter(one.a_credential(task.id).text)
    assert [decided(one, entry), decided(one, entry)] == ["allow", "allow"]
    other = World(url)
    other.act(lambda change: tasks.end(change, task.id, "complete", "operator"))
    assert decided(one, entry) == "task_ended"
    other.close()
    one.close()
