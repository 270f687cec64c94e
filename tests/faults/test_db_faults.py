"""What was acknowledged survives power loss and failing I/O; with syncing switched off the same bodies fail."""

import random
from pathlib import Path

import apsw
import pytest

from remit.core.errors import RemitError
from remit.store.sqlite import Sqlite
from remit.store.sqlite import open_sqlite as open_db
from tests.kit.disk import Disk, Fault, each_fault, powerloss

SEEDS = range(200)
ROWS = 12


def write(vfs: str, path: Path, acked: list[int], *, weaken: bool = False) -> None:
    acked.clear()
    db = open_db(path, vfs=vfs)
    try:
        if weaken:
            db.all("PRAGMA synchronous=OFF")
        with db.transaction():
            db.run("CREATE TABLE IF NOT EXISTS fact (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
        for n in range(ROWS):
            with db.transaction():
                db.run("INSERT INTO fact VALUES (?, ?)", (n, bytes([n]) * 700))
            acked.append(n)
            if n % 5 == 4:
                db.checkpoint()
    finally:
        db.close()


def held(path: Path) -> list[int]:
    db = open_db(path)
    try:
        assert db.check() == []
        if not db.one("SELECT 1 FROM sqlite_schema WHERE name = 'fact'"):
            return []
        rows = db.all("SELECT n, body FROM fact ORDER BY n")
        assert all(body == bytes([n]) * 700 for n, body in rows)
        return [n for n, _ in rows]
    finally:
        db.close()


def lost_after_power_loss(seed: int, root: Path, *, weaken: bool = False) -> bool:
    """Say whether an acknowledged row is missing, or the store cannot be read, after the power went."""
    acked: list[int] = []
    path = powerloss(lambda vfs, place: write(vfs, place, acked, weaken=weaken), seed, root)
    try:
        kept = held(path)
    except (RemitError, AssertionError):
        return True
    return kept[: len(acked)] != acked or len(kept) > len(acked) + 1


def test_what_was_acknowledged_survives_power_loss(tmp_path):
    assert [seed for seed in SEEDS if lost_after_power_loss(seed, tmp_path)] == []


def test_the_power_loss_model_catches_synchronous_off(tmp_path):
    lost = [seed for seed in SEEDS if lost_after_power_loss(seed, tmp_path, weaken=True)]
    assert len(lost) > len(SEEDS) // 4


def test_every_failing_io_is_told_and_loses_nothing_acknowledged(tmp_path):
    acked: list[int] = []
    kinds = set()
    for outcome in each_fault(lambda vfs, place: write(vfs, place, acked), tmp_path):
        kinds.add((outcome.fault.kind, outcome.fault.error, outcome.fault.happened, outcome.fault.short))
        for path in (outcome.killed, outcome.lost):
            kept = held(path)
            assert kept[: len(acked)] == acked, outcome
            assert len(kept) <= len(acked) + 1, outcome
        if len(acked) < ROWS:
            assert outcome.raised is not None, outcome
            assert outcome.raised.code in {"commit_unknown", "store_failed", "store_full", "store_unavailable"}, outcome
    assert len(kinds) >= 10


def survive_a_failed_sync(vfs: str, path: Path, acked: list[int]) -> None:
    """Work on after a fault, as the program does: reopen, read what is there, go on."""
    acked.clear()
    db = open_db(path, vfs=vfs)
    db.run("CREATE TABLE IF NOT EXISTS fact (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
    n = 0
    while n < ROWS:
        try:
            with db.transaction():
                db.run("INSERT INTO fact VALUES (?, ?)", (n, bytes([n]) * 700))
            acked.append(n)
        except RemitError as fault:
            if fault.code != "commit_unknown" or db.usable:
                raise
            db.reopen()
            kept = [row[0] for row in db.all("SELECT n FROM fact ORDER BY n")]
            if kept[: len(acked)] != acked:
                pytest.fail(f"{acked} was acknowledged, {kept} is there")
            acked[:] = kept
        n = len(acked)
    db.close()


def test_a_failed_sync_does_not_take_later_commits_with_it(tmp_path):
    acked: list[int] = []
    reopened = 0
    for outcome in each_fault(lambda vfs, place: survive_a_failed_sync(vfs, place, acked), tmp_path):
        kept = held(outcome.lost)
        assert kept[: len(acked)] == acked, outcome
        reopened += outcome.raised is None and acked == list(range(ROWS))
    assert reopened > ROWS


def lost_by_the_next_process(root: Path) -> bool:
    """Commit, fail a sync, die; start again on what the kernel still shows, commit, lose the power."""
    first, second = Disk(), Disk()
    old, new = ((root / name / "remit.db").resolve() for name in ("old", "new"))
    new.parent.mkdir(mode=0o700)
    db = open_db(old, vfs=first.name)
    db.run("CREATE TABLE fact (n INTEGER PRIMARY KEY) STRICT")
    db.run("INSERT INTO fact VALUES (1)")
    first.fault = Fault("sync", first._counts["sync"] + 1)
    with pytest.raises(apsw.IOError):
        db._db.execute("INSERT INTO fact VALUES (2)")  # beneath `Sqlite`, which would clean up: this process just dies
    second.adopt(first, old, new)
    first.off = True
    db.close()
    db = open_db(new, vfs=second.name)
    assert db.all("SELECT n FROM fact") == [(1,), (2,)]
    db.run("INSERT INTO fact VALUES (3)")
    path = second.survivors(new, random.Random(0), root / "survived")
    second.off = True
    db.close()
    db = open_db(path)
    rows = db.all("SELECT n FROM fact")
    db.close()
    return rows != [(1,), (2,), (3,)]


def test_a_failed_sync_of_a_dead_process_is_settled_when_the_next_one_opens(tmp_path):
    assert not lost_by_the_next_process(tmp_path)


def test_without_settling_the_wal_a_failed_sync_of_a_dead_process_loses_a_later_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(Sqlite, "_settle", lambda _: None)
    assert lost_by_the_next_process(tmp_path)


def test_power_lost_again_while_opening_after_a_power_loss_loses_nothing_acknowledged(tmp_path):
    for seed in range(60):
        acked: list[int] = []
        path = powerloss(lambda vfs, place, acked=acked: write(vfs, place, acked), seed, tmp_path)
        again = powerloss(lambda vfs, place: open_db(place, vfs=vfs).close(), seed, tmp_path, within=12, start=path)
        assert held(again)[: len(acked)] == acked


@pytest.mark.parametrize(("error", "code"), [("ENOSPC", "store_full"), ("EIO", "store_failed")])
def test_a_failing_first_write_has_its_own_code(tmp_path, error, code):
    disk = Disk(fault=Fault("write", 1, error))
    with pytest.raises(RemitError) as caught:
        open_db(tmp_path / "s" / "remit.db", vfs=disk.name)
    assert caught.value.code == code


def test_a_store_that_opens_read_only_is_refused(tmp_path):
    path = tmp_path / "s" / "remit.db"
    open_db(path).close()
    disk = Disk(read_only=True)
    with pytest.raises(RemitError) as caught:
        open_db(path, vfs=disk.name)
    assert caught.value.code == "store_read_only"


def failing_commit(path: Path, error: str) -> tuple[Sqlite, RemitError]:
    disk = Disk()
    db = open_db(path, vfs=disk.name)
    db.run("CREATE TABLE fact (n INTEGER PRIMARY KEY) STRICT")
    kind = "sync" if error == "EIO" else "write"
    disk.fault = Fault(kind, disk._counts[kind] + 1, error)
    db.begin()
    db.run("INSERT INTO fact VALUES (1)")
    with pytest.raises(RemitError) as caught:
        db.commit()
    return db, caught.value


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_commit_that_fails_is_unknown_and_drops_the_connection_until_it_is_reopened(tmp_path, error):
    db, fault = failing_commit(tmp_path / "s" / "remit.db", error)
    assert fault.code == "commit_unknown"
    assert not db.usable
    uses = (
        db.begin,
        db.try_begin,
        db.commit,
        db.rollback,
        db.mark,
        lambda: db.one("SELECT 1"),
        lambda: db.all("SELECT 1"),
        lambda: db.run("INSERT INTO fact VALUES (2)"),
        lambda: db.many("INSERT INTO fact VALUES (?)", [(2,)]),
    )
    for use in uses:
        with pytest.raises(RemitError) as caught:
            use()
        assert caught.value.code == "store_dropped"
    db.reopen()
    assert db.usable
    assert db.all("SELECT n FROM fact") in ([], [(1,)])
    db.run("INSERT INTO fact VALUES (2)")
    db.close()
