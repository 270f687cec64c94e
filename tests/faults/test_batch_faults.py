"""The whole way of a decision on a disk that loses power, fails or is full: no permit without a durable leaf."""

from pathlib import Path

import pytest

from remit.control import batch
from remit.core.errors import RemitError
from remit.core.permit import Fault as Refused
from remit.core.permit import Permit
from tests.kit.crash import on_disk, settled, work, wrong
from tests.kit.disk import STORE, Disk, Fault, copy, each_fault, powerloss
from tests.kit.planted import Planted, each_goes_red
from tests.kit.world import World, read_call

SEEDS = range(70)
"""Moments at which the power goes; tests/slow has a thousand more."""
IOS = 470
ROUNDS = 4


def unsynced(world: World) -> None:
    world.authority.db.all("PRAGMA synchronous=OFF")


def lost(start, seed: int, root: Path, *, weaken: bool = False) -> list[str]:
    """What is wrong with the store after the power went during the workload; with `weaken`, nothing was ever synced."""
    heard: list[str] = []

    def run(vfs: str, place: Path) -> None:
        heard.clear()
        work(place.parent, *start[1:], heard.append, rounds=ROUNDS, vfs=vfs, opened=unsynced if weaken else None)

    path = powerloss(run, seed, root, within=IOS, start=start[0])
    try:
        return wrong(path, heard)
    except (RemitError, AssertionError) as fault:
        return [f"it does not open: {fault}"]


def power_loss_loses_nothing(folder: Path) -> None:
    start = settled(folder / "start")
    found = {seed: bad for seed in SEEDS if (bad := lost(start, seed, folder))}
    assert not found, f"power loss: {found}"


def failing_ios_give_no_false_permit(folder: Path, first: int = 1, step: int = 23) -> int:
    """EIO and ENOSPC at opens, writes, syncs, truncates and deletes; not done, half done, or done and yet failed."""
    start = settled(folder / "start")
    heard: list[str] = []
    count = 0

    def run(vfs: str, place: Path) -> None:
        heard.clear()
        copy(start[0], place)
        work(place.parent, *start[1:], heard.append, rounds=2, vfs=vfs)

    for outcome in each_fault(run, folder, first=first, step=step):
        count += 1
        for path in (outcome.killed, outcome.lost):
            bad = wrong(path, heard)
            assert not bad, f"{outcome.fault}: {bad}"
    assert count * step > 900, f"only {count} faults were met"
    return count


def a_commit_that_fails_gives_no_permit(folder: Path) -> None:
    """The commit's own sync fails: whoever waited hears a fault, and the next call is decided as ever."""
    start = settled(folder / "start")
    for happened in (False, True):
        place = folder / str(happened) / STORE
        place.parent.mkdir(mode=0o700)
        copy(start[0], place)
        disk = Disk()
        with on_disk(disk.name):
            world = World(place.parent)
        world.owner, world.agent = known(start[1]), known(start[2])
        entry = world.enter(world.a_credential(world.a_task().id).text)
        disk.fault = Fault("sync", disk._counts["sync"] + 1, happened=happened)
        answer = world.decide(read_call(), entry)
        assert isinstance(answer, Refused), f"a permit rests on a commit that failed: {answer}"
        assert answer.code == "commit_unknown", answer
        assert isinstance(world.decide(read_call(), entry), Permit), "after a failed commit nothing is decided any more"
        world.close()


def known(identity):
    return type("Known", (), {"id": identity})()


def answered_each_time(folder: Path, fault: Fault | None, calls: int = 4) -> list[object]:
    """Decide some calls on a disk that fails after the world is open; every one must be answered, once."""
    start = settled(folder / "start")
    place = folder / "store" / STORE
    place.parent.mkdir(mode=0o700)
    copy(start[0], place)
    disk = Disk()
    with on_disk(disk.name):
        world = World(place.parent)
    world.owner, world.agent = known(start[1]), known(start[2])
    entry = world.enter(world.a_credential(world.a_task().id).text)
    if fault:
        disk.fault = Fault(fault.kind, disk._counts[fault.kind] + fault.number, fault.error)
    answers: list[object] = []
    for number in range(calls):
        world.gate.decide(read_call(), entry, "", answers.append)
        assert len(answers) == number + 1, f"call {number} was never answered: {fault}"
    world.close()
    return answers


def a_checkpoint_that_fails_harms_no_call(folder: Path) -> None:
    """Upkeep after a commit is nobody's fault: the answers still leave, and the next calls are decided."""
    most, batch.CHECKPOINT_PAGES = batch.CHECKPOINT_PAGES, 0
    try:
        for number in range(1, 40):
            for error in ("EIO", "ENOSPC"):
                place = folder / f"{number}-{error}"
                place.mkdir()
                try:
                    answers = answered_each_time(place, Fault("write", number, error))
                except RemitError as fault:
                    raise AssertionError(f"write {number}: the writer broke: {fault.code}") from fault
                assert isinstance(answers[-1], Permit), f"write {number}: it did not recover"
    finally:
        batch.CHECKPOINT_PAGES = most


LAWS = (
    power_loss_loses_nothing, failing_ios_give_no_false_permit, a_commit_that_fails_gives_no_permit,
    a_checkpoint_that_fails_harms_no_call,
)  # fmt: skip
FAULTS = (
    Planted(
        "a commit in doubt counts as done", "control/batch.py",
        "if self._failure is not None:\n            self._reopen(self._failure, items)\n            return\n",
        "self._authority.db.usable or self._authority.db.reopen()\n",
        a_commit_that_fails_gives_no_permit, "a permit rests on a commit that failed",
    ),
    Planted(
        "answer before commit", "control/batch.py", "self._sync(self._commit, lambda: self._committed(items))",
        "self._finish(items); self._sync(self._commit, lambda: self._authority.log.dropped())",
        a_commit_that_fails_gives_no_permit, "a permit rests on a commit that failed",
    ),
)  # fmt: skip


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, tmp_path):
    law(tmp_path)


test_a_planted_fault_breaks_the_law = each_goes_red(FAULTS)


def test_the_power_loss_model_catches_synchronous_off(tmp_path):
    start = settled(tmp_path / "start")
    bad = [seed for seed in range(24) if lost(start, seed, tmp_path, weaken=True)]
    assert len(bad) > 4


def test_a_full_disk_is_told_and_the_process_lives(tmp_path):
    answers = answered_each_time(tmp_path, Fault("write", 1, "ENOSPC"))
    assert isinstance(answers[0], Refused)
    assert answers[0].code in {"store_full", "commit_unknown"}
    assert isinstance(answers[-1], Permit)


def test_a_store_that_becomes_read_only_is_told_and_the_process_lives(tmp_path):
    world = World(tmp_path).settle()
    entry = world.enter(world.a_credential(world.a_task().id).text)
    world.authority.db.all("PRAGMA query_only=1")
    answer = world.decide(read_call(), entry)
    assert isinstance(answer, Refused)
    assert answer.code == "store_read_only"
    # What the writer did about it was to open the store anew, as it is on the disk.
    assert isinstance(world.decide(read_call(), entry), Permit)
    world.close()
