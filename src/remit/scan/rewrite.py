"""A scanned file, written anew: whole or not at all, with the same owner and mode, and only if it is what was read.

No link is followed. A file outside the scanned places, one that has another name too (a hard link) and one that has
changed since it was read are refused (`fix_refused`).
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from remit.core.errors import RemitError


def rewrite(path: str, before: bytes, after: bytes, places: Sequence[str]) -> None:
    """Put other bytes in place of those that were read."""
    with _found(path, places) as (folder, handle, seen):
        if _whole(handle, len(before) + 1) != before:
            raise _refused(path, "it has changed since it was read")
        part = f".{Path(path).name}.{os.getpid()}.part"
        new = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            _write(new, after, seen)
            _swap(path, part, folder, seen)
        except BaseException:
            os.unlink(part, dir_fd=folder)
            raise
        os.fsync(folder)


def _write(new: int, data: bytes, like: os.stat_result) -> None:
    """Fill a new file, and make it as another is: its owner, its group, its mode."""
    with os.fdopen(new, "wb") as file:
        file.write(data)
        file.flush()
        made = os.fstat(new)
        if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(new, like.st_uid, like.st_gid)
        os.fchmod(new, stat.S_IMODE(like.st_mode))
        os.fsync(new)


def _swap(path: str, part: str, folder: int, seen: os.stat_result) -> None:
    """Give the new file the name of the one that was read, if that is still the same."""
    name = Path(path).name
    if _mark(os.stat(name, dir_fd=folder, follow_symlinks=False)) != _mark(seen):
        raise _refused(path, "it changed while it was mended")
    os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def shut(path: str, places: Sequence[str]) -> None:
    """Take the file away from everybody but its owner and its group."""
    with _found(path, places) as (_, handle, seen):
        os.fchmod(handle, stat.S_IMODE(seen.st_mode) & ~0o007)


def keep(path: str, data: bytes) -> None:
    """Write a new file that its owner alone can open; one that is there already is refused (`fix_refused`)."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as fault:
        raise _refused(path, "it is there already, and what is taken out goes into a new file") from fault
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def below(path: str, place: str) -> bool:
    """Say whether a path, without its own last link, lies in a place or is it."""
    real, root = Path(os.path.realpath(Path(path).parent)) / Path(path).name, Path(os.path.realpath(place))
    return real == root or root in real.parents


@contextmanager
def _found(path: str, places: Sequence[str]) -> Iterator[tuple[int, int, os.stat_result]]:
    """The folder of a file and the file, both open, and what the file is."""
    if not any(below(path, place) for place in places):
        raise _refused(path, "it lies outside of what was scanned")
    with ExitStack() as held:
        folder = os.open(os.path.realpath(Path(path).parent), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        held.callback(os.close, folder)
        handle = _open(path, folder)
        held.callback(os.close, handle)
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode) or seen.st_nlink != 1:
            raise _refused(path, "it is no regular file, or it has another name too")
        yield folder, handle, seen


def _open(path: str, folder: int) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(Path(path).name, flags, dir_fd=folder)
    except OSError as fault:
        raise _refused(path, "it is a link, or cannot be opened any more") from fault


def _mark(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_mode


def _whole(handle: int, most: int) -> bytes:
    parts = []
    while most and (part := os.read(handle, most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _refused(path: str, why: str) -> RemitError:
    return RemitError("fix_refused", f"{path} is not written: {why}.", "Look at the file, and run the scan again.")
