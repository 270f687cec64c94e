"""The guard: a process that stays behind when the run is killed, ends the command and the task, and sees it proven.

It is forked before anything else runs, leaves the terminal's session, and waits at a socket whose other end the run
alone holds. When that closes without a word, the run is dead. Were both killed, the node ends the task a minute after.
The command is handed over by the kernel's own descriptor of it, so that no other process is ever ended in its place.
"""

import contextlib
import os
import shutil
import signal
import socket
import time
from typing import Any, Final

from remit.cli.running import apart
from remit.cli.running.node import Node
from remit.cli.running.process import NONE, Process
from remit.core.errors import RemitError

PROOF_S: Final = 30
_AGAIN_S: Final = 0.2


class Guard:
    """The run's end of the pair. `sees` hands over the command's process; `done` says that all was ended already."""

    def __init__(self, node: Node, task: str, folder: str) -> None:
        theirs, self._ours = socket.socketpair()
        self._child = os.fork()
        if not self._child:
            self._ours.close()
            _watch(theirs, node, task, folder)
        theirs.close()

    def sees(self, command: Process) -> None:
        """Hand over the process that the command runs as."""
        said, held = b"%d\n" % command.number, [command.held] if command.held != NONE else []
        socket.send_fds(self._ours, [said], held)

    def done(self) -> None:
        """All was ended: the guard may go."""
        with contextlib.suppress(OSError):
            self._ours.sendall(b"done\n")
        self._ours.close()
        os.waitpid(self._child, 0)


def _watch(theirs: socket.socket, node: Node, task: str, folder: str) -> None:
    """The guard itself. It never returns."""
    try:
        os.setsid()
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(one, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        apart.close_memory()
        command, done = _heard(theirs)
        if not done:
            # Asked to end first, and made to only after the task has ended: a command that stays cannot put that off.
            command.tell(signal.SIGTERM)
            ended(node, task, 0)
            command.stop()
            ended(node, task, PROOF_S)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def _heard(theirs: socket.socket) -> tuple[Process, bool]:
    """Wait until the run is over; the command's process, none for number 0, and whether all was ended already."""
    said, held = b"", [NONE]
    with contextlib.suppress(OSError):
        while True:
            piece, given, _, _ = socket.recv_fds(theirs, 64, 1)
            held = given or held
            if not piece:
                break
            said += piece
    first = said.split(b"\n")[0]
    return Process(int(first) if first.isdigit() else 0, held[0]), said.endswith(b"done\n")


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
