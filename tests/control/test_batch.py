import pytest

from remit.control.queue import MOST, WAITING_EACH
from remit.core.errors import RemitError
from remit.core.principal import Person
from tests.kit.nouns import named, person
from tests.kit.told import kinds, size

SICK = RemitError("store_failed", "The disk of the store failed.", "Check the disk.")


def adds(letter):
    return lambda change: change.record("person.added", person(id=named("per", letter)), "operator")


def fails(change):
    adds("f")(change)
    raise SICK


@pytest.fixture
def quiet(world):
    """A batch whose turns are taken by hand."""
    world.batch.wake = lambda: None
    return world


def there(world, letter):
    return world.act(lambda c: c.reader.get(Person, named("per", letter))) is not None


def test_all_that_waits_is_one_transaction_and_a_fault_in_one_leaves_the_others(quiet):
    before, commits, found = size(quiet), quiet.batch.commits, []
    for who, work in (("a", adds("b")), ("a", fails), ("c", adds("d"))):
        quiet.batch.submit(who, work, found.append)
    assert found == []
    quiet.batch.turn()
    assert sorted(found, key=str) == sorted([before, before + 1, SICK], key=str)
    assert quiet.batch.commits == commits + 1
    assert kinds(quiet, before) == ["person.added"] * 2
    assert [there(quiet, letter) for letter in "bdf"] == [True, True, False]


def test_nobody_hears_before_the_commit(quiet, monkeypatch):
    found, seen = [], []
    store = type(quiet.authority.db)
    real = store.commit
    monkeypatch.setattr(store, "commit", lambda self: (seen.append(list(found)), real(self)))
    quiet.batch.submit("a", adds("b"), found.append)
    quiet.batch.turn()
    assert seen == [[]]
    assert len(found) == 1


def test_what_waits_for_its_end_comes_after_the_answers_and_into_the_next_transaction(quiet):
    order, held = [], []
    quiet.batch.between(lambda: order.append("idle"))
    quiet.batch._offload = quiet.batch._sync = lambda job, after: held.append((job, after))
    quiet.batch.wake = lambda: order.append("wake")
    quiet.batch.submit("a", adds("b"), lambda _: order.append("answer"))
    quiet.batch.turn()

    def breaks():
        raise SICK

    quiet.batch.between(breaks)
    quiet.batch.between(lambda: (order.append("after"), quiet.batch.submit("a", adds("d"), order.append)))
    assert order == ["idle"]
    for job, after in held:
        job()
        after()
    assert order == ["idle", "answer", "after", "wake"]
    assert quiet.batch.broken == 1
    quiet.batch._offload = quiet.batch._sync = lambda job, after: (job(), after())
    quiet.batch.turn()
    assert there(quiet, "d")


def test_a_transaction_that_fails_is_run_again_one_by_one(quiet, monkeypatch):
    before, found = size(quiet), []
    real = quiet.authority.log.append

    def append(entries, at, sign):
        if len(entries) > 1:
            raise SICK
        return real(entries, at, sign)

    monkeypatch.setattr(quiet.authority.log, "append", append)
    for letter in "bcd":
        quiet.batch.submit("a", adds(letter), found.append)
    quiet.batch.turn()
    assert found == [before, before + 1, before + 2]
    assert kinds(quiet, before) == ["person.added"] * 3


def test_a_connection_that_is_lost_before_the_commit_costs_no_item_its_turn(quiet):
    db, view = quiet.authority.db, quiet.authority.view
    before, found, lost = size(quiet), [], []

    def loses(change):
        if not lost:
            lost.append(db.one("SELECT pg_backend_pid()")[0] if db.remote else 0)
            if db.remote:
                view.all("SELECT pg_terminate_backend(CAST(? AS INTEGER), 2000)", lost)
            else:
                db.close()
        return adds("c")(change)

    for work in (adds("b"), loses, adds("d")):
        quiet.batch.submit("a", work, found.append)
    quiet.batch.turn()
    assert found == [before, before + 1, before + 2]
    assert kinds(quiet, before) == ["person.added"] * 3


def test_a_commit_that_may_have_happened_yields_faults_and_a_new_connection(quiet, monkeypatch):
    store = type(quiet.authority.db)
    real, found, reopened = store.commit, [], []
    reopen = store.reopen

    def commit(self):
        real(self)
        raise RemitError("commit_unknown", "It may or may not have been kept.", "Reopen the store.")

    monkeypatch.setattr(store, "commit", commit)
    monkeypatch.setattr(store, "reopen", lambda self: (reopened.append(self), reopen(self)))
    for letter in "bc":
        quiet.batch.submit("a", adds(letter), found.append)
    quiet.batch.turn()
    assert [one.code for one in found] == ["commit_unknown"] * 2
    assert reopened == [quiet.authority.db]
    monkeypatch.undo()
    assert there(quiet, "b")
    quiet.act(adds("d"))


def test_a_store_that_somebody_else_holds_is_waited_for_and_then_told(quiet):
    quiet.authority.view.begin()
    if quiet.authority.db.remote:
        quiet.act(adds("b"))
        assert there(quiet, "b"), "a holder that is silent loses the lock"
        return
    try:
        with pytest.raises(RemitError) as caught:
            quiet.act(adds("b"))
        assert caught.value.code == "store_busy"
    finally:
        quiet.authority.view.rollback()
    assert not there(quiet, "b")


def test_what_waited_past_its_deadline_leaves_undone(quiet, time):
    late, found = [], []
    quiet.batch.submit("a", adds("b"), late.append, patience=10)
    quiet.batch.submit("a", adds("c"), found.append, patience=12)
    time.on(11)
    quiet.batch.turn()
    assert [one.code for one in late] == ["deadline_passed"]
    assert found == [size(quiet) - 1]
    assert [there(quiet, letter) for letter in "bc"] == [False, True]


def test_a_full_queue_refuses_at_once_and_only_its_own(quiet):
    found, other = [], []
    for _ in range(WAITING_EACH):
        quiet.batch.submit("a", lambda change: None, found.append)
    assert found == []
    quiet.batch.submit("a", lambda change: None, found.append)
    assert [one.code for one in found] == ["queue_full"]
    quiet.batch.submit("b", lambda change: None, other.append)
    quiet.batch.turn()
    assert other == [None]


def test_each_gets_its_turn_before_anybody_gets_a_second(quiet):
    found = []
    for _ in range(MOST + 10):
        quiet.batch.submit("a", lambda change: "a", found.append)
    for who in "bc":
        quiet.batch.submit(who, lambda change, who=who: who, found.append)
    quiet.batch.turn()
    assert (len(found), found[:4]) == (MOST, ["a", "b", "c", "a"])
    assert not quiet.batch.idle
    quiet.batch.turn()
    assert quiet.batch.idle


def test_what_the_lock_was_too_short_for_waits_in_its_own_queue(quiet, time):
    found = []

    def slow(change):
        time.on(quiet.authority.db.held_ms + 1)
        return "a"

    for _ in range(3 * MOST // 2):
        quiet.batch.submit("a", slow, found.append, patience=10**9)
    quiet.batch.turn()
    quiet.batch.turn()
    assert found == ["a", "a"]
    quiet.batch.submit("", lambda change: "stop", found.append, patience=10**9)
    quiet.batch.turn()
    quiet.batch.turn()
    assert "stop" in found[:4]


def test_a_clock_that_jumped_refuses_every_change(quiet, time):
    wall = quiet.authority.clock._wall
    quiet.authority.clock._wall = lambda: wall() + 31_000 * 1_000_000
    before = size(quiet)
    with pytest.raises(RemitError) as caught:
        quiet.act(adds("b"))
    assert caught.value.code == "clock_jumped"
    assert size(quiet) == before
    quiet.authority.clock._wall = wall
    quiet.act(adds("b"))
