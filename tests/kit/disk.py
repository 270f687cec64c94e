"""A disk that fails and loses power when told to: an apsw VFS over the real one, for tests of anything on `open_db`.

`powerloss(run, seed, root)` runs, cuts the power at a point drawn from the seed, and returns the store that any
subset of the unsynced bytes may have left. `each_fault(run, root)` runs again and again, failing the first, second, …
I/O until none is left to fail. A sync that failed loses what it should have written, though reads still see it, as the
page cache of Linux does. The real sync is left out: what is synced is what this model says.
"""

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from remit.core.errors import RemitError

Run = Callable[[str, Path], None]
"""Opens the store at the path through the VFS of that name, and works; it need not close."""

SECTOR: Final = 512
STORE: Final = "remit.db"
KINDS: Final = ("open", "write", "sync", "truncate", "delete")
_numbers: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Fault:
    """Fail I/O `number` of one kind with `error`; `happened`: after doing it; `short`: after half of it."""

    kind: str
    number: int
    error: str = "EIO"
    happened: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fault left: the error that ended the run, the files as the kernel sees them, as the disk has them."""

    fault: Fault
    raised: RemitError | None
    killed: Path
    lost: Path


@dataclass(slots=True)
class _File:
    """What is on the platter, and the writes (offset, bytes) and truncations (size, None) that may yet reach it."""

    durable: bytearray
    pending: list[tuple[int, bytes | None]]
    gone: bool = False

    def settle(self) -> None:
        for offset, data in self.pending:
            _put(self.durable, offset, data)
        self.pending.clear()

    def survivor(self, rng: random.Random) -> bytes:
        content, share = bytearray(self.durable), rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for offset, data in self.pending:
            if data is None:
                if rng.random() < share:
                    _put(content, offset, None)
                continue
            for start in range(0, len(data), SECTOR):
                piece = data[start : start + SECTOR]
                if rng.random() < share:
                    torn = rng.random() < 0.1
                    first = rng.randrange(len(piece)) if torn else 0
                    last = rng.randrange(first, len(piece)) if torn else len(piece)
                    _put(content, offset + start + first, piece[first:last])
        return bytes(content)


def _put(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if not data:
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """One disk, registered as VFS `name` for as long as it lives."""

    def __init__(self, *, fault: Fault | None = None, cut: int = 0, read_only: bool = False) -> None:
        self.name = f"disk{next(_numbers)}"
        self.files: dict[str, _File] = {}
        self.fault, self.cut, self.read_only = fault, cut, read_only
        self.fired = False
        self.off = False
        self.operations = 0
        self._counts = dict.fromkeys(KINDS, 0)
        super().__init__(self.name, "")

    def excepthook(self, *_: object) -> bool:
        """Say nothing about an error that SQLite chose to live with: we raised it."""
        return True

    def before(self, kind: str) -> Fault | None:
        """Count one I/O; raise when the power is off; give the fault that this I/O is to meet."""
        if self.off:
            raise apsw.exception_for(apsw.SQLITE_IOERR)
        self.operations += 1
        self._counts[kind] += 1
        if self.operations == self.cut:
            self.off = True
            raise apsw.exception_for(apsw.SQLITE_IOERR)
        fault = self.fault
        if fault is None or fault.kind != kind or fault.number != self._counts[kind]:
            return None
        self.fired = True
        if not fault.happened and not fault.short and kind != "sync":
            raise failure(fault)
        return fault

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        fault = self.before("open")
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if self.read_only and flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            flags[0] = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY
        if path is None:
            return apsw.VFSFile("", name, flags)
        shadow = self.files.get(path)
        if shadow is None or shadow.gone:
            there = Path(path)
            self.files[path] = _File(bytearray(there.read_bytes() if there.exists() else b""), [])
        file = _Handle(self, name, path, flags)
        if fault:
            raise failure(fault)
        return file

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name and order
        fault = self.before("delete")
        super().xDelete(name, syncdir)
        if name in self.files:
            self.files[name] = _File(bytearray(), [], gone=True)
        if fault:
            raise failure(fault)

    def adopt(self, other: "Disk", store: Path, into: Path) -> None:
        """Take over a store that a process killed on `other` left: its files as seen, its platter as it was."""
        copy(store, into)
        for file, twin in zip(_store_files(store), _store_files(into), strict=True):
            shadow = other.files.get(str(file))
            if shadow is not None and not shadow.gone:
                self.files[str(twin)] = _File(bytearray(shadow.durable), list(shadow.pending))

    def survivors(self, path: Path, rng: random.Random, into: Path) -> Path:
        """Write what may be on the platter after a power loss now, as a store in a directory of its own."""
        into.mkdir(mode=0o700)
        for file in _store_files(path):
            shadow = self.files.get(str(file))
            if shadow is not None and not shadow.gone:
                _private(into / file.name, shadow.survivor(rng))
            elif shadow is None and file.exists():
                _private(into / file.name, file.read_bytes())
        return into / path.name


class _Handle(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, path: str, flags: list[int]) -> None:
        self.disk, self.path = disk, path
        super().__init__("", name, flags)

    def excepthook(self, *_: object) -> bool:
        """See `Disk.excepthook`."""
        return True

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        fault = self.disk.before("write")
        data = bytes(data)
        if fault and fault.short:
            data = data[: len(data) // 2]
        if data:
            super().xWrite(data, offset)
            self.disk.files[self.path].pending.append((offset, data))
        if fault:
            raise failure(fault)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        fault = self.disk.before("truncate")
        super().xTruncate(size)
        self.disk.files[self.path].pending.append((size, None))
        if fault:
            raise failure(fault)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        fault = self.disk.before("sync")
        shadow = self.disk.files[self.path]
        if fault is None or fault.happened:
            shadow.settle()
        shadow.pending.clear()
        if fault:
            raise failure(fault)


def failure(fault: Fault) -> Exception:
    if fault.error == "ENOSPC":
        return apsw.exception_for(apsw.SQLITE_FULL)
    if fault.kind == "open":
        return apsw.exception_for(apsw.SQLITE_CANTOPEN)
    codes = {
        "write": apsw.SQLITE_IOERR_WRITE,
        "sync": apsw.SQLITE_IOERR_FSYNC,
        "truncate": apsw.SQLITE_IOERR_TRUNCATE,
        "delete": apsw.SQLITE_IOERR_DELETE,
    }
    return apsw.exception_for(codes[fault.kind])


def powerloss(run: Run, seed: int, root: Path, *, within: int = 100, start: Path | None = None) -> Path:
    """Run on a fresh store, cut the power at I/O 1 to `within` (or at the end), and return the store that survived.

    With `start`, run on a copy of that store instead, so that power is lost again during recovery. After the cut every
    I/O of the run fails. What the run raises before the cut is raised here.
    """
    rng = random.Random(seed)
    disk = Disk(cut=rng.randint(1, within))
    folder = root / f"power-{seed}-{next(_numbers)}"
    place = _fresh(folder)
    if start:
        copy(start, place)
    try:
        run(disk.name, place)
    except RemitError:
        if not disk.off:
            raise
    disk.off = True
    path = disk.survivors(place, rng, root / f"survived-{seed}-{next(_numbers)}")
    disk.unregister()
    shutil.rmtree(folder)
    return path


def each_fault(run: Run, root: Path, *, seed: int = 0, first: int = 1, step: int = 1) -> Iterator[Outcome]:
    """Run on a fresh store with the first, second, … I/O of each kind failing in each way, until none is left.

    With `first` and `step`, only every so many-th I/O fails.
    """
    for kind, error, happened, short in _ways():
        for number in itertools.count(first, step):
            fault = Fault(kind, number, error, happened=happened, short=short)
            disk = Disk(fault=fault)
            here = root / f"fault-{next(_numbers)}"
            place = _fresh(here)
            raised: RemitError | None = None
            try:
                run(disk.name, place)
            except RemitError as caught:
                raised = caught
                caught.__traceback__ = None
            disk.off = True
            lost = disk.survivors(place, random.Random(seed + number), here / "lost")
            killed = here / "killed" / place.name
            killed.parent.mkdir(mode=0o700)
            copy(place, killed)
            if disk.fired:
                yield Outcome(fault, raised, killed, lost)
            disk.unregister()
            shutil.rmtree(here)
            if not disk.fired:
                break


def copy(store: Path, into: Path) -> None:
    """Copy a store as a killed process leaves it: what the kernel shows of its files, without the shared memory."""
    for file, twin in zip(_store_files(store), _store_files(into), strict=True):
        if file.exists():
            _private(twin, file.read_bytes())


def _ways() -> Iterator[tuple[str, str, bool, bool]]:
    for kind in KINDS:
        for happened in (False, True):
            yield kind, "EIO", happened, False
    yield "write", "ENOSPC", False, False
    yield "write", "ENOSPC", False, True
    yield "write", "EIO", False, True
    yield "sync", "ENOSPC", False, False


def _fresh(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    inner = folder / "store"
    inner.mkdir(mode=0o700)
    return inner.resolve() / STORE


def _store_files(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("", "-wal", "-journal")]


def _private(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
