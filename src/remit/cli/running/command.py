"""The command: started in our own process group, so that its terminal is its own; signals and its end are passed on."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from remit.cli.running import apart
from remit.cli.running.process import hold
from remit.core.errors import RemitError

PASSED: Final = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH,
)  # fmt: skip
_FROM_KERNEL: Final = 0x80
NOT_FOUND: Final = 127
NOT_RUN: Final = 126


class Command:
    """One command. Made and waited for by the main thread, before any other thread is."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        hidden: Sequence[Path] | None,
        own: Path | None = None,
    ) -> None:
        self._ours = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED, signal.SIGCHLD})

        def become() -> None:
            if hidden is not None and not apart.hide(hidden, own):
                os._exit(NOT_RUN)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._ours)

        try:
            self._process = subprocess.Popen(words, env=environment, preexec_fn=become)  # noqa: PLW1509, S603 - no threads yet; it is what was asked for
        except OSError as fault:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._ours)
            raise RemitError(
                "command_failed",
                f"{words[0]} cannot be started: {fault.strerror}.",
                "Check how it is written, and that it is there.",
            ) from fault

        self.process: Final = hold(self._process.pid)

    def wait(self) -> int:
        """Wait for its end, and pass on what signals come; its exit code, 128 and the signal when one ended it.

        What the terminal sends it sends to the command as well, which is in the same group: that is not passed twice.
        """
        try:
            while (code := self._process.poll()) is None:
                came = signal.sigwaitinfo({*PASSED, signal.SIGCHLD})
                if came.si_signo != signal.SIGCHLD and came.si_code != _FROM_KERNEL:
                    self.send(came.si_signo)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._ours)
        return 128 - code if code < 0 else code

    def send(self, sign: int) -> None:
        """Send it a signal, while it is there."""
        self._process.send_signal(sign)


def failed(fault: RemitError) -> int:
    """The exit code of a command that could not be started, as shells say it."""
    return NOT_FOUND if isinstance(fault.__cause__, FileNotFoundError) else NOT_RUN


def on_linux() -> bool:
    """Say whether signals can be told apart here."""
    return sys.platform == "linux"
