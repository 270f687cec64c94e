"""What keeps the command from the run's own secrets: our memory is closed to it, and our files are out of its sight.

Linux only; elsewhere, and where the system lets nobody have a view of their own, it is said that they are not.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

NEW_USER: Final = 0x10000000
NEW_MOUNTS: Final = 0x00020000
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000
BIND: Final = 0x1000
READ_ONLY: Final = 1
REMOUNT: Final = 32
SET_DUMPABLE: Final = 4
NO_NEW_PRIVILEGES: Final = 38


def close_memory(*, open_again: bool = False) -> None:
    """Let no other process of this user read our memory, environment or descriptors (prctl PR_SET_DUMPABLE)."""
    if sys.platform == "linux":
        _libc().prctl(SET_DUMPABLE, int(open_again), 0, 0, 0)


def hide(places: Sequence[Path], own: Path | None = None) -> bool:
    """In the process that becomes the command: put nothing in the place of these folders and files. False: not done.

    Of what lies beside the run's `own` folder nothing is left: what other runs are told lets into their gates.
    Twice a namespace: what the first one covered is locked in the second, where the command lives.
    """
    if sys.platform != "linux":
        return False
    try:
        ids = os.getuid(), os.getgid()
        close_memory(open_again=True)
        _apart(*ids)
        _mount(None, "/", None, RECURSIVE | PRIVATE)
        for place in places:
            if place.is_dir():
                _mount("tmpfs", str(place), "tmpfs", READ_ONLY, "mode=0000,size=4k")
            elif place.exists():
                _mount("/dev/null", str(place), None, BIND)
        if own is not None:
            _alone(own)
        here = Path.cwd()
        _apart(*ids)
        os.chdir(here)
    except OSError:
        return False
    return True


def can_hide() -> bool:
    """Say whether this system lets a process have a view of its own: tried in a child that does nothing else."""
    if sys.platform != "linux":
        return False
    child = os.fork()
    if not child:
        try:
            os._exit(0 if hide(()) else 1)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _apart(user: int, group: int) -> None:
    if _libc().unshare(NEW_USER | NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        file = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)


def _alone(own: Path) -> None:
    held = os.open(own, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    _mount("tmpfs", str(own.parent), "tmpfs", 0, "mode=0700,size=16k")
    own.mkdir(mode=0o700)
    _mount(f"/proc/self/fd/{held}", str(own), None, BIND)
    _mount(None, str(own.parent), None, REMOUNT | BIND | READ_ONLY)
    os.close(held)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [one.encode() if one is not None else None for one in (source, target, kind, options)]
    if _libc().mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]):
        raise OSError(ctypes.get_errno(), "mount")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
