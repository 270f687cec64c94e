"""The past: the same records under the same keys as the store's own tables, and only what is wanted of the ledger."""

import re
import zlib
from pathlib import Path

from remit.core import ids
from remit.core.agent import Agent
from remit.core.receipt import NOUNS, change, encode
from remit.core.record import changed, dump
from remit.core.task import Plan, Task
from remit.store import past
from remit.store.opening import open_db
from remit.store.past import KEPT, Past, Sieve
from remit.store.record import key, noun
from tests.house.tree import ROOT
from tests.kit.nouns import AGENT, NOON, TASK, agent, credential, every, plan, task


def held(tmp_path: Path, of: tuple[int, int] = (0, 1)) -> Past:
    return Past(open_db(tmp_path / "store.db"), frozenset({"notes"}), lambda _: None, of)


def test_every_kept_noun_is_found_under_the_key_of_its_table(tmp_path: Path) -> None:
    one, kept = held(tmp_path), [each for each in every() if noun(type(each)) in KEPT]
    assert len(kept) == len(KEPT)
    one.fold({"record": dump(task())})
    for each in kept:
        one.fold({"record": dump(each)})
        assert one.get(type(each), key(each)) == each
    assert list(one.where(Agent, "owner = ? AND state = 'active'", (agent().owner,))) == [agent()]
    assert list(one.where(Agent, "owner = ?", ("nobody",))) == []
    assert one.get(type(every()[-1]), "none") is None
    one.db.close()


def test_every_kind_that_a_decision_reads_is_kept() -> None:
    """But for the rule of witnesses, which does not depend on the brief."""
    text = (ROOT / "src/remit/store/facts.py").read_text(encoding="utf-8")
    kinds = set(re.findall(r"reader\.(?:get|where)\((\w+)", text))
    nouns = {kind.__name__: one for one, kind in NOUNS.items()}
    assert {nouns[name] for name in kinds & nouns.keys()} - {"witness_rule"} <= KEPT
    assert "binding" in {nouns[name] for name in kinds & nouns.keys()}


def test_an_errand_of_another_brief_or_share_is_not_kept_and_one_that_ended_is_let_go(tmp_path: Path) -> None:
    one = held(tmp_path)
    assert one.fold({"record": dump(task()) | {"brief": "other"}}) is None
    assert one.fold({"record": dump(plan())}) is None
    assert isinstance(one.fold({"record": dump(task())}), Task)
    assert isinstance(one.fold({"record": dump(plan())}), Plan)
    assert one.over(task()) == ([], [])
    assert one.over(task(state="ended")) == ([TASK], [key(plan())])
    assert one.get(Plan, key(plan())) is None
    one.db.close()
    parts = [held(tmp_path, (number, 2)) for number in range(2)]
    assert [part.fold({"record": dump(task())}) is None for part in parts].count(True) == 1
    for part in parts:
        part.db.close()


def test_outcomes_that_say_nothing_and_decisions_of_other_shares_are_not_read(tmp_path: Path) -> None:
    db = open_db(tmp_path / "store.db")
    db.define("CREATE TABLE leaf (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL)")
    said = {"v": 1, "at": NOON, "call": "c", "kind": "call.decided", "task": TASK, "what": "x"}
    done = {"v": 1, "at": NOON, "call": "c", "kind": "call.outcome", "leaf": 1, "result": "ok"}
    entries = [
        change("agent.added", agent(), NOON, AGENT),
        said,
        done,
        done | {"rows": []},
        done | {"result": "unknown"},
    ]
    with db.transaction():
        db.many("INSERT INTO leaf VALUES (?, ?, ?)", [(n, b"", encode(one)) for n, one in enumerate(entries)])
    assert [number for number, _ in past.entries(db, 0, 9, Sieve())] == [0, 1, 3, 4]
    assert [number for number, _ in past.entries(db, 0, 9, Sieve(whole=True))] == [0, 1, 2, 3, 4]
    parts = [[number for number, _ in past.entries(db, 0, 9, Sieve((share, 2)))] for share in range(2)]
    assert sorted(parts) == [[0, 1, 3, 4], [0, 3, 4]]
    db.close()


def test_what_is_written_in_a_record_does_not_make_it_another_shares(tmp_path: Path) -> None:
    """A label, an argument or a limit can be spelled like a member of a receipt."""
    db = open_db(tmp_path / "store.db")
    db.define("CREATE TABLE leaf (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL)")
    other = ids.make("tsk", bytes(15) + b"x")
    labels = {"kind": "call.decided", "parent": "x", "id": other, "task": other, "rows": "unknown"}
    child = task(id=ids.make("tsk", bytes(15) + b"c"), parent=TASK)
    said = {"v": 1, "at": NOON, "action": "a", "call": "c", "kind": "call.decided", "what": "x"}
    entries = [
        change("task.opened", task(), NOON, AGENT),
        change("plan.made", plan(), NOON, AGENT),
        change("task.opened", child, NOON, AGENT),
        change("plan.made", changed(plan(), task=child.id), NOON, AGENT),
        change("credential.issued", credential(), NOON, AGENT),
        said | {"task": TASK, "args": {"kind": "call.outcome", "task": other}},
        said | {"task": child.id, "above": [TASK]},
        change("task.ended", task(state="ended"), NOON, AGENT),
    ]
    with db.transaction():
        db.many("INSERT INTO leaf VALUES (?, ?, ?)", [(n, b"", encode(one)) for n, one in enumerate(entries)])
    mine = zlib.crc32(TASK.encode()) % 3
    kept = [{number for number, _ in past.entries(db, 0, 99, Sieve((share, 3)))} for share in range(3)]
    assert kept[mine] == set(range(8))
    assert kept[(mine + 1) % 3] <= {2, 3, 6}
    named = change("task.opened", task(labels=labels), NOON, AGENT)
    assert all(Sieve((share, 3)).keeps(encode(named)) for share in range(3))
    ended = {"v": 1, "at": NOON, "call": "c", "kind": "call.outcome", "leaf": 1, "result": "ok"}
    assert not Sieve().keeps(encode(ended))
    db.close()
