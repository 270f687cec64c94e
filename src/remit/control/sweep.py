"""What time does: end tasks that are over, close calls that nobody told of, retire keys, forget spent values."""

from remit.control import access, key, task
from remit.control.change import Change
from remit.core.moment import Instant
from remit.core.task import Task
from remit.store import payload
from remit.store.facts import activity

NONCES_EVERY = 60_000


def sweep(change: Change, most: int = 200) -> int:
    """End up to `most` tasks whose time is over; returns how many. Called every second by whoever serves."""
    over = 0
    for one in list(change.reader.where(Task, "state != 'ended' AND deadline <= ?", (change.now,)))[:most]:
        over += len(task.end(change, one.id, "deadline", "sweep"))
    for one in list(change.reader.where(Task, "state = 'open'")):
        if over >= most:
            break
        children = any(True for _ in change.reader.where(Task, "parent = ? AND state = 'open'", (one.id,)))
        if not children and change.now - activity(change.reader, one) >= one.idle:
            over += len(task.end(change, one.id, "idle", "sweep"))
    access.close_overdue(change)
    key.sweep(change)
    if payload.expire_nonces(change.db, Instant(change.now - NONCES_EVERY)):
        change.keep()
    return over
