"""What SQLite and the file system can do to us, in words: apsw's errors as `RemitError`, file modes, free disk."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from remit.core.errors import RemitError

FREE_BYTES: Final = 256 * 1024 * 1024
"""Below this much free disk, in bytes, the doctor warns."""
RESTORE: Final = "Stop Remit, keep a copy of the store, and restore the latest backup."

_WRITABLE: Final = stat.S_IWGRP | stat.S_IWOTH
_REACHABLE: Final = stat.S_IRWXG | stat.S_IRWXO
_POSIX: Final = os.name == "posix"
_CLOSED: Final = (apsw.ConnectionClosedError, apsw.CursorClosedError)
_BROKEN: Final = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing `remit doctor` has to say about the store: what is wrong and what to do."""

    code: str
    message: str
    remedy: str


def flaw(fault: RemitError) -> Flaw:
    """Say a fault as a flaw."""
    return Flaw(fault.code, fault.message, fault.remedy)


def closed(error: Exception) -> bool:
    """Say whether the error only means that the connection was closed before."""
    return isinstance(error, _CLOSED)


def breaks(error: Exception) -> bool:
    """Say whether the connection is in doubt after this error: the disk failed, or what it gave back is damaged."""
    return isinstance(error, _BROKEN)


def translate(error: Exception) -> RemitError:
    """Turn SQLite's error into ours; the message names the result code, never a value that was bound."""
    name = _name(error)
    if isinstance(error, _CLOSED):
        return RemitError("store_dropped", "This connection to the store was dropped.", "Reopen the store.")
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return RemitError("store_busy", f"Another connection holds the store ({name}).", "Try again shortly.")
    if isinstance(error, apsw.FullError):
        return RemitError("store_full", "The disk of the store is full.", "Make room on the disk of the store.")
    if isinstance(error, (apsw.ReadOnlyError, apsw.PermissionsError)):
        return read_only()
    if isinstance(error, (apsw.NotADBError, apsw.CorruptError)):
        return RemitError("store_corrupt", f"The store is damaged, or its file is no database ({name}).", RESTORE)
    if isinstance(error, apsw.CantOpenError):
        return RemitError("store_unavailable", f"The store cannot be opened ({name}).", "Check its path and directory.")
    if isinstance(error, apsw.ConstraintError):
        return RemitError("store_constraint", f"The store refused a row: {error}.", "Read the store and decide again.")
    if isinstance(error, apsw.IOError):
        return RemitError("store_failed", f"The disk of the store failed ({name}).", "Check the disk, then reopen.")
    return RemitError("store_statement", f"The store refused a statement ({name}): {error}.", "Report this defect.")


def unknown(error: apsw.Error) -> RemitError:
    """Say that a commit failed, so that nobody may act on it."""
    return RemitError(
        "commit_unknown",
        f"The store failed while committing ({_name(error)}); the change may or may not have been kept.",
        "Reopen the store and read what it holds before doing anything again.",
    )


def read_only() -> RemitError:
    """Say that the store cannot be written."""
    return RemitError(
        "store_read_only",
        "The store can be read but not written.",
        "Give Remit write access to the store and its directory.",
    )


def create(path: Path) -> None:
    """Make the file (0600) and, when missing, its directory (0700), and sync their names; `store_unavailable`."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            _sync_directory(path.parent.parent)
        if not path.exists():
            # Only a file that is not there is opened: closing another descriptor would drop this process's locks.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            _sync_directory(path.parent)
    except FileExistsError:
        return  # another process made it a moment ago
    except OSError as error:
        raise RemitError(
            "store_unavailable",
            f"The store at {path.name} cannot be created: {error.strerror}.",
            "Check that the directory above it exists, that Remit may write there, and that the disk has room.",
        ) from error


def refuse_exposed(path: Path) -> None:
    """Refuse a store whose file or directory group or others can write (`store_exposed`)."""
    for place, mode in _modes(path):
        if mode & _WRITABLE:
            raise RemitError(
                "store_exposed",
                f"Others can write to {place.name} (mode {mode:04o}).",
                "Run chmod 700 on the directory of the store and chmod 600 on its files.",
            )


def surroundings(path: Path) -> list[Flaw]:
    """List file modes that let others in, and a disk with less than `FREE_BYTES` free."""
    flaws = [
        Flaw(
            "store_exposed",
            f"Others can reach {place.name} (mode {mode:04o}).",
            "Take all rights from group and others.",
        )
        for place, mode in _modes(path)
        if mode & _REACHABLE
    ]
    if _POSIX:
        disk = os.statvfs(path.parent)
        free = disk.f_bavail * disk.f_frsize
        if free < FREE_BYTES:
            room = f"Only {free // (1024 * 1024)} MiB are free beside the store."
            flaws.append(Flaw("store_full", room, "Make room on the disk of the store."))
    return flaws


def _modes(path: Path) -> list[tuple[Path, int]]:
    places = [path.parent, *(path.with_name(path.name + end) for end in ("", "-wal", "-shm"))]
    return [(place, stat.S_IMODE(place.stat().st_mode)) for place in places if place.exists()] if _POSIX else []


def _sync_directory(path: Path) -> None:
    if _POSIX:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _name(error: Exception) -> str:
    code = getattr(error, "extendedresult", 0)
    known = apsw.mapping_extended_result_codes.get(code) or apsw.mapping_result_codes.get(code)
    return str(known or type(error).__name__)
