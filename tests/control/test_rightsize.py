"""Right-sizing on both stores: seen, proposed, answered, applied, watched, and taken back."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from remit.control import approval, brief, policy, rerun, rightsize, share
from remit.control.authority import FILE
from remit.control.observing import observing
from remit.core.approval import Approval
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Permit
from remit.core.record import changed
from remit.core.rightsize import Rightsize, Support
from remit.store import log, payload
from remit.store.record import Reader
from tests.kit import ledger
from tests.kit.desk import NOTES, Desk
from tests.kit.sizing import ASKS
from tests.kit.told import Time, kinds, refused
from tests.kit.world import DAY, World

FEW = Support(calls=6, tasks=3, days=2)


def used(world: World, time: Time, tasks: int = 4) -> list[Permit]:
    """Some days of reading below one folder, and one call that is refused in each task."""
    permits = []
    for task in range(tasks):
        entry = world.enter(world.a_credential(world.a_task().id).text)
        permits += [read(world, entry, f"/notes/a/{task}-{n}") for n in range(5)]
        read(world, entry, "/etc/passwd")
        time.on(DAY // 2)
    return permits


def read(world: World, entry: Any, path: str, **more: Any) -> Any:
    return world.decide(Call("mcp:notes/read_note", {"path": path, **more}), entry)


def looked(world: World, **given: Any) -> rightsize.Found:
    found, _ = rightsize.look(world.authority.view, 0, FEW, **given)
    return found[0]


def offered(world: World, by: str = "operator") -> Rightsize:
    found = looked(world)
    return world.act(lambda c: rightsize.offer(c, found, by))


def watched(world: World, one: Rightsize) -> Any:
    return rerun.replay(world.authority.view, rightsize.watched(world.authority.view, one))[0]


def test_what_is_used_is_proposed_and_every_recorded_call_replayed(world: World, time: Time) -> None:
    permits = used(world, time)
    world.act(lambda c: (c.keep(), payload.erase(c.db, permits[7].call)))
    found = looked(world)
    assert found.proposed is not None
    steps = found.proposed.brief.steps
    assert [one.to_json() for one in steps] == [
        {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes/a"}]}, "uses": 10}
    ]
    assert found.proposed.moved == (0, -1, -1, -1, -1, -1)
    assert "1 of its calls are erased, and say nothing" in found.proposed.notes[0]["why"]
    counts = found.replay()
    assert {name: counts[name] for name in ("allowed", "fail", "refused", "open", "erased", "unlike", "plans")} == {
        "allowed": 19, "fail": 0, "refused": 4, "open": 0, "erased": 1, "unlike": 0, "plans": 0,
    }  # fmt: skip


def test_nothing_is_said_in_general_of_what_was_seen_too_little(world: World, time: Time) -> None:
    used(world, time, 2)
    found = looked(world)
    assert found.proposed is not None
    assert found.proposed.brief == world.brief
    assert not found.narrows
    assert all("too little" in note["why"][0] for note in found.proposed.notes)


def test_what_nobody_used_is_told(world: World, time: Time) -> None:
    other = world.an_agent("idle")
    world.act(lambda c: brief.apply(c, world.a_brief(name="spare"), "operator"))
    world.a_credential(world.a_task().id)
    used(world, time, 1)
    found, unused = rightsize.look(world.authority.view, 0, FEW)
    assert unused.briefs == ("spare",)
    assert unused.agents == (other.name,)
    assert unused.tools == ("notes/wipe", "notes/write_note")
    assert unused.credentials == 1
    assert [one.proposed is None for one in found] == [False, True]


def test_a_proposal_is_applied_watched_and_taken_back_each_with_its_receipt(world: World, time: Time) -> None:
    used(world, time)
    one = offered(world)
    made, now_is = world.act(lambda c: rightsize.apply(c, one.id, "operator"))
    assert (now_is.version, len(now_is.steps), made.state, made.applied) == (2, 1, "applied", 2)
    entry = world.enter(world.a_credential(world.a_task().id).text)
    assert isinstance(read(world, entry, "/notes/a/9"), Permit)
    assert not isinstance(read(world, entry, "/notes/b/1"), Permit)
    assert not isinstance(read(world, entry, "/etc/passwd"), Permit)
    seen = watched(world, made)
    assert (seen.allowed, seen.open, [one["action"] for one in seen.opened]) == (1, 1, ["mcp:notes/read_note"])
    back, was = world.act(lambda c: rightsize.undo(c, one.id, "operator"))
    assert changed(was, version=1) == changed(world.brief, version=1)
    assert (was.version, back.undone, back.state) == (3, 3, "undone")
    told = [kind for kind in kinds(world) if kind.startswith(("rightsize.", "brief."))]
    assert told == [
        "brief.applied", "rightsize.proposed", "brief.applied", "rightsize.applied", "brief.applied",
        "rightsize.undone",
    ]  # fmt: skip
    assert ledger.faults(world.authority) == []


def test_a_call_that_would_fail_is_named_and_holds_the_proposal_back(world: World, time: Time) -> None:
    used(world, time)
    found = looked(world)
    assert found.proposed is not None
    less = changed(found.proposed.brief, steps=(world.brief.steps[1],))
    job = rerun.Job(less, world.brief, (-1, 0, -1, -1, -1, -1), 0, log.newest(world.authority.view).size)
    tally, _ = rerun.replay(world.authority.view, job)
    assert (tally.allowed, tally.fail, tally.named[0]["code"]) == (0, 20, "plan_outside")
    bad = rightsize.Found(
        found.brief, found.used, rightsize.Proposed(less, job.moved, ()), found.since, found.until, found.size, FEW,
        tally,
    )  # fmt: skip
    one = world.act(lambda c: rightsize.offer(c, bad, "operator"))
    assert refused(world, lambda c: rightsize.apply(c, one.id, "operator")) == "rightsize_fails"
    world.act(lambda c: rightsize.apply(c, one.id, "operator", anyway=True))


def test_the_briefs_approvers_answer_and_never_who_offered_it(world: World, time: Time) -> None:
    asks = world.a_brief(approvers=("ops",))
    world.act(lambda c: brief.apply(c, asks, "operator"))
    used(world, time)
    one = offered(world, world.owner.id)
    assert refused(world, lambda c: rightsize.apply(c, one.id, "operator")) == "rightsize_unapproved"
    say = {"yes": True, "digest_shown": one.shown, "via": "test"}
    for who in (world.owner.id, world.person.id):
        assert refused(world, lambda c, who=who: rightsize.answer(c, one.id, who, **say)) == "approver_refused"
    again = offered(world)
    other = say | {"digest_shown": one.shown}
    assert refused(world, lambda c: rightsize.answer(c, again.id, world.owner.id, **other)) == "rightsize_moved"
    heard = world.act(lambda c: rightsize.answer(c, again.id, world.owner.id, **(say | {"digest_shown": again.shown})))
    assert heard.state == "approved"
    made, _ = world.act(lambda c: rightsize.apply(c, again.id, "operator"))
    assert made.applied == 3


def test_a_proposal_that_is_dropped_or_erased_is_not_applied(world: World, time: Time) -> None:
    used(world, time)
    one, other = offered(world), offered(world)
    world.act(lambda c: rightsize.drop(c, one.id, "operator"))
    assert rightsize.shown(world.authority.view, one) is None
    assert refused(world, lambda c: rightsize.apply(c, one.id, "operator")) == "transition_refused"
    world.act(lambda c: (c.keep(), payload.erase(c.db, other.id)))
    assert refused(world, lambda c: rightsize.apply(c, other.id, "operator")) == "rightsize_moved"
    assert refused(world, lambda c: rightsize.undo(c, other.id, "operator")) == "transition_refused"


def test_what_a_brief_became_by_hand_is_not_taken_back(world: World, time: Time) -> None:
    used(world, time)
    one = offered(world)
    world.act(lambda c: rightsize.apply(c, one.id, "operator"))
    by_hand = changed(world.act(lambda c: c.need(Brief, "notes")), depth=1)
    world.act(lambda c: brief.apply(c, by_hand, "operator"))
    assert refused(world, lambda c: rightsize.undo(c, one.id, "operator")) == "rightsize_moved"


def test_an_argument_called_task_changes_nothing_of_which_share_decides(world: World, time: Time) -> None:
    for number in range(6):
        entry = world.enter(world.a_credential(world.a_task().id).text)
        read(world, entry, "/notes/a", task=f"tsk_{'abcdef'[number] * 26}")
        read(world, entry, "/notes/a")
    base, view = world.brief, world.authority.view
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, log.newest(view).size)
    parts = [rerun.replay(view, job, (number, 3))[0] for number in range(3)]
    assert (sum(one.allowed for one in parts), sum(one.refused for one in parts)) == (6, 6)
    assert min(one.allowed for one in parts) < 6


def test_what_people_said_yes_to_passes_as_long_as_the_same_is_asked(world: World, time: Time) -> None:
    world.act(lambda c: policy.apply(c, {"common": ASKS, "delegated": {}, "own": {}}, 1, "operator"))
    entry = world.enter(world.a_credential(world.a_task(requester=world.person.id, by=world.person.id).id).text)
    call = Call("mcp:notes/write_note", {"path": "/notes/ask", "text": "x"})
    waits = world.decide(call, entry).approval
    one = world.act(lambda c: c.need(Approval, waits))
    world.act(lambda c: approval.answer(c, waits, world.owner.id, yes=True, shown=one.shown, via="test"))
    assert isinstance(world.decide(call, entry), Permit)
    base, view = world.brief, world.authority.view
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, log.newest(view).size)
    tally, _ = rerun.replay(view, job)
    assert (tally.allowed, tally.refused, tally.unlike) == (1, 1, 0)


def test_what_lineage_found_is_found_again(world: World) -> None:
    desk = Desk(world, "Please send a mail about the garden plan to the people it speaks of.")
    waits = desk.call("mail", to=["bob@example.org"], text="Hello")
    assert not isinstance(waits, Permit)
    desk.did("find", NOTES, query="garden")
    desk.did("mail", {"id": "m-1"}, to=["bob@example.org"], text="Hello")
    base, view = world.act(lambda c: c.need(Brief, "desk")), world.authority.view
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, log.newest(view).size)
    tally, _ = rerun.replay(view, job)
    assert (tally.allowed, tally.refused, tally.open, tally.unlike) == (2, 1, 0, 0)


def where_of(world: World) -> Path | str:
    return world.folder / FILE if isinstance(world.folder, Path) else world.folder


def test_large_ledgers_are_shared_among_processes(world: World, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    used(world, time)
    monkeypatch.setattr(share, "WORTH", 10)
    base, view = world.brief, world.authority.view
    size = log.newest(view).size
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, size)
    with share.Shares(where_of(world), 2) as shares:
        assert shares.replay(job) == rerun.replay(view, job)
        assert shares.observe({base.name: base}, 0, size) == rerun.finished(observing(view, {base.name: base}, 0, size))
        found, unused = rightsize.look(view, 0, FEW, shares)
    assert (found, unused) == rightsize.look(view, 0, FEW)
    assert found[0].narrows
    assert Reader(view).get(Brief, "notes") == base


def dies(*_: Any) -> None:
    """A share whose process is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_share_that_is_lost_is_an_error_and_no_smaller_count(
    world: World, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(world, time, 1)
    monkeypatch.setattr(share, "WORTH", 10)
    monkeypatch.setattr(share, "_replay", dies)
    base = world.brief
    job = rerun.Job(base, base, tuple(range(len(base.steps))), 0, log.newest(world.authority.view).size)
    with share.Shares(where_of(world), 2) as shares, pytest.raises(RemitError, match="share_lost"):
        shares.replay(job)
