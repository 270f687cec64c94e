"""Law 9: one change, one receipt, in the transaction that makes it; the ledger replayed rebuilds the tables."""

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from remit.control import agent, decision, evidence, key, login, principal, revocation, sweep, task, witness
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.grant import Usage
from remit.core.permit import Permit
from remit.core.receipt import record_of
from remit.core.task import Task
from remit.core.witness import WitnessRule
from remit.custody.signer import ALWAYS
from remit.ledger import cosignature
from remit.store import apply, payload
from tests.house.tree import ROOT
from tests.kit import ledger
from tests.kit.approving import Approving
from tests.kit.consenting import consenting
from tests.kit.hours import Hours
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import DAY, World, read_call

LAW = settings(
    max_examples=12, derandomize=True, database=None, deadline=None, report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False,
)  # fmt: skip
BESIDE = {
    "leaf", "tile", "head", "payload", "blob", "identity", "secret", "sealed_key", "nonce", "migration", "cosignature",
    "heard", "card", "lineage", "carried", "carrying", "hook", "polled", "reply", "grouped",
}  # fmt: skip
"""The ledger itself, and what law 9 names as not rebuilt; whatever else is in the store must be."""
GOLDEN = ROOT / "tests" / "vectors" / "receipt" / "good.json"
WRITE = Call("mcp:notes/write_note", {"path": "/notes/a", "text": "secret text", "amount": 7})


def busy(world: World, hours: Hours, seed: int, acts: int = 25) -> None:  # noqa: C901 - a list of acts, each small
    """A random but repeatable stretch of work: tasks, plans, calls, outcomes, ends, and pieces that fail half-way."""
    rng = random.Random(seed)
    tasks, papers, permits = [], [], []

    def opens():
        who = rng.choice([world.owner, world.person]).id
        tasks.append(world.a_task(requester=who, by=who))

    def child():
        above = rng.choice(tasks)
        given = {"requester": above.requester, "person": above.person, "parent": above.id}
        tasks.append(world.a_task(**given, by=above.requester))

    def plans():
        narrow = world.a_brief().steps[: rng.randint(1, 3)]
        world.act(lambda c: task.plan(c, rng.choice(tasks).id, narrow, world.agent.id))

    def issues():
        papers.append(world.a_credential(rng.choice(tasks).id))

    def calls():
        entry = world.enter(rng.choice(papers).text)
        found = world.decide(rng.choice([read_call(), WRITE, read_call("/etc"), Call("mcp:notes/@list", {})]), entry)
        if isinstance(found, Permit):
            permits.append(found)

    def notes():
        world.note(permits.pop(), result=rng.choice(["ok", "error", "cut"]))

    def fails():
        def half(change):
            task.end(change, rng.choice(tasks).id, "complete", "operator")
            raise RemitError("not_found", "It failed half-way.", "Nothing.")

        world.act(half)

    def breaks():
        def half(change):
            task.end(change, rng.choice(tasks).id, "complete", "operator")
            raise ZeroDivisionError

        world.act(half)

    def ends():
        kind, target = rng.choice([("task", rng.choice(tasks).id), ("credential", rng.choice(papers).credential.id)])
        world.act(lambda c: revocation.revoke(c, kind, target, "operator"))

    def agents():
        world.act(lambda c: agent.review(c, world.agent.id, hours.wall + DAY, "operator"))
        world.act(lambda c: key.rotate(c, rng.choice(ALWAYS), "operator"))

    def times():
        hours.pass_by(rng.choice([1, 1_000, 60_000, 600_000]))
        world.act(sweep.sweep)

    opens()
    issues()
    every = [opens, child, plans, issues, calls, calls, calls, notes, notes, fails, breaks, ends, agents, times]
    for _ in range(acts):
        try:
            rng.choice(every)()
        except (RemitError, IndexError, AssertionError):
            continue


def the_ledger_rebuilds_the_tables(folder: Path) -> None:
    runs = iter(range(1000))

    @LAW
    @given(st.integers(0, 2**32))
    def law(seed):
        hours = Hours()
        place = folder / str(next(runs))
        place.mkdir(mode=0o700)
        world = World(place, hours.clock()).settle()
        busy(world, hours, seed)
        found = ledger.faults(world.authority)
        assert not found, f"the ledger and the tables disagree: {found}"
        world.close()

    law()


def replay_misses_no_table(folder: Path) -> None:
    """Change one row of each rebuilt table behind the ledger's back: the replay names the table."""
    hours = Hours()
    world = World(folder, hours.clock()).settle()
    world.act(lambda c: principal.add_service(c, "cron", world.owner.id, (), "operator"))
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.note(world.decide(read_call(), entry))
    world.decide(WRITE, entry)
    other = world.a_credential(world.a_task().id).credential.id
    world.act(lambda c: revocation.revoke(c, "credential", other, "operator"))
    peers = {cosignature.vkey("witness.example/w1", bytes(range(32))): "http://127.0.0.1:9"}
    world.act(lambda c: witness.ensure(c, peers, WitnessRule(required=1), "operator"))
    world.act(lambda c: login.issue(c, "link", "operator"))
    world.note(world.decide(read_call(), entry), result="unknown")
    Approving(world).ask()
    pia = consenting(world)
    pia.redeem(pia.give().code)
    one = evidence.begin(world.authority, world.a_task().id)
    assert list(one.read())
    world.act(lambda c: evidence.made(c, one))
    one_of_each(world)
    assert ledger.faults(world.authority) == [], "it is whole before it is touched"
    db = world.authority.db
    there = {row[0] for row in db.all("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert there >= BESIDE, "a table that is named here is gone"
    for table in sorted(there - BESIDE):
        row = db.all(f"SELECT * FROM {table} LIMIT 1")
        assert row, f"no row of {table} to touch"
        column = db.all(f"SELECT name FROM pragma_table_info('{table}') WHERE pk = 0 ORDER BY cid DESC LIMIT 1")[0][0]
        old = row[0][-1]
        db.run(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (touched(old), old))
        assert any(line.startswith(f"{table}:") for line in ledger.faults(world.authority)), f"{table} was not compared"
        db.run(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (old, touched(old)))
    assert ledger.faults(world.authority) == [], "it is whole again"
    world.close()


def one_of_each(world):
    """Give every table of a noun that is empty yet one row, of the record in its golden entry."""
    db = world.authority.db
    for text in json.loads(GOLDEN.read_text(encoding="utf-8"))["entries"]:
        receipt = json.loads(text)
        table = receipt.get("record", {}).get("noun")
        if table and not db.all(f"SELECT 1 FROM {table} LIMIT 1"):
            world.act(lambda c, r=receipt: c.record(r["kind"], record_of(r), "operator"))


def touched(value):
    if isinstance(value, int):
        return value + 7
    return value + (" " if isinstance(value, str) else b" ")


def a_piece_that_fails_leaves_nothing(folder: Path) -> None:
    """In one batch: what fails half-way is undone, what stands beside it is done, and the ledger says just that."""
    world = World(folder).settle()
    first, second, third = (world.a_task() for _ in range(3))
    found: dict[str, object] = {}

    def ends(one, fault):
        def work(change):
            task.end(change, one.id, "complete", "operator")
            if fault:
                raise fault
            return "done"

        return work

    faults = (None, RemitError("not_found", "It failed.", "Nothing."), ZeroDivisionError())
    for one, fault in zip((first, second, third), faults, strict=True):
        world.batch.submit(one.id, ends(one, fault), lambda answer, one=one: found.setdefault(one.id, answer))
    world.batch.turn()
    assert found[first.id] == "done", "what stood beside a failing piece was not done"
    assert isinstance(found[second.id], RemitError), "a failing piece was answered as done"
    assert isinstance(found[third.id], RemitError), "a breaking piece was answered as done"
    states = [world.act(lambda c, one=one: c.need(Task, one.id)).state for one in (first, second, third)]
    assert states == ["ended", "open", "open"], f"a piece that failed left its change: {states}"
    assert ledger.faults(world.authority) == [], "a piece that failed left its receipt"
    world.close()


def what_is_erased_breaks_nothing(folder: Path) -> None:
    world = World(folder).settle()
    permit = world.decide(WRITE, world.enter(world.a_credential(world.a_task().id).text))
    before = decision.shown(world.authority, permit.call)
    assert before["arguments"] == WRITE.arguments, "the values are kept until they are erased"
    body = bytes(world.authority.view.one("SELECT body FROM leaf WHERE number = ?", (permit.leaf,))[0])
    assert b"secret text" not in body, "an argument's value stands in a receipt"
    assert all(digest.encode() in body for digest in before["digests"].values()), "the receipt lacks a value's digest"
    with world.authority.db.transaction():
        assert payload.erase(world.authority.db, permit.call), "nothing was erased"
    assert decision.shown(world.authority, permit.call) == {"erased": True}, "what was erased is still shown"
    row = world.authority.view.one("SELECT salt, body FROM payload WHERE call = ?", (permit.call,))
    assert row == (None, None), "the salt or the values outlived their erasure"
    assert ledger.faults(world.authority) == [], "erasing a payload broke the ledger"
    world.close()


def uses_are_never_given_back(folder: Path) -> None:
    world = World(folder).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    for result in ("error", "cut", "not_sent"):
        permit = world.decide(WRITE, entry)
        assert isinstance(permit, Permit), "three uses were given"
        world.note(permit, result=result)
    assert not isinstance(world.decide(WRITE, entry), Permit), "a use was given back"
    world.close()


def a_use_is_taken_once(folder: Path) -> None:
    """The consuming statement itself refuses when what it read is no longer so."""
    world = World(folder).settle()
    one = world.a_task()
    db, place = world.authority.db, (one.id, "brief", 1)
    charge = dict(zip(("task", "scope", "step"), place, strict=True)) | {"uses": 1, "amounts": []}
    with db.transaction():
        apply._charge(db, charge, 1)
    read, apply.usage = apply.usage, lambda *_: Usage(uses=0, totals=(), recent=())
    try:
        with db.transaction():
            apply._charge(db, charge, 2)
        raised = ""
    except RemitError as fault:
        raised = fault.code
    finally:
        apply.usage = read
    assert raised == "usage_raced", "a use was taken on a stale reading"
    assert apply.usage(db, *place).uses == 1, "a use was taken twice"
    assert apply.usage(db, *place).totals in ((), (Decimal(0),)), "a total was made up"
    world.close()


LAWS = (
    the_ledger_rebuilds_the_tables, replay_misses_no_table, a_piece_that_fails_leaves_nothing,
    what_is_erased_breaks_nothing, uses_are_never_given_back, a_use_is_taken_once,
)  # fmt: skip
CHANGE, APPLY, PAYLOAD, TASK = "control/change.py", "store/apply.py", "store/payload.py", "control/task.py"
REBUILD = the_ledger_rebuilds_the_tables
FAULTS = (
    Planted(
        "a receipt that changes nothing",
        CHANGE,
        "record = apply(self.db, leaf, receipt)",
        'record = None if receipt["kind"] == "credential.ended" else apply(self.db, leaf, receipt)',
        REBUILD,
        "disagree",
    ),
    Planted(
        "a change without a receipt",
        TASK,
        'change.record("task.ended", ended[0], by)',
        "import remit.store.record as rows; rows.put(change.db, ended[0]); change.reader.forget(ended[0])",
        REBUILD,
        "disagree",
    ),
    Planted(
        "replay leaves a table out",
        APPLY,
        '"revocation", "usage",',
        '"revocation",',
        replay_misses_no_table,
        "usage was not compared",
    ),
    Planted(
        "a failing piece is not undone",
        "control/change.py",
        "self.db.undo()",
        "self.db.release()",
        a_piece_that_fails_leaves_nothing,
        "left its change",
    ),
    Planted(
        "a failing piece keeps its receipt",
        "control/change.py",
        "del self.bodies[before:]",
        "before += 0",
        a_piece_that_fails_leaves_nothing,
        "left its receipt",
    ),
    Planted(
        "the salt outlives what it salted",
        PAYLOAD,
        "SET salt = NULL, body = NULL",
        "SET body = NULL",
        what_is_erased_breaks_nothing,
        "salt",
    ),
    Planted(
        "erasing scrubs the receipt",
        PAYLOAD,
        '    """Erase values, salt and what people were shown of them together; the ledger stays as it is."""',
        "    db.run(\"UPDATE leaf SET body = x'7b7d' WHERE instr(body, ?)\", (call,))",
        what_is_erased_breaks_nothing,
        "broke the ledger",
    ),
    Planted(
        "values stand in receipts",
        "core/receipt.py",
        '"args": digests(call.arguments, salt),',
        '"args": {**digests(call.arguments, salt), **call.arguments},',
        what_is_erased_breaks_nothing,
        "value stands in a receipt",
    ),
    Planted(
        "a failed call gives its use back",
        APPLY,
        'db.expect("DELETE FROM flight WHERE call = ?", (receipt["call"],), _NOT_OPEN)',
        'db.run("UPDATE usage SET uses = uses - 1 WHERE task = (SELECT task FROM flight WHERE call = ?)",'
        ' (receipt["call"],))\n    db.expect("DELETE FROM flight WHERE call = ?", (receipt["call"],), _NOT_OPEN)',
        uses_are_never_given_back,
        "given back",
    ),
    Planted(
        "uses are written without a condition",
        APPLY,
        "AND step=? AND uses=?",
        "AND step=? AND -1<?",
        a_use_is_taken_once,
        "stale reading",
    ),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)
