"""The guard: a process that stays behind when the run is killed, ends the command and the task, and sees it proven.

It is forked before anything else runs, leaves the terminal's session, and waits at a pipe whose other end the run
alone holds. When that closes without a word, the run is dead. Were both killed, the node ends the task a minute after.
"""

import contextlib
import os
import shutil
import signal
import time
from typing import Any, Final

from remit.cli.running import apart
from remit.cli.running.node import Node
from remit.core.errors import RemitError

GRACE_S: Final = 5
PROOF_S: Final = 30
_AGAIN_S: Final = 0.2


class Guard:
    """The run's end of the pipe. `sees` names the command's process; `done` says that all was ended already."""

    def __init__(self, node: Node, task: str, folder: str) -> None:
        reading, self._writing = os.pipe()
        self._child = os.fork()
        if not self._child:
            os.close(self._writing)
            _watch(reading, node, task, folder)
        os.close(reading)

    def sees(self, command: int) -> None:
        """Name the process that the command runs as."""
        os.write(self._writing, b"%d\n" % command)

    def done(self) -> None:
        """All was ended: the guard may go."""
        with contextlib.suppress(OSError):
            os.write(self._writing, b"done\n")
        os.close(self._writing)
        os.waitpid(self._child, 0)


def _watch(reading: int, node: Node, task: str, folder: str) -> None:
    """The guard itself. It never returns."""
    try:
        os.setsid()
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(one, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        apart.close_memory()
        said = b""
        while piece := os.read(reading, 64):
            said += piece
        if not said.endswith(b"done\n"):
            first = said.split(b"\n")[0]
            command = int(first) if first.isdigit() else 0
            # Asked to end first, and made to only after the task has ended: a command that stays cannot put that off.
            _tell(command, signal.SIGTERM)
            ended(node, task, 0)
            stop(command)
            ended(node, task, PROOF_S)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def stop(command: int) -> None:
    """End a process, or none for 0: asked first, made to after five seconds."""
    for sign, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGCONT, 0), (signal.SIGKILL, GRACE_S)):
        until = time.monotonic() + patience
        there = _tell(command, sign)
        while there and time.monotonic() < until:
            time.sleep(0.05)
            there = _tell(command, 0)
        if not there:
            return


def _tell(command: int, sign: int) -> bool:
    """Send a process a signal, or ask for it with 0; whether it is there. No number of ours is ever 0 or below."""
    if command <= 0:
        return False
    try:
        os.kill(command, sign)
    except OSError:
        return False
    return True


def ended(node: Node, task: str, patience: float) -> dict[str, Any]:
    """End a run and wait for the proofs of its leases; what is known then, empty when the node is not to be reached."""
    until, over, found = time.monotonic() + patience, False, dict[str, Any]()
    while True:
        try:
            if not over:
                node.post(f"/v1/runs/{task}/end", {})
                over = True
            found = node.get(f"/v1/runs/{task}")
            if all(one["state"] == "dead" for one in found["leases"]):
                return found
        except RemitError as fault:
            if fault.code != "server_unreachable":
                return found
        if time.monotonic() >= until:
            return found
        time.sleep(_AGAIN_S)
