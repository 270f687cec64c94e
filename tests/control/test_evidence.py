"""Evidence of a task: whole, bound to one signed head, and whatever is altered in it is found."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.cli import evidence_check
from remit.control import evidence, task
from remit.core.canonical import canon
from remit.core.errors import RemitError
from remit.ledger import checkpoint, note
from remit.store import log, payload
from tests.kit import stores
from tests.kit.approving import Approving
from tests.kit.nouns import code
from tests.kit.world import World, read_call


def run(world):
    """A task that was asked about, did something, was refused something and has a child; another task beside it."""
    place = Approving(world)
    waits = place.ask()
    place.answer(waits, place.ann)
    permit = place.call()
    world.note(permit)
    world.decide(read_call("/etc/passwd"), place.entry)
    other = world.enter(world.a_credential(world.a_task().id).text)
    world.decide(read_call("/etc/shadow"), other)
    below = world.a_task(parent=place.task.id, person=place.task.person)
    world.decide(read_call("/etc/group"), world.enter(world.a_credential(below.id).text))
    return place, waits


def taken(world, task_id, since=b"", meanwhile=None):
    one = evidence.begin(world.authority, task_id)
    list(one.read())
    if meanwhile:
        meanwhile()
    world.act(lambda c: evidence.made(c, one))
    return evidence.written(one, since)


def keys(world):
    return [note.parse_vkey(one) for one in world.authority.verifiers()]


def wrong(world, data, **more):
    return evidence_check.examine(data, keys(world), world.authority.name, **more)[0]


@pytest.fixture
def file(world):
    place, waits = run(world)
    return place, waits, taken(world, place.task.id)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A world and its evidence, which these tests only read."""
    made = World(stores.place("sqlite", tmp_path_factory.mktemp("kept") / "store")).settle()
    place, waits = run(made)
    yield made, (place, waits, taken(made, place.task.id))
    made.close()


def test_it_is_whole_and_says_nothing_of_other_tasks(world, file):
    place, waits, data = file
    assert wrong(world, data) is None
    held = json.loads(data)
    kinds = [json.loads(body)["kind"] for _, body, _ in held["entries"]]
    assert kinds[-1] == "evidence.made"
    assert {"agent.added", "brief.applied", "policy.applied", "plan.made", "approval.approved", "call.outcome"} <= set(
        kinds
    )
    assert kinds.count("call.decided") == 4, "its own three, and its child's"
    assert b"/etc/shadow" not in data
    assert held["beside"]["cards"][waits]["card"]["arguments"] == {"path": "/notes/a"}
    assert "Olga Owner" in held["beside"]["people"].values()
    assert world.act(lambda c: c.reader.get(type(place.task), place.task.id)).state == "open", "taking it ends nothing"


def test_a_task_that_goes_on_meanwhile_is_read_again(world, file):
    place, _, _ = file
    assert code(taken, world, place.task.id, meanwhile=lambda: place.call("/notes/b")) == "evidence_moved"
    assert (
        code(
            taken, world, place.task.id, meanwhile=lambda: world.a_task(parent=place.task.id, person=place.task.person)
        )
        == "evidence_moved"
    )
    assert wrong(world, taken(world, place.task.id, meanwhile=world.a_task)) is None
    assert code(taken, world, "tsk_" + "a" * 26) == "not_found"


def test_what_is_left_out_is_a_hole_that_is_named(kept):
    world, file = kept
    held = json.loads(file[2])
    for gone, (_, body, _) in enumerate(held["entries"]):
        less = canon({**held, "entries": held["entries"][:gone] + held["entries"][gone + 1 :]})
        found = wrong(world, less)
        assert found is not None, body


def test_a_decision_that_is_cut_out_is_named(kept):
    world, file = kept
    held = json.loads(file[2])
    mine = [n for n, body, _ in held["entries"] if json.loads(body).get("task") == file[0].task.id]
    less = [one for one in held["entries"] if one[0] != mine[0]]
    assert wrong(world, canon({**held, "entries": less})) == (mine[0], "it is a decision of this task, and is missing")


def test_the_last_decision_cannot_be_cut_off(kept):
    world, file = kept
    held = json.loads(file[2])
    last = [n for n, body, _ in held["entries"] if json.loads(body)["kind"] == "call.decided"][-1]
    less = [one for one in held["entries"] if one[0] != last]
    found = wrong(world, canon({**held, "entries": less}))
    assert found is not None
    assert "entries spoke of this task when it was taken" in found[1]


def test_another_ledgers_key_and_another_ledgers_proof_hold_for_nothing(kept):
    world, file = kept
    foreign = note.parse_vkey(note.vkey(world.authority.name, bytes(32)))
    found = evidence_check.examine(file[2], [foreign], world.authority.name)[0]
    assert found == (None, "its head: no signature by a known key")
    assert evidence_check.examine(file[2], keys(world), "elsewhere/log")[0] == (
        None,
        "its head: the head is another log's",
    )


def test_log_07_a_proof_of_one_entry_proves_no_other(kept):
    world, file = kept
    held = json.loads(file[2])
    one, other = held["entries"][3], held["entries"][4]
    swapped = [*held["entries"][:3], [one[0], other[1], one[2]], *held["entries"][4:]]
    assert wrong(world, canon({**held, "entries": swapped})) == (
        one[0],
        "it is not what the signed head holds at this number",
    )


@pytest.mark.parametrize("part", ["calls", "cards", "people", "policies"])
def test_what_lies_beside_is_bound_too(kept, part):
    world, file = kept
    held = json.loads(file[2])
    name = max(held["beside"][part])
    other = {**held["beside"][part], name: "Mallory"}
    if part == "calls":
        mine = held["beside"]["calls"][name]
        other[name] = {**mine, "arguments": {"path": "/notes/harmless"}}
    if part in ("cards", "policies"):
        other[name] = {**held["beside"][part][name], "action": "mcp:notes/harmless"}
    found = wrong(world, canon({**held, "beside": {**held["beside"], part: other}}))
    assert found is not None
    gone = {key: value for key, value in held["beside"][part].items() if key != name}
    assert wrong(world, canon({**held, "beside": {**held["beside"], part: gone}})) is not None


def test_what_was_erased_is_told_as_erased_and_the_rest_still_holds(world):
    place, waits = run(world)
    asked = place.one(waits).call
    world.act(lambda c: (payload.erase(c.db, asked), c.keep()))
    data = taken(world, place.task.id)
    assert wrong(world, data) is None
    held = json.loads(data)
    assert asked not in held["beside"]["calls"]
    assert waits not in held["beside"]["cards"]


def test_it_continues_the_head_that_somebody_kept(world):
    place = Approving(world)
    old = log.newest(world.authority.view).note.encode()
    place.ask()
    known, _ = checkpoint.open_signed(old, world.authority.name, keys(world))
    plain, data = taken(world, place.task.id), taken(world, place.task.id, old)
    assert wrong(world, data, expect=known) is None
    assert wrong(world, data) is None
    assert wrong(world, plain, expect=known) is not None, "it says nothing of that head"
    forged = checkpoint.Checkpoint(known.origin, known.size, bytes(32))
    assert wrong(world, data, expect=forged) is not None
    held = json.loads(data)
    held["since"]["proof"] = held["since"]["proof"][1:]
    assert wrong(world, canon(held)) == (None, "its head does not continue the head that it says it does")
    elsewhere = old.replace(world.authority.name.encode(), b"elsewhere/log")
    with pytest.raises(RemitError) as caught:
        taken(world, place.task.id, elsewhere)
    assert caught.value.code == "head_unknown"


def test_whatever_byte_is_altered_is_found(kept):
    """Over random places and values: not one altered byte passes, and no input makes it fail otherwise."""
    world, file = kept
    data = file[2]

    @settings(max_examples=300, database=None)
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def altered(at, by):
        other = data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]
        assert wrong(world, other) is not None

    @settings(max_examples=60, database=None)
    @given(st.integers(0, len(data) - 1), st.integers(1, 400))
    def cut(at, length):
        assert wrong(world, data[:at] + data[at + length :]) is not None

    altered()
    cut()
    assert wrong(world, data) is None


def test_a_task_that_ended_is_told_to_its_end(world, file):
    place, _, _ = file
    world.act(lambda c: task.end(c, place.task.id, "complete", "operator"))
    held = json.loads(taken(world, place.task.id))
    assert [json.loads(body)["kind"] for _, body, _ in held["entries"]].count("task.ended") == 2
    assert [json.loads(body)["kind"] for _, body, _ in held["entries"]].count("evidence.made") == 2
