"""Leases in their table: each state is reached only from those that lead to it, in one statement."""

import pytest

from remit.core.lease import FROM, LIFE, OPEN
from remit.core.receipt import change
from remit.core.record import changed
from remit.store import lease as store
from remit.store.apply import apply
from remit.store.record import Reader
from tests.kit.nouns import NOON, PERSON, TASK, code, lease, named

STATES = tuple(LIFE.table)


def made(state, **members):
    one = lease(**members)
    if state in OPEN:
        return changed(one, state=state, lent=state == "active")
    dead = {"proof": "gone", "died": NOON + 9, "took": 4} if state == "dead" else {}
    return changed(one, state=state, because="task", ended=NOON + 5, ender="n1", lent=True, **dead)


def stand(db, state):
    """Put a lease into this state by a way that leads there."""
    way = {"intended": (), "active": ("active",), "ending": ("ending",), "dead": ("ending", "dead")}
    for one in ("intended", *way.get(state, ("ending", state))):
        apply(db, 1, change(f"lease.{one}", made(one), NOON, PERSON))


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_reached_only_from_those_that_lead_to_it(tables, state):
    for before in STATES:
        tables.mark()
        stand(tables, before)
        work = lambda: (apply(tables, 9, change(f"lease.{state}", made(state), NOON, PERSON)), tables.flush())  # noqa: E731
        if before in FROM[state]:
            work()
            assert store.of_task(Reader(tables), TASK)[0].state == state
        else:
            assert code(work) in ("lease_moved", "store_constraint")
        tables.undo()


def test_what_is_open_what_ends_and_what_is_over_are_found(tables):
    found = {}
    for number, state in enumerate(STATES):
        one = made(state, id=named("lse", "abcdef"[number]), until=NOON + 100 - number)
        tables.run(
            "INSERT INTO lease (id, state, task, resource, until, body) VALUES (?, ?, ?, ?, ?, ?)",
            (one.id, one.state, one.task, one.resource, one.until, store._sorted(store.dump(one))),
        )
        found[state] = one.id
    reader = Reader(tables)
    assert [one.state for one in store.open_ones(reader, TASK)] == ["intended", "active"]
    assert store.open_ones(reader, named("tsk", "b")) == []
    assert len(store.open_ones(reader, resource="notes")) == 2
    assert store.open_ones(reader, resource="crm") == []
    assert len(store.open_ones(reader)) == 2
    assert [one.state for one in store.ending(tables)] == ["ending", "pending", "irrevocable"]
    assert len(store.ending(tables, 1)) == 1
    assert store.counts(tables) == dict.fromkeys(("intended", "active", "ending", "pending", "irrevocable"), 1)
    assert store.unproven(tables, TASK, 2) == 5
    assert store.unproven(tables, TASK, 1) == 0
    assert [one.state for one in store.over(reader, NOON + 98)] == []
    assert [one.state for one in store.over(reader, NOON + 99)] == ["active"]
    assert {one.state for one in store.over(reader, NOON + 10_000)} == {"active", "intended"}
