from decimal import Decimal

import pytest

from remit.core.agent import Agent
from remit.core.receipt import NOUNS, change, outcome
from remit.store.apply import apply, flights, in_flight, usage, version_leaf
from remit.store.record import Reader
from tests.kit.nouns import AGENT, CALL, CREDENTIAL, NOON, PERSON, TASK, agent, code, every, named, resource, tool

CHARGE = {"task": TASK, "scope": "brief", "step": 0, "uses": 1, "amounts": ["1.50"]}


def decided(call=CALL, at=NOON, action="mcp:notes/read_note", **members):
    given = {"v": 1, "kind": "call.decided", "at": at, "call": call, "action": action, "decision": "allow", "step": 0}
    return given | {"task": TASK, "credential": CREDENTIAL, "plan": 1, "charges": [CHARGE]} | members


def activity(db):
    return db.one("SELECT at, leaf FROM activity WHERE task = ?", (TASK,))


def test_a_change_writes_its_record(tables):
    assert apply(tables, 3, change("agent.added", agent(), NOON, PERSON)) == agent()
    assert Reader(tables).get(Agent, AGENT) == agent()


def test_what_policy_is_compiled_from_is_marked_by_its_leaf(tables):
    assert version_leaf(tables, "shape") == -1
    apply(tables, 3, change("agent.added", agent(), NOON, PERSON))
    assert version_leaf(tables, "shape") == -1
    apply(tables, 4, change("resource.added", resource(), NOON, PERSON))
    assert version_leaf(tables, "shape") == 4
    apply(tables, 9, change("tool.pinned", tool(), NOON, PERSON))
    assert version_leaf(tables, "shape") == 9


def test_an_allow_uses_up_flies_and_keeps_its_task_awake(tables):
    assert apply(tables, 5, decided()) is None
    used = usage(tables, TASK, "brief", 0)
    assert (used.uses, used.totals, used.recent, used.rows) == (1, (Decimal("1.50"),), (NOON,), 0)
    assert activity(tables) == (NOON, 5)
    assert [(one.call, one.leaf, one.credential) for one in flights(tables)] == [(CALL, 5, CREDENTIAL)]
    apply(tables, 6, decided(named("cal", "b"), NOON + 1))
    assert usage(tables, TASK, "brief", 0).totals == (Decimal("3.00"),)
    assert usage(tables, TASK, "brief", 1) is None


def test_a_deny_uses_up_nothing_and_keeps_nothing_awake(tables):
    apply(tables, 5, decided())
    apply(tables, 6, decided(named("cal", "b"), NOON + 9, decision="deny", code="x"))
    assert activity(tables) == (NOON, 6)
    assert usage(tables, TASK, "brief", 0).uses == 1
    assert in_flight(tables, named("cal", "b")) is None


@pytest.mark.parametrize("kind", ["@session", "@list"])
def test_a_ping_is_allowed_without_being_work(tables, kind):
    apply(tables, 5, decided())
    apply(tables, 6, decided(named("cal", "b"), NOON + 9, action=f"mcp:notes/{kind}", charges=[]))
    assert activity(tables) == (NOON, 6)


def test_a_usage_that_cannot_be_added_up_is_a_fault(tables):
    apply(tables, 5, decided())
    with pytest.raises(ValueError, match="zip"):
        apply(tables, 6, decided(named("cal", "b"), charges=[CHARGE | {"amounts": ["1", "2"]}]))


def test_the_same_call_cannot_be_allowed_twice(tables):
    apply(tables, 5, decided())
    assert code(lambda: (apply(tables, 6, decided(charges=[])), tables.flush())) == "store_constraint"


def test_an_outcome_ends_the_flight_once_and_counts_rows(tables):
    apply(tables, 5, decided())
    rows = [
        {"task": TASK, "scope": "brief", "step": 0, "rows": 4},
        {"task": TASK, "scope": "plan:1", "step": 2, "rows": 4},
    ]
    apply(tables, 6, outcome(CALL, 5, NOON, {"result": "ok", "rows": rows}))
    assert flights(tables) == []
    assert usage(tables, TASK, "brief", 0).rows == 4
    assert usage(tables, TASK, "plan:1", 2).rows == 4
    again = outcome(CALL, 5, NOON, {"result": "ok"})
    assert code(lambda: (apply(tables, 7, again), tables.flush())) == "outcome_unknown_call"


def test_merged_denials_change_no_table(tables):
    assert (
        apply(tables, 1, {"v": 1, "kind": "call.denials", "at": NOON, "agent": AGENT, "code": "x", "count": 2}) is None
    )
    assert activity(tables) is None


def test_a_change_without_a_known_record_is_refused(tables):
    assert code(apply, tables, 1, {"v": 1, "kind": "agent.added", "at": 1, "by": "", "record": {}}) == "receipt_invalid"
    assert {type(one) for one in every()} == set(NOUNS.values())
