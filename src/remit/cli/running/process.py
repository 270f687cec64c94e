"""One process that is to be ended: held by a descriptor of the kernel's, which never comes to mean another process.

A process number does: once its process is waited for, the next one may get it. Where the kernel gives no descriptor
(before Linux 5.3), or none is left, the number has to do. Source: pidfd_open(2), pidfd_send_signal(2).
"""

import os
import select
import signal
import time
from dataclasses import dataclass
from typing import Final

GRACE_S: Final = 5
NONE: Final = -1
_AGAIN_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its number, and by `held`, the descriptor that is open on it; the number alone for `NONE`."""

    number: int
    held: int = NONE

    def tell(self, sign: int) -> bool:
        """Send it a signal, or ask for it with 0; whether it is there. No number of ours is ever 0 or below."""
        try:
            if self.held != NONE:
                signal.pidfd_send_signal(self.held, sign)
            elif self.number > 0:
                os.kill(self.number, sign)
            else:
                return False
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it: asked first, made to after five seconds."""
        for sign, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGCONT, 0), (signal.SIGKILL, GRACE_S)):
            if not self.tell(sign) or self._gone(patience):
                return

    def _gone(self, patience: float) -> bool:
        """Wait for its end, no longer than this."""
        until = time.monotonic() + patience
        if self.held != NONE:
            watch = select.poll()
            watch.register(self.held, select.POLLIN)
            return bool(watch.poll(patience * 1000))
        while (there := self.tell(0)) and time.monotonic() < until:
            time.sleep(_AGAIN_S)
        return not there


def hold(number: int) -> Process:
    """Hold a child of ours that was not waited for yet: only so is its number surely still its own."""
    try:
        return Process(number, os.pidfd_open(number))
    except (AttributeError, OSError):
        return Process(number)
