"""The small process between Remit and a stdio server, so that the server never outlives Remit. Standard library only.

Run as a script: `guard.py PARENT FD GRACE PROGRAM ARGV...`. It starts PROGRAM in a process group of its own and ends
with its status. When file descriptor FD reaches its end (Remit closed it, or died of anything, SIGKILL included) or
SIGTERM comes, the group gets SIGTERM, and after GRACE seconds SIGKILL. What the server started is adopted and killed as
well, also if it left the group or made itself a daemon. Linux alone.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

_PDEATHSIG, _NO_NEW_PRIVS, _SUBREAPER = 1, 38, 36


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def _close(first: int, last: int = -1) -> None:
    """Close descriptors from `first` to before `last`, or to the highest there can be."""
    if last < 0:
        last = max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024)
    os.closerange(first, last)


def _become(program: str, argv: list[str], guard: int) -> None:
    """Turn the forked child into the server; never returns."""
    try:
        os.setpgid(0, 0)
        _prctl(_PDEATHSIG, signal.SIGKILL)
        _prctl(_NO_NEW_PRIVS, 1)
        _close(3)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(name, signal.SIG_DFL)
        os.umask(0o077)
        if os.getppid() == guard:
            os.execve(program, argv, os.environ)  # noqa: S606  # the registered program, without a shell
    except OSError as error:
        os.write(2, f"The server cannot be started: {error.strerror}.\n".encode())
    finally:
        os._exit(127)


def _ended(child: int) -> bool:
    """Collect what has ended, but for the server: until it is waited for, its number and its group's stay its own."""
    while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
        if found.si_pid == child:
            return True
        os.waitpid(found.si_pid, 0)
    return False


def _own() -> list[int]:
    """List the processes whose parent we are."""
    mine, found = str(os.getpid()).encode(), []
    for entry in os.scandir("/proc") if sys.platform == "linux" else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = os.open(f"{entry.path}/stat", os.O_RDONLY)
                if os.read(stat, 4096).rpartition(b")")[2].split()[1] == mine:
                    found.append(int(entry.name))
                os.close(stat)
    return found


def _kill_all(child: int) -> int:
    """Kill the group and, as each death hands its children over to us, all that came from it; the server's status."""
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    status = 0
    while True:
        for pid in _own():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        status = ended if pid == child else status


def _listen() -> tuple[int, list[int]]:
    """Turn signals into octets on a pipe; give its end to read, and a list that grows when we are asked to end."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    asked: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda number, _: asked.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return woken, asked


def _stand(child: int, alive: int, grace: float, woken: int, asked: list[int]) -> None:
    """Wait until the server has ended, or has had its time."""
    until: float | None = None
    while not _ended(child):
        left = None if until is None else max(0.0, until - time.monotonic())
        if left == 0.0:
            break
        ready, _, _ = select.select([woken, alive] if until is None else [woken], [], [], left)
        if woken in ready:
            os.read(woken, 4096)
        if until is None and (asked or alive in ready):
            until = time.monotonic() + grace
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGTERM)


def main() -> None:
    """Guard one server."""
    parent, alive, grace = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    # An event loop may hand over more than it was asked to; nothing of Remit's stays open here.
    _close(3, alive)
    _close(alive + 1)
    _prctl(_SUBREAPER, 1)
    _prctl(_PDEATHSIG, signal.SIGTERM)
    woken, asked = _listen()
    guard = os.getpid()
    if os.getppid() != parent:
        return
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        _become(sys.argv[4], sys.argv[5:], guard)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)  # only the server holds the pipes: their end means its end
    _stand(child, alive, grace, woken, asked)
    code = os.waitstatus_to_exitcode(_kill_all(child))
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(guard, -code)
    os._exit(code)


if __name__ == "__main__":
    main()
