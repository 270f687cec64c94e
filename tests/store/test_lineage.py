"""What a task's answers held, on both stores: found by value, bounded, kept as digests alone."""

import json
from pathlib import Path

import pytest

from remit.core.lineage.source import Held
from remit.core.moment import Instant
from remit.store import lineage

KEY, TASK = bytes(range(32)), "tsk_" + "a" * 26
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "lineage" / "marks.json"
NOW = Instant(1_700_000_000_000)


def put(db, call, leaf, *held, key=KEY):
    count, body = lineage.packed(key, held)
    assert b"bob@example.org" not in body
    return lineage.put(db, call, (TASK, leaf, "mcp:t/find", "own", 1), count, body)


def test_the_digest_of_a_value_is_that_of_the_page() -> None:
    for one in json.loads(VECTORS.read_text(encoding="utf-8")):
        assert lineage.mark(bytes.fromhex(one["key"]), one["atom"]).hex() == one["digest"]


def test_a_value_is_found_where_it_stands_and_by_its_tasks_key_alone(tables) -> None:
    assert put(tables, "cal_2", 9, Held("email:bob@example.org", "/*/to", 3, 2))
    assert put(
        tables, "cal_1", 4, Held("email:bob@example.org", "/x", 0, 1, "text:ann"), Held("text:other", "/y", 0, 0)
    )
    found = lineage.holders(tables, TASK, KEY, ["email:bob@example.org", "text:nothing"])
    assert list(found) == ["email:bob@example.org"]
    told = [(one.call, one.leaf, one.field, one.record, one.grade) for one in found["email:bob@example.org"]]
    assert told == [("cal_1", 4, "/x", 0, 1), ("cal_2", 9, "/*/to", 3, 2)]
    assert found["email:bob@example.org"][0].owner == lineage.mark(KEY, "text:ann")
    assert lineage.holders(tables, TASK, b"k" * 32, ["email:bob@example.org"]) == {}
    assert lineage.holders(tables, "tsk_other", KEY, ["email:bob@example.org"]) == {}
    assert lineage.holders(tables, TASK, KEY, []) == {}


def test_a_task_that_holds_enough_takes_no_more(tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MOST", 2)
    assert put(tables, "cal_a", 1, Held("text:a", "", 0, 1), Held("text:b", "", 0, 1))
    assert not put(tables, "cal_b", 2, Held("text:c", "", 0, 1))


def test_what_is_kept_parsed_is_bounded_and_can_be_read_again(tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "KEPT", 3)
    for number in range(12):
        assert put(tables, f"cal_k{number}", number, Held(f"text:{number}", "", 0, 1), Held("text:all", "", 0, 0))
    for _ in range(2):
        assert len(lineage.holders(tables, TASK, KEY, ["text:all", "text:5"])["text:all"]) == 12


def test_a_task_is_complete_until_an_outcome_is_unknown_or_overdue(tables) -> None:
    flight = (
        "INSERT INTO flight (call, leaf, task, credential, action, step, plan, at) VALUES (?, 1, ?, 'c', 'a', 0, 1, ?)"
    )
    tables.run(flight, ("cal_f", TASK, NOW))
    assert lineage.complete(tables, TASK, NOW)
    assert not lineage.complete(tables, TASK, Instant(NOW + lineage.OVERDUE_MS + 1))
    lineage.gap(tables, "cal_f")
    assert not lineage.complete(tables, TASK, NOW)
    assert lineage.complete(tables, "tsk_other", NOW)
