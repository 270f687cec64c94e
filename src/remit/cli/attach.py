"""Puts the batch on an event loop: turns are taken on the loop, what blocks for long runs in one commit thread."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from remit.control.batch import Batch, Job, inline

QUICK_MS: Final = 1.0
"""Below this, to wake the commit thread and be woken by it takes as long as the commit itself."""
FEW: Final = 2
"""With more pieces of work than these, others come meanwhile: to take them in is worth more than the waking."""
PASSES: Final = 8
"""How many passes of the loop, each a microsecond when nothing comes, a turn waits after one of several pieces."""


def attach(batch: Batch, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Let the batch live on this loop; the function returned waits for the commit thread and lets go again.

    Many calls that come in one pass of the loop are one turn, and so one commit; where several come, in a few passes.
    The loop goes on while it is synced. For a few calls, where the store syncs quickly, it waits instead. A disk that
    turns slow stops it once.
    """
    # The commit thread hands over within a fraction of a sync, not after the default of 5 ms.
    sys.setswitchinterval(0.0005)
    jobs: SimpleQueue[tuple[Job, Job] | None] = SimpleQueue()
    waiting, passes = False, 0

    def turn() -> None:
        nonlocal waiting, passes
        if passes:
            passes -= 1
            loop.call_soon(turn)
        else:
            waiting, passes = False, PASSES if batch.waiting > 1 else 0
            batch.turn()

    def wake() -> None:
        nonlocal waiting
        if not waiting:
            waiting = True
            loop.call_soon(turn)

    def offload(job: Job, after: Job) -> None:
        jobs.put((job, after))

    def sync(job: Job, after: Job) -> None:
        (inline if batch.taken <= FEW and batch.usual_ms < QUICK_MS else offload)(job, after)

    def commits() -> None:
        while (taken := jobs.get()) is not None:
            job, after = taken
            # The batch notes what broke a job of its own; whatever else it is, the thread must live for the next one.
            with contextlib.suppress(Exception):
                job()
            loop.call_soon_threadsafe(after)

    thread = threading.Thread(target=commits, name="remit-commit", daemon=True)
    thread.start()
    before = batch.wake, batch._offload, batch._sync  # noqa: SLF001 - the composition root joins the two
    batch.wake, batch._offload, batch._sync = wake, offload, sync  # noqa: SLF001

    def detach() -> None:
        jobs.put(None)
        thread.join()
        batch.wake, batch._offload, batch._sync = before  # noqa: SLF001

    return detach
